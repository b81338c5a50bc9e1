"""What a person should do with the generated images of a class, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gamo2pix.score import FEW, GAMO, few, means

UNKNOWN, KEEP, LOOK, REFUSE = "cannot be judged", "keep", "look first", "do not use"
_ERRORS = 2.0  # standard errors that a difference needs
_SHARP = 0.25  # of the way from the KID of unseen real images to that of blurred ones
_COPIES = 0.10  # twice the share among unseen real images
_VARIETY = 0.5  # of the recall of unseen real images
_NEARER = -3.0  # of Meehan's z, as its authors have it
CONTROL_WORDS = {  # what the sources of `score.CONTROLS` are called in a sentence
    "dirichlet-uniform": "Random convex weights",
    "dirichlet-sparse": "Random weights on a few parents",
}


class Verdict(NamedTuple):
    """Of one class.

    Attributes:
      word: UNKNOWN, KEEP, LOOK or REFUSE.
      reasons: why, in words; none for KEEP.
    """

    word: str
    reasons: list[str]

    def __str__(self) -> str:
        return f"{self.word}: {', '.join(self.reasons)}" if self.reasons else self.word


class _Value(NamedTuple):
    """A KID with its standard error."""

    kid: float
    error: float

    def above(self, other: _Value) -> bool:
        """Whether it is larger by more than the errors of both allow."""
        return self.kid - other.kid > _ERRORS * math.hypot(self.error, other.error)

    def __str__(self) -> str:
        return f"{self.kid:.3f} ± {self.error:.3f}"


def verdict(scores: Mapping) -> Verdict:
    """Judge a class by its scores.

    A KID is above another one where it is larger by two standard errors of the
    difference. The first rule that holds decides:

    1. UNKNOWN: fewer than `score.FEW` training or generated images.
    2. REFUSE: the KID is above that of blurred and that of unseen real images.
    3. UNKNOWN: the KID of blurred real images is not above that of unseen ones, or two
       errors around the KID reach both.
    4. LOOK: the KID is more than a quarter of the way from that of unseen to that of
       blurred images; there are more copies than twice those among unseen images;
       Meehan's z is below -3; or recall is less than half that of unseen images.
    5. KEEP.

    Args:
      scores: a row of `score.score`.
    """
    if few(scores):
        return too_few(min(scores["n_real"], scores["n_fake"]))
    score, floor, blurred = (
        _Value(scores[name], scores.get(f"{name}_error", 0.0))
        for name in ("kid", "kid_floor", "kid_blurred")
    )
    if score.above(blurred) and score.above(floor):
        return Verdict(
            REFUSE,
            [f"worse than blurred real images (KID {score}, of these {blurred})"],
        )
    if not blurred.above(floor):
        return Verdict(
            UNKNOWN,
            [f"blurred real images score like sharp ones (KID {blurred}, {floor})"],
        )
    reach = _ERRORS * score.error
    if score.kid - reach <= floor.kid and score.kid + reach >= blurred.kid:
        return Verdict(
            UNKNOWN,
            [
                f"the error is too large (KID {score}, of real images {floor.kid:.3f}, "
                f"of blurred ones {blurred.kid:.3f})"
            ],
        )
    reasons = []
    if score.kid > floor.kid + _SHARP * (blurred.kid - floor.kid):
        reasons.append(
            f"not sharp (KID {score.kid:.3f}, of blurred images {blurred.kid:.3f})"
        )
    if scores["copies"] > _COPIES:
        reasons.append(f"{scores['copies']:.0%} look like copies of training images")
    if (z := scores.get("copying_z", 0.0)) < _NEARER:
        reasons.append(f"nearer to training images than unseen images are (z {z:.1f})")
    if scores["recall"] < _VARIETY * scores["recall_floor"]:
        reasons.append(
            f"little variety (recall {scores['recall']:.2f}, of real images "
            f"{scores['recall_floor']:.2f})"
        )
    return Verdict(LOOK if reasons else KEEP, reasons)


def too_few(images: int) -> Verdict:
    """The verdict on a class with too few images for a score.

    Args:
      images: training or test images of the class, whichever are fewer.
    """
    number = f"{images} image" + "s" * (images != 1)
    return Verdict(UNKNOWN, [f"{number} ({FEW} training and {FEW} test images needed)"])


def of_classes(
    scores: Sequence[Mapping], images: Mapping[str, int]
) -> dict[str, Verdict]:
    """The verdict on GAMO's images of each class.

    By several extractors it is the worst; one by which a class cannot be judged does
    not count beside others.

    Args:
      scores: of `score.score_classes`.
      images: of each class that was asked for, by name: its training or test images,
        whichever are fewer. A class without a score has too few.
    """
    order = (UNKNOWN, KEEP, LOOK, REFUSE)
    verdicts: dict[str, list[Verdict]] = {name: [] for name in images}
    for row in scores:
        if row["source"] == GAMO:
            verdicts[row["name"]].append(verdict(row))
    return {
        name: max(each, key=lambda one: order.index(one.word), default=too_few(n))
        for (name, each), n in zip(verdicts.items(), images.values(), strict=True)
    }


def better_controls(scores: list[dict], rival: str = "G") -> list[str]:
    """A sentence for each kind of features by which a control scores better than G.

    Controls have convex weights that no adversary chose (`score.CONTROLS`). Means over
    classes are compared, and a difference needs two standard errors. Of several
    controls the best one is named.

    Args:
      scores: of `score.score_classes`.
      rival: what chose the weights of the run's images.
    """
    sentences = []
    for features in dict.fromkeys(row["features"] for row in scores):
        rows = [row for row in scores if row["features"] == features]
        kids = {
            row["source"]: _Value(row["kid"], row["kid_error"]) for row in means(rows)
        }
        best = min(
            kids.keys() & CONTROL_WORDS.keys(), key=kids.__getitem__, default=None
        )
        if best and GAMO in kids and kids[GAMO].above(kids[best]):
            classes = len({row["label"] for row in rows})
            sentences.append(
                f"{CONTROL_WORDS[best]} score better than {rival}: KID {kids[best]} "
                f"against {kids[GAMO]} (mean of {classes} classes)."
            )
    return sentences

"""What a person should do with the generated images of a class, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gamo2pix.score import GAMO, few

KEEP, LOOK, REFUSE = "keep", "look first", "do not use"
_SHARP = 0.25  # of the KID of blurred real images
_COPIES = 0.10  # twice the share among unseen real images
_VARIETY = 0.5  # of the recall of unseen real images


class Verdict(NamedTuple):
    """Of one class.

    Attributes:
      word: KEEP, LOOK or REFUSE.
      reasons: what speaks against the images, in words; none for KEEP.
    """

    word: str
    reasons: list[str]

    def __str__(self) -> str:
        return f"{self.word}: {', '.join(self.reasons)}" if self.reasons else self.word


def verdict(scores: Mapping) -> Verdict:
    """Judge a class by its scores.

    Args:
      scores: a row of `score.score`. A KID above that of blurred real images is
        REFUSE. A KID above a quarter of it, more copies than twice those among unseen
        images, or less than half of their recall is LOOK; so is a row of few images.
    """
    kid, blurred = scores["kid"], scores["kid_blurred"]
    if kid > blurred:
        return Verdict(
            REFUSE,
            [f"below the score of blurred real images (KID {kid:.3f}, {blurred:.3f})"],
        )
    reasons = []
    if kid > _SHARP * blurred:
        reasons.append(f"not sharp (KID {kid:.3f}, of blurred images {blurred:.3f})")
    if scores["copies"] > _COPIES:
        reasons.append(f"{scores['copies']:.0%} look like copies of training images")
    if scores["recall"] < _VARIETY * scores["recall_floor"]:
        reasons.append(
            f"little variety (recall {scores['recall']:.2f}, of real images "
            f"{scores['recall_floor']:.2f})"
        )
    if few(scores):
        reasons.append("too few images for a score to be sure")
    return Verdict(LOOK if reasons else KEEP, reasons)


def of_classes(scores: Sequence[Mapping]) -> dict[str, Verdict]:
    """The verdict on GAMO's images of each class; by several extractors the worst.

    Args:
      scores: of `score.score_classes`. A class that could not be scored has no verdict.
    """
    found: dict[str, Verdict] = {}
    order = (KEEP, LOOK, REFUSE)
    for row in scores:
        if row["source"] == GAMO:
            said, before = verdict(row), found.get(row["name"])
            if before is None or order.index(said.word) > order.index(before.word):
                found[row["name"]] = said
    return found

"""The verdict on a class follows from its scores, and from nothing else."""

import pytest

from gamo2pix import score
from gamo2pix.verdict import CONTROL_WORDS, better_controls, of_classes, verdict

GOOD = {
    "label": 1,
    "source": "gamo",
    "name": "one",
    "features": "plain",
    "n_real": 50,
    "n_fake": 50,
    "kid": 0.1,
    "kid_error": 0.01,
    "kid_floor": 0.0,
    "kid_floor_error": 0.01,
    "kid_blurred": 0.4,
    "kid_blurred_error": 0.02,
    "copies": 0.05,
    "copying_z": 0.0,
    "recall": 0.5,
    "recall_floor": 0.8,
}
NEEDED = "(20 training and 20 test images needed)"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "keep"),
        ({"kid": 0.11}, "look first: not sharp (KID 0.110, of blurred images 0.400)"),
        # A quarter of the way from 0.2 to 0.4 is 0.25.
        ({"kid": 0.25, "kid_floor": 0.2}, "keep"),
        ({"kid": 0.26, "kid_floor": 0.2}, "look first: not sharp"),
        ({"copies": 0.11}, "look first: 11% look like copies of training images"),
        ({"copying_z": -3.0}, "keep"),
        (
            {"copying_z": -3.1},
            "look first: nearer to training images than unseen images are (z -3.1)",
        ),
        ({"recall": 0.39}, "look first: little variety (recall 0.39, of real images"),
    ],
)
def test_verdicts_on_what_can_be_judged(change, said):
    assert str(verdict({**GOOD, **change})).startswith(said)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        # Two errors of the difference: 2 sqrt(0.03^2 + 0.04^2) = 0.1.
        ({"kid": 0.51, "kid_error": 0.03, "kid_blurred_error": 0.04}, "do not use"),
        ({"kid": 0.49, "kid_error": 0.03, "kid_blurred_error": 0.04}, "look first"),
        ({"kid": 0.51, "copies": 1.0}, "do not use"),
        # Real images score as high: the floor is respected.
        ({"kid": 0.51, "kid_floor": 0.6}, "cannot be judged"),
        ({"kid": 0.51, "kid_floor": 0.5}, "cannot be judged"),
        ({"kid": 0.9, "kid_floor": 0.6}, "do not use"),
    ],
)
def test_images_are_refused_only_beyond_the_error(change, word):
    assert verdict({**GOOD, **change}).word == word


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"n_fake": 19}, f"19 images {NEEDED}"),
        ({"n_real": 11}, f"11 images {NEEDED}"),
        ({"n_real": 1}, f"1 image {NEEDED}"),
        ({"n_fake": 11, "kid": 9.0}, f"11 images {NEEDED}"),  # not "do not use"
        # What a folder of photographs had: 0.190 ± 0.381, 0.618 for unseen images.
        (
            {"kid": 0.19, "kid_error": 0.381, "kid_floor": 0.618, "kid_blurred": 0.098},
            "blurred real images score like sharp ones (KID 0.098 ± 0.020, 0.618",
        ),
        # 0.4 and 0 are 0.02 and 0.38 away; two errors are 0.4.
        (
            {"kid": 0.38, "kid_error": 0.2},
            "the error is too large (KID 0.380 ± 0.200, of real images 0.000, of",
        ),
        # 2 sqrt(0.16^2 + 0.12^2) = 0.4: unseen and blurred images are not apart.
        (
            {"kid_floor_error": 0.16, "kid_blurred_error": 0.12},
            "blurred real images score like sharp ones",
        ),
    ],
)
def test_a_score_that_separates_nothing_is_no_verdict(change, reason):
    said = str(verdict({**GOOD, **change}))
    assert said.startswith(f"cannot be judged: {reason}")


def test_rows_of_earlier_versions_have_no_errors_of_real_images():
    old = {k: v for k, v in GOOD.items() if k not in {"copying_z", "kid_floor_error"}}
    assert str(verdict(old)) == "keep"


def test_the_worst_of_several_extractors_counts():
    rows = [
        GOOD,
        {**GOOD, "kid": 0.9},
        {**GOOD, "n_fake": 3},
        {**GOOD, "name": "two"},
        {**GOOD, "name": "two", "kid": 0.5, "kid_error": 0.4},
        {**GOOD, "name": "two", "source": "dirichlet-sparse", "kid": 0.9},
    ]
    found = of_classes(rows, {"one": 50, "two": 50, "three": 2})
    assert {name: each.word for name, each in found.items()} == {
        "one": "do not use",
        "two": "keep",
        "three": "cannot be judged",
    }
    assert found["three"].reasons == [f"2 images {NEEDED}"]


def with_controls(**kids: tuple[float, float]) -> list[dict]:
    """Two classes alike, with the KID and the error of each source."""
    return [
        {**GOOD, "label": label, "source": source, "kid": kid, "kid_error": error}
        for source, (kid, error) in kids.items()
        for label in (1, 2)
    ]


def test_a_better_control_is_told_beyond_the_error():
    assert CONTROL_WORDS.keys() == score.CONTROLS.keys()
    uniform, sparse = "dirichlet-uniform", "dirichlet-sparse"
    # Of a mean of two classes the error is that of one over the root of 2: two errors
    # of the difference are 2 sqrt((0.06^2 + 0.08^2) / 2) = 0.141.
    better = {"gamo": (0.25, 0.06), uniform: (0.1, 0.08), sparse: (0.3, 0.0)}
    assert better_controls(with_controls(**better)) == [
        "Random convex weights score better than G: KID 0.100 ± 0.057 against "
        "0.250 ± 0.042 (mean of 2 classes)."
    ]
    assert better_controls(with_controls(**{**better, uniform: (0.12, 0.08)})) == []
    best = {**better, sparse: (0.0, 0.0)}
    (told,) = better_controls(with_controls(**best), "balanced-pairs")
    assert told.startswith("Random weights on a few parents score better than balanced")
    assert better_controls(with_controls(gamo=(0.3, 0.0))) == []
    assert better_controls([]) == []

"""The verdict on a class follows from its scores, and from nothing else."""

import pytest

from gamo2pix.verdict import of_classes, verdict

GOOD = {
    "source": "gamo",
    "name": "one",
    "n_real": 50,
    "n_fake": 50,
    "kid": 0.1,
    "kid_floor": 0.0,
    "kid_blurred": 0.4,
    "copies": 0.05,
    "recall": 0.5,
    "recall_floor": 0.8,
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "keep"),
        ({"kid": 0.11}, "look first: not sharp (KID 0.110, of blurred images 0.400)"),
        ({"kid": 0.41}, "do not use: below the score of blurred real images"),
        ({"copies": 0.11}, "look first: 11% look like copies of training images"),
        ({"recall": 0.39}, "look first: little variety (recall 0.39, of real images"),
        ({"n_fake": 19}, "look first: too few images for a score to be sure"),
        ({"kid": 0.41, "copies": 1.0}, "do not use: below the score of blurred"),
    ],
)
def test_verdicts(change, said):
    assert str(verdict({**GOOD, **change})).startswith(said)


def test_the_worst_of_several_extractors_counts():
    rows = [
        GOOD,
        {**GOOD, "kid": 0.9},
        GOOD,
        {**GOOD, "name": "two"},
        {**GOOD, "name": "two", "source": "dirichlet-sparse", "kid": 0.9},
    ]
    found = of_classes(rows)
    assert {name: each.word for name, each in found.items()} == {
        "one": "do not use",
        "two": "keep",
    }

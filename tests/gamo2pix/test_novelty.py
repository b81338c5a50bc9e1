"""Copies and variety on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from gamo2pix import novelty
from gamo2pix.distances import nearest

N, D = 400, 16


@pytest.fixture(scope="module")
def cases() -> dict[str, np.ndarray]:
    """Training rows, unseen rows, and what a generator could make."""
    rng = np.random.default_rng(0)
    train, unseen, fresh, noise = rng.normal(size=(4, N, D))
    memorised = np.where(np.arange(N)[:, None] % 2 == 0, train, fresh)
    parents = train[rng.integers(0, N, (N, 50))].mean(axis=1)
    return {
        "train": train,
        "unseen": unseen,
        "fresh": fresh,
        "shrunk": 0.8 * fresh,
        "means of 50": parents,
        "copies with noise": train + 0.1 * noise,
        "half memorised": memorised + 0.1 * noise,
        "one picture": np.repeat(fresh[:1], N, axis=0) + 0.01 * noise,
    }


COPIES = {
    "fresh": (0.02, 0.09),
    "shrunk": (0.0, 0.1),
    "means of 50": (0.0, 0.05),
    "copies with noise": (0.99, 1.0),
    "half memorised": (0.49, 0.58),
}


@pytest.mark.parametrize("case", COPIES)
def test_the_share_of_copies(case, cases):
    low, high = COPIES[case]
    unseen, made = (nearest(cases[x], cases["train"], 2) for x in ("unseen", case))
    assert low <= novelty.copies(unseen, made) <= high


def test_ratios_by_hand():
    train = np.array([[0.0], [1.0], [5.0]])
    found = novelty.ratios(nearest(np.array([[0.0], [0.5], [4.0], [9.0]]), train, 2))
    np.testing.assert_allclose(found, [0, 1, 1 / 3, 0.5])
    twins = np.array([[0.0], [0.0], [5.0]])
    assert novelty.ratios(nearest(np.array([[0.0]]), twins, 2)) == [1]


def test_meehans_z(cases):
    """Copies are far below 0, and so are shrunk samples, which are no copies: that is
    what the ratio is for. Samples that are spread out are far above."""

    def tested(train, unseen, fake) -> float:
        return novelty.copying_test(
            *(nearest(x, train, 1)[:, 0] for x in (unseen, fake))
        )

    train, unseen = cases["train"], cases["unseen"]
    z = {case: tested(train, unseen, cases[case]) for case in cases}
    assert abs(z["fresh"]) < 3
    assert z["copies with noise"] < -20 and z["half memorised"] < -8
    assert z["shrunk"] < -3
    wide = 1.3 * cases["fresh"]
    assert tested(train, unseen, wide) > 3
    # Every one of two is above both of the others: U = 4, less 2, over sqrt(5 / 3).
    one = np.array([[0.0]])
    found = tested(one, np.array([[1.0], [2]]), np.array([[3.0], [4]]))
    assert found == pytest.approx(2 / np.sqrt(5 / 3))


def test_a_manifold_by_hand():
    """Balls of one neighbour: real 0 and 1 have radius 1, real 4 has 3."""
    real, fake = np.array([[0.0], [1.0], [4.0]]), np.array([[0.5], [2.5], [9.0]])
    found = novelty.manifold(real, fake, k=1)
    # 0.5 is in the balls of 0 and 1, 2.5 in that of 4; 9 is in none.
    assert found.precision == pytest.approx(2 / 3)
    assert found.density == pytest.approx(3 / 3)
    assert found.coverage == 1
    # Fake 0.5 and 2.5 have radius 2, fake 9 has 6.5: all real rows are within.
    assert found.recall == 1


def test_manifolds_of_known_cases(cases):
    known = {case: novelty.manifold(cases["train"], x) for case, x in cases.items()}
    fresh, one = known["fresh"], known["one picture"]
    assert fresh.density == pytest.approx(1, abs=0.1) and fresh.coverage > 0.9
    assert abs(fresh.precision - fresh.recall) < 0.1
    assert one.coverage < 0.1 and one.recall < 0.1
    shrunk = known["shrunk"]
    assert shrunk.precision > fresh.precision and shrunk.recall < fresh.recall
    few = novelty.manifold(cases["train"][:3], cases["fresh"][:2])
    assert all(0 <= value <= 2 for value in few)

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
    train = cases["train"]
    assert low <= share(train, cases["unseen"], cases[case]) <= high


def share(train: np.ndarray, unseen: np.ndarray, made: np.ndarray) -> float:
    """The share of copies among `made`."""
    same = novelty.duplicates(train)
    near = [novelty.nearest_two(x, train, same) for x in (unseen, made)]
    return novelty.copies(*near)


@pytest.mark.parametrize("case", ["exact", "re-encoded", "some rows", "bursts of 4"])
def test_copies_of_rows_that_occur_several_times(case, cases):
    """They score as copies of single rows do, and fresh rows as fresh rows do."""
    train = cases["train"]
    rng = np.random.default_rng(1)
    more = {
        "exact": train,
        "re-encoded": train + 0.05 * rng.normal(size=train.shape),
        "some rows": train[:100],
        "bursts of 4": np.concatenate(
            [train + 0.05 * rng.normal(size=train.shape) for _ in range(3)]
        ),
    }[case]
    twice = np.concatenate([train, more])
    assert share(twice, cases["unseen"], cases["copies with noise"]) > 0.99
    assert 0.45 < share(twice, cases["unseen"], cases["half memorised"]) < 0.6
    assert share(twice, cases["unseen"], cases["fresh"]) < 0.12


def test_duplicates_by_hand():
    # The third nearest (of 7 rows) is 3.1, 3, 2.9, 3, 3.9, 4, 4.1 away: usual is 3.1.
    train = np.array([[0.0], [0.1], [1.0], [4.0], [7.9], [8.0], [12.0]])
    same = novelty.duplicates(train)
    together = {(i, j) for i, j in np.argwhere(same) if i < j}
    assert together == {(0, 1), (4, 5)} and same.diagonal().all()
    found = novelty.nearest_two(np.array([[0.05], [1.0], [8.0]]), train, same)
    np.testing.assert_allclose(found, [[0.05, 0.95], [0, 0.9], [0, 4]], atol=1e-7)
    # Of one picture alone nothing can be said.
    one = np.array([[2.0], [2.0], [2.0]])
    found = novelty.nearest_two(np.array([[5.0]]), one, novelty.duplicates(one))
    np.testing.assert_allclose(found, [[3, 3]])
    alone = novelty.nearest_two(np.array([[5.0]]), one[:1], novelty.duplicates(one[:1]))
    np.testing.assert_allclose(novelty.ratios(alone), [1])


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

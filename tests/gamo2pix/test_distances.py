"""Frechet distance and KID against values known otherwise."""

import math

import numpy as np
import pytest
import scipy.linalg

from gamo2pix import distances

RNG = np.random.default_rng(0)


def gaussian(mean, root, n=10) -> distances.Statistics:
    return distances.Statistics(n, np.asarray(mean, float), np.asarray(root, float))


def test_frechet_against_closed_forms():
    one, two = gaussian([0, 0, 0], np.eye(3)), gaussian([1, 2, 2], 3 * np.eye(3))
    assert distances.frechet(one, one) == pytest.approx(0, abs=1e-12)
    # |m|^2 + d (1 + 9 - 2 * 3)
    assert distances.frechet(one, two) == pytest.approx(9 + 3 * 4)
    # Commuting covariances: the sum of squared differences of deviations.
    a, b = gaussian([0, 0], np.diag([1.0, 5.0])), gaussian([0, 0], np.diag([4.0, 3.0]))
    assert distances.frechet(a, b) == pytest.approx(9 + 4)
    # Rank 1 each, at right angles: nothing shared.
    a, b = gaussian([0, 0], [[2.0, 0.0]]), gaussian([0, 0], [[0.0, 3.0]])
    assert distances.frechet(a, b) == pytest.approx(4 + 9)


@pytest.mark.parametrize(("n", "m"), [(200, 150), (12, 9)], ids=["full", "deficient"])
def test_frechet_against_a_direct_matrix_square_root(n, m):
    mix = RNG.normal(size=(20, 20))
    x, y = RNG.normal(size=(n, 20)) @ mix, 0.7 * RNG.normal(size=(m, 20)) + 1
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = np.real(scipy.linalg.sqrtm(a)) if n > 20 else root_by_eigenvalues(a)
    inner = np.linalg.eigvalsh(root @ b @ root)
    trace = np.sqrt(np.maximum(inner, 0)).sum()
    expected = np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(a + b) - 2 * trace
    found = distances.frechet(distances.statistics(x), distances.statistics(y))
    assert found == pytest.approx(expected, rel=1e-6)
    if n > 20:
        direct = np.real(np.trace(scipy.linalg.sqrtm(a @ b)))
        assert trace == pytest.approx(direct, rel=1e-9)


def root_by_eigenvalues(a: np.ndarray) -> np.ndarray:
    values, vectors = scipy.linalg.eigh(a)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def test_one_row_has_no_covariance():
    with pytest.raises(ValueError, match="2 or more"):
        distances.statistics(np.ones((1, 3)))


def test_kid_is_the_unbiased_mmd_and_null_on_average():
    x, y = RNG.normal(size=(6, 3)), RNG.normal(size=(5, 3)) + 1

    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    xx = np.mean([k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    yy = np.mean([k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    xy = np.mean([k(a, b) for a in x for b in y])
    found = distances.kid(x, y)
    assert found.value == pytest.approx(xx + yy - 2 * xy)
    assert found.error > 0
    null = [distances.kid(*RNG.normal(size=(2, 20, 3))).value for _ in range(200)]
    assert abs(np.mean(null)) < 3 * np.std(null) / math.sqrt(200)
    assert min(null) < 0
    with pytest.raises(ValueError, match="4 or more"):
        distances.kid(x[:3], y)


def test_the_error_of_kid_is_how_it_scatters():
    """Over fresh samples of the same two distributions."""
    sets = RNG.normal(size=(60, 2, 80, 4)) * [1.0, 1.1, 1.0, 1.0]
    sets[:, 1] += 0.4
    found = [distances.kid(*pair) for pair in sets]
    scatter = np.std([one.value for one in found], ddof=1)
    assert np.mean([one.error for one in found]) == pytest.approx(scatter, rel=0.35)


@pytest.mark.parametrize("n", [4, 5, 6])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_error_of_kid_of_few_rows_is_a_number(n, seed):
    """Some samples of the bootstrap have a single row, and so no pairs."""
    x, y = RNG.normal(size=(2, n, 3))
    with np.errstate(all="raise"):
        found = distances.kid(x, y, seed)
    assert 0 < found.error < math.inf


def test_distances_between_single_rows_by_hand():
    a, b = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 4.0], [0.0, 1.0]])
    np.testing.assert_allclose(distances.pairwise(a, b), [[4, 1], [3, math.sqrt(18)]])
    np.testing.assert_allclose(distances.nearest(a, b, 1), [[1], [3]])
    np.testing.assert_allclose(distances.nearest(a, b, 2)[0], [1, 4])
    assert distances.spacing(a) == pytest.approx(5)

"""Distances between sets of images, from their features, in float64.

Which features they are is decided in `extractors`, and the name of a score follows
from that: a Frechet distance is only an FID if the features are those of the
Inception graph of 2015.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SAMPLES = 200  # of the bootstrap, for the standard error of KID
_KID_ROWS = 4  # fewest rows


class Statistics(NamedTuple):
    """What the Frechet distance needs of a set of features.

    A root of the covariance S = R^T R is kept in its place. Where n <= d, S has no
    full rank, and its square root by eigenvalues would lose half of the digits.

    Attributes:
      n: number of rows.
      mean: float64 [d].
      root: R, float64 [r, d] with r = min(n, d).
    """

    n: int
    mean: np.ndarray
    root: np.ndarray


def statistics(features: np.ndarray) -> Statistics:
    """Mean and root of the unbiased covariance of features.

    Args:
      features: [n, d].

    Raises:
      ValueError: for fewer than 2 rows.
    """
    features = np.asarray(features, np.float64)
    n = len(features)
    if n < 2:
        raise ValueError(f"statistics: {n} row(s); a covariance needs 2 or more.")
    mean = features.mean(axis=0)
    return Statistics(n, mean, np.linalg.qr(features - mean, "r") / np.sqrt(n - 1))


def frechet(a: Statistics, b: Statistics) -> float:
    """The Frechet distance of two normal distributions (Heusel et al., NIPS 2017).

    ``|m_a - m_b|^2 + Tr(S_a + S_b - 2 (S_a S_b)^1/2)``. With S = R^T R the trace of
    the last term is the nuclear norm of R_a R_b^T: exact for covariances of any rank,
    and nothing has to be added to their diagonals.

    Args:
      a: of one set of features.
      b: of another of the same width.

    Returns:
      The squared distance, 0 or more, in squared units of the features. It is biased
      upwards, the more the fewer rows there are.
    """
    # The singular values of R_a R_b^T are the square roots of the eigenvalues of
    # S_a S_b, whose sum is the trace.
    nuclear = np.linalg.svd(a.root @ b.root.T, compute_uv=False).sum()
    shift = np.sum((a.mean - b.mean) ** 2)
    spread = np.sum(a.root**2) + np.sum(b.root**2) - 2.0 * nuclear
    # Rounding can leave equal sets a little below zero.
    return float(max(shift + spread, 0.0))


class Kid(NamedTuple):
    """A Kernel Inception Distance.

    Attributes:
      value: the estimate.
      error: its standard error by the bootstrap, over the rows of both sets. Samples
        that repeat a single row have no pairs and are left out.
    """

    value: float
    error: float


def kid(a: np.ndarray, b: np.ndarray, seed: int = 0) -> Kid:
    """The estimator of the Kernel Inception Distance (Binkowski et al., ICLR 2018).

    The unbiased squared maximum mean discrepancy of the kernel (x.y / d + 1)^3 over
    all pairs. Its mean is 0 for two samples of one distribution: it can be negative.

    Args:
      a: features [n, d].
      b: features [m, d].
      seed: of the bootstrap.

    Raises:
      ValueError: for fewer than 4 rows.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    n, m = len(a), len(b)
    if min(n, m) < _KID_ROWS:
        raise ValueError(f"kid: {n} and {m} rows; {_KID_ROWS} or more are needed.")
    # Computed once: a sample of the bootstrap weighs rows and columns of these.
    kernels = _kernel(a, a), _kernel(b, b), _kernel(a, b)
    (value,) = _mmd2(np.ones((1, n)), np.ones((1, m)), *kernels)
    rng = np.random.default_rng(seed)
    times_a = rng.multinomial(n, np.full(n, 1 / n), SAMPLES).astype(np.float64)
    times_b = rng.multinomial(m, np.full(m, 1 / m), SAMPLES).astype(np.float64)
    pairs = (times_a.max(axis=1) < n) & (times_b.max(axis=1) < m)
    times_a, times_b = times_a[pairs], times_b[pairs]
    drawn = _mmd2(times_a, times_b, *kernels)
    return Kid(float(value), float(np.std(drawn, ddof=1)))


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a @ b.T / a.shape[1] + 1.0) ** 3


def _mmd2(
    x: np.ndarray, y: np.ndarray, xx: np.ndarray, yy: np.ndarray, xy: np.ndarray
) -> np.ndarray:
    """The squared discrepancies of samples, from the kernels of all rows.

    x [s, n] and y [s, m] say how often each sample has each row. Pairs of a row with
    itself are left out, also where a sample has it twice: with them the estimate would
    be biased.
    """

    def within(times: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        pairs = times.sum(axis=1) ** 2 - (times**2).sum(axis=1)
        whole = ((times @ kernel) * times).sum(axis=1)
        return (whole - times**2 @ np.diag(kernel)) / pairs

    between = ((x @ xy) * y).sum(axis=1) / (x.sum(axis=1) * y.sum(axis=1))
    return within(x, xx) + within(y, yy) - 2.0 * between


# ---- distances between single images -----------------------------------------


def pairwise(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances between the rows of two sets.

    Args:
      a: features [n, d].
      b: features [m, d].

    Returns:
      float64 [n, m].
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2.0 * a @ b.T
    return np.sqrt(np.maximum(squares, 0.0))


def nearest(a: np.ndarray, b: np.ndarray, k: int) -> np.ndarray:
    """The distances of each row of one set to the k nearest rows of another.

    Args:
      a: features [n, d].
      b: features [m, d].
      k: at most m.

    Returns:
      float64 [n, k], ascending.
    """
    return np.sort(np.partition(pairwise(a, b), k - 1, axis=1)[:, :k], axis=1)


def spacing(features: np.ndarray) -> float:
    """The mean distance between two different rows of features [n, d], n above 1."""
    n = len(features)
    return float(pairwise(features, features).sum() / (n * (n - 1)))

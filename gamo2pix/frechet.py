"""Features -> statistics -> distance: Frechet distance and KID, in float64.

Which features they are of is the business of `extractors`; what they are called
follows from that. Neither is "FID" unless the features are those of its graph.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SUBSETS = 100  # KID's spread: subsets drawn


class Statistics(NamedTuple):
    """Mean [d] and a root R [r, d] of the covariance, R^T R, of n features.

    The root is kept and not the covariance: with n <= d the covariance has no
    full rank, and its square root by eigenvalues loses half the digits.
    """

    n: int
    mean: np.ndarray
    root: np.ndarray


def statistics(features: np.ndarray) -> Statistics:
    """Of features [n, d]. Raises ValueError for fewer than 2 rows."""
    features = np.asarray(features, np.float64)
    n = len(features)
    if n < 2:
        raise ValueError(f"statistics: {n} row(s); a covariance needs 2 or more.")
    mean = features.mean(axis=0)
    return Statistics(n, mean, np.linalg.qr(features - mean, "r") / np.sqrt(n - 1))


def frechet(a: Statistics, b: Statistics) -> float:
    """|m_a - m_b|^2 + Tr(S_a + S_b - 2 (S_a S_b)^1/2) (Heusel et al., 2017).

    With S = R^T R the last trace is the nuclear norm of R_a R_b^T: exact for
    covariances of any rank, and nothing is added to their diagonals.
    """
    nuclear = np.linalg.svd(a.root @ b.root.T, compute_uv=False).sum()
    shift = np.sum((a.mean - b.mean) ** 2)
    spread = np.sum(a.root**2) + np.sum(b.root**2) - 2.0 * nuclear
    return float(max(shift + spread, 0.0))


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a @ b.T / a.shape[1] + 1.0) ** 3


def _mmd2(x: np.ndarray, y: np.ndarray, xx, yy, xy) -> float:
    m, n = len(x), len(y)
    same_x = (xx[np.ix_(x, x)].sum() - xx[x, x].sum()) / (m * (m - 1))
    same_y = (yy[np.ix_(y, y)].sum() - yy[y, y].sum()) / (n * (n - 1))
    return float(same_x + same_y - 2.0 * xy[np.ix_(x, y)].mean())


class Kid(NamedTuple):
    """KID and its spread: the deviation over SUBSETS subsets of `subset` rows."""

    value: float
    spread: float
    subset: int


def kid(a: np.ndarray, b: np.ndarray, seed: int = 0) -> Kid:
    """Kernel Inception Distance's estimator (Binkowski et al., 2018) of [n, d].

    The unbiased squared MMD of the kernel (x.y / d + 1)^3 over all pairs: its
    mean is 0 for samples of one law, so that it can be negative. Subsets have
    half the rows of the smaller set, at most 1,000, so that they differ.
    Raises ValueError for fewer than 4 rows.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if min(len(a), len(b)) < 4:
        raise ValueError(f"kid: {len(a)} and {len(b)} rows; 4 or more are needed.")
    kernels = _kernel(a, a), _kernel(b, b), _kernel(a, b)
    value = _mmd2(np.arange(len(a)), np.arange(len(b)), *kernels)
    subset = min(1000, len(a) // 2, len(b) // 2)
    rng = np.random.default_rng(seed)
    drawn = [
        _mmd2(
            rng.permutation(len(a))[:subset], rng.permutation(len(b))[:subset], *kernels
        )
        for _ in range(SUBSETS)
    ]
    return Kid(value, float(np.std(drawn, ddof=1)), subset)

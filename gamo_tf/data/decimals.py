"""Decimals of a column of floating-point numbers, which generated values keep."""

from __future__ import annotations

import numpy as np

MOST = 6  # decimals; a value with more is a measurement that nobody rounded


def of_columns(real: np.ndarray) -> np.ndarray:
    """The number of decimals that all values of a column get by with.

    Args:
      real: the real values [n], or [n, d], of a floating-point type. 25.3 of float32
        has one decimal: what counts is that 25.3 is stored as this value.

    Returns:
      int, of shape [] or [d]; -1 where a value has more than `MOST` decimals.
    """
    found = np.full(real.shape[1:], -1)
    wide = real.astype(np.float64)
    for k in range(MOST, -1, -1):
        with np.errstate(over="ignore", invalid="ignore"):
            same = np.round(wide, k).astype(real.dtype) == real
            # float64 has no more decimals there, and rounding adds errors of its own.
            same |= np.abs(wide) * 10.0**k >= 2.0**52
        whole = same.all(axis=0)
        if not whole.any():
            break  # who needs more than k decimals needs more than fewer, too
        found = np.where(whole, k, found)
    return found


def rounded(values: np.ndarray, decimals: np.ndarray) -> np.ndarray:
    """Values with the decimals of their columns.

    Args:
      values: float64 [m], or [m, d].
      decimals: of each column, as `of_columns` finds them; -1 rounds nothing.

    Returns:
      float64, of the shape of `values`.
    """
    found = values.copy()
    for k in np.unique(decimals[decimals >= 0]).tolist():
        own = decimals == k
        found[..., own] = np.round(values[..., own], k)
    return found

"""Confusion -> per-class recall, ACSA, GM (paper, Section 4)."""

from __future__ import annotations

import numpy as np


def confusion(labels: np.ndarray, predicted: np.ndarray, c: int) -> np.ndarray:
    """Counts [c, c]: row = true label, column = predicted label."""
    flat = np.asarray(labels, np.int64) * c + np.asarray(predicted, np.int64)
    return np.bincount(flat, minlength=c * c).reshape(c, c)


def summarise(matrix: np.ndarray) -> dict:
    """ACSA, GM and recall of a confusion matrix [c, c].

    ACSA is the mean of the per-class recalls and GM their product to the power
    1/c. A class with no sample in the set has recall None and is left out of
    both; the labels left out are listed under ``absent``.
    """
    matrix = np.asarray(matrix)
    totals = matrix.sum(axis=1)
    present = totals > 0
    recall = np.diag(matrix)[present] / totals[present]
    if not len(recall):
        raise ValueError("summarise: the confusion matrix is empty (no sample).")
    full = iter(recall.tolist())
    return {
        "acsa": float(recall.mean()),
        "gm": float(np.prod(recall) ** (1.0 / len(recall))),
        "recall": [next(full) if here else None for here in present],
        "confusion": matrix.tolist(),
        "absent": np.flatnonzero(~present).tolist(),
    }

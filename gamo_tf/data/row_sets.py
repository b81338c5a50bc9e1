"""Which of a user's rows are trained on, set aside for validation, and tested on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gamo_tf.config.checks import check_range
from gamo_tf.data.mapped_rows import take
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError, setting

NAMES = ("train", "validation", "test")  # of the sets, in the order of the rows


def checked(test_split: float) -> float:
    """The share itself, once it is clear that it can give a test set.

    Args:
      test_split: share of each class that is kept for testing.

    Raises:
      UserError: it is not above 0 and below 1.
    """
    if not 0 < test_split < 1:
        raise UserError(
            f"{setting('test_split')} {test_split:g}: expected above 0 and below 1."
        )
    return test_split


def draw(
    rows: pd.DataFrame, test_split: float, validation_split: float, seed: int
) -> pd.DataFrame:
    """Draw the test and the validation rows of each class; the others are trained on.

    Two rows of a class are left to train on, whatever the shares are: a convex
    combination of one row is that row.

    Args:
      rows: with the columns ``source`` and ``label``.
      test_split: share of each class that is tested on, rounded to whole rows; 0
        where the test rows come from elsewhere.
      validation_split: share of each class that is set aside for validation,
        likewise; 0: none.
      seed: of both draws.

    Returns:
      The rows with the column ``set``, as `in_order` sorts them.

    Raises:
      UserError: the shares leave nothing to train on.
    """
    check_range("validation_split", validation_split)
    if test_split + validation_split >= 1:
        raise UserError(
            f"{setting('test_split')} {test_split:g} and {setting('validation_split')} "
            f"{validation_split:g}: nothing is left to train on; together they have "
            "to be below 1."
        )
    # Each has a stream of its own: test rows are the same whatever else is set aside.
    test_rng = np.random.default_rng(seed)
    validation_rng = np.random.default_rng([seed, 1])
    names = pd.Series(NAMES[0], index=rows.index, dtype=object)
    for _, of_class in rows.groupby("label", sort=True):
        lines = of_class.index.to_numpy()
        most = max(0, len(lines) - 2)
        n = min(round(test_split * len(lines)), most)
        tested = test_rng.permutation(lines)[:n]
        left = lines[~np.isin(lines, tested)]
        n = min(round(validation_split * len(lines)), most - n)
        names.loc[tested] = "test"
        names.loc[validation_rng.permutation(left)[:n]] = "validation"
    return in_order(rows.assign(set=names))


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows sorted by their set; within a set they stay in their order.

    Args:
      rows: with the columns ``set`` (one of `NAMES`), ``source`` and ``label``.
    """
    parts = [rows[rows["set"] == name] for name in NAMES]
    return pd.concat(parts)[["set", "source", "label"]].reset_index(drop=True)


def arrays(rows: pd.DataFrame, values: np.ndarray) -> Arrays:
    """Values by their sets.

    Args:
      rows: with the columns ``set`` and ``label``.
      values: of each row, [n, ...]; where rows are `in_order` nothing is copied.
    """
    labels = rows["label"].to_numpy().astype(np.int64)
    train, validation, test = (
        np.flatnonzero((rows["set"] == name).to_numpy()) for name in NAMES
    )
    return Arrays(
        take(values, train),
        labels[train],
        take(values, test),
        labels[test],
        take(values, validation),
        labels[validation],
    )

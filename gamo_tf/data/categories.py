"""Columns that hold names, not numbers: which ones they are, and as positions.

A column of text, or of the type category, is trained on as the position of each value
among its categories; F makes one column of each category from these (see
`networks.feature_extractor.standardiser`). Its categories are the `MOST` most frequent
values that at least `LEAST` rows have. All other values, those too that only a later
table has, are none of them, as if they were one more category.
"""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
import pandas as pd
from pandas.api import types

from gamo_tf.data import number_objects

MOST = 50  # categories of a column
LEAST = 2  # rows of a category
OTHER = -1  # the position of what is none of the categories
ENOUGH = 20  # from so many different numbers on, text is taken for numbers
Names = tuple[str, ...] | None  # the categories of a column; None: of numbers


def is_nominal(column: pd.Series) -> bool:
    """Whether a column holds names: text, categories, or text beside numbers.

    Args:
      column: of any type. Of the type object, all its values are looked at.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return True
    if types.is_object_dtype(column.dtype):
        values = column[~column.isna()]
        if number_objects.are_numbers(values):
            return False
        return all(isinstance(value, (str, Real)) for value in values)
    return types.is_string_dtype(column.dtype)


def counted(column: pd.Series) -> tuple[list[str], list[int]]:
    """The different values of a column as text, and how many rows have each.

    Args:
      column: one of which `is_nominal` holds.
    """
    codes, values = _different(column)
    return values, np.bincount(codes[codes >= 0], minlength=len(values)).tolist()


def found(column: pd.Series) -> tuple[str, ...]:
    """The categories of a column, sorted.

    Args:
      column: one of which `is_nominal` holds.
    """
    values, rows = counted(column)
    often = sorted(range(len(values)), key=lambda k: (-rows[k], values[k]))[:MOST]
    return tuple(sorted(values[k] for k in often if rows[k] >= LEAST))


def positions(column: pd.Series, known: tuple[str, ...]) -> np.ndarray:
    """Where each value is among the categories.

    Args:
      column: one of which `is_nominal` holds.
      known: the categories, as `found` gives them.

    Returns:
      float64 [n]; `OTHER` for what is none of them, NaN where a value is missing.
    """
    codes, values = _different(column)
    place = {name: float(k) for k, name in enumerate(known)}
    worth = [place.get(value, float(OTHER)) for value in values]
    return np.array([*worth, np.nan])[codes]  # the code of a missing value is -1


def texts(column: pd.Series) -> list[str]:
    """The values of a column as text; a missing one is "".

    Args:
      column: one of which `is_nominal` holds.
    """
    codes, values = _different(column)
    return np.array([*values, ""], object)[codes].tolist()


def _different(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """The different values as text, and for each row which of them it has; -1 where
    one is missing."""
    codes, values = pd.factorize(column)
    names = [_text(value) for value in values]
    order = {name: k for k, name in enumerate(dict.fromkeys(names))}
    again = np.array([*(order[name] for name in names), -1], np.int64)
    return again[codes], list(order)


def _text(value: object) -> str:
    """A value by which it is known: 1, 1.0 and "1" are the same category."""
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, Real) and not isinstance(value, (bool, np.bool_, Integral)):
        number = float(value)
        return str(int(number)) if number.is_integer() else str(number)
    return str(value)

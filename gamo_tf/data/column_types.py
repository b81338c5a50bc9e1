"""What each type of a column is worth: as numbers to train on, and generated anew.

- Integers, of any width, nullable ones too: rounded half to even, within the smallest
  and the largest value of the row's class.
- Floating-point numbers: within these two as well, with as many decimals as the real
  values of the column have. Decimal and Fraction objects stay such objects.
- Everything else cannot be combined, and comes whole from the heaviest parent, a real
  row of the class: booleans, text, categories, dates and durations.
- Complex numbers and objects that are neither text nor numbers are refused.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api import types

from gamo_tf.data import categories, decimals, number_objects

# Ticks of a second of the finer units of dates; coarser ones are made seconds.
_TICKS = {"ms": 1e3, "us": 1e6, "ns": 1e9, "ps": 1e12, "fs": 1e15, "as": 1e18}


def kind_of(dtype: object) -> str:
    """What a column of a type holds.

    Args:
      dtype: of NumPy, pandas or pyarrow.

    Returns:
      "integer", "float", "boolean", "category" or "date" (durations too); for what
      cannot be used, "".
    """
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_integer_dtype(dtype):
        return "integer"
    if types.is_float_dtype(dtype):
        return "float"
    return "date" if getattr(dtype, "kind", "") in "mM" else ""


def settled(column: pd.Series) -> pd.Series:
    """A column of objects in the type of its values, where there is one.

    Args:
      column: of any type. The decimals of Arrow become Decimal objects.
    """
    if isinstance(column.dtype, pd.ArrowDtype) and "decimal" in str(column.dtype):
        return column.astype(object)
    return column.infer_objects()


def holds_numbers(column: pd.Series) -> bool:
    """Whether a column holds integers or other real numbers, and no booleans alone.

    Args:
      column: as `settled` returns it.
    """
    if types.is_object_dtype(column.dtype):
        return number_objects.are_numbers(column[~column.isna()])
    return kind_of(column.dtype) in ("integer", "float")


def numbers(
    column: pd.Series | np.ndarray, known: tuple[str, ...] | None = None
) -> np.ndarray:
    """A column as the numbers that are trained on.

    Booleans are 0 and 1, dates and durations seconds.

    Args:
      column: One of numbers, booleans, dates, durations or names; or an array.
      known: of a column of names its categories, of which the positions are taken.
        None: categories that are numbers are these numbers, as runs of earlier
        versions have them.

    Returns:
      float64, of the same shape; NaN where a value is missing.
    """
    if isinstance(column, pd.Series) and known is not None:
        return categories.positions(column, known)
    kind = kind_of(column.dtype)
    if isinstance(column, pd.Series) and types.is_object_dtype(column.dtype):
        return number_objects.numbers(column)
    if isinstance(column, pd.Series) and kind == "category":
        codes = column.cat.codes.to_numpy()
        worth = numbers(pd.Series(column.cat.categories))
        return np.append(worth, np.nan)[codes]  # the code of a missing value is -1
    if kind == "date":
        return _seconds(_date_array(column))
    if isinstance(column, pd.Series) and types.is_extension_array_dtype(column.dtype):
        return column.to_numpy(np.float64, na_value=np.nan)
    return np.asarray(column).astype(np.float64)


def _date_array(column: pd.Series | np.ndarray) -> np.ndarray:
    """Dates or durations as an array of NumPy; those with a time zone in UTC."""
    if isinstance(column, np.ndarray):
        return column
    if isinstance(column.dtype, pd.ArrowDtype):
        return column.to_numpy(column.dtype.numpy_dtype)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert(None)
    return column.to_numpy()


def _seconds(dates: np.ndarray) -> np.ndarray:
    """Seconds since 1970, or of a duration; NaN where there is none."""
    unit, _ = np.datetime_data(dates.dtype)
    if unit not in (*_TICKS, "generic"):
        dates = dates.astype(f"{dates.dtype.kind}8[s]")
    elif unit in _TICKS:
        dates = dates.astype(f"{dates.dtype.kind}8[{unit}]")
    seconds = dates.astype(np.int64) / _TICKS.get(unit, 1.0)
    return np.where(np.isnat(dates), np.nan, seconds)


def generated(
    real: pd.Series | np.ndarray,
    labels: np.ndarray,
    combined: np.ndarray,
    new_labels: np.ndarray,
    heaviest: np.ndarray,
    exact: bool = False,
) -> pd.Series | np.ndarray:
    """A column of generated rows, in the type of the real one.

    Args:
      real: the column of the real rows, [n]; or an array [n, d] of one type.
      labels: of the real rows, int [n].
      combined: convex combinations of `numbers(real)`, float64 [m] or [m, d].
      new_labels: of the generated rows, int [m].
      heaviest: the position among the real rows of the heaviest parent of each
        generated row, int [m].
      exact: leave floating-point numbers as they are combined, and do not round them
        to the decimals of their column (see `data.decimals`).

    Returns:
      The values of the generated rows, of the type that `real` has.
    """
    dtype, typed = real.dtype, real
    if isinstance(real, pd.Series):
        typed = settled(real)
        if not holds_numbers(typed):
            return real.iloc[heaviest].reset_index(drop=True)
    elif kind_of(dtype) not in ("integer", "float"):
        return real[heaviest]
    plain = _plain(typed)
    new = np.empty(combined.shape, plain.dtype)
    if plain.dtype.kind == "f" and not exact:
        combined = decimals.rounded(combined, decimals.of_columns(plain))
    for label in np.unique(new_labels):
        of_class, rows = plain[labels == label], new_labels == label
        if plain.dtype == object:
            new[rows] = number_objects.generated(combined[rows], of_class, plain)
            continue
        low, high = of_class.min(axis=0), of_class.max(axis=0)
        new[rows] = _between(combined[rows], low, high)
    if not isinstance(real, pd.Series):
        return new
    if object in (new.dtype, dtype):
        return pd.Series(new, dtype=object).astype(dtype)
    return pd.Series(pd.array(new, dtype=dtype))


def _plain(real: pd.Series | np.ndarray) -> np.ndarray:
    """Integers or floating-point numbers as an array of NumPy, of the same width."""
    if isinstance(real, np.ndarray):
        return real
    if isinstance(real.dtype, pd.SparseDtype):
        return real.sparse.to_dense().to_numpy()
    # Types of pandas and pyarrow know the one of NumPy that is like them.
    return real.to_numpy(getattr(real.dtype, "numpy_dtype", real.dtype))


def _between(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """float64 values in the type of `low` and `high`, and between these."""
    dtype = low.dtype
    least, most = low.astype(np.float64), high.astype(np.float64)
    if dtype.kind == "f":
        near = np.clip(values, least, most).astype(dtype)
        return np.clip(near, low, high)
    whole = np.rint(values)
    # The extremes themselves stay exact: float64 holds no integer beyond 2**53.
    found = np.where(whole >= most, high, low)
    inside = (whole > least) & (whole < most)
    found[inside] = whole[inside].astype(dtype)
    return found

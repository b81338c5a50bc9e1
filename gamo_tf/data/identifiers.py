"""Columns that identify rows, such as the number of a patient.

An identifier says nothing about the class of a row. The networks see a constant in its
place, and generated rows have no identifier of a real row: `blank` makes their values.
Which columns are identifiers follows from their names and values alone:

- Text is an identifier if nearly every row has a value of its own. Dates are none.
- Integers are identifiers if all differ and they fill most of a range, as row numbers
  do. Measurements of so few different values would repeat.
- With a name such as "id" or "patient_id", integers and text with many different
  values are identifiers.
- Floating-point numbers are measurements. You keep a column of integers by making
  floating-point numbers of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from numbers import Integral
from uuid import UUID

import numpy as np
import pandas as pd
from pandas.api import types

_FEW = 20  # rows that are too few to tell row numbers from measurements
_LEAST = 10  # rows that are too few to tell names from text of each row
_DENSE = 0.5  # share of a range that row numbers fill
_DISTINCT = 0.9  # share of different values of text that identifies rows
_NAMED = 0.25  # the same for a column with the name of an identifier
_LISTED = 10  # columns in a message
_ANYWHERE = frozenset({"id", "ids", "uuid", "guid", "uid", "identifier", "mrn", "ssn"})
_LAST = frozenset({"key", "pk", "nr", "no", "idx", "email", "phone", "barcode"})
_ALONE = _LAST - {"no"} | {"index"}  # NO may be a gas; a heat index is a measurement
_OWNERS = (
    "patient|person|user|customer|client|subject|sample|case|record|row|student|member|"
    "employee|account|order|invoice|product|item|visit|study|device|session|transaction"
)
_GLUED = re.compile(rf"({_OWNERS}) ?(ids?|index|number)")
_TIME = re.compile(
    r"\s*(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
    r"|\d{1,2}:\d{2}|\w{3,9} \d{1,2},? \d{4}|\d{1,2}\.? \w{3,9} \d{4})(\D.*)?",
    re.DOTALL,
)


def is_named_like_one(name: object) -> bool:
    """Whether a column has the name of an identifier, such as "id" or "patientId".

    Args:
      name: of a column; "Unnamed: 0" is the name of an index that was saved along.
    """
    text = str(name).strip()
    if not text or re.fullmatch(r"Unnamed: \d+|level_\d+|__index_level_\d+__", text):
        return True
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower()
    words = re.findall(r"[a-z]+", split)
    if _ANYWHERE & set(words) or _GLUED.fullmatch(" ".join(words)):
        return True
    return words[-1:] in ([word] for word in (_ALONE if len(words) == 1 else _LAST))


def is_identifier(column: pd.Series) -> bool:
    """Whether a column of a data frame identifies its rows.

    Args:
      column: of any type, with its name. Missing values do not count.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        column = pd.Series(column.astype(object), name=column.name)
    if not isinstance(dtype, pd.SparseDtype):
        column = column.dropna()
    if len(column) < 2 or types.is_bool_dtype(dtype):
        return False
    whole = types.is_integer_dtype(column.dtype) or _all(column, Integral)
    if not whole and not _is_text(column):
        return False
    try:
        different = column.nunique()
    except TypeError:  # lists, which cannot be compared
        return False
    distinct = different == len(column)
    if is_named_like_one(column.name):
        many = different >= max(_FEW, _NAMED * len(column))
        return distinct or many
    if whole:
        # float: the range of 64-bit integers is wider than any of them.
        fills = len(column) / (float(column.max()) - float(column.min()) + 1)
        plain = not isinstance(dtype, pd.CategoricalDtype)
        return distinct and plain and len(column) >= _FEW and fills >= _DENSE
    if len(column) < _LEAST or different < _DISTINCT * len(column):
        return False
    return not are_dates(column)


def are_dates(column: pd.Series) -> bool:
    """Whether text looks like dates or times of day, nearly all of it.

    Args:
      column: Text [n]; missing values do not count.
    """
    column = column.dropna()
    dates = sum(bool(_TIME.fullmatch(str(value))) for value in column)
    return len(column) > 0 and dates >= _DISTINCT * len(column)


def columns_of(X: pd.DataFrame) -> list[bool]:
    """Which columns of a data frame identify its rows.

    Args:
      X: of any types. Columns that are named by numbers, as those of an array are,
        are never taken for identifiers.
    """
    return [
        isinstance(name, str) and is_identifier(X.iloc[:, k])
        for k, name in enumerate(X.columns)
    ]


def blank(real: pd.Series, n: int) -> pd.Series:
    """What a column of identifiers has in generated rows.

    Args:
      real: the column of all real rows, also of those that are not trained on.
      n: the number of generated rows.

    Returns:
      A series [n] of the type of `real`, with a new index. Its values are missing. The
      integers of NumPy have no missing value: they count on behind the largest one.

    Raises:
      ValueError: the type has no room for so many more integers.
    """
    dtype = real.dtype
    if isinstance(dtype, pd.SparseDtype):
        dtype = dtype.subtype
    if not isinstance(dtype, np.dtype) or dtype.kind not in "iu":
        return pd.Series([None] * n, index=pd.RangeIndex(n), dtype=real.dtype)
    room, low, high = np.iinfo(dtype), int(real.min()), int(real.max())
    values = range(high + 1, high + 1 + n)
    if high + n > room.max:
        values = range(low - 1, low - 1 - n, -1)
    if low - n < room.min and high + n > room.max:
        raise ValueError(
            f"column {real.name}: {dtype} has no room for {n} new identifiers. Make "
            "64-bit integers of it."
        )
    return pd.Series(np.array(values, dtype), dtype=real.dtype)


def note(columns: Iterable[pd.Series], table: str) -> str:
    """What to say of the identifiers of a table before it is trained on.

    Args:
      columns: those that are identifiers.
      table: the variable that holds the table, in the line that keeps a column.

    Returns:
      A line of text; "" where there are no columns.
    """
    given = list(columns)
    if not given:
        return ""
    names = ", ".join(str(column.name) for column in given[:_LISTED])
    more = f" and {len(given) - _LISTED} more" if len(given) > _LISTED else ""
    text = (
        f"columns that identify rows: {names}{more}. They are not trained on, and "
        "generated rows have no identifier of a real row"
    )
    whole = [column for column in given if types.is_integer_dtype(column.dtype)]
    if whole:
        place = f"{table}[{whole[0].name!r}]"
        text += f". If one is a measurement: {place} = {place}.astype(float)"
    return text


def _is_text(column: pd.Series) -> bool:
    if not types.is_object_dtype(column.dtype):
        return types.is_string_dtype(column.dtype)
    return _all(column, (str, bytes, UUID, Integral))


def _all(column: pd.Series, kinds: type | tuple[type, ...]) -> bool:
    """Whether the values of a column of objects are of some types, and no booleans."""
    if not types.is_object_dtype(column.dtype):
        return False
    return all(
        isinstance(value, kinds) and not isinstance(value, (bool, np.bool_))
        for value in column
    )

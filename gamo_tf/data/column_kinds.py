"""What a column holds, whatever type it comes in.

pandas has types of its own for numbers, booleans, text, dates and durations. Other
values are objects: the dates, times and decimals of Python and Arrow, bytes and UUIDs.
`examine` finds out which objects a column holds and gives them such a type.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from numbers import Real
from typing import NamedTuple
from uuid import UUID

import numpy as np
import pandas as pd
from pandas.api import types

from gamo_tf.data import categories, column_types
from gamo_tf.data.categories import Names

# The kinds of columns, as messages and `data.json` name them.
NUMBER, BOOLEAN, NAME = "numbers", "booleans", "names"
DATE, ZONED = "dates without a time zone", "dates with a time zone"
TIME, DURATION = "times of day", "durations"
IDENTIFIER = "identifiers"
UNKNOWN = ""  # of runs of earlier versions, which kept no types


class Column(NamedTuple):
    """What the training has learned of a column.

    Attributes:
      kind: one of the kinds above.
      categories: of a column of names its categories, of identifiers none, (); of
        another column None.
    """

    kind: str
    categories: Names = None


class Values(NamedTuple):
    """The values of a column, and what they are.

    Attributes:
      kind: one of the kinds above, but for identifiers.
      values: of a type of pandas; names may be objects, text beside numbers. Times of
        day are durations since midnight.
    """

    kind: str
    values: pd.Series


class Unfit(ValueError):
    """What is wrong with a column. The text goes on after the name of the column."""


def examine(column: pd.Series) -> Values:
    """The kind and the values of a column.

    Args:
      column: of any type.

    Raises:
      Unfit: it holds what cannot be trained on; the text says what.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return Values(NAME, _decoded_categories(column))
    kind = column_types.kind_of(dtype)
    if kind == "date":
        if dtype.kind == "m":
            return Values(DURATION, column)
        return Values(ZONED if _has_zone(dtype) else DATE, column)
    if kind:
        return Values(BOOLEAN if kind == "boolean" else NUMBER, column)
    if isinstance(dtype, pd.PeriodDtype):
        raise Unfit("holds periods; make dates of them, by .dt.to_timestamp().")
    if isinstance(dtype, pd.ArrowDtype) and not types.is_string_dtype(dtype):
        column = column.astype(object)
    elif types.is_string_dtype(dtype) and not types.is_object_dtype(dtype):
        return Values(NAME, column)
    elif not types.is_object_dtype(dtype):
        raise Unfit(f"holds {_type_words([dtype.type])}.")
    return _examine_objects(column)


def numbers(values: pd.Series, column: Column) -> np.ndarray:
    """A column as the numbers that the networks take.

    Args:
      values: as `examine` gives them.
      column: what the training has learned of it.

    Returns:
      float64 [n]; NaN where a value is missing. Identifiers are a constant.
    """
    if column.kind == IDENTIFIER:
        return np.full(len(values), float(categories.OTHER))
    return column_types.numbers(values, column.categories)


def decoded(values: pd.Series) -> pd.Series:
    """Bytes among objects as the text in UTF-8 that they are.

    Args:
      values: of any type.

    Raises:
      Unfit: some bytes are no text in UTF-8.
    """
    if not types.is_object_dtype(values.dtype):
        return values
    return values.map(_decoded, na_action="ignore")


def type_words(values: Iterable) -> str:
    """Which types of values there are, in words.

    Args:
      values: any objects.
    """
    return _type_words([type(value) for value in values])


def _decoded(value: object) -> object:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        return value
    try:
        return bytes(value).decode()
    except UnicodeDecodeError as err:
        raise Unfit(f"holds bytes that are no text in UTF-8: {value!r:.40}.") from err


def _decoded_categories(column: pd.Series) -> pd.Series:
    """A categorical column with text in the place of bytes."""
    names = column.cat.categories
    if not any(isinstance(name, bytes) for name in names):
        return column
    return column.cat.rename_categories([_decoded(name) for name in names])


def _has_zone(dtype: object) -> bool:
    if isinstance(dtype, pd.ArrowDtype):
        return getattr(dtype.pyarrow_dtype, "tz", None) is not None
    return isinstance(dtype, pd.DatetimeTZDtype)


def _family(value: object) -> str:
    """The kind that an object is of; "bytes" are names, and "" is of none."""
    if isinstance(value, (bool, np.bool_)):
        return BOOLEAN
    if isinstance(value, (Real, Decimal)):
        return NUMBER
    if isinstance(value, (str, bytes, bytearray, memoryview, UUID)):
        return NAME
    if isinstance(value, datetime.datetime):
        return DATE if value.tzinfo is None else ZONED
    if isinstance(value, (datetime.date, np.datetime64)):
        return DATE
    if isinstance(value, (datetime.timedelta, np.timedelta64)):
        return DURATION
    return TIME if isinstance(value, datetime.time) else ""


def _examine_objects(column: pd.Series) -> Values:
    present = column.dropna()
    kinds = set(present.map(_family)) if len(present) else {NUMBER}
    if NAME in kinds and kinds <= {NAME, NUMBER, BOOLEAN}:
        text = decoded(column).map(
            lambda value: str(value) if isinstance(value, (UUID, Decimal)) else value,
            na_action="ignore",
        )
        return Values(NAME, text.astype(object))
    if len(kinds) > 1 or "" in kinds:
        raise Unfit(f"holds {type_words(present)}.")
    (kind,) = kinds
    if kind == NUMBER:
        return Values(kind, _plain_numbers(column))
    if kind == BOOLEAN:
        return Values(kind, column.astype("boolean" if column.hasnans else bool))
    if kind == ZONED:
        return Values(kind, pd.to_datetime(column, utc=True))
    if kind == TIME:
        seconds = present.map(_seconds_of_day).reindex(column.index)
        return Values(kind, pd.to_timedelta(seconds.astype(float), unit="s"))
    unit = "M8[us]" if kind == DATE else "m8[us]"
    plain = present.map(lambda value: np.array(value, unit)).tolist()
    typed = pd.Series(np.array(plain, unit), index=present.index, name=column.name)
    return Values(kind, typed.reindex(column.index))


def _plain_numbers(column: pd.Series) -> pd.Series:
    """Numbers among objects as 64-bit ones, integers where all are."""
    whole = column.infer_objects()
    if not types.is_object_dtype(whole.dtype):
        return whole
    return column.map(float, na_action="ignore").astype(float)


def _seconds_of_day(value: datetime.time) -> float:
    return (
        value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    )


_WORDS = {
    "bool": "booleans",
    "bytes": "bytes",
    "complex": "complex numbers",
    "date": "dates",
    "datetime": "dates",
    "Decimal": "decimals",
    "dict": "dicts",
    "float": "numbers",
    "int": "integers",
    "list": "lists",
    "ndarray": "arrays",
    "set": "sets",
    "str": "text",
    "time": "times of day",
    "timedelta": "durations",
    "Timedelta": "durations",
    "Timestamp": "dates",
    "tuple": "tuples",
}


def _type_words(kinds: Iterable[type]) -> str:
    """The types in words, the most frequent first."""
    names = Counter(
        _WORDS.get(
            kind.__name__.rstrip("0123456789_"), f"values of type {kind.__name__}"
        )
        for kind in kinds
    )
    return " and ".join(name for name, _ in names.most_common(3))

"""What the training learns of a column, and whether a later column fits that.

A column keeps the kind that it had in the training. Text that is all numbers is read
as numbers where these are expected. Everything else that does not fit is refused.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api import types

from gamo_tf.data import categories, column_types, identifiers, notations
from gamo_tf.data.column_kinds import (
    BOOLEAN,
    DATE,
    DURATION,
    IDENTIFIER,
    NAME,
    NUMBER,
    TIME,
    UNKNOWN,
    ZONED,
    Column,
    Unfit,
    examine,
)

_LISTED = 3  # values in a message
_LONGEST = 40  # characters of a value in a message

# How a column of pandas becomes one of the kind, from text or from another kind.
_FROM_TEXT = {
    BOOLEAN: '{0} = {0}.map({{"True": True, "False": False}})',
    DATE: "{0} = pd.to_datetime({0})",
    ZONED: "{0} = pd.to_datetime({0}, utc=True)",
    DURATION: "{0} = pd.to_timedelta({0})",
    TIME: "{0} = pd.to_datetime({0}).dt.time",
}
_FROM = {
    (BOOLEAN, NUMBER): "{0} = {0}.astype(int)",
    (NUMBER, BOOLEAN): "{0} = {0}.astype(bool)",
    (
        ZONED,
        DATE,
    ): '{0} = pd.to_datetime({0}).dt.tz_convert("UTC").dt.tz_localize(None)',
    (DATE, ZONED): '{0} = pd.to_datetime({0}).dt.tz_localize("UTC")',
    (
        DATE,
        NUMBER,
    ): '{0} = (pd.to_datetime({0}) - pd.Timestamp(0)) / pd.Timedelta("1s")',
    (ZONED, NUMBER): "{0} = ({0} - pd.Timestamp(0, tz='UTC')) / pd.Timedelta(\"1s\")",
    (DURATION, NUMBER): "{0} = pd.to_timedelta({0}).dt.total_seconds()",
    (NUMBER, DATE): '{0} = pd.to_datetime({0}, unit="s")',
    (NUMBER, ZONED): '{0} = pd.to_datetime({0}, unit="s", utc=True)',
    (NUMBER, DURATION): '{0} = pd.to_timedelta({0}, unit="s")',
    (TIME, DURATION): "{0} = pd.to_timedelta({0}.astype(str))",
    (DURATION, TIME): "{0} = (pd.Timestamp(0) + {0}).dt.time",
    (DATE, TIME): "{0} = pd.to_datetime({0}).dt.time",
    (ZONED, TIME): "{0} = pd.to_datetime({0}).dt.time",
}


def learn(column: pd.Series, place: str) -> tuple[Column, pd.Series]:
    """What the training learns of a column.

    Args:
      column: of any type, with its name.
      place: the column in Python, such as ``t["a"]``, for the line that converts it.

    Returns:
      The kind and the categories, and the values as `column_kinds.examine` gives them.

    Raises:
      Unfit: the column cannot be trained on, or holds numbers as text.
    """
    known = isinstance(column.name, str) and identifiers.is_identifier(column)
    if known and identifiers.is_named_like_one(column.name):
        return Column(IDENTIFIER, ()), column
    kind, values = examine(column)
    if kind == NUMBER and types.is_object_dtype(column.dtype):
        _refuse_wide(column, place)
    if kind == NAME and (wrong := complaint(values, place)):
        raise Unfit(wrong)
    if known:
        return Column(IDENTIFIER, ()), column
    return Column(kind, categories.found(values) if kind == NAME else None), values


def conform(column: pd.Series, learned: Column, place: str) -> pd.Series:
    """The values of a later column, of the kind that the training has learned.

    Args:
      column: of any type.
      learned: what the training has learned of the column.
      place: as of `learn`.

    Returns:
      The values, as `column_kinds.examine` gives them.

    Raises:
      Unfit: the column is of another kind; the text says of which, what was expected,
        and the line that converts it.
    """
    if learned.kind == IDENTIFIER:
        return column
    kind, values = examine(column)
    if kind == learned.kind or learned.kind == UNKNOWN:
        if kind == NAME and learned.kind == NAME:
            _refuse_codes(values, learned, place)
        if learned.kind == UNKNOWN and kind == NAME and learned.categories is None:
            values = _read_numbers(values, place)
        return values
    if values.isna().all():  # pandas knows no kind of what is not there
        return values.astype(float)
    if learned.kind == NUMBER and kind == NAME:
        return _read_numbers(values, place)
    if learned.kind == NAME:
        if kind in (NUMBER, BOOLEAN) and _has_like(learned, kind):
            return values
        raise Unfit(_mismatch(kind, learned, values, f"{place} = {place}.astype(str)"))
    lines = _FROM_TEXT if kind == NAME else {}
    line = lines.get(learned.kind) or _FROM.get((kind, learned.kind), "")
    raise Unfit(_mismatch(kind, learned, values, line.format(place)))


def may_be_names(column: pd.Series, learned: Column) -> bool:
    """Whether the values of a column can be the names that the training has learned.

    Numbers can be where some of the names look like numbers.

    Args:
      column: of any type.
      learned: what the training has learned of the column; its kind is `NAME`.
    """
    kind = column_types.kind_of(column.dtype)
    if kind in ("integer", "float", "boolean"):
        return _has_like(learned, BOOLEAN if kind == "boolean" else NUMBER)
    return True


def complaint(column: pd.Series, place: str) -> str:
    """What is wrong with a column of names; "" where nothing is.

    Numbers in another notation, or with a "?" among them, are read as text. As names
    most of them would have no category.

    Args:
      column: one of which `categories.is_nominal` holds.
      place: as of `learn`.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return ""  # somebody has made names of it
    values, rows = categories.counted(column)
    notation, numbers = notations.find(values, rows)
    wrong = numbers.isna().to_numpy()
    right, counts = int((~wrong).sum()), np.array(rows, int)
    written = [value for value, bad in zip(values, wrong, strict=True) if not bad]
    if not right or notations.are_codes(written, column.name):
        return ""
    alone = int(counts[counts < categories.LEAST].sum())
    if right < categories.ENOUGH and 2 * alone <= counts.sum():
        return ""
    if notation.is_plain:
        few = right < int(wrong.sum()) or (wrong.any() and right < categories.ENOUGH)
    else:
        few = 10 * counts[wrong].sum() > counts.sum()
    if few:
        return ""
    line = notation.line(place, bool(wrong.any()))
    ending = (
        f"If they are numbers: {line} . If they are names, put a letter before each."
    )
    if not wrong.any():
        example = max(values, key=len)
        return f"holds {right} different numbers as text, such as {example!r}. {ending}"
    some = [value for value, bad in zip(values, wrong, strict=True) if bad]
    return f"holds numbers, and {_examples(some)}. Replace what is no number. {ending}"


def _examples(values: list[str]) -> str:
    return ", ".join(repr(value[:_LONGEST]) for value in values[:_LISTED])


def _mismatch(kind: str, learned: Column, values: pd.Series, line: str) -> str:
    """What a message says of a column of another kind."""
    example = values.dropna().iloc[:1].map(lambda value: f" ({value!s:.40})")
    was = learned.kind
    if was == NAME:
        was = f"names such as {_examples(list(learned.categories or ('',))[:2])}"
    text = f"holds {kind}{''.join(example)}; it held {was} in training."
    return f"{text} Convert it: {line}" if line else text


def _read_numbers(values: pd.Series, place: str) -> pd.Series:
    """Text that is all numbers, as numbers."""
    plain = values.astype(object)
    numbers = pd.to_numeric(plain, errors="coerce")
    missing = plain.isna()
    if not (numbers.isna() & ~missing).any() and not _has_booleans(plain):
        return numbers.astype(float)
    texts, rows = categories.counted(values)
    notation, found = notations.find(texts, rows)
    wrong = [
        text for text, number in zip(texts, found, strict=True) if number != number
    ]
    if not wrong:
        wrong = texts
    line = notation.line(place, len(wrong) < len(texts) or bool(found.isna().any()))
    raise Unfit(
        f"holds text such as {_examples(wrong)}; it held {NUMBER} in training. Convert "
        f"it: {line}"
    )


def _has_booleans(values: pd.Series) -> bool:
    return any(isinstance(value, (bool, np.bool_)) for value in values)


def _has_like(learned: Column, kind: str) -> bool:
    """Whether some names of the training look like numbers, or booleans."""
    if not learned.categories:
        return True
    if kind == BOOLEAN:
        return bool({"True", "False"} & set(learned.categories))
    return bool(
        pd.to_numeric(pd.Series(learned.categories), errors="coerce").notna().any()
    )


def _refuse_codes(values: pd.Series, learned: Column, place: str) -> None:
    """Raises Unfit for categories that are numbers where text was learned."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        inner = column_types.kind_of(values.cat.categories.dtype)
        kind = BOOLEAN if inner == "boolean" else NUMBER if inner else NAME
        if kind != NAME and not _has_like(learned, kind):
            line = f"{place} = {place}.astype(str)"
            raise Unfit(_mismatch(f"categories that are {kind}", learned, values, line))


def _refuse_wide(column: pd.Series, place: str) -> None:
    """Raises Unfit for integers that float64 would take for one another."""
    whole = [value for value in column.dropna() if isinstance(value, int)]
    if len({float(value) for value in whole}) < len(set(whole)):
        digits = max(len(str(abs(value))) for value in whole)
        raise Unfit(
            f"holds integers of {digits} digits, of which some are the same as 64-bit "
            f"numbers. If they are names: {place} = 'n' + {place}.astype(str)"
        )

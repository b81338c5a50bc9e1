"""The columns of a table, each of numbers or of names, as the numbers that F takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf.data import (
    categories,
    column_checks,
    column_kinds,
    column_types,
    identifiers,
    missing,
)
from gamo_tf.data.column_kinds import (
    BOOLEAN,
    DATE,
    DURATION,
    IDENTIFIER,
    NAME,
    NUMBER,
    UNKNOWN,
    ZONED,
    Column,
    Unfit,
    examine,
)
from gamo_tf.data.table_files import Content, place
from gamo_tf.errors import UserError

_LISTED = 10  # columns named in a message


def known_columns(known: Mapping, width: int) -> tuple[Column, ...]:
    """What a run has learned of the columns of its table.

    Args:
      known: of the table (see `table_identity`). Runs of earlier versions kept no
        kinds, and the oldest no types either.
      width: the number of its columns.
    """
    kept = known.get("categories") or [None] * width
    chosen = [None if names is None else tuple(names) for names in kept]
    kinds = known.get("kinds")
    if not kinds:
        types = known.get("types") or [""] * width
        types = types * width if len(types) == 1 else types
        kinds = [
            NAME if names is not None else kind_of_type(name)
            for names, name in zip(chosen, types, strict=True)
        ]
    return tuple(map(Column, kinds, chosen))


def kind_of_type(name: str) -> str:
    """The kind of a column that is trained on as it stands.

    Args:
      name: of its type, as `feature_table.type_names` has it; "" where none was kept.
    """
    if name.startswith(("datetime", "timestamp")):
        return ZONED if "," in name or "tz=" in name else DATE
    if name.startswith(("timedelta", "duration")):
        return DURATION
    if name.startswith("bool"):
        return BOOLEAN
    return NUMBER if name else UNKNOWN


def learn(path: Path, features: pd.DataFrame | np.ndarray) -> tuple[Column, ...]:
    """What there is to learn of the columns of a table that is to be trained on.

    Args:
      path: of the table.
      features: its columns.

    Raises:
      UserError: a column cannot be trained on, or holds numbers as text.
    """
    if isinstance(features, np.ndarray):
        kind = kind_of_type(str(features.dtype))
        return (Column(kind),) * features.shape[1]
    found = []
    for name in features.columns:
        try:
            column, _ = column_checks.learn(features[name], f"t[{name!r}]")
        except Unfit as err:
            raise UserError(f"{place(path)}: column {name} {err}") from err
        found.append(column)
    if found and all(column.kind == IDENTIFIER for column in found):
        names = ", ".join(map(str, features.columns[:_LISTED]))
        raise UserError(
            f"{place(path)}: every column identifies rows ({names}). Add columns to "
            "train on."
        )
    return tuple(found)


def notes_on_identifiers(
    features: pd.DataFrame | np.ndarray, learned: Sequence[Column]
) -> list[str]:
    """Which columns identify rows.

    Args:
      features: the columns.
      learned: what was learned of each.
    """
    if isinstance(features, np.ndarray):
        return []
    pairs = zip(features.columns, learned, strict=True)
    columns = [features[name] for name, c in pairs if c.kind == IDENTIFIER]
    text = identifiers.note(columns, "t")
    return [text] if text else []


def notes_on_names(
    features: pd.DataFrame | np.ndarray, learned: Sequence[Column]
) -> list[str]:
    """Which columns are taken for names, and which of them have too many.

    Args:
      features: the columns.
      learned: what was learned of each.
    """
    if isinstance(features, np.ndarray):
        return []
    pairs = zip(features.columns, learned, strict=True)
    named = {name: c.categories or () for name, c in pairs if c.kind == NAME}
    if not named:
        return []
    each = [f"{name} ({len(those)})" for name, those in list(named.items())[:_LISTED]]
    more = " ..." if len(named) > _LISTED else ""
    notes = [f"columns of names, with their categories: {', '.join(each)}{more}"]
    for name, those in named.items():
        values = examine(features[name]).values
        others = int((categories.positions(values, those) < 0).sum())
        if 2 * others > len(features):
            advice = "Remove it if it is an ID"
            if identifiers.are_dates(values):
                advice = (
                    "It holds dates as text. Give them a date type (.parquet keeps "
                    "it), or remove the column"
                )
            notes.append(
                f"column {name}: {others} of {len(features)} rows have none of its "
                f"{len(those)} categories. {advice}"
            )
    return notes


def new_names(X: np.ndarray, known: Mapping) -> list[str]:
    """A line for each column of names with values that are none of its categories.

    Args:
      X: as `as_numbers` returns it.
      known: of the table that was trained on.
    """
    notes = []
    for k, (kind, those) in enumerate(known_columns(known, X.shape[1])):
        others = int((X[:, k] < 0).sum()) if kind == NAME else 0
        if others:
            notes.append(
                f"column {known['columns'][k]}: {others} of {len(X)} rows have none of "
                f"the {len(those or ())} categories that it was trained on"
            )
    return notes


def as_written(content: Content, learned: Sequence[Column]) -> Content:
    """The content with its columns of names as text: of a .csv pandas takes those for
    numbers in which there happen to be numbers only.

    Args:
      content: of a table.
      learned: what was learned of each of its columns.
    """
    text, features = content.text, content.features
    if text is None or isinstance(features, np.ndarray):
        return content
    pairs = zip(features.columns, learned, strict=True)
    named = [
        name
        for name, column in pairs
        if column.kind == NAME and column_checks.may_be_names(features[name], column)
    ]
    written = {name: text[name].where(features[name].notna()) for name in named}
    return content._replace(features=features.assign(**written))


def as_numbers(
    path: Path,
    features: pd.DataFrame | np.ndarray,
    learned: Sequence[Column],
    label: str,
) -> np.ndarray:
    """The columns as the numbers that F takes.

    Args:
      path: of the table.
      features: its columns; of an array whose columns have names, in their order.
      learned: what was learned of each.
      label: the column of the labels.

    Returns:
      float64 [n, d].

    Raises:
      UserError: a column is of another kind, or a value is missing or infinite.
    """
    if not features.shape[1]:
        raise UserError(f"{place(path)}: no column beside the labels.")
    if not len(features):  # pandas knows no types of what is not there
        return np.zeros(features.shape)
    if isinstance(features, np.ndarray):
        names = [f"column {k}" for k in range(features.shape[1])]
        X = _of_array(path, features, learned)
    else:
        names = list(features.columns)
        X = _of_frame(path, features, learned)
    if (wrong := np.isnan(X)).any():
        lines = missing.lines_of_file(path, label)
        raise UserError(
            f"{place(path)}: missing values: {missing.rows_of(wrong, names)}. Remove "
            "these rows or columns, or fill them. In Python:",
            lines,
        )
    if (wrong := np.isinf(X)).any():
        raise UserError(
            f"{place(path)}: infinite values: {missing.rows_of(wrong, names)}. Remove "
            "these rows, or write finite numbers."
        )
    return X


def _of_frame(
    path: Path, features: pd.DataFrame, learned: Sequence[Column]
) -> np.ndarray:
    found = []
    for name, column in zip(features.columns, learned, strict=True):
        try:
            values = column_checks.conform(features[name], column, f"t[{name!r}]")
        except Unfit as err:
            raise UserError(f"{place(path)}: column {name} {err}") from err
        found.append(column_kinds.numbers(values, column))
    return np.stack(found, axis=1)


def _of_array(
    path: Path, features: np.ndarray, learned: Sequence[Column]
) -> np.ndarray:
    kinds = {column.kind for column in learned}
    if features.dtype.kind in "iuf" and kinds <= {NUMBER, UNKNOWN}:
        return column_types.numbers(features)
    if features.dtype.kind == "c":
        raise UserError(f"{place(path)}: {features.dtype} values are no numbers.")
    if features.dtype.kind == "S":
        features = np.char.decode(features)
    frame = pd.DataFrame(features)
    return _of_frame(path, frame, learned)

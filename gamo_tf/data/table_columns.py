"""The columns of a table, each of numbers or of names, as the numbers that F takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf.data import categories, column_types, missing
from gamo_tf.data.categories import Names
from gamo_tf.data.table_files import Content, place
from gamo_tf.errors import UserError

_LISTED = 10  # columns named in a message


def known_categories(known: Mapping, width: int) -> tuple[Names, ...]:
    """The categories of the columns of a table that was trained on.

    Args:
      known: of the table (see `table_identity`); of earlier versions it has none.
      width: the number of its columns.
    """
    kept = known.get("categories") or [None] * width
    return tuple(None if names is None else tuple(names) for names in kept)


def found_categories(
    path: Path, features: pd.DataFrame | np.ndarray
) -> tuple[Names, ...]:
    """The categories of each column of a table that is to be trained on.

    Args:
      path: of the table.
      features: its columns.

    Raises:
      UserError: a column of numbers has some text among them.
    """
    if isinstance(features, np.ndarray):
        return (None,) * features.shape[1]
    found: list[Names] = []
    for name in features.columns:
        column = features[name]
        named = categories.is_nominal(column)
        if named and (wrong := categories.complaint(column)):
            raise UserError(f"{place(path)}: column {name} {wrong}")
        found.append(categories.found(column) if named else None)
    return tuple(found)


def notes_on_names(
    features: pd.DataFrame | np.ndarray, known: Sequence[Names]
) -> list[str]:
    """Which columns are taken for names, and which of them have too many.

    Args:
      features: the columns.
      known: the categories of each.
    """
    if isinstance(features, np.ndarray):
        return []
    pairs = zip(features.columns, known, strict=True)
    named = {name: those for name, those in pairs if those is not None}
    if not named:
        return []
    each = [f"{name} ({len(those)})" for name, those in list(named.items())[:_LISTED]]
    more = " ..." if len(named) > _LISTED else ""
    notes = [f"columns of names, with their categories: {', '.join(each)}{more}"]
    for name, those in named.items():
        others = int((categories.positions(features[name], those) < 0).sum())
        if 2 * others > len(features):
            notes.append(
                f"column {name}: {others} of {len(features)} rows have none of its "
                f"{len(those)} categories. Remove it if it tells rows apart, as a name "
                "or a number of each does"
            )
    return notes


def new_names(X: np.ndarray, known: Mapping) -> list[str]:
    """A line for each column of names with values that are none of its categories.

    Args:
      X: as `as_numbers` returns it.
      known: of the table that was trained on.
    """
    notes = []
    for k, those in enumerate(known_categories(known, X.shape[1])):
        others = int((X[:, k] < 0).sum())
        if those is not None and others:
            notes.append(
                f"column {known['columns'][k]}: {others} of {len(X)} rows have none of "
                f"the {len(those)} categories that it was trained on"
            )
    return notes


def as_written(content: Content, known: Sequence[Names]) -> Content:
    """The content with its columns of names as text: of a .csv pandas takes those for
    numbers in which there happen to be numbers only.

    Args:
      content: of a table.
      known: the categories of each of its columns.
    """
    text, features = content.text, content.features
    if text is None or isinstance(features, np.ndarray):
        return content
    pairs = zip(features.columns, known, strict=True)
    named = [name for name, those in pairs if those is not None]
    written = {name: text[name].where(features[name].notna()) for name in named}
    return content._replace(features=features.assign(**written))


def as_numbers(
    path: Path,
    features: pd.DataFrame | np.ndarray,
    known: Sequence[Names],
    label: str,
) -> np.ndarray:
    """The columns as the numbers that F takes.

    Args:
      path: of the table.
      features: its columns.
      known: the categories of each.
      label: the column of the labels.

    Returns:
      float64 [n, d].

    Raises:
      UserError: a column is neither of numbers nor of names, or a value is missing or
        infinite.
    """
    if not features.shape[1]:
        raise UserError(f"{place(path)}: no column beside the labels.")
    if not len(features):  # pandas knows no types of what is not there
        return np.zeros(features.shape)
    if isinstance(features, np.ndarray):
        if not column_types.kind_of(features.dtype):
            raise UserError(f"{place(path)}: {features.dtype} values are no numbers.")
        X = column_types.numbers(features)
        names = [f"column {k}" for k in range(X.shape[1])]
    else:
        names = list(features.columns)
        columns = [features[name] for name in names]
        bad = [
            f"{column.name} ({column.dtype})"
            for column, those in zip(columns, known, strict=True)
            if not _fits(column, those)
        ]
        if bad:
            raise UserError(
                f"{place(path)}: columns that are no numbers: "
                f"{', '.join(bad[:_LISTED])}. Encode or remove them."
            )
        each = map(column_types.numbers, columns, known)
        X = np.stack(list(each), axis=1)
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


def _fits(column: pd.Series, known: Names) -> bool:
    """Whether `column_types.numbers` can make numbers of a column, given categories."""
    kind = column_types.kind_of(column.dtype)
    if known is not None:
        return bool(kind) or categories.is_nominal(column)
    if kind == "category":  # of a version that took those that are numbers
        kind = column_types.kind_of(column.cat.categories.dtype)
    return bool(kind)

"""A user's table of numbers and names, with a column of labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from gamo_tf.data import column_types, table_columns, table_files
from gamo_tf.data.categories import Names
from gamo_tf.data.table_files import SUFFIXES, Content, place
from gamo_tf.errors import UserError, setting

__all__ = ["SUFFIXES", "FeatureTable", "read", "type_names", "vectors"]
_LISTED = 10  # columns named in a message


class FeatureTable(NamedTuple):
    """A table of feature vectors with their labels.

    Attributes:
      X: float64 [n, d]; of a column of names the position of each value among its
        categories (see `data.categories`).
      y: [n], the label of each row as a position in `classes`.
      classes: names of the classes: the sorted labels as text. Those of a .csv are
        text as it is written there, so that 007 and 7 are two classes.
      columns: names of the d columns, in their order; of an .npz none.
      types: names of the types of the columns; of an .npz the one of the array.
      categories: of each of the d columns; None for one of numbers.
      content: the table as the file has it.
      notes: what a person should know of it, a line each.
    """

    X: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    types: tuple[str, ...]
    categories: tuple[Names, ...]
    content: Content
    notes: list[str]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of categories of each column; 0 for one of numbers. Empty where
        there are no others."""
        if all(names is None for names in self.categories):
            return ()
        return tuple(len(names or ()) for names in self.categories)


def read(path: Path, label: str, known: Mapping | None = None) -> FeatureTable:
    """Read a table that is to be trained on.

    Args:
      path: a .csv or .parquet with a header, or an .npz with one array [n, d] and one
        of labels [n].
      label: the column, or the array, of the labels.
      known: of a table that a run was begun with (see `table_identity`). Its columns
        are read in their order and its rows: columns and rows that were added since
        are left out, and its categories are taken.

    Returns:
      The vectors and labels, in the order of the file.

    Raises:
      UserError: the file is not there, cannot be read, or is not a table of finite
        numbers and names with a label of two classes or more in every row.
    """
    begun, known = known is not None, known or {}
    content = table_files.read(path, label, known.get("rows"))
    if content.labels is None:
        names = ", ".join(str(name) for name in content.names[:20])
        raise UserError(f"{setting('label', label)}: not in {path}, which has {names}.")
    notes = _notes(content)
    if known.get("columns"):
        features = _choose(path, content.features, known["columns"])
        content = content._replace(features=features)
    if not len(content.features):
        raise UserError(f"{place(path)}: no rows.")
    chosen = table_columns.known_categories(known, content.features.shape[1])
    if not begun:
        chosen = table_columns.found_categories(path, content.features)
        notes += table_columns.notes_on_names(content.features, chosen)
    content = table_columns.as_written(content, chosen)
    X = table_columns.as_numbers(path, content.features, chosen, label)
    values, codes = _classes(path, label, content.labels)
    classes = tuple(str(value) for value in values)
    columns: tuple[str, ...] = ()
    if isinstance(content.features, pd.DataFrame):
        columns = tuple(content.features.columns)
    types = type_names(content.features)
    return FeatureTable(X, codes, classes, columns, types, chosen, content, notes)


def vectors(path: Path, label: str, known: Mapping, width: int) -> np.ndarray:
    """Read the vectors of another table, which may lack the labels.

    Args:
      path: of the table.
      label: the column of the labels, left out if it is there.
      known: of the table that was trained on (see `table_identity`): its columns are
        taken, in its order. Empty: all columns, as they stand.
      width: the number of columns d that was trained on.

    Returns:
      float64 [n, width].

    Raises:
      UserError: columns are missing or of another kind, their number is another, or a
        value is not a finite number.
    """
    content = table_files.read(path, label)
    features, names = content.features, known.get("columns")
    if names and isinstance(features, pd.DataFrame):
        features = _choose(path, features, names)
        for name, was, now in zip(
            names, known["types"], type_names(features), strict=True
        ):
            if is_date(was) != is_date(now):
                raise UserError(
                    f"{path}: column {name} is {now}; it was {was} in training."
                )
    if features.shape[1] != width:
        raise UserError(
            f"{path}: {features.shape[1]} columns; trained on {width}, whose names are "
            "not known. Give these alone, in the same order."
        )
    chosen = table_columns.known_categories(known, width)
    content = table_columns.as_written(content._replace(features=features), chosen)
    return table_columns.as_numbers(path, content.features, chosen, label)


def is_date(type_name: str) -> bool:
    """Whether a type holds dates or durations, which are no plain numbers.

    Args:
      type_name: one of `type_names`.
    """
    return type_name.startswith(("datetime", "timedelta", "timestamp", "duration"))


def type_names(features: pd.DataFrame | np.ndarray) -> tuple[str, ...]:
    """The type of each column, as text; of an array the one type.

    Args:
      features: the columns.
    """
    if isinstance(features, np.ndarray):
        return (str(features.dtype),)
    return tuple(str(dtype) for dtype in features.dtypes)


def _choose(
    path: Path, features: pd.DataFrame | np.ndarray, names: list[str]
) -> pd.DataFrame | np.ndarray:
    """The columns of these names, in this order."""
    if isinstance(features, np.ndarray):
        return features
    if missing := [name for name in names if name not in features]:
        raise UserError(f"{path}: lacks the columns {', '.join(missing[:_LISTED])}.")
    return features[list(names)]


def _classes(
    path: Path, label: str, labels: pd.Series | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The sorted labels, and the position of each row's label among them."""
    values = np.asarray(labels)
    missing = np.asarray(pd.isna(labels))
    if values.dtype.kind in "OUS":
        missing = missing | np.array([value in ("", b"") for value in values], bool)
    if missing.any():
        # Lines are counted as an editor does; the first has the names.
        line = int(np.flatnonzero(missing)[0]) + 2
        first = f"line {line}" if path.suffix == ".csv" else f"row {line - 2}"
        raise UserError(
            f"{place(path)}: {int(missing.sum())} row(s) have no {label}, the first "
            f"is {first}."
        )
    try:
        found, codes = np.unique(values, return_inverse=True)
    except TypeError as err:  # lists, or text beside numbers
        raise UserError(f"{place(path)}: {label} is no column of labels.") from err
    if len(found) < 2:
        raise UserError(f"{place(path)}: {label} has one class only, {found}.")
    return found, codes


def _notes(content: Content) -> list[str]:
    """What to say of the table, and of a first column that is a saved index."""
    notes, features = list(content.notes), content.features
    if isinstance(features, np.ndarray) or not features.shape[1]:
        return notes
    name = features.columns[0]
    whole = column_types.kind_of(features[name].dtype) == "integer"
    if name.startswith("Unnamed: ") and whole and features[name].is_unique:
        notes.append(
            f"the first column, {name}, looks like row numbers that were saved along. "
            "It is trained on like the others: remove it unless that is meant"
        )
    return notes

"""A user's table of numbers and names, with a column of labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from gamo_tf.data import column_kinds, table_columns, table_files
from gamo_tf.data.column_kinds import IDENTIFIER, Column, Unfit
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
      learned: the kind and the categories of each of the d columns.
      content: the table as the file has it.
      notes: what a person should know of it, a line each.
    """

    X: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    types: tuple[str, ...]
    learned: tuple[Column, ...]
    content: Content
    notes: list[str]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of categories of each column; 0 for one of numbers. Empty where
        there are no others."""
        sizes = tuple(len(column.categories or ()) for column in self.learned)
        return sizes if any(sizes) else ()


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
    notes = list(content.notes)
    if known.get("columns"):
        features = _choose(path, content.features, known["columns"])
        content = content._replace(features=features)
    if not len(content.features):
        raise UserError(f"{place(path)}: no rows.")
    if begun:
        learned = table_columns.known_columns(known, content.features.shape[1])
    else:
        learned = table_columns.learn(path, content.features)
        notes += table_columns.notes_on_identifiers(content.features, learned)
        notes += table_columns.notes_on_names(content.features, learned)
    content = table_columns.as_written(content, learned)
    X = table_columns.as_numbers(path, content.features, learned, label)
    values, codes = _classes(path, label, content)
    classes = tuple(str(value) for value in values)
    columns: tuple[str, ...] = ()
    if isinstance(content.features, pd.DataFrame):
        columns = tuple(content.features.columns)
    types = type_names(content.features)
    return FeatureTable(X, codes, classes, columns, types, learned, content, notes)


def vectors(path: Path, label: str, known: Mapping, width: int) -> np.ndarray:
    """Read the vectors of another table, which may lack the labels.

    Args:
      path: of the table.
      label: the column of the labels, left out if it is there.
      known: of the table that was trained on (see `table_identity`): its columns are
        taken, in its order; identifiers may be absent. Empty: all columns, as they
        stand.
      width: the number of columns d that was trained on.

    Returns:
      float64 [n, width].

    Raises:
      UserError: columns are missing or of another kind, their number is another, or a
        value is not a finite number.
    """
    content = table_files.read(path, label)
    features, names = content.features, known.get("columns")
    learned = table_columns.known_columns(known, width)
    if names and isinstance(features, pd.DataFrame):
        pairs = zip(names, learned, strict=True)
        given = set(features.columns)
        absent = [
            name for name, c in pairs if c.kind == IDENTIFIER and name not in given
        ]
        features = _choose(path, features.assign(**dict.fromkeys(absent, "")), names)
    if features.shape[1] != width:
        raise UserError(
            f"{path}: {features.shape[1]} columns; trained on {width}, whose names are "
            "not known. Give these alone, in the same order."
        )
    if names and isinstance(features, np.ndarray):
        features = pd.DataFrame(features, columns=pd.Index(names))
    content = table_columns.as_written(content._replace(features=features), learned)
    return table_columns.as_numbers(path, content.features, learned, label)


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


def _classes(path: Path, label: str, content: Content) -> tuple[np.ndarray, np.ndarray]:
    """The sorted labels, and the position of each row's label among them."""
    values = _label_values(path, label, content)
    missing = np.asarray(pd.isna(values))
    if values.dtype.kind in "OU":
        missing = missing | np.array([isinstance(v, str) and not v for v in values])
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        first = f"row {row}"
        if content.source:
            first = f"line {table_files.line_of(content, row, content.label)}"
        raise UserError(
            f"{place(path)}: {int(missing.sum())} row(s) have no {label}, the first "
            f"is {first}."
        )
    try:
        if values.dtype.kind == "O":
            set(values)  # lists have no hash
        found, codes = np.unique(values, return_inverse=True)
    except TypeError as err:  # or text beside numbers
        words = column_kinds.type_words(values)
        raise UserError(
            f"{place(path)}: {label} holds {words}, which are no labels."
        ) from err
    if len(found) < 2:
        raise UserError(f"{place(path)}: {label} has one class only, {found}.")
    return found, codes


def _label_values(path: Path, label: str, content: Content) -> np.ndarray:
    """The labels, bytes among them as text."""
    try:
        labels = column_kinds.decoded(_as_objects(pd.Series(content.labels)))
    except Unfit as err:
        raise UserError(f"{place(path)}: {label} {err}") from err
    return np.asarray(labels)


def _as_objects(labels: pd.Series) -> pd.Series:
    """Labels that may be bytes, those of Arrow and of categories too, as objects."""
    inner = labels.dtype
    if isinstance(inner, pd.CategoricalDtype):
        inner = inner.categories.dtype
    plain = isinstance(inner, np.dtype) and inner.kind not in "OS"
    return labels if plain else labels.astype(object)

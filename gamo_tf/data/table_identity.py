"""What a run keeps of the table that it was begun with, and the comparison with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf.config.options import Options
from gamo_tf.data import categories, column_types, feature_table
from gamo_tf.data.feature_table import FeatureTable, is_date
from gamo_tf.errors import UserError
from gamo_tf.stored import digest

_BLOCK = 1024  # rows of a digest
_EXACT = 2.0**53  # float64 holds all integers up to it


def identity(path: Path, table: FeatureTable) -> dict:
    """What tells a table from others.

    Args:
      path: of its file.
      table: as it was read.

    Returns:
      The name of the file, names, types, kinds and categories of the columns, names of
      the classes, the number of rows, and a digest of each 1024 rows with their labels.
    """
    return {
        "kind": "table",
        "file": path.name,
        "columns": list(table.columns),
        "types": list(table.types),
        "kinds": [column.kind for column in table.learned],
        "categories": [
            None if column.categories is None else list(column.categories)
            for column in table.learned
        ],
        "classes": list(table.classes),
        "rows": len(table.y),
        "block": _BLOCK,
        "digests": _digests(table, _BLOCK),
    }


def read_again(options: Options, known: Mapping) -> FeatureTable:
    """The table of an earlier run, once it is clear that it is the same.

    Args:
      options: of the run.
      known: its `identity` when the run was begun; empty for a run of a version that
        kept none, whose table cannot be compared.

    Returns:
      The table, without columns and rows that were added since.

    Raises:
      UserError: it cannot be read, or is another.
    """
    path = Path(options.data)
    table = feature_table.read(path, options.label, known)
    if known:
        check(path, table, known)
    elif set(table.classes) != set(options.classes):
        raise UserError(f"{path}: is not the file that the run was begun with.")
    return table


def check_labels(
    options: Options, table: FeatureTable, rows: np.ndarray, labels: np.ndarray
) -> None:
    """Make sure that rows of a table are there and have the labels of a run.

    Args:
      options: of the run.
      table: as `read_again` returns it.
      rows: of the table, int [n].
      labels: of these rows in the run, int [n].

    Raises:
      UserError: a row is not there, or has another label.
    """
    if rows.min() < 0 or rows.max() >= len(table.y):
        raise UserError(
            f"{options.data}: has {len(table.y)} rows; the run uses others too."
        )
    # An earlier version sorted the labels of a .csv as numbers.
    position = np.array([options.classes.index(name) for name in table.classes])
    wrong = np.flatnonzero(position[table.y[rows]] != labels)
    if len(wrong):
        raise UserError(
            f"{options.data}: row {rows[wrong[0]]} has another label than in the run; "
            f"{len(wrong)} row(s) do."
        )


def check(path: Path, table: FeatureTable, known: Mapping) -> None:
    """Make sure that a table is the one that a run was begun with.

    Args:
      path: of its file.
      table: as it is now, read with `known`: without columns and rows that were added.
      known: its `identity` when the run was begun.

    Raises:
      UserError: a column, the classes, the number of rows or a value differs; the
        message says which.
    """
    for name, was, now in zip(
        known["columns"] or [f"array {table.content.table}"],
        known["types"],
        table.types,
        strict=True,
    ):
        # pandas takes the columns of a .csv by the values that it finds there.
        guessed = path.suffix == ".csv" and is_date(was) == is_date(now)
        if was != now and not guessed:
            raise UserError(f"{path}: {name} is {now} now; the run knows it as {was}.")
    if len(table.y) < known["rows"]:
        raise UserError(
            f"{path}: {len(table.y)} rows; the run was begun with {known['rows']}."
        )
    if list(table.classes) != known["classes"]:
        differ = sorted(set(table.classes) ^ set(known["classes"]))
        raise UserError(
            f"{path}: the classes are not those that the run was begun with: "
            f"{', '.join(differ[:10])} are only there or only here."
        )
    block = known["block"]
    found = _digests(table, block)
    bad = [k for k, was in enumerate(known["digests"]) if found[k] != was]
    if bad:
        last = min((bad[0] + 1) * block, known["rows"]) - 1
        more = f", nor are those of {len(bad) - 1} blocks more" if bad[1:] else ""
        raise UserError(
            f"{path}: rows {bad[0] * block} to {last} are not those that the run was "
            f"begun with{more}. Put the file back as it was."
        )


def _digests(table: FeatureTable, block: int) -> list[str]:
    """Of each `block` rows: the features, and the names of the labels."""
    X, features = np.ascontiguousarray(table.X), table.content.features
    text = [
        categories.texts(features.iloc[:, k])
        for k, column in enumerate(table.learned)
        if column.categories is not None and isinstance(features, pd.DataFrame)
    ]
    names = np.array([name.encode() for name in table.classes], object)
    found = []
    for start in range(0, len(X), block):
        rows = slice(start, start + block)
        parts = [X[rows].tobytes(), *names[table.y[rows]], *_wide(features, X, rows)]
        parts += ["\0".join(column[rows]).encode() for column in text]
        found.append(digest(b"\0".join(parts)))
    return found


def _wide(
    features: pd.DataFrame | np.ndarray, X: np.ndarray, rows: slice
) -> Iterator[bytes]:
    """The columns of some rows that have integers which float64 does not hold."""
    for k in np.flatnonzero(np.abs(X[rows]).max(axis=0) > _EXACT):
        column = (
            features[:, k] if isinstance(features, np.ndarray) else features.iloc[:, k]
        )
        if column_types.kind_of(column.dtype) == "integer":
            yield ",".join(map(str, column[rows])).encode()

"""A user's feature vectors: numbers and a column of labels (.csv, .parquet, .npz)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from gamo_tf.errors import UserError, first_line, setting

SUFFIXES = (".npz", ".csv", ".parquet")
_LISTED = 10  # columns named in a message


class FeatureTable(NamedTuple):
    """A table of feature vectors with their labels.

    Attributes:
      X: float32 [n, d].
      y: [n], the label of each row as a position in `classes`.
      classes: names of the classes: the sorted labels as text.
      columns: names of the d columns, in their order; of an .npz none.
      values: the label of each class as it stands in the file, with its dtype.
    """

    X: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray


def read(path: Path, label: str) -> FeatureTable:
    """Read a table that is to be trained on.

    Args:
      path: a .csv or .parquet with a header, or an .npz with one array [n, d] and one
        of labels [n].
      label: the column, or the array, of the labels.

    Returns:
      The vectors and labels, in the order of the file.

    Raises:
      UserError: the file is not there, cannot be read, or is not a table of finite
        numbers with a label of two classes or more in every row.
    """
    frame, y = _open(path, label)
    if y is None:
        names = ", ".join(map(str, frame.columns[:20]))
        raise UserError(
            f"{setting('label')} {label}: not in {path}, which has {names}."
        )
    X = _numbers(path, frame)
    if pd.isna(y).any():
        n = int(pd.isna(y).sum())
        raise UserError(f"{_place(path)}: {n} row(s) have no {label}.")
    # Labels of any kind, numbers or text, become positions in their sorted order.
    values, codes = np.unique(np.asarray(y), return_inverse=True)
    if len(values) < 2:
        raise UserError(f"{_place(path)}: {label} has one class only, {values}.")
    columns = () if path.suffix == ".npz" else tuple(map(str, frame.columns))
    return FeatureTable(X, codes, tuple(map(str, values)), columns, values)


def columns(path: Path, label: str) -> tuple[str, ...] | None:
    """Names of a table's columns beside the labels.

    Args:
      path: of the table.
      label: the column of the labels.

    Returns:
      The names in their order; None for an .npz, and for a file that is gone.

    Raises:
      UserError: the file cannot be read.
    """
    if not path.is_file() or path.suffix == ".npz":
        return None
    frame, _ = _open(path, label)
    return tuple(frame.columns)


def vectors(
    path: Path, label: str, names: tuple[str, ...] | None, width: int
) -> np.ndarray:
    """Read the vectors of another table, which may lack the labels.

    Args:
      path: of the table.
      label: the column of the labels, left out if it is there.
      names: the columns of the table that was trained on (see `columns`): these are
        taken, in this order. None: all columns, as they stand.
      width: the number of columns d that was trained on.

    Returns:
      float32 [n, width].

    Raises:
      UserError: columns are missing, their number is another, or a value is not a
        finite number.
    """
    frame, _ = _open(path, label)
    if names and path.suffix != ".npz":
        missing = [str(name) for name in names if name not in frame]
        if missing:
            raise UserError(
                f"{path}: lacks the columns {', '.join(missing[:_LISTED])}."
            )
        frame = frame[list(names)]
    if frame.shape[1] != width:
        raise UserError(f"{path}: {frame.shape[1]} columns; trained on {width}.")
    return _numbers(path, frame)


def _place(path: Path) -> str:
    """How messages begin: the setting and its value."""
    return f"{setting('features')} {path}"


def _open(path: Path, label: str) -> tuple[pd.DataFrame, np.ndarray | None]:
    """The columns beside the labels; and the labels, if they are there."""
    if not path.is_file():
        raise UserError(f"{_place(path)}: no such file.")
    if path.suffix not in SUFFIXES:
        raise UserError(f"{_place(path)}: expected one of {', '.join(SUFFIXES)}.")
    try:
        if path.suffix == ".npz":
            return _open_npz(path, label)
        frame = (pd.read_csv if path.suffix == ".csv" else pd.read_parquet)(path)
    except UserError:  # says already what to do
        raise
    except Exception as err:  # pandas, pyarrow and NumPy raise many kinds
        raise UserError(f"{_place(path)}: cannot be read ({first_line(err)}).") from err
    if label not in frame:
        return frame, None
    return frame.drop(columns=label), frame[label].to_numpy()


def _open_npz(path: Path, label: str) -> tuple[pd.DataFrame, np.ndarray | None]:
    """The one 2-D array; and the array named `label`, if it is there."""
    # Unpickling runs code of whoever wrote the file, so it is never done.
    with np.load(path, allow_pickle=False) as found:
        arrays = dict(found)
    y = arrays.pop(label, None)
    tables = [name for name, array in arrays.items() if array.ndim == 2]
    if len(tables) != 1:
        raise UserError(
            f"{_place(path)}: expected one array [rows, features] beside {label}; "
            f"found {', '.join(tables) or 'none'}."
        )
    table = arrays[tables[0]]
    if y is not None and (y.ndim != 1 or len(y) != len(table)):
        raise UserError(
            f"{_place(path)}: {label} has shape {y.shape}, {tables[0]} {table.shape}: "
            "a label a row is needed."
        )
    return pd.DataFrame(table), y


def _numbers(path: Path, frame: pd.DataFrame) -> np.ndarray:
    """The table as float32 [n, d]; refuses text, missing and infinite values."""
    text = [str(c) for c in frame if not pd.api.types.is_numeric_dtype(frame[c].dtype)]
    if text:
        raise UserError(
            f"{_place(path)}: columns that are no numbers: "
            f"{', '.join(text[:_LISTED])}. Encode or remove them."
        )
    if not frame.shape[1]:
        raise UserError(f"{_place(path)}: no column beside the labels.")
    X = frame.to_numpy(np.float32)
    wrong = ~np.isfinite(X)
    if wrong.any():
        names = [str(c) for c in frame.columns[wrong.any(axis=0)]][:_LISTED]
        raise UserError(
            f"{_place(path)}: {int(wrong.any(axis=1).sum())} row(s) with missing or "
            f"infinite values, in {', '.join(names)}. Fill or remove them."
        )
    return X

"""Own features: a table of numbers with a column of labels (.csv, .parquet, .npz)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from gamo_tf.errors import UserError, first_line

SUFFIXES = (".npz", ".csv", ".parquet")


class Table(NamedTuple):
    """X float32 [n, d], labels [n] by position in `classes`, names of the columns
    (of an .npz: none), the label column's dtype."""

    X: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray  # the label of each class, as it stands in the file


def read(path: Path, label: str) -> Table:
    """Raises UserError where the file is not a table of finite numbers and labels."""
    frame, y = _open(path, label)
    if y is None:
        names = ", ".join(map(str, frame.columns[:20]))
        raise UserError(f"--label {label}: not in {path}, which has {names}.")
    X = _numbers(path, frame)
    if pd.isna(y).any():
        n = int(pd.isna(y).sum())
        raise UserError(f"--features {path}: {n} row(s) have no {label}.")
    values, codes = np.unique(np.asarray(y), return_inverse=True)
    if len(values) < 2:
        raise UserError(f"--features {path}: {label} has one class only, {values}.")
    columns = () if path.suffix == ".npz" else tuple(map(str, frame.columns))
    return Table(X, codes, tuple(map(str, values)), columns, values)


def columns(path: Path, label: str) -> tuple[str, ...] | None:
    """Names of the columns in their order; None of an .npz, or if it is gone."""
    if not path.is_file() or path.suffix == ".npz":
        return None
    frame, _ = _open(path, label)
    return tuple(frame.columns)


def vectors(
    path: Path, label: str, wanted: tuple[str, ...] | None, width: int
) -> np.ndarray:
    """X [n, width] of another table; it may lack the labels. Raises UserError."""
    frame, _ = _open(path, label)
    if wanted and path.suffix != ".npz":
        missing = [str(name) for name in wanted if name not in frame]
        if missing:
            raise UserError(f"{path}: lacks the columns {', '.join(missing[:10])}.")
        frame = frame[list(wanted)]
    if frame.shape[1] != width:
        raise UserError(f"{path}: {frame.shape[1]} columns; trained on {width}.")
    return _numbers(path, frame)


def _open(path: Path, label: str) -> tuple[pd.DataFrame, np.ndarray | None]:
    """Columns beside the labels, and the labels, if they are there."""
    if not path.is_file():
        raise UserError(f"--features {path}: no such file.")
    if path.suffix not in SUFFIXES:
        raise UserError(f"--features {path}: expected one of {', '.join(SUFFIXES)}.")
    try:
        if path.suffix == ".npz":
            return _arrays(path, label)
        frame = (pd.read_csv if path.suffix == ".csv" else pd.read_parquet)(path)
    except UserError:
        raise
    except Exception as err:  # pandas, pyarrow and NumPy raise of many kinds
        raise UserError(
            f"--features {path}: cannot be read ({first_line(err)})."
        ) from err
    if label not in frame:
        return frame, None
    return frame.drop(columns=label), frame[label].to_numpy()


def _numbers(path: Path, frame: pd.DataFrame) -> np.ndarray:
    """float32 [n, d]. Raises UserError for text, missing and infinite values."""
    text = [str(c) for c in frame if not pd.api.types.is_numeric_dtype(frame[c].dtype)]
    if text:
        raise UserError(
            f"--features {path}: columns that are no numbers: {', '.join(text[:10])}. "
            "Encode or remove them."
        )
    if not frame.shape[1]:
        raise UserError(f"--features {path}: no column beside the labels.")
    X = frame.to_numpy(np.float32)
    wrong = ~np.isfinite(X)
    if wrong.any():
        names = [str(c) for c in frame.columns[wrong.any(axis=0)]][:10]
        raise UserError(
            f"--features {path}: {int(wrong.any(axis=1).sum())} row(s) with missing or "
            f"infinite values, in {', '.join(names)}. Fill or remove them."
        )
    return X


def _arrays(path: Path, label: str) -> tuple[pd.DataFrame, np.ndarray | None]:
    """The one 2-D array, and the array named `label`, if it is there."""
    with np.load(path, allow_pickle=False) as found:
        arrays = dict(found)
    y = arrays.pop(label, None)
    wide = [name for name, array in arrays.items() if array.ndim == 2]
    if len(wide) != 1:
        raise UserError(
            f"--features {path}: expected one array [rows, features] beside {label}; "
            f"found {', '.join(wide) or 'none'}."
        )
    if y is not None and (y.ndim != 1 or len(y) != len(arrays[wide[0]])):
        raise UserError(
            f"--features {path}: {label} has shape {y.shape}, {wide[0]} "
            f"{arrays[wide[0]].shape}: a label a row is needed."
        )
    return pd.DataFrame(arrays[wide[0]]), y

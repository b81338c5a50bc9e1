"""The files that tables of feature vectors come in (.csv, .parquet, .npz), as they
stand there: nothing is changed, and nothing is read that is not asked for."""

from __future__ import annotations

import csv
import io
import math
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from gamo_tf.errors import UserError, first_line, setting
from gamo_tf.files import atomically
from gamo_tf.stored import regular_size

SUFFIXES = (".npz", ".csv", ".parquet")
_LISTED = 10  # names in a message


class Content(NamedTuple):
    """A table, as its file has it.

    Attributes:
      features: the columns beside the labels, a data frame [n, d] with the types that
        pandas finds, its columns named by text; of an .npz the array [n, d].
      labels: [n], of a .csv the text of the cells; None where they are not there.
      names: of all columns in their order, as they are written; of an .npz the names
        of all arrays.
      titles: the names of `features`, and the label's, in the order of `names`; of an
        .npz none.
      label: the one of `names` that the labels have, and `table`, of an .npz, that of
        the array of features.
      text: of a .csv the text of all its cells, a column for each of `names`; its
        columns are called by `titles`.
      notes: what was left out of the file, a line each.
      source: of a .csv the file itself; see `line_of`.
    """

    features: pd.DataFrame | np.ndarray
    labels: pd.Series | np.ndarray | None
    names: list
    titles: list[str]
    label: object = None
    table: str = ""
    text: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    source: bytes = b""


def place(path: Path) -> str:
    """How messages on a table begin: the setting and its value.

    Args:
      path: of the table.
    """
    return setting("features", path)


def read(path: Path, label: str, rows: int | None = None) -> Content:
    """Read a table.

    Args:
      path: a .csv or .parquet with a header, or an .npz.
      label: the column, or the array, of the labels.
      rows: how many to read, from the first; None: all.

    Raises:
      UserError: the file is not there, no regular file, cannot be read, or has two
        columns of one name.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(f"{place(path)}: expected one of {', '.join(SUFFIXES)}.")
    if not path.exists():
        raise UserError(f"{place(path)}: no such file.")
    try:
        regular_size(path)
        if path.suffix == ".npz":
            return _read_npz(path, label, rows)
        if path.suffix == ".parquet":
            return _read_parquet(path, label, rows)
        return _read_csv(path, label, rows)
    except UserError as err:
        reason = err.message.removeprefix(f"{path}: ")
        raise UserError(f"{place(path)}: {reason}") from err
    except UnicodeDecodeError as err:
        raise UserError(f"{place(path)}: is not text in UTF-8 ({err}).") from err
    except MemoryError as err:
        raise UserError(f"{place(path)}: too large for the memory here.") from err
    except Exception as err:  # pandas, pyarrow and NumPy raise many kinds
        raise UserError(f"{place(path)}: cannot be read ({first_line(err)}).") from err


def _read_csv(path: Path, label: str, rows: int | None) -> Content:
    """The cells twice: as the text that they are, and as pandas takes them."""
    data = path.read_bytes()  # once, so that both are of the same file
    try:
        return _parse_csv(data, label, rows)
    except pd.errors.ParserError as err:
        if complaint := _ragged(data):
            raise UserError(f"cannot be read: {complaint}") from err
        raise


def _parse_csv(data: bytes, label: str, rows: int | None) -> Content:
    text = pd.read_csv(
        io.BytesIO(data),
        header=None,
        nrows=None if rows is None else rows + 1,
        dtype=str,
        keep_default_na=False,
    ).fillna("")  # of a line that is too short
    names = text.iloc[0].tolist()
    text = text.iloc[1:].reset_index(drop=True)
    titles = [name or f"Unnamed: {k}" for k, name in enumerate(names)]
    _refuse_twins(titles)
    text.columns = pd.Index(titles)
    typed = pd.read_csv(
        io.BytesIO(data),
        nrows=rows,
        index_col=False,
        low_memory=False,
    )
    if len(typed) != len(text):
        raise UserError(f"{len(text)} rows of cells, of which {len(typed)} have types.")
    typed.columns = pd.Index(titles)
    if label not in names:
        return Content(typed, None, names, titles, text=text, source=data)
    features = typed.drop(columns=label)
    return Content(features, text[label], names, titles, label, text=text, source=data)


def line_of(content: Content, row: int, name: object) -> int:
    """The line of a .csv file that a cell ends on, as an editor counts lines.

    Lines may be empty, and cells in quotes may span several.

    Args:
      content: of a .csv.
      row: of the table, counted from 0.
      name: one of `content.names`.
    """
    records = _records(content.source)
    start, _ = next(record for k, record in enumerate(records) if k == row + 1)
    text = content.text
    before = [] if text is None else text.iloc[row, : content.names.index(name) + 1]
    return start + sum(len(re.findall(r"\r\n|\r|\n", cell)) for cell in before)


def _records(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The records of a .csv, the header first: the line that each begins on, and its
    cells. Lines without any are passed over, as pandas does."""
    reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    start = 1
    for cells in reader:
        if len(cells) > 1 or (cells and not (cells[0] and cells[0].isspace())):
            yield start, cells
        start = reader.line_num + 1


def _ragged(data: bytes) -> str:
    """Which record of a .csv has more cells than the header; "" for none. The line
    that pandas names does not count those inside of quotes."""
    try:
        records = _records(data)
        width = len(next(records)[1])
        for line, cells in records:
            if len(cells) > width:
                return f"line {line} has {len(cells)} cells, the header has {width}."
    except (csv.Error, StopIteration):
        pass
    return ""


def _read_parquet(path: Path, label: str, rows: int | None) -> Content:
    frame = pd.read_parquet(path)
    notes: tuple[str, ...] = ()
    if not isinstance(frame.index, pd.RangeIndex):
        notes = ("the index of the table is no column, and is left out",)
    frame = frame.iloc[:rows].reset_index(drop=True)
    names = list(frame.columns)
    titles = [str(name) for name in names]
    _refuse_twins(titles)
    frame.columns = pd.Index(titles)
    if label not in titles:
        return Content(frame, None, names, titles, notes=notes)
    own = names[titles.index(label)]
    features = frame.drop(columns=label)
    return Content(features, frame[label], names, titles, own, notes=notes)


def _refuse_twins(names: list[str]) -> None:
    """Raises UserError for names that two columns have."""
    twins = [repr(name) for name, n in Counter(names).items() if n > 1]
    if twins:
        raise UserError(f"columns of the same name: {', '.join(twins[:_LISTED])}.")


class _Header(NamedTuple):
    """What an array of an .npz says of itself."""

    shape: tuple[int, ...]
    dtype: np.dtype


def _read_npz(path: Path, label: str, rows: int | None) -> Content:
    """The one 2-D array; and the array named `label`, if it is there. Their headers
    are looked at before any of their data is read, and no other array is read."""
    with zipfile.ZipFile(path) as archive:
        headers = _headers(archive)
        tables = [k for k, h in headers.items() if len(h.shape) == 2 and k != label]
        if len(tables) != 1:
            raise UserError(
                f"expected one array [rows, features] beside {label}; found "
                f"{', '.join(tables[:_LISTED]) or 'none'}."
            )
        table = tables[0]
        shape = headers[table].shape
        if label in headers and headers[label].shape != shape[:1]:
            raise UserError(
                f"{label} has shape {headers[label].shape}, {table} {shape}: a label "
                "a row is needed."
            )
        for name in {table, label} & set(headers):
            if headers[name].dtype.kind in "OV":
                raise UserError(
                    f"{name} holds Python objects ({headers[name].dtype}), which are "
                    "never unpickled. Save numbers or text."
                )
        features = _array(archive, table)[:rows]
        names = list(headers)
        if label not in headers:
            return Content(features, None, names, [], table=table)
        labels = _array(archive, label)[:rows]
        return Content(features, labels, names, [], label, table)


def _headers(archive: zipfile.ZipFile) -> dict[str, _Header]:
    """The shape and type of each array, by its name."""
    found = {}
    for item in archive.infolist():
        if not item.filename.endswith(".npy"):
            continue
        name = item.filename.removesuffix(".npy")
        with archive.open(item) as stream:
            version = np.lib.format.read_magic(stream)
            if version == (1, 0):
                shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            else:
                shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
            announced = stream.tell() + math.prod(shape) * dtype.itemsize
        if name in found:
            raise UserError(f"two arrays are called {name}.")
        if announced != item.file_size and dtype.kind != "O":
            raise UserError(
                f"{name}: {item.file_size} bytes there, {announced} announced."
            )
        found[name] = _Header(shape, dtype)
    return found


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as stream:
        # Unpickling runs code of whoever wrote the file, so it is never done.
        return np.lib.format.read_array(stream, allow_pickle=False)


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write an .npz file, all of it or nothing.

    Args:
      path: of the file.
      arrays: by name; any name will do, which is not so for `np.savez`.
    """

    def write(part: Path) -> None:
        with zipfile.ZipFile(part, "w") as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                    np.lib.format.write_array(stream, array, allow_pickle=False)

    atomically(path, write)

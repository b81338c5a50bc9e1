"""SVHN, cropped digits: MATLAB files with X [32, 32, 3, n] and labels y [n, 1]."""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

import numpy as np

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data.download import Remote, locate
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError
from gamo_tf.stored import reading, regular_size

_ADDRESS = "http://ufldl.stanford.edu/housenumbers/"
_SHA256 = {
    "train_32x32.mat": (
        "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"
    ),
    "test_32x32.mat": (
        "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"
    ),
}
_MOST_IMAGES = 700_000  # in a file; the largest that was published has 531,131
_NUMBERS = {  # kinds that labels may have in a file
    *("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
    *("single", "double"),
}
_COMPRESSED = 15  # the kind of an element of a .mat file
_MOST_HEADER, _PIECE = 4096, 2**16  # bytes before an array; bytes unpacked at a time
_SIZES = {"train_32x32.mat": "182 MB", "test_32x32.mat": "64 MB"}


def check(spec: DatasetSpec, data_dir: Path) -> None:
    """Download what is missing (182 and 64 MB).

    Args:
      spec: the row "svhn".
      data_dir: the files are in its folder ``svhn``.

    Raises:
      UserError: a file cannot be fetched; the message names its size and terms.
    """
    for name, digest in _SHA256.items():
        remark = f"{_SIZES[name]}, {spec.terms}"
        locate(data_dir / spec.name, Remote(_ADDRESS + name, digest), remark)


def read(spec: DatasetSpec, data_dir: Path) -> Arrays:
    """Read the two files; missing ones are downloaded.

    Args:
      spec: the row "svhn".
      data_dir: the files are in its folder ``svhn``.

    Returns:
      Images uint8 [n, 32, 32, 3] and digits uint8 [n].

    Raises:
      UserError: a file cannot be fetched, or is damaged.
    """
    check(spec, data_dir)
    train, test = (parse(data_dir / spec.name / name, spec) for name in _SHA256)
    return Arrays(*train, *test)


def parse(path: Path, spec: DatasetSpec) -> tuple[np.ndarray, np.ndarray]:
    """Images and digits of one file.

    Args:
      path: of the .mat file.
      spec: the row "svhn"; label k of the file, from 1, is the k-th digit of its
        `file_labels`: 10 stands for the digit 0.

    Returns:
      Images uint8 [n, 32, 32, 3] and digits uint8 [n].

    Raises:
      UserError: the file cannot be read, or its arrays are not as expected.
    """
    # Here and not above, so that other datasets do without SciPy.
    from scipy.io import loadmat

    with reading(path, "Fetch it again."):
        regular_size(path)
        _check_headers(path, spec)
        found = loadmat(path, variable_names=("X", "y"))
        X, y = found["X"], found["y"].ravel()
    # Headers do not say whether values are complex.
    if X.dtype != np.uint8 or X.shape[:3] != spec.shape or X.shape[3:] != y.shape:
        raise UserError(
            f"{path}: expected bytes [32, 32, 3, n] and as many labels; found X "
            f"{X.dtype} {X.shape} and y {y.shape}."
        )
    if y.dtype.kind not in "uif" or (y != np.round(y)).any():
        raise UserError(f"{path}: labels that are no whole numbers ({y.dtype}).")
    last = len(spec.file_labels)
    if y.size and not (y.min() >= 1 and y.max() <= last):
        raise UserError(f"{path}: labels {y.min()} to {y.max()}; 1 to {last} expected.")
    digits = np.array(spec.file_labels, np.uint8)[y.astype(np.int64) - 1]
    return np.ascontiguousarray(X.transpose(3, 0, 1, 2)), digits


def _check_headers(path: Path, spec: DatasetSpec) -> None:
    """Look at the names, shapes and kinds of the arrays before any is read.

    Args:
      path: of the .mat file.
      spec: the row "svhn".

    Raises:
      UserError: X or y is missing, there twice, of another shape or kind, or has more
        bytes than its shape says.
    """
    from scipy.io import whosmat

    headers = whosmat(path)
    names = [name for name, _, _ in headers]
    if names.count("X") != 1 or names.count("y") != 1:
        raise UserError(f"{path}: expected X and y once each; found {names[:9]}.")
    found = {name: (shape, kind) for name, shape, kind in headers}
    shape, kind = found["X"]
    labels, labels_kind = found["y"]
    if (
        kind != "uint8"
        or labels_kind not in _NUMBERS
        or shape[:3] != spec.shape
        or shape[3:] != (math.prod(labels),)
        or shape[3] > _MOST_IMAGES
    ):
        raise UserError(
            f"{path}: expected bytes [32, 32, 3, n], n up to {_MOST_IMAGES}, and as "
            f"many labels; found X {kind} {shape} and y {labels_kind} {labels}."
        )
    _check_bytes(path, headers)


def _check_bytes(path: Path, headers: list[tuple[str, tuple[int, ...], str]]) -> None:
    """Unpack X and y piece by piece: a small file can hide any number of bytes.

    Args:
      path: of the .mat file; after 128 bytes it has an element for each array, which
        begins with its kind and its size as uint32.
      headers: name, shape and kind of the arrays.

    Raises:
      UserError: one has more bytes than its shape says.
    """
    with open(path, "rb") as file:
        order = "<" if file.read(128).endswith(b"IM") else ">"
        for name, shape, _ in headers:
            kind, size = struct.unpack(f"{order}II", file.read(8))
            end = file.tell() + size
            if kind == _COMPRESSED and name in ("X", "y"):
                left = math.prod(shape) * (8 if name == "y" else 1) + _MOST_HEADER
                unpacker = zlib.decompressobj()
                for _ in range(0, size, _PIECE):
                    piece = file.read(min(_PIECE, end - file.tell()))
                    left -= len(unpacker.decompress(piece))
                    if left < 0:
                        raise UserError(f"{path}: {name} is larger than it says.")
            file.seek(end)

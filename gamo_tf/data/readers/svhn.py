"""SVHN, cropped digits: MATLAB files with X [32, 32, 3, n] and labels y [n, 1]."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data.download import Remote, locate
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError

_ADDRESS = "http://ufldl.stanford.edu/housenumbers/"
_SHA256 = {
    "train_32x32.mat": (
        "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"
    ),
    "test_32x32.mat": (
        "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"
    ),
}
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

    last = len(spec.file_labels)
    try:
        found = loadmat(path, variable_names=("X", "y"))
        X, y = found["X"], found["y"].ravel()
    except Exception as err:  # SciPy raises many kinds for bad files
        raise UserError(f"{path}: cannot be read ({err}). Fetch it again.") from err
    if X.dtype != np.uint8 or X.shape[:3] != spec.shape or X.shape[3:] != y.shape:
        raise UserError(
            f"{path}: expected bytes [32, 32, 3, n] and as many labels; found X "
            f"{X.dtype} {X.shape} and y {y.shape}."
        )
    if y.size and not (y.min() >= 1 and y.max() <= last):
        raise UserError(f"{path}: labels {y.min()} to {y.max()}; 1 to {last} expected.")
    digits = np.array(spec.file_labels, np.uint8)[y.astype(np.int64) - 1]
    return np.ascontiguousarray(X.transpose(3, 0, 1, 2)), digits

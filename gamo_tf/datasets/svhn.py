"""SVHN, cropped digits: MATLAB files with X [32, 32, 3, n] and y [n, 1], 10 for 0."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gamo_tf.datasets.files import Remote, locate
from gamo_tf.errors import UserError
from gamo_tf.specs import DatasetSpec

_BASE = "http://ufldl.stanford.edu/housenumbers/"
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
    """Downloads what is missing (182 and 64 MB). Raises UserError."""
    for name, digest in _SHA256.items():
        told = f"{_SIZES[name]}, {spec.terms}"
        locate(data_dir / spec.name, Remote(_BASE + name, digest), told)


def read(spec: DatasetSpec, data_dir: Path) -> tuple[np.ndarray, ...]:
    """Train images, train labels, test images, test labels (uint8)."""
    check(spec, data_dir)
    parts = [parse(data_dir / spec.name / name, spec) for name in _SHA256]
    return (*parts[0], *parts[1])


def parse(path: Path, spec: DatasetSpec) -> tuple[np.ndarray, np.ndarray]:
    """Images [n, 32, 32, 3] and digits [n] of one file. Raises UserError."""
    from scipy.io import loadmat

    try:
        found = loadmat(path, variable_names=("X", "y"))
        X, y = found["X"], found["y"].ravel()
    except Exception as err:  # SciPy raises of many kinds for bad files
        raise UserError(f"{path}: cannot be read ({err}). Fetch it again.") from err
    if X.dtype != np.uint8 or X.shape[:3] != spec.shape or X.shape[3:] != y.shape:
        raise UserError(
            f"{path}: expected bytes [32, 32, 3, n] and as many labels; found X "
            f"{X.dtype} {X.shape} and y {y.shape}."
        )
    if y.size and not (y.min() >= 1 and y.max() <= 10):
        raise UserError(f"{path}: labels {y.min()} to {y.max()}; 1 to 10 expected.")
    return np.ascontiguousarray(X.transpose(3, 0, 1, 2)), (y % 10).astype(np.uint8)


def in_file_order(counts: tuple[int, ...]) -> tuple[int, ...]:
    """Counts meant for labels 1, 2, ... 9, 10 as the file has them, by digit."""
    return (counts[-1], *counts[:-1])

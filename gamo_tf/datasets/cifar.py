"""CIFAR-10's binary version: records of 1 label byte and 3,072 bytes, CHW."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np

from gamo_tf.datasets.files import Remote, locate
from gamo_tf.errors import UserError
from gamo_tf.specs import DatasetSpec

_REMOTE = Remote(
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)
_FOLDER = "cifar-10-batches-bin"
_TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))


def parse(path: Path, spec: DatasetSpec) -> tuple[np.ndarray, np.ndarray]:
    """Images [n, 32, 32, 3] and labels [n] of one file of records."""
    height, width, channels = spec.shape
    record = 1 + height * width * channels
    raw = np.fromfile(path, np.uint8)
    if not raw.size or raw.size % record:
        raise UserError(
            f"{path}: damaged; {raw.size} bytes are no whole number of "
            f"{record}-byte records. Fetch it again."
        )
    raw = raw.reshape(-1, record)
    if raw[:, 0].max() >= len(spec.classes):
        raise UserError(
            f"{path}: label {raw[:, 0].max()} found, 0 to "
            f"{len(spec.classes) - 1} expected."
        )
    images = raw[:, 1:].reshape(-1, channels, height, width)
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1)), raw[:, 0].copy()


def read(spec: DatasetSpec, data_dir: Path) -> tuple[np.ndarray, ...]:
    """Train images, train labels, test images, test labels (uint8)."""
    folder = data_dir / _FOLDER
    if not folder.is_dir():
        archive = locate(data_dir, _REMOTE, also=f"or its folder {folder}")
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(data_dir, filter="data")
        except (tarfile.TarError, EOFError, OSError) as err:
            raise UserError(f"{archive}: cannot be unpacked ({err}).") from err
    missing = [n for n in (*_TRAIN, "test_batch.bin") if not (folder / n).is_file()]
    if missing:
        raise UserError(
            f"{folder}: {', '.join(missing)} missing. Unpack {_REMOTE.url} again."
        )
    parts = [parse(folder / name, spec) for name in _TRAIN]
    test = parse(folder / "test_batch.bin", spec)
    return (
        np.concatenate([p[0] for p in parts]),
        np.concatenate([p[1] for p in parts]),
        *test,
    )

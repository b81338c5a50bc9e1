"""CIFAR-10's binary version: records of one label byte and 3,072 bytes of image."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data.download import Remote, locate
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError, first_line
from gamo_tf.files import replace_folder
from gamo_tf.stored import regular_size

_REMOTE = Remote(
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)
_FOLDER = "cifar-10-batches-bin"
_TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
_TEST = "test_batch.bin"
_MOST_RECORDS = 60_000  # of all files
_MOST_UNPACKED = 2**28  # bytes of the archive, of which the published one has 184 MB


def parse(path: Path, spec: DatasetSpec) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of one file of records.

    Args:
      path: of the file. In a record the label comes first, then the red, the green and
        the blue values, each row by row.
      spec: the row "cifar10".

    Returns:
      Images uint8 [n, 32, 32, 3] and labels uint8 [n].

    Raises:
      UserError: the file has no whole number of records, more than there are of all
        images, or a label out of range.
    """
    height, width, channels = spec.shape
    record = 1 + height * width * channels
    size = regular_size(path)
    if not size or size % record or size > _MOST_RECORDS * record:
        raise UserError(
            f"{path}: damaged; {size} bytes are no whole number of "
            f"{record}-byte records, or too many. Fetch it again."
        )
    raw = np.fromfile(path, np.uint8, size)
    raw = raw.reshape(-1, record)
    if raw[:, 0].max() >= len(spec.classes):
        raise UserError(
            f"{path}: label {raw[:, 0].max()} found, 0 to "
            f"{len(spec.classes) - 1} expected."
        )
    images = raw[:, 1:].reshape(-1, channels, height, width)
    # Both are copies: a view would keep the bytes of the whole file in memory.
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1)), raw[:, 0].copy()


def read(spec: DatasetSpec, data_dir: Path) -> Arrays:
    """Read the five training files and the test file.

    Args:
      spec: the row "cifar10".
      data_dir: has the folder ``cifar-10-batches-bin``, or the archive of it, which is
        downloaded where it is missing (170 MB) and unpacked.

    Returns:
      Images uint8 [n, 32, 32, 3] and labels uint8 [n].

    Raises:
      UserError: the archive cannot be fetched or unpacked, or a file is missing or
        damaged.
    """
    folder = data_dir / _FOLDER
    if not folder.exists():
        archive = locate(data_dir, _REMOTE, also=f"or its folder {folder}")
        # Under another name first: half of it must not be taken for the whole.
        replace_folder(folder, lambda part: _unpack(archive, part))
    missing = [name for name in (*_TRAIN, _TEST) if not (folder / name).exists()]
    if missing:
        raise UserError(
            f"{folder}: {', '.join(missing)} missing. Unpack {_REMOTE.url} again."
        )
    batches = [parse(folder / name, spec) for name in _TRAIN]
    return Arrays(
        np.concatenate([images for images, _ in batches]),
        np.concatenate([labels for _, labels in batches]),
        *parse(folder / _TEST, spec),
    )


def _unpack(archive: Path, folder: Path) -> None:
    """Write the files of the archive to a folder, in which they lie side by side."""
    try:
        with (
            _Bounded(archive) as packed,
            # Read forwards and in pieces, so that it ends where it becomes too much.
            tarfile.open(fileobj=packed, mode="r|") as tar,
        ):
            for member in tar:
                path = PurePosixPath(member.name)
                if member.isdir() and str(path) == _FOLDER:
                    continue
                if not member.isfile() or str(path.parent) != _FOLDER:
                    raise UserError(f"{member.name} is not expected in it")
                flat = member.replace(name=path.name, deep=False)
                tar.extract(flat, folder, filter="data")
    except (tarfile.TarError, EOFError, zlib.error, OSError, UserError) as err:
        raise UserError(f"{archive}: cannot be unpacked ({first_line(err)}).") from err


class _Bounded(gzip.GzipFile):
    """A gzip file that ends with an error once more was read than it may have."""

    def read(self, size: int | None = -1) -> bytes:
        """At most `size` bytes."""
        if self.tell() > _MOST_UNPACKED:
            raise UserError(f"more than {_MOST_UNPACKED} bytes in it")
        return super().read(size)

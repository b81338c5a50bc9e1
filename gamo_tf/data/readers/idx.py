"""MNIST and Fashion-MNIST: idx files, gzipped (the format of yann.lecun.com)."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data.download import Remote, locate
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError
from gamo_tf.stored import regular_size

_MOST_ROWS = 70_000  # of all images of a dataset
_MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist/"
_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
# Of each dataset: its address, and the SHA-256 of the files in the order of _NAMES.
_SHA256 = {
    "mnist": (
        _MNIST,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
    "fashion-mnist": (
        _FASHION,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
}


def parse(path: Path, rank: int, sides: tuple[int, ...] | None = None) -> np.ndarray:
    """The array of one idx file.

    The file begins with two zero bytes, one for the type (8: bytes) and one for the
    rank; then come the sizes as big-endian uint32, then the bytes. No more is unpacked
    than the sizes announce, and nothing where they are not those of the dataset.

    Args:
      path: of the gzipped file.
      rank: 3 for images [n, h, w], 1 for labels [n].
      sides: height and width of the images; None: any.

    Returns:
      uint8, of that rank.

    Raises:
      UserError: the file is damaged, of another rank or type, has other sides or more
        rows than any of these datasets.
    """
    try:
        regular_size(path)
        with gzip.open(path) as file:
            dims = _dims(path, file.read(4 + 4 * rank), rank)
            if dims[0] > _MOST_ROWS or dims[1:] != (sides or dims[1:]):
                raise UserError(
                    f"{path}: shape {dims} announced; expected at most {_MOST_ROWS} "
                    f"rows{f' of {sides}' if sides else ''}."
                )
            # One byte more, so that a longer file shows.
            raw = file.read(math.prod(dims) + 1)
    except (OSError, EOFError, zlib.error) as err:
        raise UserError(
            f"{path}: not a whole gzip file ({err}). Fetch it again."
        ) from err
    if len(raw) != math.prod(dims):
        found = "more" if len(raw) > math.prod(dims) else len(raw)
        raise UserError(
            f"{path}: damaged; {math.prod(dims)} bytes of data announced for shape "
            f"{dims}, {found} found. Fetch it again."
        )
    return np.frombuffer(raw, np.uint8).reshape(dims)


def _dims(path: Path, header: bytes, rank: int) -> tuple[int, ...]:
    """The sizes that the header of an idx file announces."""
    magic = 0x0800 + rank
    if len(header) < 4 + 4 * rank or struct.unpack(">I", header[:4])[0] != magic:
        raise UserError(f"{path}: not an idx{rank} file of bytes (magic {magic:#06x}).")
    return struct.unpack(f">{rank}I", header[4:])


def read(spec: DatasetSpec, data_dir: Path) -> Arrays:
    """Read the four files of a dataset; missing ones are downloaded.

    Args:
      spec: the row "mnist" or "fashion-mnist".
      data_dir: the files are in its folder of the row's name.

    Returns:
      Images uint8 [n, 28, 28, 1] and labels uint8 [n].

    Raises:
      UserError: a file cannot be fetched, is damaged, or does not fit the others.
    """
    folder = data_dir / spec.name
    address, *digests = _SHA256[spec.name]
    arrays = []
    for name, digest in zip(_NAMES, digests, strict=True):
        path = locate(folder, Remote(address + name, digest))
        sides = spec.shape[:2] if "images" in name else None
        arrays.append(parse(path, 3 if sides else 1, sides))
    for images, labels in (arrays[:2], arrays[2:]):
        if len(images) != len(labels):
            raise UserError(
                f"{folder}: expected as many labels as {spec.shape[:2]} images; found "
                f"{images.shape} and {labels.shape}."
            )
        if labels.size and labels.max() >= len(spec.classes):
            raise UserError(
                f"{folder}: label {labels.max()} found, 0 to {len(spec.classes) - 1} "
                "expected."
            )
    images, labels, test_images, test_labels = arrays
    return Arrays(images[..., None], labels, test_images[..., None], test_labels)

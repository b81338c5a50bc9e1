"""Features of images that a frozen network has seen once, kept for every later use.

A store is a folder of one network, one side and one shape of image. It finds an image
by its content, so that every split, run and estimator shares what was extracted. It
only ever grows, and a process that is killed leaves all complete records.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from gamo_tf.data import mapped_rows
from gamo_tf.errors import UserError
from gamo_tf.files import flush, locked

_DIGEST = 16  # bytes of an image's digest
_FLOAT = np.dtype("<f4")  # float16 saves half of the disk, and no time
_PART = 512  # images whose features are written at a time


def default_store_dir() -> Path:
    """The folder of all stores: ``GAMO_CACHE_DIR``, or ``gamo`` in the user's cache."""
    if named := os.environ.get("GAMO_CACHE_DIR"):
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path("~/.cache").expanduser()) / "gamo"


def digests(images: np.ndarray) -> np.ndarray:
    """A digest of the content of each image.

    Args:
      images: uint8 [n, h, w, c].

    Returns:
      uint8 [n, 16].
    """
    found = np.empty((len(images), _DIGEST), np.uint8)
    for k, image in enumerate(images):
        content = np.ascontiguousarray(image).data
        digest = hashlib.blake2b(content, digest_size=_DIGEST).digest()
        found[k] = np.frombuffer(digest, np.uint8)
    return found


class FeatureStore:
    """The features that one frozen network gives to images.

    Args:
      key: what the features depend on beside the images, such as the digest of the
        network's weights and the shape of the images.
      shape: of the features of one image.
      folder: of all stores; None: `default_store_dir`.

    Raises:
      UserError: the folder cannot be made.
    """

    def __init__(
        self, key: str, shape: tuple[int, ...], folder: Path | None = None
    ) -> None:
        name = hashlib.blake2b(f"{key} {shape}".encode(), digest_size=12).hexdigest()
        self.path = (folder or default_store_dir()) / name
        self.shape = tuple(shape)
        self._width = math.prod(shape)
        self._places: dict[bytes, int] = {}
        with self._writing():
            self.path.mkdir(parents=True, exist_ok=True)

    def unknown(
        self, images: np.ndarray, names: np.ndarray | None = None
    ) -> np.ndarray:
        """The images whose features are not there yet.

        Args:
          images: uint8 [n, h, w, c].
          names: their `digests`, where they are known.

        Returns:
          Positions int64 [k], of equal images the first one.
        """
        self._read_places()
        found = self._missing(digests(images) if names is None else names)
        return np.asarray(found, np.int64)

    def features(
        self,
        images: np.ndarray,
        extract: Callable[[np.ndarray], np.ndarray],
        progress: Callable[[int], object] = lambda done: None,
        names: np.ndarray | None = None,
    ) -> np.ndarray:
        """The features of images; what is unknown is extracted and kept.

        Args:
          images: uint8 [n, h, w, c].
          extract: images [k, h, w, c] -> their features, float32 [k, *shape].
          progress: is told how many images were extracted since it was told last.
          names: `digests` of the images, where they are known.

        Returns:
          float32 [n, *shape], in the order of the images.

        Raises:
          UserError: the store cannot be written.
        """
        names = digests(images) if names is None else names
        self._read_places()
        if self._missing(names):
            # Another process may extract the same images: the second one waits.
            with self._writing(), locked(self.path):
                self._read_places()
                missing = self._missing(names)
                for first in range(0, len(missing), _PART):
                    rows = missing[first : first + _PART]
                    self._append(names[rows], extract(images[rows]))
                    progress(len(rows))
        return self._gathered([self._places[name.tobytes()] for name in names])

    def _missing(self, names: np.ndarray) -> list[int]:
        """Positions of unknown digests, of equal ones the first."""
        first: dict[bytes, int] = {}
        for k, name in enumerate(names):
            digest = name.tobytes()
            if digest not in self._places:
                first.setdefault(digest, k)
        return list(first.values())

    @property
    def _files(self) -> tuple[Path, Path]:
        return self.path / "digests.bin", self.path / "features.bin"

    def _read_places(self) -> None:
        """Learn of the records that are complete, in the order of the file."""
        names, values = self._files
        if not (names.is_file() and values.is_file()):
            self._places = {}
            return
        record = self._width * _FLOAT.itemsize
        n = min(names.stat().st_size // _DIGEST, values.stat().st_size // record)
        if n == len(self._places):
            return
        content = names.read_bytes()
        self._places = {content[k * _DIGEST : (k + 1) * _DIGEST]: k for k in range(n)}

    def _append(self, names: np.ndarray, values: np.ndarray) -> None:
        """Add records. Values come first: a digest stands for a complete record."""
        if values.shape != (len(names), *self.shape) or not np.isfinite(values).all():
            raise UserError(
                "the backbone gives features that are not finite numbers of shape "
                f"{self.shape}. Use another one."
            )
        n = len(self._places)
        pairs = zip(
            self._files, (names, values.astype(_FLOAT, copy=False)), strict=True
        )
        for path, content in reversed(list(pairs)):
            with path.open("r+b" if path.exists() else "w+b") as file:
                file.truncate(n * content[0].nbytes)  # of a write that broke off
                file.seek(0, os.SEEK_END)
                file.write(np.ascontiguousarray(content).data)
            flush(path)
        for k, name in enumerate(names):
            self._places[name.tobytes()] = n + k

    def _gathered(self, places: list[int]) -> np.ndarray:
        """Records in the order of `places`, in memory or, of many, in a file."""
        found = mapped_rows.zeros((len(places), self._width), np.float32, "features")
        if places:
            shape = (len(self._places), self._width)
            records = np.memmap(self._files[1], _FLOAT, "r", shape=shape)
            for first in range(0, len(places), _PART):
                part = slice(first, first + _PART)
                found[part] = records[places[part]]
        return found.reshape(-1, *self.shape)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Within it, an error of the disk becomes one that says what to do."""
        try:
            yield
        except OSError as err:
            raise UserError(
                f"{self.path}: features cannot be kept there ({err.strerror or err}). "
                "Make room, or set GAMO_CACHE_DIR to another folder."
            ) from err

"""The file of a pool of images: a NumPy array, written and checked by blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from gamo_tf import stored
from gamo_tf.errors import UserError

BLOCK = 512  # images of a block


@dataclass(frozen=True)
class PoolFile:
    """A file of images, which may be there in part, damaged, or not at all.

    Attributes:
      path: of the file, ``.npy``.
      shape: that its array should have, [n, h, w, c]; of bytes.
    """

    path: Path
    shape: tuple[int, ...]

    @property
    def header(self) -> bytes:
        """The bytes before the images, as NumPy writes them."""
        buffer = BytesIO()
        np.lib.format.write_array_header_1_0(
            buffer, {"descr": "|u1", "fortran_order": False, "shape": self.shape}
        )
        return buffer.getvalue()

    @property
    def block_bytes(self) -> int:
        """Bytes of a block of images; the last one may have fewer."""
        return BLOCK * math.prod(self.shape[1:])

    def fits(self) -> bool:
        """Whether the file is there, with this header and the size that follows.

        A memory map of a shorter file would end the process where it is read.
        """
        header = self.header
        try:
            size = stored.regular_size(self.path)
            with open(self.path, "rb") as file:
                found = file.read(len(header))
        except (OSError, UserError):
            return False
        return found == header and size == len(header) + math.prod(self.shape)

    def digests(self) -> Iterator[str]:
        """The digest of each block (`stored.digest`), up to the first incomplete one.

        Raises:
          UserError: it is no regular file.
          OSError: it cannot be read.
        """
        stored.regular_size(self.path)
        left = math.prod(self.shape)
        with open(self.path, "rb") as file:
            if file.read(len(self.header)) != self.header:
                return
            while left:
                data = file.read(min(self.block_bytes, left))
                if len(data) < min(self.block_bytes, left):
                    return
                left -= len(data)
                yield stored.digest(data)

    def open(self) -> np.memmap:
        """The images of a file that fits, read from the disk when they are used."""
        return np.memmap(self.path, np.uint8, "r", len(self.header), self.shape)

"""Rows that may be larger than memory: in a file without a name, read when needed.

The file lies where temporary files do (``TMPDIR``, which has to be on a disk for this)
and is gone with the process. The system keeps as much of it in memory as there is room.
"""

from __future__ import annotations

import math
import os
import tempfile

import numpy as np

from gamo_tf.config.memory import LARGE
from gamo_tf.errors import UserError

_BLOCK = 2**12  # rows that are moved at a time


def zeros(
    shape: tuple[int, ...],
    dtype: type[np.generic] = np.uint8,
    what: str = "decoded images",
) -> np.ndarray:
    """An array of zeros, in memory or, from `LARGE` bytes on, in a file.

    Args:
      shape: of the array.
      dtype: of its values.
      what: they are, for the message.

    Raises:
      UserError: the disk has no room for it.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size < LARGE:
        return np.zeros(shape, dtype)
    folder = tempfile.gettempdir()
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            # The room is taken now: on a full disk, writing to a map ends the process.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            return np.memmap(file, dtype, "r+", 0, shape)
    except OSError as err:
        raise UserError(
            f"{folder}: no room for {size / 2**30:.1f} GiB of {what} "
            f"({err.strerror or err}). Make room, or name another folder by TMPDIR."
        ) from err


def take(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Rows of an array; where they follow one another nothing is copied.

    Args:
      values: [n, ...].
      index: positions, int [k].

    Returns:
      [k, ...], a view where `index` counts up by ones.
    """
    if len(index) and (np.diff(index) == 1).all():
        return values[index[0] : index[-1] + 1]
    return values[index]


def keep(values: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Some rows of an array that is not needed any more.

    Args:
      values: [n, ...]; a memory map is changed in its place.
      good: which rows are kept, bool [n].

    Returns:
      These, in their order.
    """
    if good.all():
        return values
    if not isinstance(values, np.memmap):
        return values[good]
    rows = np.flatnonzero(good)
    for first in range(0, len(rows), _BLOCK):
        part = rows[first : first + _BLOCK]
        values[first : first + len(part)] = values[part]
    return values[: len(rows)]

"""Features of many rows in a file, which TensorFlow reads as it reads memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from gamo_tf.data import mapped_rows
from gamo_tf.networks.batched import CHUNK, tensor_of

_PART = 32 * CHUNK  # rows whose features are in memory too, on their way to the file


class MappedFeatures:
    """A file of features that is filled again and again (see `mapped_rows`).

    Args:
      n: rows.
      d: width of their features.

    Raises:
      UserError: the disk has no room for it.
    """

    def __init__(self, n: int, d: int) -> None:
        self._rows = mapped_rows.zeros((n, d), np.float32, "features")
        self._tensor = tensor_of(self._rows)

    def filled(self, extract: Callable, images: tf.Tensor) -> tf.Tensor:
        """The features of all rows.

        Args:
          extract: images [k, ...] -> features, float32 [k, d].
          images: of all rows, [n, ...].

        Returns:
          Float32 [n, d]. The next call changes it.
        """
        for first in range(0, len(self._rows), _PART):
            part = slice(first, first + _PART)
            self._rows[part] = extract(images[part]).numpy()
        return self._tensor


def is_large(n: int, d: int) -> bool:
    """Whether so many features are better kept in a file, on a CPU.

    Args:
      n: rows.
      d: width of their features.
    """
    return n * d * np.dtype(np.float32).itemsize >= mapped_rows.LARGE

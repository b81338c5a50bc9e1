"""Networks over whole sets, a chunk of rows at a time, inside a compiled function."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

CHUNK = 500  # rows a forward pass: bounds the memory that activations take
_PIXELS = CHUNK * 32 * 32  # of such a pass: larger images go in fewer at a time
_ALIGNMENT = 64  # bytes, of the addresses of TensorFlow's arrays


def in_chunks(
    function: Callable, rows: tf.Tensor, chunk: int | None = None
) -> tf.Tensor:
    """Apply a function to the rows of a tensor, `chunk` of them at a time.

    To be called inside a `tf.function`, where the loop becomes a graph.

    Args:
      function: takes rows [k, ...] with k <= `chunk`; returns float32 [k, ...].
      rows: [n, ...].
      chunk: rows a call; None: `CHUNK`, of large images fewer.

    Returns:
      The results in the order of the rows, [n, ...].
    """
    if chunk is None:
        pixels = math.prod(rows.shape[1:3]) if rows.shape.rank == 4 else 1
        chunk = max(1, min(CHUNK, _PIXELS // pixels))
    n = tf.shape(rows)[0]
    parts = tf.TensorArray(
        tf.float32, tf.math.floordiv(n + chunk - 1, chunk), infer_shape=False
    )
    for i in tf.range(parts.size()):
        parts = parts.write(i, function(rows[i * chunk : (i + 1) * chunk]))
    return parts.concat()


def compiled(
    model: Callable, prepare: Callable = lambda x: x, chunk: int | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """A network as a function from array to array, traced once for any number of rows.

    Args:
      model: a Keras model of one input.
      prepare: what is done to a chunk before the model sees it.
      chunk: as `in_chunks` takes it.

    Returns:
      A function [n, ...] -> [n, ...], the model at inference.
    """

    @tf.function
    def extract(rows: tf.Tensor) -> tf.Tensor:
        return in_chunks(lambda x: model(prepare(x), training=False), rows, chunk)

    def call(rows: np.ndarray) -> np.ndarray:
        any_number = tf.TensorSpec([None, *rows.shape[1:]], rows.dtype)
        return extract.get_concrete_function(any_number)(tensor_of(rows)).numpy()

    return call


def tensor_of(rows: np.ndarray) -> tf.Tensor:
    """Rows as a tensor, copied to TensorFlow's memory unless they are a memory map.

    On a CPU a map that can be written to is shared, and read from the disk row by row.

    Args:
      rows: [n, ...]; a map must not change while the tensor is in use.
    """
    on_cpu = not tf.config.list_logical_devices("GPU")
    aligned = rows.ctypes.data % _ALIGNMENT == 0
    if not (
        isinstance(rows, np.memmap) and rows.flags.writeable and on_cpu and aligned
    ):
        return tf.constant(rows)
    return tf.experimental.dlpack.from_dlpack(rows.__dlpack__())

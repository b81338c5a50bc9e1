"""Networks over whole sets, a chunk of rows at a time, inside a compiled function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

CHUNK = 500  # rows a forward pass: bounds the memory that activations take


def in_chunks(function: Callable, rows: tf.Tensor, chunk: int = CHUNK) -> tf.Tensor:
    """Apply a function to the rows of a tensor, `chunk` of them at a time.

    To be called inside a `tf.function`, where the loop becomes a graph.

    Args:
      function: takes rows [k, ...] with k <= `chunk`; returns float32 [k, ...].
      rows: [n, ...].
      chunk: rows a call.

    Returns:
      The results in the order of the rows, [n, ...].
    """
    n = tf.shape(rows)[0]
    parts = tf.TensorArray(
        tf.float32, tf.math.floordiv(n + chunk - 1, chunk), infer_shape=False
    )
    for i in tf.range(parts.size()):
        parts = parts.write(i, function(rows[i * chunk : (i + 1) * chunk]))
    return parts.concat()


def compiled(
    model: Callable, prepare: Callable = lambda x: x, chunk: int = CHUNK
) -> Callable[[np.ndarray], np.ndarray]:
    """A network as a function from array to array, traced once for any number of rows.

    Args:
      model: a Keras model of one input.
      prepare: what is done to a chunk before the model sees it.
      chunk: rows a forward pass.

    Returns:
      A function [n, ...] -> [n, ...], the model at inference.
    """

    @tf.function
    def extract(rows: tf.Tensor) -> tf.Tensor:
        return in_chunks(lambda x: model(prepare(x), training=False), rows, chunk)

    def call(rows: np.ndarray) -> np.ndarray:
        any_number = tf.TensorSpec([None, *rows.shape[1:]], rows.dtype)
        return extract.get_concrete_function(any_number)(tf.constant(rows)).numpy()

    return call

"""Networks over whole sets, a chunk at a time, inside a compiled function."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

CHUNK = 500  # images a forward pass: bounds the memory that activations take


def in_chunks(function: Callable, images: tf.Tensor, chunk: int = CHUNK) -> tf.Tensor:
    """`function` over rows of `images`, `chunk` at a time; results concatenated."""
    n = tf.shape(images)[0]
    parts = tf.TensorArray(
        tf.float32, tf.math.floordiv(n + chunk - 1, chunk), infer_shape=False
    )
    for i in tf.range(parts.size()):
        rows = images[i * chunk : (i + 1) * chunk]
        parts = parts.write(i, function(rows))
    return parts.concat()


def compiled(model, prepare: Callable = lambda x: x, chunk: int = CHUNK) -> Callable:
    """`model` over `prepare`d images, array to array; traced once, for any number."""

    @tf.function
    def extract(images: tf.Tensor) -> tf.Tensor:
        return in_chunks(lambda x: model(prepare(x), training=False), images, chunk)

    def call(images):
        any_number = tf.TensorSpec([None, *images.shape[1:]], images.dtype)
        return extract.get_concrete_function(any_number)(tf.constant(images)).numpy()

    return call

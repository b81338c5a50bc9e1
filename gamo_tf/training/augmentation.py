"""Random shifts and mirrored images, made anew each time that an image is used."""

from __future__ import annotations

import tensorflow as tf

SHIFT = 0.1  # of the side


def shift_and_mirror(
    random: tf.random.Generator, images: tf.Tensor, mirror: bool
) -> tf.Tensor:
    """Each image moved by up to a tenth of its side, and half of them mirrored.

    What moves in from outside repeats the border. Every image has a draw of its own.

    Args:
      random: the random state.
      images: [b, h, w, c], of any type.
      mirror: whether a mirrored image still shows its class.

    Returns:
      Images of the same shape and type.
    """
    _, height, width, _ = images.shape
    rows = tf.shape(images)[0]
    y = _places(random, rows, height)
    x = _places(random, rows, width)
    if mirror:
        turned = random.uniform([rows, 1]) < 0.5
        x = tf.where(turned, width - 1 - x, x)
    images = tf.gather(images, y, axis=1, batch_dims=1)
    return tf.gather(images, x, axis=2, batch_dims=1)


def _places(random: tf.random.Generator, rows: tf.Tensor, side: int) -> tf.Tensor:
    """Where the pixels of each line come from, int32 [rows, side]."""
    most = round(SHIFT * side)
    shift = random.uniform([rows, 1], -most, most + 1, dtype=tf.int32)
    return tf.clip_by_value(tf.range(side) + shift, 0, side - 1)

"""Random shifts and mirrored images, made anew each time that an image is used."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

SHIFT = 0.1  # of the side


class Origins(NamedTuple):
    """Where the pixels of images come from, for each image by itself.

    Attributes:
      y: of each line, int32 [b, h].
      x: of each column, int32 [b, w].
    """

    y: tf.Tensor
    x: tf.Tensor


def draw_origins(
    random: tf.random.Generator, rows: tf.Tensor | int, images: tf.Tensor, mirror: bool
) -> Origins:
    """Images moved by up to a tenth of their side, and half of them mirrored.

    What moves in from outside repeats the border. Every image has a draw of its own.

    Args:
      random: the random state.
      rows: number of images b.
      images: any of the shape [..., h, w, c].
      mirror: whether a mirrored image still shows its class.
    """
    height, width, _ = images.shape[1:]
    y = _places(random, rows, height)
    x = _places(random, rows, width)
    if mirror:
        turned = random.uniform([rows, 1]) < 0.5
        x = tf.where(turned, width - 1 - x, x)
    return Origins(y, x)


def moved(images: tf.Tensor, origins: Origins) -> tf.Tensor:
    """Images whose pixels come from where it was drawn.

    Args:
      images: [b, h, w, c], of any type.
      origins: of as many.

    Returns:
      Images of the same shape and type.
    """
    images = tf.gather(images, origins.y, axis=1, batch_dims=1)
    return tf.gather(images, origins.x, axis=2, batch_dims=1)


def shift_and_mirror(
    random: tf.random.Generator, images: tf.Tensor, mirror: bool
) -> tf.Tensor:
    """`draw_origins`, and the images `moved` so.

    Args:
      random: the random state.
      images: [b, h, w, c], of any type.
      mirror: whether a mirrored image still shows its class.

    Returns:
      Images of the same shape and type.
    """
    drawn = draw_origins(random, tf.shape(images)[0], images, mirror)
    return moved(images, drawn)


def _places(random: tf.random.Generator, rows: tf.Tensor | int, side: int) -> tf.Tensor:
    """Where the pixels of each line come from, int32 [rows, side]."""
    most = round(SHIFT * side)
    shift = random.uniform([rows, 1], -most, most + 1, dtype=tf.int32)
    return tf.clip_by_value(tf.range(side) + shift, 0, side - 1)

"""More views of rare images: shifted, mirrored, cropped and recoloured copies.

A view is a pure function of the content of its image, its number and the name of the
set, so that its features can be kept and are the same after every restart.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from keras import layers

from gamo_tf.config.options import PHOTOGRAPHS, Options, spec_of
from gamo_tf.data.feature_store import digests

_SHIFT = 0.1  # of the side
_ZOOM = (-0.25, 0.0)  # a crop of 75 to 100 % of the side
_TURN = 0.03  # of a full turn, 11 degrees
_COLOUR = 0.2  # of the range, up or down


def numbers(options: Options) -> tuple[int, ...]:
    """The number of views of an image of each class, in label order.

    The largest class has one, the image itself. A smaller one has up to
    `Options.views`, but no more than make it as large as the largest.

    Args:
      options: settings of the run.
    """
    largest = max(options.counts)
    return tuple(min(options.views, max(1, largest // n)) for n in options.counts)


def set_of(options: Options) -> str:
    """The name of the set of augmentations, of `config.options.VIEW_SETS`.

    Args:
      options: settings of the run.

    Returns:
      That which was asked for; else "photographs" where the dataset may be mirrored or
      a user's images are in colour, and "shapes" for all others.
    """
    if options.view_set:
        return options.view_set
    spec = spec_of(options)
    colour = spec.shape[-1] == 3
    return PHOTOGRAPHS if spec.mirror or (options.data and colour) else "shapes"


def maker(name: str, view: int) -> Callable[[np.ndarray], np.ndarray]:
    """The function that makes a view of images.

    Args:
      name: of the set of augmentations.
      view: its number, 1 or more.

    Returns:
      Images uint8 [n, h, w, c] -> their views, uint8 [n, h, w, c].
    """
    changes = [layers.RandomTranslation(_SHIFT, _SHIFT, fill_mode="nearest")]
    if name == PHOTOGRAPHS:
        changes += [
            layers.RandomFlip("horizontal"),
            layers.RandomZoom(_ZOOM, fill_mode="nearest"),
            layers.RandomBrightness(_COLOUR, value_range=(0, 255)),
            layers.RandomContrast(_COLOUR, value_range=(0, 255)),
        ]
    else:
        changes += [layers.RandomRotation(_TURN, fill_mode="nearest")]

    def one(pair: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        image, seed = pair
        x = tf.cast(image, tf.float32)[None]
        for k, change in enumerate(changes):
            # Each layer draws all of an image's numbers from where this one begins.
            change.generator.state.assign([seed[0], seed[1] + k])
            x = change(x, training=True)
        return tf.cast(tf.clip_by_value(tf.round(x[0]), 0.0, 255.0), tf.uint8)

    @tf.function(reduce_retracing=True)
    def change_all(images: tf.Tensor, seeds: tf.Tensor) -> tf.Tensor:
        return tf.map_fn(one, (images, seeds), fn_output_signature=tf.uint8)

    def make(images: np.ndarray) -> np.ndarray:
        seeds = digests(images)[:, :8].copy().view("<u4").astype(np.int64)
        seeds[:, 1] += 2**20 * view
        seeds = (seeds % 2**30).astype(np.int32)
        return change_all(tf.constant(images), tf.constant(seeds)).numpy()

    return make

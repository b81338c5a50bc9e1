"""F, which makes feature vectors of images, and the way back to pixels.

Layer sizes: `docs/method.md`, "Networks".
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from gamo_tf.config.dataset_specs import DatasetSpec

FEATURES = 512  # width of F's last layer in the authors' convolutional program


def feature_extractor(spec: DatasetSpec) -> keras.Model:
    """F: pixels 0 to 255 [b, h, w, c] -> features [b, d].

    Pixels are scaled to [-1, 1] inside, so that an exported F takes images as they
    are. For flat datasets d = h * w * c and F has nothing to learn (the note of
    Algorithm 1). For the others F is 5x5 convolution blocks and 512 tanh units.

    Args:
      spec: of an image dataset; its `conv` has the filters of each block.

    Raises:
      ValueError: for a dataset of vectors, whose F is `standardiser`.
    """
    if spec.vector:
        raise ValueError("feature_extractor: of vectors, see `standardiser`.")
    image = keras.Input(spec.shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(image)
    for k, filters in enumerate(spec.conv):
        x = layers.Conv2D(filters, 5, padding="same", name=f"conv{k}")(x)
        x = layers.LeakyReLU(negative_slope=0.1, name=f"conv_leaky{k}")(x)
        x = layers.AveragePooling2D(2, padding="same", name=f"pool{k}")(x)
    x = layers.Flatten(name="flatten")(x)
    if not spec.flat:
        x = layers.Dense(FEATURES, activation="tanh", name="features")(x)
    return keras.Model(image, x, name="F")


def standardiser(vectors: np.ndarray) -> keras.Model:
    """F for vectors: scales every column to mean 0 and variance 1. Nothing is learned.

    A column that has one value only becomes 0.

    Args:
      vectors: the training rows [n, d] whose means and variances are taken.

    Returns:
      F: [b, d] -> [b, d].
    """
    mean, variance = vectors.mean(0, np.float64), vectors.var(0, dtype=np.float64)
    variance = np.where(variance > 0, variance, 1.0)
    x = keras.Input(vectors.shape[1:], name="vector")
    scale = layers.Normalization(
        mean=mean.tolist(), variance=variance.tolist(), name="scale"
    )
    return keras.Model(x, scale(x), name="F")


def to_pixels(scaled: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo the scaling that F begins with.

    Args:
      scaled: [n, h * w * c] in [-1, 1], as the features of a flat dataset are.
      shape: (height, width, channels) of an image.

    Returns:
      Images uint8 [n, h, w, c].
    """
    return to_uint8((scaled + 1.0) * 127.5).reshape(-1, *shape)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Grey levels of any range as uint8: rounded, and cut off at 0 and 255.

    Args:
      values: of any shape.
    """
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)

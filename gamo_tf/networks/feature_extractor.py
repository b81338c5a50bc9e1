"""F, which makes feature vectors of images, and the way back to pixels.

Layer sizes: `docs/method.md`, "Networks".
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers, ops

from gamo_tf.config.dataset_specs import FEATURES, DatasetSpec

_ROUNDING = 2.0  # units in the last place that a constant column may differ by


def feature_extractor(spec: DatasetSpec, precision: str = "float32") -> keras.Model:
    """F: pixels 0 to 255 [b, h, w, c] -> features [b, d].

    Pixels are scaled to [-1, 1] inside, so that an exported F takes images as they
    are. Without `conv` d = h * w * c and F has nothing to learn (the note of
    Algorithm 1). For the others F is 5x5 convolution blocks and 512 tanh units.

    Args:
      spec: of an image dataset; its `conv` has the filters of each block.
      precision: that its layers calculate in, a policy of Keras. Weights and features
        are float32 whatever it is.

    Raises:
      ValueError: for a dataset of vectors, whose F is `standardiser`.
    """
    if spec.vector:
        raise ValueError("feature_extractor: of vectors, see `standardiser`.")
    policy = {"dtype": precision}
    image = keras.Input(spec.shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(image)
    for k, filters in enumerate(spec.conv):
        x = layers.Conv2D(filters, 5, padding="same", name=f"conv{k}", **policy)(x)
        x = layers.LeakyReLU(negative_slope=0.1, name=f"conv_leaky{k}", **policy)(x)
        x = layers.AveragePooling2D(2, padding="same", name=f"pool{k}", **policy)(x)
    x = layers.Flatten(name="flatten", **policy)(x)
    if spec.conv:
        x = layers.Dense(FEATURES, activation="tanh", name="features", **policy)(x)
    if precision != "float32":
        x = layers.Activation("linear", dtype="float32", name="single")(x)
    return keras.Model(image, x, name="F")


def in_precision(network: keras.Model, precision: str = "float32") -> keras.Model:
    """The same network in another precision of its layers, with weights of its own.

    Args:
      network: a functional model.
      precision: a policy of Keras. Weights and features are float32 whatever it is.
    """

    def changed(layer: keras.Layer) -> keras.Layer:
        last = layer is network.layers[-1]
        policy = "float32" if last else precision
        return type(layer).from_config({**layer.get_config(), "dtype": policy})

    copy = keras.models.clone_model(network, clone_function=changed)
    copy.set_weights(network.get_weights())
    return copy


def standardiser(vectors: np.ndarray, categories: Sequence[int] = ()) -> keras.Model:
    """F for vectors: every column gets mean 0 and variance 1. Nothing is learned.

    It works in float64, so that columns of any offset and scale that float64 holds
    (times in seconds since 1970, values of 1e300) are told apart as well as others. A
    column becomes 0 that has one value only, but for rounding.

    A column of names, which holds positions, becomes one column for each of its
    categories behind those of numbers: 1 where a row has it, else 0, less the mean.
    Their variances have the sum 1, so that columns of names and of numbers count
    alike in distances.

    Args:
      vectors: the training rows [n, d] whose means and variances are taken.
      categories: the number of categories of each column, 0 for one of numbers;
        empty: all are of numbers.

    Returns:
      F: float64 [b, d] -> float32 [b, e], where e is d without columns of names.
    """
    sizes = np.array(categories or [0] * vectors.shape[1])
    plain = np.flatnonzero(sizes == 0)
    x = keras.Input(vectors.shape[1:], dtype="float64", name="vector")
    parts = []
    if len(plain) == len(sizes):
        parts.append(_scaled(x, vectors))
    elif len(plain):
        parts.append(_scaled(ops.take(x, plain.tolist(), axis=1), vectors[:, plain]))
    if len(plain) < len(sizes):
        parts.append(_indicators(x, vectors, sizes))
    h = layers.Concatenate(name="columns")(parts) if len(parts) > 1 else parts[0]
    return keras.Model(x, layers.Activation("linear", name="single")(h), name="F")


def _scaled(x: keras.KerasTensor, vectors: np.ndarray) -> keras.KerasTensor:
    """Columns of numbers with mean 0 and variance 1."""
    values = vectors.astype(np.float64)
    # A power of two brings each column to -1 ... 1 without any rounding, so that
    # nothing overflows from here on.
    _, exponent = np.frexp(np.abs(values).max(axis=0))
    power = np.ldexp(1.0, np.clip(-exponent, -1022, 1022))
    values = values * power
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    noise = _ROUNDING * np.finfo(np.float64).eps * np.abs(values).max(axis=0)
    varies = deviation > noise
    scale = np.where(varies, 1.0, 0.0) / np.where(varies, deviation, 1.0)
    # The subtraction comes first: after the division it would lose digits.
    h = layers.Rescaling(power, -mean, dtype="float64", name="shift")(x)
    return layers.Rescaling(scale, dtype="float64", name="scale")(h)


def _indicators(
    x: keras.KerasTensor, vectors: np.ndarray, sizes: np.ndarray
) -> keras.KerasTensor:
    """Columns of names as a column for each category, by layers of Keras alone, so
    that an exported model needs nothing else."""
    column = np.repeat(np.arange(len(sizes)), sizes)
    category = np.concatenate([np.arange(size) for size in sizes]).astype(np.float64)
    has = vectors[:, column] == category
    mean = has.mean(axis=0)
    variance = np.bincount(column, mean * (1 - mean), minlength=len(sizes))[column]
    scale = np.where(variance > 0, 1.0, 0.0) / np.sqrt(np.where(variance, variance, 1))
    # Positions are whole numbers: 1 - |difference| is 1 or at most 0.
    h = ops.take(x, column.tolist(), axis=1)
    h = layers.Rescaling(1.0, -category, dtype="float64", name="difference")(h)
    h = layers.Rescaling(-1.0, 1.0, dtype="float64", name="alike")(ops.absolute(h))
    h = layers.ReLU(dtype="float64", name="indicator")(h)
    return layers.Rescaling(scale, -mean * scale, dtype="float64", name="weighed")(h)


def to_pixels(scaled: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo the scaling that F begins with.

    Args:
      scaled: [n, h * w * c] in [-1, 1], as features that are pixels have it.
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

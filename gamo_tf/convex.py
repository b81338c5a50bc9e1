"""G, the convex generator (paper, Section 3.2): one cTMU, an IGU a minority class.

Eq. 1: G(z|i) = sum_j g_i(t(z|i))_j x_j, with g_i >= 0 and summing to 1 over the
n_i training points of class i and no others. The points are an input of G, never
part of it: features move while F learns, and an exported G holds no training data.
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers

_HIDDEN, _OUT = 256, 64  # the authors' program
_MOMENTUM = 0.9  # BatchNormalization's, likewise


class Points(NamedTuple):
    """A class's points [n, d] and the same transposed [d, n].

    The gradient of Eq. 1 multiplies by the transpose: a copy, made once a pass, is
    read in order.
    """

    rows: tf.Tensor
    columns: tf.Tensor


@tf.custom_gradient
def combine(weights: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor):
    """Eq. 1: weights [k, n] times points [n, d]; no gradient reaches the points."""

    def gradient(upstream: tf.Tensor) -> tuple:
        return upstream @ columns, None, None

    return weights @ rows, gradient


@keras.saving.register_keras_serializable("gamo")
class CTMU(layers.Layer):
    """Conditional Transient Mapping Unit t(z|i).

    Call arguments: latents [b, l] and one-hot classes [b, c]; returns [b, 64].
    """

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.join = layers.Concatenate(name="condition")
        # Attributes, not a list: tf.train.Checkpoint does not follow Keras's lists.
        self.dense0 = layers.Dense(_HIDDEN, activation="relu", name="dense0")
        self.norm0 = layers.BatchNormalization(momentum=_MOMENTUM, name="norm0")
        self.dense1 = layers.Dense(_OUT, activation="relu", name="dense1")
        self.norm1 = layers.BatchNormalization(momentum=_MOMENTUM, name="norm1")

    def build(self, input_shape: list) -> None:
        (_, latent), (_, classes) = input_shape
        self.dense0.build((None, latent + classes))
        self.norm0.build((None, _HIDDEN))
        self.dense1.build((None, _HIDDEN))
        self.norm1.build((None, _OUT))
        super().build(input_shape)

    def call(self, inputs: list, training: bool | None = None) -> tf.Tensor:
        x = self.norm0(self.dense0(self.join(inputs)), training=training)
        return self.norm1(self.dense1(x), training=training)

    def compute_output_shape(self, input_shape: list) -> tuple:
        return (input_shape[0][0], _OUT)


@keras.saving.register_keras_serializable("gamo")
class IGU(layers.Layer):
    """The Instance Generation Units of all minority classes, side by side.

    IGU_i is a dense softmax layer of n_i outputs. All of them share one kernel
    variable [64, N], N = sum of n_i, so that the optimizer runs one kernel and
    not one a class; class i owns its own run of columns and column j belongs to
    row j of the points that are given to `call`.

    Args:
      counts: ``[[label, n_i], ...]`` of the minority classes, in row order.
    """

    def __init__(self, counts: list, **kwargs) -> None:
        super().__init__(**kwargs)
        self.counts = [[int(label), int(n)] for label, n in counts]
        self.sizes = [n for _, n in self.counts]
        self.starts = np.cumsum([0, *self.sizes])
        # Class that each column belongs to.
        self.owner = np.repeat([label for label, _ in self.counts], self.sizes)

    def build(self, input_shape: list) -> None:
        # Glorot's bound for each IGU on its own, as separate layers would have.
        parts = [keras.initializers.GlorotUniform()((_OUT, n)) for _, n in self.counts]
        start = np.concatenate([keras.ops.convert_to_numpy(p) for p in parts], axis=1)
        self.kernel = self.add_weight(
            shape=start.shape, initializer=lambda *_, **__: start, name="kernel"
        )
        self.bias = self.add_weight(
            shape=start.shape[1:], initializer="zeros", name="bias"
        )
        super().build(input_shape)

    def call(self, inputs: list) -> tuple[tf.Tensor, tf.Tensor]:
        """Samples of any classes, in any order.

        `inputs`: t [b, 64], labels int [b] (minority classes), points [N, d].
        Returns samples [b, d] and weights [b, N], which are zero outside the
        sample's own class.
        """
        t, labels, points = inputs
        own = tf.cast(labels, tf.int64)[:, None] == self.owner[None, :]  # [b, N]
        logits = tf.where(own, t @ self.kernel + self.bias, t.dtype.min)
        weights = tf.where(own, tf.nn.softmax(logits), 0.0)
        return weights @ points, weights  # Eq. 1

    def stratified(
        self, t: tf.Tensor, parts: list[Points], rows: list[int]
    ) -> tf.Tensor:
        """Samples [sum(rows), d]: rows[k] of t for the k-th class, in `counts` order.

        The same function as `call` at a fraction of its arithmetic: every class
        has a known number of rows and meets its own points only.
        """
        own = zip(
            tf.split(t, rows),
            tf.split(self.kernel, self.sizes, axis=1),
            tf.split(self.bias, self.sizes),
            parts,
            strict=True,
        )
        made = [combine(tf.nn.softmax(h @ w + b), *x) for h, w, b, x in own]
        return tf.concat(made, 0)

    def one_class(self, t: tf.Tensor, points: Points, index: int) -> tf.Tensor:
        """Samples [k, d] of the `index`-th class of `counts` and its points."""
        return combine(self.weights_of(t, index), *points)

    def weights_of(self, t: tf.Tensor, index: int) -> tf.Tensor:
        """Convex weights [k, n_i] of the `index`-th class of `counts`."""
        own = slice(int(self.starts[index]), int(self.starts[index + 1]))
        return tf.nn.softmax(t @ self.kernel[:, own] + self.bias[own])

    def compute_output_shape(self, input_shape: list) -> tuple:
        t, _, points = input_shape
        return (t[0], points[1]), (t[0], points[0])

    def get_config(self) -> dict:
        return {**super().get_config(), "counts": self.counts}


def minority(counts: tuple[int, ...]) -> list[list[int]]:
    """``[[label, n_i], ...]`` of all classes smaller than the largest."""
    return [[i, n] for i, n in enumerate(counts) if n < max(counts)]


def generator(counts: tuple[int, ...], latent: int, features: int) -> keras.Model:
    """G: latents [b, l], labels [b], points [N, d] -> samples [b, d], weights [b, N].

    `counts`: training images of each class in label order; every class smaller
    than the largest gets an IGU. `points`: the minority rows, sorted by label.
    """
    small = minority(counts)
    rows = sum(n for _, n in small)
    z = keras.Input((latent,), name="z")
    label = keras.Input((), dtype="int32", name="label")
    points = keras.Input(batch_shape=(rows, features), name="points")
    one_hot = layers.CategoryEncoding(
        len(counts), output_mode="one_hot", name="one_hot"
    )
    t = CTMU(name="cTMU")([z, one_hot(label)])
    sample, weights = IGU(small, name="IGU")([t, label, points])
    return keras.Model([z, label, points], [sample, weights], name="G")

"""G, the convex generator (paper, Section 3.2): one cTMU, an IGU a minority class.

Eq. 1: G(z|i) = sum_j g_i(t(z|i))_j x_j, with g_i >= 0 and summing to 1 over the
n_i training points of class i and no others. The points are an input of G, never
part of it: features move while F learns, and an exported G holds no training data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from gamo_tf.config.class_counts import ClassCounts

_HIDDEN, _OUT = 256, 64  # widths of cTMU in the authors' program
_MOMENTUM = 0.9  # of cTMU's batch normalization, likewise


@tf.custom_gradient
def combine(weights: tf.Tensor, points: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """Eq. 1: weights [k, n] times points [n, d]. No gradient reaches the points.

    Both the product and its gradient read the points in the order in which they lie in
    memory: of few weights, that is what takes the time.

    Args:
      weights: convex weights, [k, n].
      points: of one class, [n, d].

    Returns:
      The convex combinations [k, d] (and, as TensorFlow asks, their gradient).
    """

    def gradient(upstream: tf.Tensor) -> tuple:
        by_point = tf.matmul(points, upstream, transpose_b=True)
        # Not tf.transpose: XLA would make upstream [k, d] times the transposed points
        # of it, which takes three times as long on a CPU.
        return tf.stack(tf.unstack(by_point, axis=1)), None

    return weights @ points, gradient


@keras.saving.register_keras_serializable("gamo")
class CTMU(layers.Layer):
    """The Conditional Transient Mapping Unit t(z|i).

    Called with latents [b, l] and one-hot classes [b, c]; returns [b, 64].
    """

    def __init__(self, **kwargs: Any) -> None:
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
    """The Instance Generation Units g_i of all minority classes, side by side.

    IGU_i is a dense softmax layer of n_i outputs. All of them share one kernel
    variable [64, N], N = sum of n_i, so that the optimizer runs one kernel and
    not one a class. Class i has its own run of columns, and column j belongs to
    row j of the points that `call` is given.

    Args:
      counts: ``[[label, n_i], ...]`` of the minority classes, in the order of rows.
    """

    def __init__(self, counts: list, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.counts = [[int(label), int(n)] for label, n in counts]
        self.sizes = [n for _, n in self.counts]
        self.starts = np.cumsum([0, *self.sizes])
        # The class that each column belongs to, [N].
        self.owner = np.repeat([label for label, _ in self.counts], self.sizes)

    def build(self, input_shape: list) -> None:
        # Glorot's bound is that of each IGU, as separate layers would have it.
        kernels = [
            keras.initializers.GlorotUniform()((_OUT, n)) for _, n in self.counts
        ]
        start = np.concatenate(
            [keras.ops.convert_to_numpy(kernel) for kernel in kernels], axis=1
        )
        self.kernel = self.add_weight(
            shape=start.shape, initializer=lambda *_, **__: start, name="kernel"
        )
        self.bias = self.add_weight(
            shape=start.shape[1:], initializer="zeros", name="bias"
        )
        super().build(input_shape)

    def call(self, inputs: list) -> tuple[tf.Tensor, tf.Tensor]:
        """Samples of any minority classes, in any order.

        Args:
          inputs: t [b, 64], labels int [b], points [N, d].

        Returns:
          Samples [b, d] and weights [b, N], which are zero outside the columns of
          the sample's class.
        """
        t, labels, points = inputs
        weights = self.weights_of_any(t, labels)
        return weights @ points, weights  # Eq. 1

    def weights_of_any(self, t: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Convex weights [b, N] of any minority classes, in any order.

        Args:
          t: of cTMU, [b, 64].
          labels: int [b].
        """
        inside = self.inside(labels)
        logits = tf.where(inside, t @ self.kernel + self.bias, t.dtype.min)
        return tf.where(inside, tf.nn.softmax(logits), 0.0)

    def inside(self, labels: tf.Tensor) -> tf.Tensor:
        """Which of the N columns belong to the class of each label, bool [b, N].

        Args:
          labels: int [b].
        """
        return tf.cast(labels, tf.int64)[:, None] == self.owner[None, :]

    def stratified(
        self, t: tf.Tensor, class_points: list[tf.Tensor], rows: list[int]
    ) -> tf.Tensor:
        """The samples of `call` at a fraction of its arithmetic.

        It works class by class, in the order of `counts`, with a known number of rows
        of each: every class meets its own points only.

        Args:
          t: [sum(rows), 64], sorted by class.
          class_points: those of each class, [n_i, d].
          rows: rows of `t` of each class.

        Returns:
          Samples [sum(rows), d].
        """
        classes = zip(
            tf.split(t, rows),
            tf.split(self.kernel, self.sizes, axis=1),
            tf.split(self.bias, self.sizes),
            class_points,
            strict=True,
        )
        return tf.concat([self.class_samples(*each) for each in classes], 0)

    def class_samples(
        self, t: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, points: tf.Tensor
    ) -> tf.Tensor:
        """Samples of one class.

        Args:
          t: of cTMU, [k, 64].
          kernel: the class's columns, [64, n_i].
          bias: likewise, [n_i].
          points: of the class, [n_i, d].

        Returns:
          [k, d].
        """
        weights = self.convex_weights(t, kernel, bias)
        return combine(weights, points)

    def convex_weights(
        self, t: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor
    ) -> tf.Tensor:
        """g_i(t), the weights over the n_i points of one class.

        Args:
          t: of cTMU, [k, 64].
          kernel: the class's columns, [64, n_i].
          bias: likewise, [n_i].

        Returns:
          [k, n_i], not negative, which sum to 1.
        """
        return tf.nn.softmax(t @ kernel + bias)

    def logits_of_some(self, t: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
        """What a softmax makes convex weights of, for some of the N columns.

        Args:
          t: of cTMU, [b, 64].
          columns: int32 [k], of any classes, in any order.

        Returns:
          [b, k].
        """
        kernel = tf.gather(self.kernel, columns, axis=1)
        return t @ kernel + tf.gather(self.bias, columns)

    def one_class(self, t: tf.Tensor, points: tf.Tensor, index: int) -> tf.Tensor:
        """Samples [k, d] of the `index`-th class of `counts`, from its points.

        Args:
          t: of cTMU, [k, 64].
          points: of the class, [n_i, d].
          index: position of the class in `counts`.
        """
        columns = self._columns(index)
        kernel, bias = self.kernel[:, columns], self.bias[columns]
        return self.class_samples(t, kernel, bias, points)

    def weights_of(self, t: tf.Tensor, index: int) -> tf.Tensor:
        """Convex weights [k, n_i] of the `index`-th class of `counts`.

        Args:
          t: of cTMU, [k, 64].
          index: position of the class in `counts`.
        """
        columns = self._columns(index)
        return self.convex_weights(t, self.kernel[:, columns], self.bias[columns])

    def _columns(self, index: int) -> slice:
        return slice(int(self.starts[index]), int(self.starts[index + 1]))

    def compute_output_shape(self, input_shape: list) -> tuple:
        t, _, points = input_shape
        return (t[0], points[1]), (t[0], points[0])

    def get_config(self) -> dict:
        return {**super().get_config(), "counts": self.counts}


def convex_generator(
    counts: ClassCounts,
    latent: int,
    features: int,
    units: tuple[type[CTMU], type[IGU]] = (CTMU, IGU),
) -> keras.Model:
    """G: latents [b, l], labels [b], points [N, d] -> samples [b, d], weights [b, N].

    The points are the rows of the minority classes, sorted by label.

    Args:
      counts: the training set; every minority class gets an IGU.
      latent: l.
      features: d.
      units: the layers, in the place of the paper's.
    """
    mapping, generation = units
    z = keras.Input((latent,), name="z")
    label = keras.Input((), dtype="int32", name="label")
    rows = sum(counts.minority_sizes)
    points = keras.Input(batch_shape=(rows, features), name="points")
    one_hot = layers.CategoryEncoding(
        len(counts), output_mode="one_hot", name="one_hot"
    )
    t = mapping(name="cTMU")([z, one_hot(label)])
    sizes = [
        list(pair) for pair in zip(counts.minority, counts.minority_sizes, strict=True)
    ]
    sample, weights = generation(sizes, name="IGU")([t, label, points])
    return keras.Model([z, label, points], [sample, weights], name="G")

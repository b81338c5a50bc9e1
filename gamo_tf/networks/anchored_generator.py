"""The convex generator with an anchor, so that its samples cover the whole class.

The paper's G leads all latents to a handful of a class's points (docs/method.md). Here
a sample has two parents of its own: an anchor x_a that is drawn uniformly from the
points of the class, and the adversary's choice:

    G(z|i) = (1 - s) x_a + s sum_j g_i(t(z|i))_j x_j,    a and s drawn with z.

It is SMOTE whose partner an adversary chooses, and still Eq. 1: a convex combination
of the points of class i and of no others. s is at most a half, so that the anchor
weighs most. a and s are functions of the first and the last number of z, so that G
stays a function of z. In training the anchors are the rows of the minibatch instead
(`methods.balanced_game`).
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.networks.convex_generator import CTMU, IGU

SHARE = 0.5  # the most that a partner weighs
_DRAWS = 2  # numbers of z that decide a and s


def uniform(z: tf.Tensor) -> tf.Tensor:
    """Standard normal numbers as uniform ones of [0, 1), by their distribution.

    Args:
      z: of any shape.
    """
    return tf.minimum(0.5 * tf.math.erfc(-z / np.sqrt(2.0)), 1.0 - 1e-7)


@keras.saving.register_keras_serializable("gamo")
class AnchoredCTMU(CTMU):
    """`CTMU`, and behind its 64 outputs the numbers of z that decide a and s.

    Called with latents [b, l] and one-hot classes [b, c]; returns [b, 66].
    """

    def call(self, inputs: list, training: bool | None = None) -> tf.Tensor:
        z = inputs[0]
        ends = uniform(tf.stack([z[:, 0], z[:, -1]], axis=1))
        return tf.concat([super().call(inputs, training=training), ends], axis=1)

    def compute_output_shape(self, input_shape: list) -> tuple:
        rows, width = super().compute_output_shape(input_shape)
        return rows, width + _DRAWS


@keras.saving.register_keras_serializable("gamo")
class AnchoredIGU(IGU):
    """`IGU` whose weights are (1 - s) on the anchor and s times the softmax.

    Args:
      counts: as `IGU`.
    """

    def weights_of_any(self, t: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        chosen = super().weights_of_any(t[:, :-_DRAWS], labels)
        inside = tf.cast(self.inside(labels), tf.int32)
        sizes, starts = tf.reduce_sum(inside, axis=1), tf.argmax(inside, axis=1)
        anchors = tf.cast(starts, tf.int32) + row_at(t[:, -_DRAWS], sizes)
        return _joined(t, tf.one_hot(anchors, len(self.owner)), chosen)

    def convex_weights(
        self, t: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor
    ) -> tf.Tensor:
        chosen = super().convex_weights(t[:, :-_DRAWS], kernel, bias)
        n = chosen.shape[1]
        return _joined(t, tf.one_hot(row_at(t[:, -_DRAWS], n), n), chosen)

    def logits_of_some(self, t: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
        """Those of the partner alone."""
        return super().logits_of_some(t[:, :-_DRAWS], columns)


def _joined(t: tf.Tensor, anchors: tf.Tensor, chosen: tf.Tensor) -> tf.Tensor:
    """The weights [b, n] of anchors and partners together; t's last number tells s."""
    share = SHARE * t[:, -1:]
    return (1.0 - share) * anchors + share * chosen


def row_at(u: tf.Tensor, n: tf.Tensor | int) -> tf.Tensor:
    """The row of n that a uniform number stands for, int32.

    Args:
      u: in [0, 1), of any shape.
      n: rows, one number or one for each.
    """
    place = tf.cast(u * tf.cast(n, tf.float32), tf.int32)
    return tf.minimum(place, n - 1)  # u * n can round up

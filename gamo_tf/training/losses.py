"""The losses of Eqs. 2-6, as pure functions of network outputs.

Every function takes probabilities in [0, 1] and returns a scalar, the mean over
the batch. The factors P_i and (P_c - P_i) of the equations are not in them:
Algorithm 1 realises those by how it draws labels (lines 7 and 10).
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

_EPS = 1e-7  # keeps log finite, as keras.losses.binary_crossentropy does


def least_squares(
    target: tf.Tensor, output: tf.Tensor, weights: tf.Tensor | float = 1.0
) -> tf.Tensor:
    """Eqs. 4-6: squared error, mean over outputs and batch (as Keras's MSE).

    The equations sum over the outputs. The mean is that sum over c, a constant
    factor that a step of Adam does not see.

    Args:
      target: [b, c], or [b, 1] for D.
      output: probabilities, likewise.
      weights: [b, 1], multiplied to the rows.

    Returns:
      A scalar.
    """
    return tf.reduce_mean(weights * tf.math.squared_difference(target, output))


def cross_entropy(
    target: tf.Tensor, output: tf.Tensor, weights: tf.Tensor | float = 1.0
) -> tf.Tensor:
    """Eqs. 2-3: binary cross entropy of each output, mean over outputs and batch.

    J_i1 + J_i2 is log M_i for the row's own class and log(1 - M_j) for each other.

    Args:
      target: [b, c], or [b, 1] for D.
      output: probabilities, likewise.
      weights: [b, 1], multiplied to the rows.

    Returns:
      A scalar, in nats.
    """
    p = tf.clip_by_value(output, _EPS, 1.0 - _EPS)
    nats = target * tf.math.log(p) + (1.0 - target) * tf.math.log1p(-p)
    return -tf.reduce_mean(weights * nats)


LOSSES = {"ls": least_squares, "ce": cross_entropy}


class Targets(NamedTuple):
    """Targets over the classes, both [b, c].

    Attributes:
      one_hot: Y, of M.
      complement: its ones' complement, of G against M.
    """

    one_hot: tf.Tensor
    complement: tf.Tensor


def class_targets(labels: tf.Tensor, num_classes: int) -> Targets:
    """One-hot Y and its ones' complement (Algorithm 1, line 13).

    Args:
      labels: int [b].
      num_classes: c.
    """
    one_hot = tf.one_hot(labels, num_classes)
    return Targets(one_hot, 1.0 - one_hot)

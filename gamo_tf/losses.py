"""The losses of Eqs. 2-6, as pure functions of network outputs.

Every function takes probabilities in [0, 1] and returns a scalar, the mean over
the batch; `weights` [b, 1] multiply its rows.

The class-prior factors P_i and (P_c - P_i) of the equations are not here: Algorithm 1
realises them by how it draws labels (lines 7 and 10).
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

_EPS = 1e-7  # keeps log finite, as keras.losses.binary_crossentropy does


def least_squares(
    target: tf.Tensor, output: tf.Tensor, weights: tf.Tensor | float = 1.0
) -> tf.Tensor:
    """Eqs. 4-6: squared error, mean over outputs and batch (as Keras's MSE).

    Eqs. 4-6 sum over the outputs; the mean is that sum over c, which Adam's
    step does not see. `target` and `output`: [b, c] or [b, 1].
    """
    return tf.reduce_mean(weights * tf.math.squared_difference(target, output))


def cross_entropy(
    target: tf.Tensor, output: tf.Tensor, weights: tf.Tensor | float = 1.0
) -> tf.Tensor:
    """Eqs. 2-3: per-output (binary) cross entropy, mean over outputs and batch.

    J_i1 + J_i2 is log M_i for the own class and log(1 - M_j) for each other.
    `target` and `output`: [b, c] or [b, 1].
    """
    p = tf.clip_by_value(output, _EPS, 1.0 - _EPS)
    nats = target * tf.math.log(p) + (1.0 - target) * tf.math.log1p(-p)
    return -tf.reduce_mean(weights * nats)


LOSSES = {"ls": least_squares, "ce": cross_entropy}


class Targets(NamedTuple):
    """Targets of M and of G against M, both [b, c]."""

    own: tf.Tensor
    complement: tf.Tensor


def class_targets(labels: tf.Tensor, num_classes: int) -> Targets:
    """One-hot Y, and its ones' complement (Algorithm 1, line 13)."""
    own = tf.one_hot(labels, num_classes)
    return Targets(own, 1.0 - own)

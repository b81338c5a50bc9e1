"""Losses of the methods that answer imbalance in the loss and not in the data.

A factory takes the class sizes and the run's loss and returns a function
``loss(target, output)``: target [b, c] is one-hot (or mixed), output [b, c] has class
probabilities, and the result is a scalar. log(output) is M's logits up to a constant
of the row, which a softmax does not see: what is published for logits is worked out
from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.networks.classifier import divide_prior, tau_normalise

Loss = Callable[..., tf.Tensor]
Factory = Callable[[ClassCounts, Loss, float], Loss]
SCALE, MARGIN = 30.0, 0.5  # LDAM's s, and its largest margin
SCALING = 0.3  # gamma of the VS loss
_TINY = 1e-30  # below it log would see 0; float32's smallest normal number is 1e-38


@dataclass(frozen=True)
class Objective:
    """What a method minimises in the place of the run's loss, and what that asks of M.

    Attributes:
      early: the loss.
      late: the loss of the last fifth of the iterations; None: the same.
      cosine_scale: above 0, M's last layer is a `Cosine` of that scale.
      predict: makes the M that predicts from the M that was trained, the class sizes
        and tau; None: the same M.
    """

    early: Factory
    late: Factory | None = None
    cosine_scale: float = 0.0
    predict: Callable[[keras.Model, ClassCounts, float], keras.Model] | None = None


def softmax(counts: ClassCounts, loss: Loss, tau: float = 1.0) -> Loss:
    """Softmax cross entropy, which the losses below change.

    Args:
      counts: the training set.
      loss: the run's loss, which is not used.
      tau: not used.

    Returns:
      ``loss(target, output)``, both [b, c], a scalar.
    """
    return lambda target, p: _cross_entropy(target, _log(p))


def class_weight(counts: ClassCounts, loss: Loss, tau: float = 1.0) -> Loss:
    """The run's loss, with rows of class y weighing n / (c n_y).

    These are the weights of King & Zeng (2001) and of scikit-learn's "balanced".

    Args:
      counts: the training set.
      loss: the run's loss, which is weighted.
      tau: not used.

    Returns:
      ``loss(target, output)``, both [b, c], a scalar.
    """
    sizes = np.asarray(counts.sizes)
    w = tf.constant(sizes.sum() / (len(sizes) * sizes), tf.float32)
    return lambda target, p: loss(target, p, tf.linalg.matvec(target, w)[:, None])


def focal(counts: ClassCounts, loss: Loss, tau: float = 1.0) -> Loss:
    """-(1 - p_y)^2 log p_y (Lin et al., ICCV 2017, with gamma 2 and no alpha).

    Args:
      counts: the training set.
      loss: the run's loss, which is not used.
      tau: not used.

    Returns:
      ``loss(target, output)``, both [b, c], a scalar.
    """

    def mean(target: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
        p_y = tf.reduce_sum(target * p, axis=1)
        return -tf.reduce_mean((1.0 - p_y) ** 2 * _log(p_y))

    return mean


def effective_weights(counts: ClassCounts, beta: float = 0.9999) -> np.ndarray:
    """Class weights by the effective number of samples (Cui et al., CVPR 2019).

    Args:
      counts: the training set.
      beta: of the paper.

    Returns:
      (1 - beta) / (1 - beta^n_y) for each class, scaled to sum to c. [c].
    """
    sizes = np.asarray(counts.sizes)
    weights = (1.0 - beta) / (1.0 - beta ** sizes.astype(float))
    return weights * len(sizes) / weights.sum()


def class_balanced(counts: ClassCounts, loss: Loss, tau: float = 1.0) -> Loss:
    """Softmax cross entropy with `effective_weights` (Cui et al., CVPR 2019).

    Args:
      counts: the training set.
      loss: the run's loss, which is not used.
      tau: not used.

    Returns:
      ``loss(target, output)``, both [b, c], a scalar.
    """
    return _weighted(counts, lambda target, p: _log(p))


def logit_adjust(counts: ClassCounts, loss: Loss, tau: float = 1.0) -> Loss:
    """Softmax cross entropy of logit_y + tau log prior_y (Menon et al., ICLR 2021,
    Eq. 10). M without the adjustment then predicts as if classes were equally common.

    Args:
      counts: the training set.
      loss: the run's loss, which is not used.
      tau: how much is adjusted; 1 is consistent for the balanced error.

    Returns:
      ``loss(target, output)``, both [b, c], a scalar.
    """
    shift = tf.constant(tau * np.log(counts.prior), tf.float32)
    return lambda target, p: _cross_entropy(target, _log(p) + shift)


def adjusted(counts: ClassCounts, loss: Loss, tau: float = 1.0) -> Loss:
    """The run's loss of softmax(log p + tau log prior): what `logit_adjust` is for
    cross entropy, for any loss that is least where p is the posterior (a proper score).

    Args:
      counts: the training set.
      loss: the run's loss.
      tau: how much is adjusted.

    Returns:
      ``loss(target, output)``, both [b, c], a scalar.
    """
    shift = tf.constant(tau * np.log(counts.prior), tf.float32)
    return lambda target, p: loss(target, tf.nn.softmax(_log(p) + shift))


def vector_scaling(counts: ClassCounts, loss: Loss, tau: float = 1.0) -> Loss:
    """Softmax cross entropy of Delta_y f_y + tau log prior_y (VS loss, Kini et al.,
    NeurIPS 2021, Eq. 2), Delta_y = (n_y / n_max)^0.3 as in the authors' program.

    A softmax leaves a constant of its logits open; f is taken to have mean 0.

    Args:
      counts: the training set.
      loss: the run's loss, which is not used.
      tau: how much is adjusted.

    Returns:
      ``loss(target, output)``, both [b, c], a scalar.
    """
    sizes = np.asarray(counts.sizes)
    delta = tf.constant((sizes / sizes.max()) ** SCALING, tf.float32)
    shift = tf.constant(tau * np.log(counts.prior), tf.float32)

    def mean(target: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
        f = _log(p)
        f -= tf.reduce_mean(f, axis=1, keepdims=True)
        return _cross_entropy(target, delta * f + shift)

    return mean


def ldam(counts: ClassCounts, loss: Loss, tau: float = 1.0) -> Loss:
    """LDAM (Cao et al., NeurIPS 2019, Eq. 13), the largest margin 0.5, s 30.

    Args:
      counts: the training set.
      loss: the run's loss, which is not used.
      tau: not used.

    Returns:
      ``loss(target, output)``, both [b, c], a scalar.
    """
    logits = _ldam_logits(counts)
    return lambda target, p: _cross_entropy(target, logits(target, p))


def ldam_weighted(counts: ClassCounts, loss: Loss, tau: float = 1.0) -> Loss:
    """LDAM with `effective_weights`, the deferred part of LDAM-DRW.

    Args:
      counts: the training set.
      loss: the run's loss, which is not used.
      tau: not used.

    Returns:
      ``loss(target, output)``, both [b, c], a scalar.
    """
    return _weighted(counts, _ldam_logits(counts))


def _log(p: tf.Tensor) -> tf.Tensor:
    return tf.math.log(tf.maximum(p, _TINY))


def _cross_entropy(target: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """-sum_i target_i log softmax_i, mean over the batch."""
    nats = tf.nn.softmax_cross_entropy_with_logits(labels=target, logits=logits)
    return tf.reduce_mean(nats)


def _weighted(counts: ClassCounts, logits: Callable) -> Loss:
    w = tf.constant(effective_weights(counts), tf.float32)

    def mean(target: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
        nats = tf.nn.softmax_cross_entropy_with_logits(target, logits(target, p))
        return tf.reduce_mean(nats * tf.linalg.matvec(target, w))

    return mean


def _ldam_logits(counts: ClassCounts) -> Callable:
    """s (cos_j - m_j [j = y]), m_j = 0.5 (n_j / n_min)^(-1/4), from softmax(s cos):
    the logit of the row's own class less s m_y."""
    sizes = np.asarray(counts.sizes)
    margins = MARGIN * (sizes / sizes.min()) ** -0.25
    shift = tf.constant(SCALE * margins, tf.float32)
    return lambda target, p: _log(p) - target * shift


OBJECTIVES: dict[str, Objective] = {
    "class-weight": Objective(class_weight),
    "softmax": Objective(softmax),
    "focal": Objective(focal),
    "class-balanced": Objective(class_balanced),
    "logit-adjust": Objective(logit_adjust),
    "vector-scaling": Objective(vector_scaling),
    "logit-adjust-posthoc": Objective(softmax, predict=divide_prior),
    "tau-norm": Objective(softmax, predict=tau_normalise),
    "ldam-drw": Objective(ldam, ldam_weighted, cosine_scale=SCALE),
}

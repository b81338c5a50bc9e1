"""Losses of methods that answer imbalance in the loss, not in the data.

OBJECTIVES: name -> factory(class sizes [c], the run's loss) -> loss(target, output),
target [b, c] (one-hot, or mixed), output [b, c] probabilities. log(output) is M's
logits up to a constant of the row, which a softmax does not see: what is published
for logits is worked out from it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

Loss = Callable[..., tf.Tensor]
SCALE, MARGIN = 30.0, 0.5  # LDAM's s, and its largest margin
_TINY = 1e-30  # float32's smallest normal number is 1e-38


def _log(p: tf.Tensor) -> tf.Tensor:
    return tf.math.log(tf.maximum(p, _TINY))


def softmax_cross_entropy(target: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """-sum_i target_i log softmax_i, mean over the batch."""
    nats = tf.nn.softmax_cross_entropy_with_logits(labels=target, logits=logits)
    return tf.reduce_mean(nats)


def plain(counts: np.ndarray, loss: Loss) -> Loss:
    """Softmax cross entropy: what the methods below change."""
    return lambda target, p: softmax_cross_entropy(target, _log(p))


def class_weight(counts: np.ndarray, loss: Loss) -> Loss:
    """The run's loss, a row of class y weighing n / (c n_y) (King & Zeng, 2001;
    scikit-learn's "balanced")."""
    w = tf.constant(counts.sum() / (len(counts) * counts), tf.float32)
    return lambda target, p: loss(target, p, tf.linalg.matvec(target, w)[:, None])


def focal(counts: np.ndarray, loss: Loss) -> Loss:
    """-(1 - p_y)^2 log p_y (Lin et al., ICCV 2017; gamma 2, no alpha)."""

    def each(target: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
        own = tf.reduce_sum(target * p, axis=1)
        return -tf.reduce_mean((1.0 - own) ** 2 * _log(own))

    return each


def effective_weights(counts: np.ndarray, beta: float = 0.9999) -> np.ndarray:
    """(1 - beta) / (1 - beta^n_y), scaled to sum to c (Cui et al., CVPR 2019)."""
    weights = (1.0 - beta) / (1.0 - beta ** counts.astype(float))
    return weights * len(counts) / weights.sum()


def class_balanced(counts: np.ndarray, loss: Loss) -> Loss:
    """Softmax cross entropy with `effective_weights`."""
    return _weighted(counts, lambda target, p: _log(p))


def _weighted(counts: np.ndarray, logits: Callable) -> Loss:
    w = tf.constant(effective_weights(counts), tf.float32)

    def each(target: tf.Tensor, p: tf.Tensor) -> tf.Tensor:
        nats = tf.nn.softmax_cross_entropy_with_logits(target, logits(target, p))
        return tf.reduce_mean(nats * tf.linalg.matvec(target, w))

    return each


def logit_adjust(counts: np.ndarray, loss: Loss) -> Loss:
    """Softmax cross entropy of logits + log prior (Menon et al., ICLR 2021, Eq. 10,
    tau 1). Balanced softmax (Ren et al., NeurIPS 2020) is the same at tau 1."""
    prior = tf.constant(np.log(counts / counts.sum()), tf.float32)
    return lambda target, p: softmax_cross_entropy(target, _log(p) + prior)


def _ldam_logits(counts: np.ndarray) -> Callable:
    """s (cos_j - m_j [j = y]), m_j = 0.5 (n_j / n_min)^(-1/4), from softmax(s cos):
    the own class's logit less s m_y."""
    margins = MARGIN * (counts / counts.min()) ** -0.25
    shift = tf.constant(SCALE * margins, tf.float32)
    return lambda target, p: _log(p) - target * shift


def ldam(counts: np.ndarray, loss: Loss) -> Loss:
    """LDAM (Cao et al., NeurIPS 2019, Eq. 13), the largest margin 0.5, s 30."""
    logits = _ldam_logits(counts)
    return lambda target, p: softmax_cross_entropy(target, logits(target, p))


def ldam_weighted(counts: np.ndarray, loss: Loss) -> Loss:
    """LDAM with `effective_weights`: the deferred part of LDAM-DRW."""
    return _weighted(counts, _ldam_logits(counts))


OBJECTIVES: dict[str, Callable[[np.ndarray, Loss], Loss]] = {
    "softmax": plain,
    "class-weight": class_weight,
    "focal": focal,
    "class-balanced": class_balanced,
    "logit-adjust": logit_adjust,
    "ldam": ldam,
    "ldam-weighted": ldam_weighted,
}

"""The VAE's two terms (Kingma & Welling, 2014), per image, as pure functions."""

from __future__ import annotations

import math

import tensorflow as tf

_ROUNDING = (1 / 255) ** 2 / 12  # variance of a uniform step


def kl(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)), [b, l] -> [b], in nats.

    -1/2 sum(1 + log s^2 - m^2 - s^2) (their Appendix B). The second argument is
    the log-variance here and in `sample`; the authors' program mixed it up with
    the log of the deviation.
    """
    s2 = tf.exp(log_variance)
    return -0.5 * tf.reduce_sum(1.0 + log_variance - mean**2 - s2, axis=-1)


def sample(mean: tf.Tensor, log_variance: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """z = m + s * noise, all [b, l]; `noise` is standard normal."""
    return mean + tf.exp(0.5 * log_variance) * noise


def reconstruction(target: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """-log p(x|z) of a Gaussian decoder, both [b, h, w, c] in 0 to 1 -> [b], nats.

    Its variance, one for all pixels, is the best one for the batch, the mean
    squared error (Rybkin et al., "sigma-VAE", ICML 2021), and not below that of
    a pixel's rounding: no weight between the two terms has to be chosen.
    """
    squares = tf.math.squared_difference(target, share)
    variance = tf.stop_gradient(tf.maximum(tf.reduce_mean(squares), _ROUNDING))
    nats = 0.5 * (squares / variance + tf.math.log(2.0 * math.pi * variance))
    return tf.reduce_sum(nats, axis=[1, 2, 3])

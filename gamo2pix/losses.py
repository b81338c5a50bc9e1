"""The two terms of the VAE's loss (Kingma & Welling, 2014) as pure functions."""

from __future__ import annotations

import math

import tensorflow as tf

# The variance of rounding to 256 grey levels: of a uniform step of width 1/255.
_ROUNDING = (1 / 255) ** 2 / 12


def kl(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """The divergence of q(z|x) from the prior, KL(N(m, s^2) || N(0, 1)).

    ``-1/2 sum(1 + log s^2 - m^2 - s^2)`` over the latent axis (Kingma & Welling,
    "Auto-Encoding Variational Bayes", ICLR 2014, Appendix B).

    Args:
      mean: m, float32 [b, l].
      log_variance: log s^2, float32 [b, l]. The authors' program takes one number
        for the log-variance here and for the log of the deviation in sampling; this
        project means the log-variance in both places.

    Returns:
      Nats of each image, float32 [b], 0 or more.
    """
    variance = tf.exp(log_variance)
    return -0.5 * tf.reduce_sum(1.0 + log_variance - mean**2 - variance, axis=-1)


def sample(mean: tf.Tensor, log_variance: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """A sample of q(z|x) by reparametrisation, z = m + s * noise.

    Kingma & Welling (2014), Section 2.4.

    Args:
      mean: m, float32 [b, l].
      log_variance: log s^2, float32 [b, l].
      noise: standard normal, float32 [b, l]. Zeros give the mean.

    Returns:
      z, float32 [b, l].
    """
    return mean + tf.exp(0.5 * log_variance) * noise


def reconstruction(target: tf.Tensor, decoded: tf.Tensor) -> tf.Tensor:
    """The negative log likelihood -log p(x|z) of a Gaussian decoder.

    ``sum over pixels of 1/2 ((x - y)^2 / v + log(2 pi v))`` with one variance v for
    all pixels of the batch. v is the best one, the mean squared error (Rybkin et al.,
    "Simple and Effective VAE Training with Calibrated Decoders", ICML 2021), so that
    no weight between the two terms has to be chosen. It is not taken smaller than the
    variance of a pixel's rounding: otherwise a perfect image would cost -infinity.

    Args:
      target: x, the real images, float32 [b, h, w, c] in 0 to 1.
      decoded: y, the decoder's images, likewise.

    Returns:
      Nats of each image, float32 [b]. No gradient passes through v.
    """
    squares = tf.math.squared_difference(target, decoded)
    variance = tf.stop_gradient(tf.maximum(tf.reduce_mean(squares), _ROUNDING))
    nats = 0.5 * (squares / variance + tf.math.log(2.0 * math.pi * variance))
    return tf.reduce_sum(nats, axis=[1, 2, 3])

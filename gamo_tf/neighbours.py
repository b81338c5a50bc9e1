"""Nearest points of the same class: SMOTE's and DOS's."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def nearest(points: tf.Tensor, k: int) -> tf.Tensor:
    """Rows of the k nearest other points, nearest first: [n, d] -> int32 [n, k].

    Fewer, n - 1, where there are no more.
    """
    n = points.shape[0]
    squares = tf.reduce_sum(points**2, axis=1)
    nearness = 2.0 * points @ tf.transpose(points) - squares[None]
    nearness = tf.linalg.set_diag(nearness, tf.fill([n], -np.inf))
    return tf.math.top_k(nearness, min(k, n - 1)).indices


def simplex(random: tf.random.Generator, shape: list[int]) -> tf.Tensor:
    """Uniform weights, Dirichlet(1): [..., k], not negative, summing to 1."""
    # Exponentials over their sum are Dirichlet(1); 1 - U is never 0.
    w = -tf.math.log(1.0 - random.uniform(shape))
    return w / tf.reduce_sum(w, axis=-1, keepdims=True)

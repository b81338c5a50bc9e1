"""Where the game's generated features come from: G, or a control in its place.

A sampler works class by class, in label order, with a known number of rows for each
minority class: every class meets its own points only, and shapes are static.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.options import Options
from gamo_tf.networks.convex_generator import ClassPoints

NEIGHBOURS = 5  # k of SMOTE (Chawla et al., 2002)


class Sampler:
    """What the samplers share.

    Args:
      G: the generator; None where nothing learns.
      options: settings of the run, with the class sizes.
      random: the random state of the training.
    """

    def __init__(
        self, G: keras.Model | None, options: Options, random: tf.random.Generator
    ) -> None:
        self.G: keras.Model = G
        self.random = random
        self.sizes = list(options.class_counts.minority_sizes)

    def prepare(self, points: tf.Tensor) -> list:
        """What `sample` needs of the minority points, worked out once a pass.

        The points are split once and used often: in XLA, a slice is a copy.

        Args:
          points: [N, d], sorted by label.

        Returns:
          An entry for each minority class; here its points [n_i, d].
        """
        return tf.split(points, self.sizes)

    def sample(
        self,
        z: tf.Tensor,
        one_hot: tf.Tensor,
        class_points: list,
        rows: list[int],
        training: bool,
    ) -> tf.Tensor:
        """Generated features.

        Args:
          z: latents [sum(rows), l], sorted by class.
          one_hot: their classes, [sum(rows), c].
          class_points: of `prepare`.
          rows: the number of rows of each minority class.
          training: the mode of batch normalization.

        Returns:
          Features [sum(rows), d], sorted by class.
        """
        raise NotImplementedError


class Convex(Sampler):
    """The paper's G: cTMU, IGUs and Eq. 1."""

    def prepare(self, points: tf.Tensor) -> list:
        return [
            ClassPoints(rows, tf.transpose(rows)) for rows in super().prepare(points)
        ]

    def sample(
        self,
        z: tf.Tensor,
        one_hot: tf.Tensor,
        class_points: list,
        rows: list[int],
        training: bool,
    ) -> tf.Tensor:
        t = self.G.get_layer("cTMU")([z, one_hot], training=training)
        return self.G.get_layer("IGU").stratified(t, class_points, rows)


class Free(Sampler):
    """cG of the paper's ablation (Section 4.1): any point of the feature space."""

    def sample(
        self,
        z: tf.Tensor,
        one_hot: tf.Tensor,
        class_points: list,
        rows: list[int],
        training: bool,
    ) -> tf.Tensor:
        return self.G([z, one_hot], training=training)


class Dirichlet(Sampler):
    """Convex weights that are uniform on the simplex: a G without an adversary."""

    def sample(
        self,
        z: tf.Tensor,
        one_hot: tf.Tensor,
        class_points: list,
        rows: list[int],
        training: bool,
    ) -> tf.Tensor:
        samples = [
            simplex_weights(self.random, [k, points.shape[0]]) @ points
            for k, points in zip(rows, class_points, strict=True)
        ]
        return tf.concat(samples, 0)


class Smote(Sampler):
    """SMOTE (Chawla et al., 2002) on features: x + U(0, 1) (neighbour - x)."""

    def prepare(self, points: tf.Tensor) -> list:
        return [
            (rows, nearest_rows(rows, NEIGHBOURS)) for rows in super().prepare(points)
        ]

    def sample(
        self,
        z: tf.Tensor,
        one_hot: tf.Tensor,
        class_points: list,
        rows: list[int],
        training: bool,
    ) -> tf.Tensor:
        samples = []
        for k, (points, near) in zip(rows, class_points, strict=True):
            n, choices = near.shape
            base = self.random.uniform([k], maxval=n, dtype=tf.int32)
            choice = self.random.uniform([k], maxval=choices, dtype=tf.int32)
            other = tf.gather_nd(near, tf.stack([base, choice], axis=1))
            x, y = tf.gather(points, base), tf.gather(points, other)
            samples.append(x + self.random.uniform([k, 1]) * (y - x))
        return tf.concat(samples, 0)


def nearest_rows(points: tf.Tensor, k: int) -> tf.Tensor:
    """The k nearest other rows of each row, by Euclidean distance.

    Args:
      points: [n, d].
      k: neighbours wanted.

    Returns:
      Rows int32 [n, min(k, n - 1)], nearest first.
    """
    n = points.shape[0]
    squares = tf.reduce_sum(points**2, axis=1)
    # -|x - y|^2 without |x|^2, which is the same along a row.
    nearness = 2.0 * points @ tf.transpose(points) - squares[None]
    nearness = tf.linalg.set_diag(nearness, tf.fill([n], -np.inf))
    return tf.math.top_k(nearness, min(k, n - 1)).indices


def simplex_weights(random: tf.random.Generator, shape: list[int]) -> tf.Tensor:
    """Convex weights drawn uniformly, that is from Dirichlet(1, ..., 1).

    Args:
      random: the random state.
      shape: [..., k].

    Returns:
      Weights of that shape, not negative, which sum to 1 along the last axis.
    """
    # Exponentials over their sum are Dirichlet(1); 1 - U is never 0.
    w = -tf.math.log(1.0 - random.uniform(shape))
    return w / tf.reduce_sum(w, axis=-1, keepdims=True)

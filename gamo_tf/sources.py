"""Where the game's generated features come from: G, or a control in its place.

A source works class by class, in label order, with a known number of rows for each
minority class: every class meets its own points only, and shapes are static.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from gamo_tf import convex

NEIGHBOURS = 5  # SMOTE's k (Chawla et al., 2002)


class Source:
    """Args: G (None where nothing learns), class sizes, the run's random state."""

    def __init__(
        self,
        G: keras.Model | None,
        counts: Sequence[int],
        random: tf.random.Generator,
    ) -> None:
        self.G, self.random = G, random
        self.sizes = [n for _, n in convex.minority(counts)]

    def prepare(self, points: tf.Tensor) -> list:
        """What `make` needs of the minority points [N, d], once a pass.

        Here one [n_i, d] a class. Split once and used often: a slice is a copy of
        the points in XLA.
        """
        return tf.split(points, self.sizes)

    def make(
        self,
        z: tf.Tensor,
        own: tf.Tensor,
        parts: list,
        rows: list[int],
        training: bool,
    ) -> tf.Tensor:
        """Features [sum(rows), d]: rows[k] of the k-th minority class.

        `z` latents and `own` one-hot classes, in that order of rows; `parts` of
        `prepare`; `training` is batch normalization's mode.
        """
        raise NotImplementedError


class Convex(Source):
    """The paper's G: cTMU, IGUs and Eq. 1."""

    def prepare(self, points):
        parts = super().prepare(points)
        return [convex.Points(rows, tf.transpose(rows)) for rows in parts]

    def make(self, z, own, parts, rows, training):
        t = self.G.get_layer("cTMU")([z, own], training=training)
        return self.G.get_layer("IGU").stratified(t, parts, rows)


class Free(Source):
    """cG of the paper's ablation: any point of the feature space."""

    def make(self, z, own, parts, rows, training):
        return self.G([z, own], training=training)


class Dirichlet(Source):
    """Convex weights uniform on the simplex, Dirichlet(1): no adversary."""

    def make(self, z, own, parts, rows, training):
        made = []
        for k, points in zip(rows, parts, strict=True):
            # Exponentials over their sum are Dirichlet(1); 1 - U is never 0.
            w = -tf.math.log(1.0 - self.random.uniform([k, points.shape[0]]))
            made.append((w / tf.reduce_sum(w, axis=1, keepdims=True)) @ points)
        return tf.concat(made, 0)


class Smote(Source):
    """SMOTE (Chawla et al., 2002) on features: x + U(0, 1) (neighbour - x)."""

    def prepare(self, points):
        parts = super().prepare(points)
        return [(own, self._neighbours(own)) for own in parts]

    def _neighbours(self, points: tf.Tensor) -> tf.Tensor:
        """Rows of the nearest other points of the class, [n, k]."""
        k = min(NEIGHBOURS, points.shape[0] - 1)
        squares = tf.reduce_sum(points**2, axis=1)
        nearness = 2.0 * points @ tf.transpose(points) - squares[None]
        nearness = tf.linalg.set_diag(nearness, tf.fill([points.shape[0]], -np.inf))
        return tf.math.top_k(nearness, k).indices

    def make(self, z, own, parts, rows, training):
        made = []
        for k, (points, near) in zip(rows, parts, strict=True):
            n, choices = near.shape
            base = self.random.uniform([k], maxval=n, dtype=tf.int32)
            choice = self.random.uniform([k], maxval=choices, dtype=tf.int32)
            other = tf.gather_nd(near, tf.stack([base, choice], axis=1))
            x, y = tf.gather(points, base), tf.gather(points, other)
            made.append(x + self.random.uniform([k, 1]) * (y - x))
        return tf.concat(made, 0)


SOURCES = {"convex": Convex, "free": Free, "dirichlet": Dirichlet, "smote": Smote}

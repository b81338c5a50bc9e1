"""Where the game's generated features come from: G, or a control in its place.

A source works class by class, in label order, with a known number of rows for each
minority class: every class meets its own points only, and shapes are static.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from gamo_tf import convex
from gamo_tf.neighbours import nearest, simplex

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
            made.append(simplex(self.random, [k, points.shape[0]]) @ points)
        return tf.concat(made, 0)


class Smote(Source):
    """SMOTE (Chawla et al., 2002) on features: x + U(0, 1) (neighbour - x)."""

    def prepare(self, points):
        parts = super().prepare(points)
        return [(own, nearest(own, NEIGHBOURS)) for own in parts]

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

"""Where the game's generated features come from: G, or a control in its place."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.options import Options
from gamo_tf.training.feature_sampler import FeatureSampler, LatentBatch
from gamo_tf.training.row_order import shuffled
from gamo_tf.training.working_columns import WorkingColumns

NEIGHBOURS = 5  # k of SMOTE (Chawla et al., 2002)
_BLOCK = 512  # rows whose distances to all are in memory together


class Convex(FeatureSampler):
    """The paper's G: cTMU, IGUs and Eq. 1.

    With `Options.support` K, each pass works on K points of each class that are drawn
    anew, and on their columns of the IGU (see `working_columns`). All points are there
    where K is 0 or no class has more.
    """

    def __init__(
        self, G: keras.Model | None, options: Options, random: tf.random.Generator
    ) -> None:
        super().__init__(G, options, random)
        self.support = options.support
        if 0 < self.support < max(self.sizes):
            self.working = WorkingColumns(self.G, self.support)

    def draw(self) -> tf.Tensor | None:
        if self.working is None:
            return None
        return self.working.load([self._drawn(n) for n in self.sizes])

    def _drawn(self, n: int) -> tf.Tensor:
        """The points of a class that are worked on, of n."""
        if n <= self.support:
            return tf.range(n)
        return shuffled(self.random, tf.range(n))[: self.support]

    def sample(
        self, latents: LatentBatch, class_points: list, training: bool
    ) -> tf.Tensor:
        t = self.G.get_layer("cTMU")([latents.z, latents.one_hot], training=training)
        return self.igu.stratified(t, class_points, latents.rows)


class Free(FeatureSampler):
    """cG of the paper's ablation (Section 4.1): any point of the feature space."""

    def sample(
        self, latents: LatentBatch, class_points: list, training: bool
    ) -> tf.Tensor:
        return self.G([latents.z, latents.one_hot], training=training)


class Dirichlet(FeatureSampler):
    """Convex weights that are uniform on the simplex: a G without an adversary."""

    def sample(
        self, latents: LatentBatch, class_points: list, training: bool
    ) -> tf.Tensor:
        samples = [
            simplex_weights(self.random, [k, points.shape[0]]) @ points
            for k, points in zip(latents.rows, class_points, strict=True)
        ]
        return tf.concat(samples, 0)


class Smote(FeatureSampler):
    """SMOTE (Chawla et al., 2002) on features: x + U(0, 1) (neighbour - x)."""

    def prepare(self, points: tf.Tensor) -> list:
        return [
            (rows, nearest_rows(rows, NEIGHBOURS)) for rows in super().prepare(points)
        ]

    def sample(
        self, latents: LatentBatch, class_points: list, training: bool
    ) -> tf.Tensor:
        samples = []
        for k, (points, near) in zip(latents.rows, class_points, strict=True):
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
    return _nearest(points, tf.range(n), min(k, n - 1))


@tf.function
def nearest_of_many(points: tf.Tensor, k: int) -> tf.Tensor:
    """`nearest_rows` block by block: all distances at once would be n x n.

    Args:
      points: [n, d].
      k: neighbours wanted, below n.

    Returns:
      Rows int32 [n, k], nearest first.
    """
    n = tf.shape(points)[0]
    blocks = tf.TensorArray(tf.int32, (n + _BLOCK - 1) // _BLOCK, infer_shape=False)
    for block in tf.range(blocks.size()):
        rows = tf.range(block * _BLOCK, tf.minimum((block + 1) * _BLOCK, n))
        blocks = blocks.write(block, _nearest(points, rows, k))
    return tf.ensure_shape(blocks.concat(), [None, k])


def _nearest(points: tf.Tensor, rows: tf.Tensor, k: int) -> tf.Tensor:
    """The k nearest other points of some rows, int32 [m, k]."""
    squares = tf.reduce_sum(points**2, axis=1)
    # -|x - y|^2 without |x|^2, which is the same along a row.
    nearness = 2.0 * tf.gather(points, rows) @ tf.transpose(points) - squares[None]
    itself = tf.stack([tf.range(tf.size(rows)), rows], axis=1)
    lowest = tf.fill([tf.size(rows)], -np.inf)
    nearness = tf.tensor_scatter_nd_update(nearness, itself, lowest)
    return tf.math.top_k(nearness, k).indices


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

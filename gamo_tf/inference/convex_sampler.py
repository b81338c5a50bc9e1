"""New samples of the minority classes, each with the real samples it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.networks.anchored_generator import SHARE, row_at, uniform
from gamo_tf.networks.batched import CHUNK

LISTED_PARENTS = 5  # the heaviest parents that are listed of a sample


class Samples(NamedTuple):
    """New samples, class by class.

    Attributes:
      values: [m, d].
      labels: int [m], of the game.
      parents: int [m, LISTED_PARENTS], rows of the training set, the heaviest first;
        -1 where there are fewer.
      weights: [m, LISTED_PARENTS], their convex weights. What is missing to 1 is
        spread over the other rows of the class.
    """

    values: np.ndarray
    labels: np.ndarray
    parents: np.ndarray
    weights: np.ndarray

    @classmethod
    def none(cls, width: int, dtype: np.dtype | type = np.float64) -> Samples:
        """No samples.

        Args:
          width: d.
          dtype: of their values.
        """
        weights = np.zeros((0, LISTED_PARENTS))
        values = np.zeros((0, width), dtype)
        return cls(values, np.zeros(0, int), weights.astype(int), weights)


def heaviest(weights: np.ndarray, count: int) -> np.ndarray:
    """The columns of the largest weights of each row.

    Args:
      weights: [m, n].
      count: how many.

    Returns:
      Columns int [m, min(count, n)], the heaviest first.
    """
    return np.argsort(-weights, axis=1, kind="stable")[:, :count]


def standard_normal(stream: Sequence[int], n: int, width: int) -> np.ndarray:
    """Rows of a random stream. The first n are the same whatever n is.

    Args:
      stream: whole numbers that name the stream, such as [seed, label]. To NumPy, a 0
        at the end changes nothing.
      n: rows.
      width: of a row.

    Returns:
      Standard normal float32 [n, width].
    """
    rng = np.random.default_rng(list(stream))
    return rng.standard_normal((n, width), np.float32)


class MinoritySampler:
    """Samples of the minority classes, with parents and weights.

    Args:
      points: [n, d], a row for each training sample: what Eq. 1 combines. These are
        features, float32, or the vectors that F only standardises, float64 (a convex
        combination passes through that).
      labels: int [n], sorted as they were trained on.
      minority: Labels of the classes to sample.
      latent: Width l of a latent.

    Attributes:
      rows: The training rows of each minority label.
      latent: Width l of a latent.
      used: For each label of the last call of `sample`, the sum of the weights of its
        samples [n_i], over `rows[label]`.
    """

    def __init__(
        self,
        points: np.ndarray,
        labels: np.ndarray,
        minority: Sequence[int],
        latent: int,
    ) -> None:
        self.points, self.latent = points, latent
        self.rows = {label: np.flatnonzero(labels == label) for label in minority}
        self.used: dict[int, np.ndarray] = {}

    def weights(self, label: int, z: np.ndarray) -> np.ndarray:
        """The convex weights of latents of one class.

        Args:
          label: Label of a minority class.
          z: Latents float32 [m, l].

        Returns:
          [m, n_i], over `rows[label]`.
        """
        raise NotImplementedError

    def logits(self, label: int, z: np.ndarray) -> np.ndarray:
        """Logits of the softmax that chooses partners.

        Args:
          label: Label of a minority class.
          z: Latents float32 [m, l].

        Returns:
          [m, n_i], over `rows[label]`.
        """
        raise NotImplementedError

    def combine(self, label: int, weights: np.ndarray) -> np.ndarray:
        """Eq. 1.

        Points of float64 are combined as precisely as that allows: no value leaves the
        range that its column has in the class.

        Args:
          label: of a minority class.
          weights: convex weights [m, n_i], over `rows[label]`.

        Returns:
          The convex combinations [m, d], of the type of the points.
        """
        points = self.points[self.rows[label]]
        if points.dtype != np.float64:
            return weights @ points
        exact = weights.astype(np.float64)  # G's sum to 1 within 1e-7 only
        exact /= exact.sum(axis=1, keepdims=True)
        low, high = points.min(axis=0), points.max(axis=0)
        # Halves of the distances from the middle: these do not overflow, and a large
        # offset that all rows share costs no digits.
        middle = low / 2 + high / 2
        half = exact @ (points / 2 - middle / 2)
        return np.clip(middle + 2 * half, low, high)

    def sample(self, wanted: dict[int, int], seed: int) -> Samples:
        """New samples of each class, from the random stream [seed, label].

        Sample k of a class has the same weights for every number asked for, and the
        same values up to the last bit: latents are mapped in blocks of one size, since
        the last bits of a matrix product depend on the size.

        Args:
          wanted: the number of samples of each minority label.
          seed: of the streams.
        """
        self.used = {
            label: np.zeros(len(self.rows[label])) for label, n in wanted.items() if n
        }
        blocks = [
            block
            for label, n in wanted.items()
            for block in self._blocks(label, n, seed)
        ]
        if not blocks:
            return Samples.none(self.points.shape[1], self.points.dtype)
        return Samples(*(np.concatenate(group) for group in zip(*blocks, strict=True)))

    def _blocks(self, label: int, n: int, seed: int) -> list[Samples]:
        """`n` samples of a class."""
        latents = standard_normal([seed, label], -(-n // CHUNK) * CHUNK, self.latent)
        blocks = []
        for start in range(0, n, CHUNK):
            z = latents[start : start + CHUNK]
            weights = self.weights(label, z)[: n - start]
            self.used[label] += weights.sum(axis=0, dtype=np.float64)
            blocks.append(self._with_parents(label, weights))
        return blocks

    def _with_parents(self, label: int, weights: np.ndarray) -> Samples:
        """The samples of convex weights [m, n_i], and their heaviest parents."""
        top = heaviest(weights, LISTED_PARENTS)
        missing = ((0, 0), (0, LISTED_PARENTS - top.shape[1]))
        heavy = np.take_along_axis(weights, top, axis=1)
        parents = np.where(heavy > 0, self.rows[label][top], -1)
        return Samples(
            self.combine(label, weights),
            np.full(len(weights), label),
            np.pad(parents, missing, constant_values=-1),
            np.pad(heavy, missing),
        )


class ConvexSampler(MinoritySampler):
    """Samples of the minority classes from a trained G.

    Args:
      G: Convex generator (`networks.convex_generator`).
      points: As `MinoritySampler`.
      labels: int [n]; rows of a class in the order that G was trained with.

    Attributes:
      columns: The columns of G's weights that belong to each minority label.
      minority_rows: int [N], the training row of each column of G's weights.
    """

    def __init__(self, G: keras.Model, points: np.ndarray, labels: np.ndarray) -> None:
        self.G = G
        self._ctmu, self._igu = G.get_layer("cTMU"), G.get_layer("IGU")
        self._classes = self._ctmu.input[1].shape[1]
        minority = [label for label, _ in self._igu.counts]
        super().__init__(points, labels, minority, G.inputs[0].shape[1])
        self.columns = {
            label: slice(int(start), int(start) + n)
            for (label, n), start in zip(
                self._igu.counts, self._igu.starts[:-1], strict=True
            )
        }
        self.minority_rows = np.concatenate(list(self.rows.values()))
        self._minority_points: tf.Tensor | None = None

    def generate(
        self, z: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Samples of any minority classes, in any order; of points of float32.

        Args:
          z: latents float32 [m, l].
          labels: int [m].

        Returns:
          Samples [m, d] and convex weights [m, N] over `minority_rows`.
        """
        if self._minority_points is None:
            self._minority_points = tf.constant(self.points[self.minority_rows])
        inputs = [tf.constant(z), tf.constant(labels, tf.int32), self._minority_points]
        values, weights = self.G(inputs, training=False)
        return values.numpy(), weights.numpy()

    def weights(self, label: int, z: np.ndarray) -> np.ndarray:
        # Only the class's own IGU works here: with many classes, `generate` would
        # compute mostly zeros.
        index = list(self.rows).index(label)
        return self._igu.weights_of(self._mapped(label, z), index).numpy()

    def logits(self, label: int, z: np.ndarray) -> np.ndarray:
        # Of a G with anchors, these are the logits of the partner.
        own = self.columns[label]
        own = tf.range(own.start, own.stop)
        return self._igu.logits_of_some(self._mapped(label, z), own).numpy()

    def _mapped(self, label: int, z: np.ndarray) -> tf.Tensor:
        """t(z|label)."""
        one_hot = tf.one_hot(tf.fill([len(z)], label), self._classes)
        return self._ctmu([tf.constant(z), one_hot], training=False)


class RandomPairs(MinoritySampler):
    """Samples on the way from one sample of a class to another, both at random.

    This is what `methods.partners.AtRandom` trains M on: (1 - s) x_a + s x_p with s
    uniform in [0, 1/2]. Anchor a and partner p are two different samples.

    Args:
      points: As `MinoritySampler`.
      labels: int [n], sorted.
    """

    def __init__(self, points: np.ndarray, labels: np.ndarray) -> None:
        minority = ClassCounts(tuple(np.bincount(labels).tolist())).minority
        super().__init__(points, labels, minority, latent=3)

    def weights(self, label: int, z: np.ndarray) -> np.ndarray:
        n = len(self.rows[label])
        anchor, step, share = uniform(tf.constant(z)).numpy().T
        anchors = row_at(anchor, n).numpy()
        # One step at least, and fewer than n: never back to the anchor.
        partners = (anchors + 1 + row_at(step, n - 1).numpy()) % n
        weights = np.zeros((len(z), n), np.float32)
        lines = np.arange(len(z))
        weights[lines, anchors] = 1.0 - SHARE * share
        weights[lines, partners] = SHARE * share
        return weights

    def logits(self, label: int, z: np.ndarray) -> np.ndarray:
        # Every partner is equally probable.
        return np.zeros((len(z), len(self.rows[label])), np.float32)


def sampler_of(
    G: keras.Model | None, points: np.ndarray, labels: np.ndarray
) -> MinoritySampler:
    """The sampler of a method that generates.

    Args:
      G: Convex generator; None for a method that trains none.
      points: As `MinoritySampler`.
      labels: int [n]; rows of a class in the order that G was trained with.
    """
    if G is None:
        return RandomPairs(points, labels)
    return ConvexSampler(G, points, labels)

"""DOS: deep over-sampling (Ando & Huang, ECML PKDD 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.options import Options
from gamo_tf.methods.classifier import Classifier
from gamo_tf.methods.feature_sampling import nearest_rows, simplex_weights
from gamo_tf.methods.imbalance_losses import Loss
from gamo_tf.training.losses import class_targets

NEIGHBOURS = 5  # k of every minority class; the paper tunes it class by class


class DeepOversampling(Classifier):
    """F and M on minority rows that carry synthetic targets in feature space.

    A row x of minority class j is used r_j = ceil(n_max / n_j) times a pass, with
    v_1 ... v_k, the nearest rows of its class in the features at the start of the
    pass (held constant), and each time new weights w, uniform on the simplex:

        L = l(M(F(x)), y) + sum_p d_p + sum_p rho_p l(M(v_p), y),
        d_p = w_p |F(x) - v_p|^2 / d,   rho = softmax(-d_1, ..., -d_k);

    a majority row has the first term only. l is the run's loss.

    The text of the paper (arXiv 1704.07515, Section 3) could not be had; this is put
    together from its abstract and from two ports that agree on d_p and rho. Added
    here are the first term, without which F would hear of classes only through rho;
    the mean over the d features, which weighs the last terms by d against a sum; and
    one k for all classes.

    Args:
      options: settings of the run.
      networks: F, which has to learn, and M.
      rows: has no effect; the rows of a pass follow from the class sizes.
    """

    def __init__(
        self, options: Options, networks: Sequence[keras.Model], rows: int
    ) -> None:
        counts = np.asarray(options.counts)
        labels = np.repeat(np.arange(len(counts)), counts)
        repeats = -(-counts.max() // counts)  # r_j
        self.repeated = np.repeat(
            np.arange(counts.sum(), dtype=np.int32), repeats[labels]
        )
        self.oversampled = (counts < counts.max())[labels]
        super().__init__(options, networks, len(self.repeated))

    def prepare(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Features and neighbours at the start of a pass.

        Args:
          images: [n, h, w, c].
          labels: int32 [n].

        Returns:
          Rows of each minibatch int32 [steps_per_epoch, b], all features [n, d], and
          the neighbours of each row, int32 [n, k].
        """
        features = self.of_all(self.features, images)
        order = tf.gather(self.repeated, self.order(tf.constant(self.repeated)))
        return order, features, self._neighbours(features)

    @tf.function
    def _neighbours(self, features: tf.Tensor) -> tf.Tensor:
        """Training rows [n, k]. Majority classes have no use for neighbours: theirs
        are the row itself."""
        itself = tf.range(self.oversampled.size)[:, None]
        itself += tf.zeros([1, NEIGHBOURS], tf.int32)
        counts = self.options.class_counts
        starts = np.cumsum([0, *counts.sizes])
        parts = tf.split(itself, list(counts.sizes))
        for label, n in zip(counts.minority, counts.minority_sizes, strict=True):
            rows = slice(starts[label], starts[label + 1])
            near = nearest_rows(features[rows], NEIGHBOURS) + int(starts[label])
            k = min(NEIGHBOURS, n - 1)  # a class of few has its neighbours in turn
            parts[label] = tf.gather(near, np.arange(NEIGHBOURS) % k, axis=1)
        return tf.concat(parts, 0)

    def minibatch(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        rows: tf.Tensor,
        *more: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        """What `batch_loss` is given.

        Args:
          images: all training rows, [n, h, w, c].
          labels: int32 [n].
          rows: those of the minibatch, int32 [b].
          *more: features [n, d] and neighbours [n, k] of `prepare`.

        Returns:
          The images [b, h, w, c], their labels [b, c], the features of their neighbours
          [b, k, d], the weights of these [b, k], and [b, 1], 1 for minority rows.
        """
        features, near = more
        one_hot, _ = class_targets(tf.gather(labels, rows), self.c)
        x = self.augmented(tf.gather(images, rows))
        weights = simplex_weights(self.random, [self.b, NEIGHBOURS])
        minority = tf.cast(tf.gather(self.oversampled, rows), tf.float32)[:, None]
        targets = tf.gather(features, tf.gather(near, rows))
        return x, one_hot, targets, weights, minority

    def batch_loss(self, loss: Loss, *batch: tf.Tensor) -> tf.Tensor:
        """L of the class's docstring, mean over a minibatch.

        Args:
          loss: the run's loss l.
          *batch: of `minibatch`.

        Returns:
          A scalar.
        """
        x, one_hot, targets, weights, minority = batch
        f = self.f(x)
        value = loss(one_hot, self.M(f))
        squares = tf.math.squared_difference(f[:, None], targets)
        distance = weights * tf.reduce_mean(squares, axis=2)  # [b, k]
        value += tf.reduce_mean(minority * distance) * NEIGHBOURS
        rho = minority * tf.nn.softmax(-distance)
        flat = tf.reshape(targets, [-1, targets.shape[2]])
        each = tf.reshape(rho, [-1, 1]) * NEIGHBOURS  # the loss is a mean over rows
        return value + loss(tf.repeat(one_hot, NEIGHBOURS, axis=0), self.M(flat), each)

"""Minibatches whose rows are mixed with others: mixup, Remix and CMO."""

from __future__ import annotations

import tensorflow as tf

from gamo_tf.methods.classifier import Classifier
from gamo_tf.training.losses import class_targets

KAPPA, REMIX_TAU = 3.0, 0.5  # Remix: the paper's values
PASTED = 0.5  # share of CMO's minibatches, as in the authors' program


class Mixup(Classifier):
    """Mixed pairs of training rows (mixup, Zhang et al., ICLR 2018).

    A row meets its mirror in the minibatch; both images and targets are mixed by a
    share that is drawn once a minibatch from Beta(1, 1), that is uniformly.
    """

    def shown(
        self, x: tf.Tensor, y: tf.Tensor, images: tf.Tensor, labels: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        one_hot, _ = class_targets(y, self.c)
        share = self.random.uniform([])
        x = x if x.dtype == tf.float64 else tf.cast(x, tf.float32)  # vectors stay
        part = tf.cast(share, x.dtype)
        x = part * x + (1.0 - part) * tf.reverse(x, [0])
        own = self.target_share(y, tf.reverse(y, [0]), share)
        return x, own * one_hot + (1.0 - own) * tf.reverse(one_hot, [0])

    def target_share(
        self, labels: tf.Tensor, others: tf.Tensor, share: tf.Tensor
    ) -> tf.Tensor:
        """The share of a row's own label in its mixed target.

        Args:
          labels: of the rows, int32 [b].
          others: of the rows that they are mixed with, int32 [b].
          share: of the rows in the mixed images, a scalar.

        Returns:
          A scalar, or [b, 1].
        """
        return share


class Remix(Mixup):
    """Mixup whose target is the smaller class's where the sizes differ much (Remix,
    Chou et al., ECCV workshops 2020, Eq. 8, with kappa 3 and tau 0.5).

    A row of a class with n_i rows, mixed with one of n_j: the target is the other's
    where n_i / n_j >= kappa and the row's share is below tau, and the row's own where
    n_i / n_j <= 1 / kappa and the other's share is below tau.
    """

    def target_share(
        self, labels: tf.Tensor, others: tf.Tensor, share: tf.Tensor
    ) -> tf.Tensor:
        sizes = tf.constant(self.options.counts, tf.float32)
        ratio = tf.gather(sizes, labels) / tf.gather(sizes, others)
        other = (ratio >= KAPPA) & (share < REMIX_TAU)
        own = (ratio <= 1.0 / KAPPA) & (1.0 - share < REMIX_TAU)
        return tf.where(other, 0.0, tf.where(own, 1.0, share))[:, None]


class PastedMinorities(Classifier):
    """Rectangles of minority images on other images (CMO, Park et al., CVPR 2022).

    The images below follow the training set; those pasted on them are drawn with
    every class equally probable. A minibatch in two has one rectangle, of an area
    that is drawn uniformly, at one place; the target is mixed by area. Arguments as
    those of `Classifier`.
    """

    def shown(
        self, x: tf.Tensor, y: tf.Tensor, images: tf.Tensor, labels: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        drawn = self.balanced_rows([self.b])
        patch = self.augmented(tf.gather(images, drawn))
        inside = self.rectangle(*x.shape[1:3])
        share = tf.reduce_mean(inside)  # of the pasted image
        x = tf.where(inside[None, :, :, None] > 0, patch, x)
        one_hot, _ = class_targets(y, self.c)
        pasted, _ = class_targets(tf.gather(labels, drawn), self.c)
        return x, (1.0 - share) * one_hot + share * pasted

    def rectangle(self, height: int, width: int) -> tf.Tensor:
        """1 inside of a random rectangle and 0 elsewhere, or 0 everywhere.

        Args:
          height: of the images.
          width: of the images.

        Returns:
          float32 [height, width].
        """
        side = tf.sqrt(self.random.uniform([]))  # the area is uniform
        side *= tf.cast(self.random.uniform([]) < PASTED, tf.float32)
        lines = [self._interval(n, side) for n in (height, width)]
        return lines[0][:, None] * lines[1][None]

    def _interval(self, n: int, side: tf.Tensor) -> tf.Tensor:
        """Which of n places lie less than half of `side` n from a random one."""
        middle = self.random.uniform([], maxval=n, dtype=tf.int32)
        half = tf.cast(side * n, tf.int32) // 2
        places = tf.range(n)
        inside = (places >= middle - half) & (places < middle + half)
        return tf.cast(inside, tf.float32)

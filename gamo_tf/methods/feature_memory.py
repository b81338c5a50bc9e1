"""The newest features of every class, which cost nothing: F has just computed them."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.training.row_order import rows_by_class


class FeatureMemory(tf.Module):
    """The newest features of every class, with the training rows that they are of.

    A row whose image is shifted at each use can be there more than once, each time as
    it was shown.

    Args:
      counts: the training set, whose rows are sorted by label.
      places: rows K of each class that are kept.
      features: d.

    Attributes:
      features: [c K + 1, d], sorted by label. The last one belongs to no class; what
        a minibatch has beyond K rows of a class goes there.
      rows: int32 [c K + 1], the training row of each.
      owner: int [c K + 1], the label of each; -1 for the last.
    """

    def __init__(self, counts: ClassCounts, places: int, features: int) -> None:
        super().__init__()
        self.counts, self.places = counts, places
        self.spare = len(counts) * places
        size = self.spare + 1
        # In the checkpoint: a resumed training finds what was remembered.
        self.features = tf.Variable(tf.zeros([size, features]), trainable=False)
        self.rows = tf.Variable(tf.zeros([size], tf.int32), trainable=False)
        self.added = tf.Variable(tf.zeros([len(counts)], tf.int32), trainable=False)
        self.full = tf.Variable(False, trainable=False)
        self.owner = np.append(np.repeat(range(len(counts)), places), -1)

    def first_rows(self, random: tf.random.Generator) -> tf.Tensor:
        """Rows to fill it with: K of each class, more than once where it has fewer.

        Args:
          random: the random state.

        Returns:
          int32 [c K], sorted by label.
        """
        return rows_by_class(
            random, self.counts.sizes, [self.places] * len(self.counts)
        )

    def fill(self, features: tf.Tensor, rows: tf.Tensor) -> None:
        """Put something in every place, before the training begins.

        Args:
          features: of `rows`, [c K, d].
          rows: of `first_rows`.
        """
        self.features[: self.spare].assign(features)
        self.rows[: self.spare].assign(rows)
        self.full.assign(True)

    def add(self, features: tf.Tensor, labels: tf.Tensor, rows: tf.Tensor) -> None:
        """Put the features of a minibatch in the place of the oldest of their classes.

        Args:
          features: [b, d].
          labels: int32 [b].
          rows: int32 [b], the training rows.
        """
        one_hot = tf.one_hot(labels, len(self.counts), dtype=tf.int32)
        before = tf.reduce_sum(tf.cumsum(one_hot, exclusive=True) * one_hot, axis=1)
        turn = (tf.gather(self.added, labels) + before) % self.places
        place = labels * self.places + turn
        place = tf.where(before < self.places, place, self.spare)[:, None]
        self.features.scatter_nd_update(place, features)
        self.rows.scatter_nd_update(place, rows)
        self.added.assign((self.added + tf.reduce_sum(one_hot, 0)) % self.places)

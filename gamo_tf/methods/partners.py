"""Who chooses the partner that a row is mixed with in balanced GAMO.

A source gives convex weights over the features that `FeatureMemory` holds; outside the
class of a row they are zero. `Chosen` is the paper's G; the others are controls.
"""

from __future__ import annotations

from functools import cached_property

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.options import Options
from gamo_tf.methods.feature_memory import FeatureMemory
from gamo_tf.methods.feature_sampling import NEIGHBOURS


class Partners:
    """Where partners come from.

    Args:
      G: the generator; None where nothing learns.
      options: settings of the run, with the class sizes.
      random: the random state of the training.
      memory: the features that partners are made of.
    """

    def __init__(
        self,
        G: keras.Model | None,
        options: Options,
        random: tf.random.Generator,
        memory: FeatureMemory,
    ) -> None:
        self.G: keras.Model = G
        self.options, self.random, self.memory = options, random, memory

    def weights(
        self, features: tf.Tensor, labels: tf.Tensor, training: bool
    ) -> tf.Tensor:
        """Convex weights over the memory.

        Args:
          features: of the rows that get a partner, [b, d].
          labels: int32 [b].
          training: the mode of batch normalization.

        Returns:
          [b, c K + 1], not negative, which sum to 1; zero outside the row's class.
        """
        raise NotImplementedError

    def points(
        self, features: tf.Tensor, labels: tf.Tensor, training: bool
    ) -> tf.Tensor:
        """Partners: sum_j g_j x_j over the memory.

        Args:
          features: of the rows that get a partner, [b, d]; no gradient reaches them.
          labels: int32 [b].
          training: the mode of batch normalization.

        Returns:
          [b, d].
        """
        weights = self.weights(tf.stop_gradient(features), labels, training)
        return weights @ self.memory.features

    def inside(self, labels: tf.Tensor) -> tf.Tensor:
        """Which places of the memory belong to the class of each label, [b, c K + 1].

        Args:
          labels: int32 [b].
        """
        return tf.cast(labels, tf.int64)[:, None] == self.memory.owner[None, :]


class Chosen(Partners):
    """G's choice: cTMU, and the columns that the IGUs have for the rows in memory."""

    @cached_property
    def minority(self) -> np.ndarray:
        """Which places of the memory belong to minority classes, bool [c K + 1]."""
        return np.isin(self.memory.owner, self.options.class_counts.minority)

    @cached_property
    def offsets(self) -> np.ndarray:
        """What to subtract from the training row in each place to have its column of
        the IGUs, int32 [c K + 1]."""
        sizes = np.asarray(self.options.counts)
        columns = np.where(sizes < sizes.max(), sizes, 0)
        ahead = np.cumsum([0, *sizes[:-1]]) - np.cumsum([0, *columns[:-1]])
        return ahead[self.memory.owner].astype(np.int32)

    def weights(
        self, features: tf.Tensor, labels: tf.Tensor, training: bool
    ) -> tf.Tensor:
        z = self.random.normal([labels.shape[0], self.options.latent])
        one_hot = tf.one_hot(labels, len(self.options.counts))
        t = self.G.get_layer("cTMU")([z, one_hot], training=training)
        # Rows of majority classes have no column: theirs are all alike.
        columns = tf.where(self.minority, self.memory.rows - self.offsets, 0)
        logits = self.G.get_layer("IGU").logits_of_some(t, columns)
        inside = self.inside(labels)
        logits = tf.where(inside & self.minority, logits, 0.0)
        return tf.nn.softmax(tf.where(inside, logits, logits.dtype.min))


class AtRandom(Partners):
    """One of the places of the class, all equally probable."""

    def weights(
        self, features: tf.Tensor, labels: tf.Tensor, training: bool
    ) -> tf.Tensor:
        places = self.memory.places
        drawn = self.random.uniform(tf.shape(labels), maxval=places, dtype=tf.int32)
        return tf.one_hot(labels * places + drawn, self.memory.features.shape[0])


class Nearest(Partners):
    """One of the five nearest features in memory: SMOTE on F(x).

    The memory may hold earlier features of the sample itself. They are not excluded.
    """

    def weights(
        self, features: tf.Tensor, labels: tf.Tensor, training: bool
    ) -> tf.Tensor:
        points = self.memory.features
        squares = tf.reduce_sum(points**2, axis=1)
        nearness = 2.0 * features @ tf.transpose(points) - squares
        nearness = tf.where(self.inside(labels), nearness, nearness.dtype.min)
        near = tf.math.top_k(nearness, min(NEIGHBOURS, self.memory.places)).indices
        drawn = self.random.uniform(
            tf.shape(labels), maxval=near.shape[1], dtype=tf.int32
        )
        return tf.one_hot(tf.gather(near, drawn, batch_dims=1), points.shape[0])

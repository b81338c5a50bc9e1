"""cRT: a new head on the learned features (Kang et al., ICLR 2020)."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from gamo_tf.config.options import Options
from gamo_tf.methods.classifier import LATE, Classifier
from gamo_tf.training.losses import class_targets


class ClassifierRetraining(Classifier):
    """The plain classifier; for the last fifth F is frozen and a new M is trained.

    The new M sees minibatches in which every class is equally probable. Arguments as
    those of `Classifier`.
    """

    def __init__(
        self, options: Options, networks: Sequence[keras.Model], rows: int
    ) -> None:
        super().__init__(options, networks, rows)
        self.fresh = keras.models.clone_model(self.M)  # the new M's initial weights
        self.head_pass = self.compiled(self._head_pass, True)

    def train_pass(self, images: tf.Tensor, labels: tf.Tensor, steps: int) -> tf.Tensor:
        if not self.late:
            return super().train_pass(images, labels, steps)
        before = int(self.iteration) - self.steps_per_epoch
        if before < LATE * self.options.iterations:  # the first late epoch
            self._replace_head()
        order = self.balanced_order(labels)
        return self.head_pass(self.features(images), labels, order, steps)

    def _head_pass(
        self, features: tf.Tensor, labels: tf.Tensor, order: tf.Tensor, steps: int
    ) -> tf.Tensor:
        total = 0.0
        for k in tf.range(steps):
            x, y = tf.gather(features, order[k]), tf.gather(labels, order[k])
            one_hot, _ = class_targets(y, self.c)
            total += self.minimize(
                "M", lambda x=x, one_hot=one_hot: self.loss(one_hot, self.M(x))
            )
            self.average("M")
        return total / tf.cast(steps, tf.float32)

    @tf.function
    def balanced_order(self, labels: tf.Tensor) -> tf.Tensor:
        """Minibatches [v, b] of rows: a class uniformly, then one of its rows.

        Args:
          labels: int32 [n], sorted.
        """
        shape = [self.steps_per_epoch, self.b]
        counts = tf.math.bincount(labels, minlength=self.c)
        starts = tf.cumsum(counts, exclusive=True)
        drawn = self.random.uniform(shape, maxval=self.c, dtype=tf.int32)
        share = self.random.uniform(shape)
        sizes = tf.gather(counts, drawn)
        place = tf.cast(share * tf.cast(sizes, tf.float32), tf.int32)
        place = tf.minimum(place, sizes - 1)  # share * size can round up
        return tf.gather(starts, drawn) + place

    def _replace_head(self) -> None:
        """M, its Adam and its average begin again."""
        self.M.set_weights(self.fresh.get_weights())
        optimizer = self.optimizers["M"]
        for variable in optimizer.variables:
            if variable is not optimizer.learning_rate:
                variable.assign(keras.ops.zeros_like(variable))
        if "M" in self.averages:
            self.averages["M"].restart()

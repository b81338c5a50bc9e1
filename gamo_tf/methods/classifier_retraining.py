"""A new head on learned features: cRT (Kang et al., ICLR 2020) and EOS (Dablain et
al., 2022).
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from gamo_tf.config.options import Options
from gamo_tf.methods.classifier import Classifier
from gamo_tf.methods.feature_sampling import nearest_of_many
from gamo_tf.training.losses import class_targets

_ENEMIES_AMONG = 10  # nearest rows, as in the authors' program of EOS


class ClassifierRetraining(Classifier):
    """The plain classifier; for the last fifth F is frozen and a new M is trained.

    The new M sees minibatches in which every class is equally probable. Where weights
    are averaged, F is frozen as its average: an averaged M has to meet the features
    that it was trained on. Arguments as those of `Classifier`.
    """

    def __init__(
        self, options: Options, networks: Sequence[keras.Model], rows: int
    ) -> None:
        super().__init__(options, networks, rows)
        self.fresh = keras.models.clone_model(self.M)  # the new M's initial weights
        self.head_pass = self.compiled(self._head_pass, True)
        self.parts = (self.switch,)

    def train_pass(self, images: tf.Tensor, labels: tf.Tensor, steps: int) -> tf.Tensor:
        if not self.late:
            return super().train_pass(images, labels, steps)
        if int(self.iteration) == self.switch:
            if "F" in self.averages:
                self.F.set_weights(self.averages["F"].network.get_weights())
            self._replace_head()
        order = self.balanced_order()
        features = self.of_all(self.augmented_features, images)
        more = self.prepare_head(features, labels)
        return self.head_pass(features, labels, order, tf.constant(steps), *more)

    def prepare_head(
        self, features: tf.Tensor, labels: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """What `head_rows` needs beside the features, worked out once a pass.

        Args:
          features: of all training rows, [n, d].
          labels: int32 [n].
        """
        return ()

    def head_rows(
        self, features: tf.Tensor, rows: tf.Tensor, *more: tf.Tensor
    ) -> tf.Tensor:
        """What the new M is trained on in a minibatch.

        Args:
          features: of all training rows, [n, d].
          rows: int32 [b].
          *more: of `prepare_head`.

        Returns:
          Features [b, d].
        """
        return tf.gather(features, rows)

    def _head_pass(
        self,
        features: tf.Tensor,
        labels: tf.Tensor,
        order: tf.Tensor,
        steps: tf.Tensor,
        *more: tf.Tensor,
    ) -> tf.Tensor:
        k, total = 0, 0.0
        while k < steps:
            x = self.head_rows(features, order[k], *more)
            one_hot, _ = class_targets(tf.gather(labels, order[k]), self.c)
            total += self.minimize("M", self.of_m, x, one_hot)
            self.average("M")
            k += 1
        return total / tf.cast(steps, tf.float32)

    def _replace_head(self) -> None:
        """M, its Adam and its average begin again."""
        self.M.set_weights(self.fresh.get_weights())
        optimizer = self.optimizers["M"]
        for variable in optimizer.variables:
            if variable is not optimizer.learning_rate:
                variable.assign(keras.ops.zeros_like(variable))
        if "M" in self.averages:
            self.averages["M"].restart()


class ExpansiveOversampling(ClassifierRetraining):
    """EOS: the new head also sees points between small classes and their neighbours of
    other classes.

    A row x of class k, drawn as for cRT, is real with probability n_k / n_max. Else it
    is x + U(0, 1) (e - x), where e is drawn from those of its ten nearest rows that
    have another class, and keeps the label k. A row without such neighbours stays as
    it is; the authors' program draws another one.
    """

    def prepare_head(
        self, features: tf.Tensor, labels: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """The nearest rows of every row, and which of them are of another class.

        Returns:
          int32 [n, 10], and float32 [n, 10] of ones and zeros.
        """
        k = min(_ENEMIES_AMONG, sum(self.options.counts) - 1)
        near = nearest_of_many(features, k)
        other = tf.gather(labels, near) != labels[:, None]
        return near, tf.cast(other, tf.float32)

    def head_rows(
        self, features: tf.Tensor, rows: tf.Tensor, *more: tf.Tensor
    ) -> tf.Tensor:
        near, other = (tf.gather(part, rows) for part in more)
        x = tf.gather(features, rows)
        # The largest of uniform numbers: each enemy is equally probable.
        choice = tf.argmax(other * (1e-6 + self.random.uniform(other.shape)), axis=1)
        enemy = tf.gather(features, tf.gather(near, choice, batch_dims=1))
        counts = tf.constant(self.options.counts, tf.float32)
        sizes = tf.gather(tf.repeat(counts, self.options.counts), rows)
        made = self.random.uniform([self.b]) >= sizes / tf.reduce_max(counts)
        made &= tf.reduce_max(other, axis=1) > 0
        share = tf.where(made, self.random.uniform([self.b]), 0.0)
        return x + share[:, None] * (enemy - x)

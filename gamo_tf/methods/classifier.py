"""The plain classifier: F and M together on real rows, without a game."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import keras
import tensorflow as tf

from gamo_tf.config.methods import LATE, METHODS
from gamo_tf.config.options import Options
from gamo_tf.methods.imbalance_losses import OBJECTIVES, Loss
from gamo_tf.training.feature_trainer import FeatureTrainer
from gamo_tf.training.losses import class_targets


class Classifier(FeatureTrainer):
    """F and M by gradient descent on (M(F(B_d)), Y_d).

    The method's objective takes the place of the run's loss, if it has one.

    Args:
      options: settings of the run.
      networks: F and M.
      rows: training rows, those that were added before training included.
    """

    def __init__(
        self, options: Options, networks: Sequence[keras.Model], rows: int
    ) -> None:
        super().__init__(options, networks, rows)
        self.loss_names = ("M_real",)
        self.early_loss = self.late_loss = self.loss
        objective = OBJECTIVES.get(METHODS[options.method].objective)
        if objective:
            counts = options.class_counts
            self.early_loss = self.late_loss = objective.early(
                counts, self.loss, options.tau
            )
            if objective.late:
                self.late_loss = objective.late(counts, self.loss, options.tau)
        # Minibatches trained, in the checkpoint: it decides when the late part begins.
        self.iteration = tf.Variable(0, trainable=False)
        self.switch = math.ceil(LATE * options.iterations)
        if self.late_loss is not self.early_loss:
            self.parts = (self.switch,)
        self.classifier_pass = self.compiled(self._classifier_pass, self.xla)

    def checkpoint(self) -> tf.train.Checkpoint:
        state = super().checkpoint()
        state.iteration = self.iteration
        return state

    @property
    def late(self) -> bool:
        """Whether the late part of the training has begun."""
        return int(self.iteration) >= self.switch

    def epoch(self, *data: tf.Tensor, steps: int) -> dict[str, float]:
        """Train `steps` minibatches.

        Args:
          *data: images [n, h, w, c] or vectors [n, d], and their labels int32 [n].
          steps: at most `steps_per_epoch`.

        Returns:
          The mean loss, by `loss_names`.
        """
        images, labels = data
        loss = self.train_pass(images, labels, steps)
        self.iteration.assign_add(steps)
        return dict(zip(self.loss_names, [float(loss)], strict=True))

    def train_pass(self, images: tf.Tensor, labels: tf.Tensor, steps: int) -> tf.Tensor:
        """`steps` minibatches of the rows; their mean loss. Subclasses change it.

        Args:
          images: [n, h, w, c] or [n, d].
          labels: int32 [n].
          steps: minibatches.
        """
        order, *more = self.prepare(images, labels)
        return self.classifier_pass(
            images, labels, order, tf.constant(steps), self.late, *more
        )

    def prepare(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """What a pass needs beside the rows, worked out before it.

        Args:
          images: [n, h, w, c] or [n, d].
          labels: int32 [n].

        Returns:
          Rows of each minibatch int32 [steps_per_epoch, b], and what else
          `batch_loss` takes.
        """
        return (self.order(labels),)

    def _classifier_pass(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        order: tf.Tensor,
        steps: tf.Tensor,
        late: bool,
        *more: tf.Tensor,
    ) -> tf.Tensor:
        loss = self.late_loss if late else self.early_loss
        k, total = 0, 0.0
        while k < steps:
            total += self.classifier_step(images, labels, order[k], loss, *more)
            k += 1
        return total / tf.cast(steps, tf.float32)

    def classifier_step(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        rows: tf.Tensor,
        loss: Loss,
        *more: tf.Tensor,
    ) -> tf.Tensor:
        """One step of F and M together, on one minibatch B_d.

        Args:
          images: all training rows, [n, h, w, c] or [n, d].
          labels: int32 [n].
          rows: those of the minibatch, int32 [b].
          loss: the loss of this part of the training.
          *more: what `prepare` returned after the rows.

        Returns:
          The loss before the step.
        """
        players = ["F", "M"] if self.learns_features else ["M"]
        batch = self.minibatch(images, labels, rows, *more)
        value = self.minimize(players, partial(self.batch_loss, loss), *batch)
        for name in players:
            self.average(name)
        return value

    def minibatch(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        rows: tf.Tensor,
        *more: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        """What `batch_loss` is given of one minibatch B_d.

        Args:
          images: [n, h, w, c] or [n, d], all training rows.
          labels: int32 [n].
          rows: int32 [b], those of the minibatch.
          *more: what `prepare` returned after the rows.

        Returns:
          Tensors [b, ...]; here the rows as they are shown, and their targets [b, c].
        """
        x, y = self.augmented(tf.gather(images, rows)), tf.gather(labels, rows)
        return self.shown(x, y, images, labels)

    def batch_loss(self, loss: Loss, *batch: tf.Tensor) -> tf.Tensor:
        """The loss of a minibatch, or of a part of it: a mean over its rows.

        Args:
          loss: the loss of this part of the training.
          *batch: of `minibatch`, or the same rows of each tensor.

        Returns:
          A scalar.
        """
        x, target = batch
        return loss(target, self.M(self.f(x)))

    def shown(
        self, x: tf.Tensor, y: tf.Tensor, images: tf.Tensor, labels: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """What F and M are shown of a minibatch. Subclasses mix or change its rows.

        Args:
          x: the rows, [b, h, w, c] or [b, d].
          y: their labels, int32 [b].
          images: all training rows, [n, h, w, c] or [n, d].
          labels: int32 [n].

        Returns:
          Rows as `x`, and their targets [b, c].
        """
        return x, class_targets(y, self.c).one_hot

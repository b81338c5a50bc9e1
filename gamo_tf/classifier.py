"""The plain classifier: F and M together on real rows. No game."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.game import LOSS_NAMES
from gamo_tf.losses import class_targets
from gamo_tf.methods import Method
from gamo_tf.objectives import OBJECTIVES
from gamo_tf.options import Options
from gamo_tf.players import Players

LATE = 0.8  # share of the iterations after which a method's second part begins


class Classifier(Players):
    """F and M by gradient descent on (M(F(B_d)), Y_d).

    Args:
      options: settings of the run.
      networks: F and M.
      rows: training rows, those that were added before training included.
      method: what is changed of it (`objective`, `late_objective`, `mixup`,
        `new_head`).
    """

    def __init__(
        self,
        options: Options,
        networks: list[keras.Model],
        rows: int,
        method: Method,
    ) -> None:
        super().__init__(options, networks, rows)
        self.method = method
        counts = np.asarray(options.counts)
        names = (method.objective, method.late_objective or method.objective)
        self.losses = [
            OBJECTIVES[name](counts, self.loss) if name else self.loss for name in names
        ]
        self.iteration = tf.Variable(0, trainable=False)
        self.fresh = keras.models.clone_model(self.M) if method.new_head else None
        self.classifier_pass = self.compiled(self._classifier_pass, self.xla)
        self.head_pass = self.compiled(self._head_pass, True)

    def checkpoint(self) -> tf.train.Checkpoint:
        state = super().checkpoint()
        state.iteration = self.iteration
        return state

    @property
    def plays(self) -> list[bool]:
        """Which of LOSS_NAMES an epoch fills."""
        return [name == "M_real" for name in LOSS_NAMES]

    def epoch(self, images: tf.Tensor, labels: tf.Tensor, steps: int) -> np.ndarray:
        """As `Game.epoch`."""
        played = np.full(len(LOSS_NAMES), np.nan)
        before = int(self.iteration)
        switch = LATE * self.options.iterations
        late = before >= switch
        if late and self.fresh is not None:
            if before - self.steps_per_epoch < switch:  # the first late epoch
                self._replace_head()
            order = self._balanced_order(labels)
            loss = self.head_pass(self.features(images), labels, order, steps)
        else:
            order, more = self._prepare(images, labels)
            count = tf.constant(steps)
            loss = self.classifier_pass(images, labels, order, count, late, *more)
        self.iteration.assign_add(steps)
        played[LOSS_NAMES.index("M_real")] = loss
        return played

    def _prepare(self, images: tf.Tensor, labels: tf.Tensor) -> tuple:
        """Minibatches of rows for a pass, and what else `_step_loss` needs."""
        return self._order(labels), ()

    def _classifier_pass(
        self, images, labels, order, steps, late: bool, *more
    ) -> tf.Tensor:
        total, loss = 0.0, self.losses[late]
        for k in tf.range(steps):
            total += self._classifier_step(images, labels, order[k], loss, *more)
        return total / tf.cast(steps, tf.float32)

    def _classifier_step(self, images, labels, rows, loss, *more) -> tf.Tensor:
        both = ["F", "M"] if self.learns_features else ["M"]
        value = self._descend(
            both, lambda: self._step_loss(images, labels, rows, loss, *more)
        )
        for name in both:
            self._average(name)
        return value

    def _step_loss(self, images, labels, rows, loss) -> tf.Tensor:
        """The loss of the minibatch B_d of these rows [b]."""
        x, y = tf.gather(images, rows), tf.gather(labels, rows)
        own, _ = class_targets(y, self.c)
        if self.method.mixup:  # Beta(1, 1): uniform; a row with its mirror in B_d
            share = self.random.uniform([])
            x = tf.cast(x, tf.float32)
            x = share * x + (1.0 - share) * tf.reverse(x, [0])
            own = share * own + (1.0 - share) * tf.reverse(own, [0])
        return loss(own, self.M(self.F(x, training=True)))

    # ---- a new head on the learned features (cRT) ------------------------------

    def _head_pass(self, features, labels, order, steps) -> tf.Tensor:
        total = 0.0
        for k in tf.range(steps):
            x, y = tf.gather(features, order[k]), tf.gather(labels, order[k])
            own, _ = class_targets(y, self.c)
            total += self._descend("M", lambda x=x, own=own: self.loss(own, self.M(x)))
            self._average("M")
        return total / tf.cast(steps, tf.float32)

    @tf.function
    def _balanced_order(self, labels: tf.Tensor) -> tf.Tensor:
        """Minibatches [v, b] of rows: a class uniformly, then one of its rows."""
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

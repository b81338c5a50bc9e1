"""Balanced GAMO: Algorithm 1 without the majority's prior and without the collapse.

Against `game.Game`, by lines of Algorithm 1 (docs/method.md has the equations):

- line 4: F and M move together, on minibatches as they are drawn;
- lines 4, 9, 11: M's loss is softmax cross entropy adjusted by the prior (Menon et al.,
  ICLR 2021), so that M predicts as if classes were equally common;
- lines 6-16 see the features that lines 2-5 have just computed, and are played half as
  often as F is updated, where F learns;
- lines 8, 12: G has an anchor (`networks.anchored_generator`);
- line 14: G maximises M's loss on its samples, without the adjustment;
- at the end F and M become their averages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from gamo_tf.config.options import Options
from gamo_tf.game import Game
from gamo_tf.methods.imbalance_losses import logit_adjust, softmax
from gamo_tf.training.feature_sampler import FeatureSampler
from gamo_tf.training.losses import class_targets


class BalancedGame(Game):
    """The game of F, M, G and perhaps D as the module describes it.

    Args:
      options: settings of the run.
      networks: F, M; D, if there is one; G, if what generates learns.
      rows: training rows.
      make_sampler: as for `Game`.
    """

    def __init__(
        self,
        options: Options,
        networks: Sequence[keras.Model],
        rows: int,
        make_sampler: Callable[..., FeatureSampler],
    ) -> None:
        super().__init__(options, networks, rows, make_sampler)
        counts = options.class_counts
        self.m_loss = logit_adjust(counts, self.loss, options.tau)
        self.unadjusted = softmax(counts, self.loss)
        self.representation_pass = self.compiled(self._representation_pass, self.xla)

    def epoch(self, *data: tf.Tensor, steps: int) -> dict[str, float]:
        images, labels = data
        losses: list[float] = []
        features, rounds = None, steps
        if self.learns_features:
            order, rounds = self.order(labels), -(-steps // 2)
            loss, features = self.representation_pass(
                images, labels, order, tf.constant(steps)
            )
            losses.append(float(loss))
        if features is None or steps < self.steps_per_epoch:  # not all rows were seen
            features = self.augmented_features(images)
        losses += self.played(features, labels, tf.constant(rounds))
        return dict(zip(self.loss_names, losses, strict=True))

    def _representation_pass(
        self, images: tf.Tensor, labels: tf.Tensor, order: tf.Tensor, steps: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Lines 2-5 for F and M together.

        Returns:
          The mean loss, and the features [n, d] that each row had when it was trained
          on; zeros for rows that were not.
        """
        d = self.F.output_shape[1]
        seen = tf.TensorArray(
            tf.float32, self.steps_per_epoch, element_shape=[self.b, d]
        )
        total = 0.0
        for k in tf.range(steps):
            x, y = tf.gather(images, order[k]), tf.gather(labels, order[k])
            loss, features = self.representation_step(self.augmented(x), y)
            seen, total = seen.write(k, features), total + loss
        rows = tf.reshape(order, [-1, 1])
        values = tf.reshape(seen.stack(), [-1, d])
        n = images.shape[0]
        features = tf.tensor_scatter_nd_update(tf.zeros([n, d]), rows, values)
        return total / tf.cast(steps, tf.float32), features

    def representation_step(
        self, x: tf.Tensor, y: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Lines 3-4: F and M by gradient descent on (M(F(B_d)), Y_d).

        Args:
          x: the minibatch B_d, [b, h, w, c].
          y: its labels, int32 [b].

        Returns:
          The loss before the step, and F(B_d) [b, d].
        """
        one_hot, _ = class_targets(y, self.c)
        features: list[tf.Tensor] = []

        def loss() -> tf.Tensor:
            features.append(self.F(x, training=True))
            return self.m_loss(one_hot, self.M(features[-1]))

        value = self.minimize(["F", "M"], loss)
        self.average("F")
        self.average("M")
        return value, tf.stop_gradient(features[-1])

    def against_m(
        self, one_hot: tf.Tensor, complement: tf.Tensor, p: tf.Tensor
    ) -> tf.Tensor:
        return -self.unadjusted(one_hot, p)

    def finish(self) -> None:
        for name, average in self.averages.items():
            self.networks[name].set_weights(average.network.get_weights())

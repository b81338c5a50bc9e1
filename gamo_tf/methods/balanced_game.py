"""Balanced GAMO: Algorithm 1 without the majority's prior and without the collapse.

Against `game.Game`, by lines of Algorithm 1 (docs/method.md has the equations):

- line 2: rows of smaller classes come more than once into the minibatches;
- line 4: one step of F and M together, by a loss that is adjusted by the prior of these
  minibatches (Menon et al., ICLR 2021), so that M predicts as if classes were equally
  common: softmax cross entropy or, with ``--loss ls``, least squares;
- line 6: the game is played in every 32nd minibatch, on the features that line 4 has
  just computed; line 9 has been done for M then;
- lines 8, 10, 12: a generated point is a row of the minibatch that moves at most half
  of the way to a partner (`methods.partners`) among the newest features of its class;
- line 11: M's loss on generated points has the same adjustment;
- lines 14-15: G has one step on both losses, and maximises M's without the adjustment;
- at the end F and M become their averages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.options import Options
from gamo_tf.methods.feature_memory import FeatureMemory
from gamo_tf.methods.imbalance_losses import adjusted, logit_adjust, softmax
from gamo_tf.methods.partners import Partners
from gamo_tf.networks.anchored_generator import SHARE
from gamo_tf.training.feature_trainer import FeatureTrainer, on_gpu
from gamo_tf.training.losses import class_targets
from gamo_tf.training.row_order import rows_by_class

TURNS = 32  # minibatches of F and M for one of the game
PLACES = 32  # features of each class that are remembered


class BalancedGame(FeatureTrainer):
    """The game of F, M, G and perhaps D as the module describes it.

    Args:
      options: settings of the run.
      networks: F, M; D, if there is one; G, if what chooses partners learns.
      rows: training rows.
      make_partners: makes the source of partners from G (or None), the options, the
        random state and the memory; None: nothing is generated.
    """

    def __init__(
        self,
        options: Options,
        networks: Sequence[keras.Model],
        rows: int,
        make_partners: Callable[..., Partners] | None = None,
    ) -> None:
        self.shown = options.class_counts.repeated(options.sampling)
        super().__init__(options, networks, self.shown.total)
        ce = options.loss == "ce"
        adjust = logit_adjust if ce else adjusted
        self.m_loss = adjust(self.shown, self.loss, options.tau)
        self.unadjusted = softmax(self.shown, self.loss) if ce else self.loss
        counts = options.class_counts
        self.memory = FeatureMemory(counts, PLACES, self.F.output_shape[1])
        self.partners = make_partners and make_partners(
            self.G, options, self.random, self.memory
        )
        # Rows of the majority stay as they are: it needs no more of them.
        minority = np.isin(range(self.c), counts.minority)
        self.share = tf.constant(SHARE * minority, tf.float32)
        d, g = self.D is not None, self.G is not None
        played = {
            "M_generated": self.partners is not None,
            "D_real": d,
            "D_generated": d,
            "G_vs_M": g,
            "G_vs_D": g and d,
        }
        self.game_names = tuple(name for name, there in played.items() if there)
        self.loss_names = ("M_real", *self.game_names)
        # XLA on a CPU takes longer for the turns of the game than it saves elsewhere.
        fused = self.xla if self.partners is None else on_gpu()
        self.whole_pass = self.compiled(self._whole_pass, fused)

    def m_updates(self, iterations: int) -> int:
        # The turns of the game come by epochs, of which the last may be a short one.
        return int(self.optimizers["M"].iterations.numpy())

    def checkpoint(self) -> tf.train.Checkpoint:
        state = super().checkpoint()
        state.memory = self.memory
        return state

    def epoch(self, *data: tf.Tensor, steps: int) -> dict[str, float]:
        images, labels = data
        if self.partners and not bool(self.memory.full):
            rows = self.memory.first_rows(self.random)
            self.memory.fill(self.augmented_features(tf.gather(images, rows)), rows)
        order = self.repeated_order()
        losses = self.whole_pass(images, labels, order, tf.constant(steps))
        return dict(zip(self.loss_names, losses.numpy().tolist(), strict=True))

    @tf.function
    def repeated_order(self) -> tf.Tensor:
        """Line 2: minibatches of all rows, those of smaller classes more than once.

        Every row of a class comes equally often, give or take one.

        Returns:
          Rows int32 [steps_per_epoch, b]; the last minibatch wraps around.
        """
        sizes = self.options.counts, self.shown.sizes
        return self.minibatches(rows_by_class(self.random, *sizes))

    def _whole_pass(
        self, images: tf.Tensor, labels: tf.Tensor, order: tf.Tensor, steps: tf.Tensor
    ) -> tf.Tensor:
        """Mean losses by `loss_names`; those of the game over its turns."""
        classified, played = 0.0, tf.zeros(len(self.game_names))
        k = 0
        while k < steps:
            x, y = tf.gather(images, order[k]), tf.gather(labels, order[k])
            loss, features = self.classifier_step(self.augmented(x), y)
            classified += loss
            if self.partners is not None:
                if k % TURNS == 0:
                    played += self.game_step(features, y)
                self.memory.add(features, y, order[k])
            k += 1
        turns = (steps + TURNS - 1) // TURNS
        means = (
            classified / tf.cast(steps, tf.float32),
            played / tf.cast(turns, tf.float32),
        )
        return tf.concat([means[0][None], means[1]], 0)

    def classifier_step(
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

        def loss(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            features = self.f(x)
            return self.of_m(features, y), tf.stop_gradient(features)

        players = ["F", "M"] if self.learns_features else ["M"]
        found = self.minimize(players, loss, x, one_hot)
        for name in players:
            self.average(name)
        return found

    def game_step(self, features: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """Lines 8-15: M and D on generated points, D on real ones, then G.

        Args:
          features: F(B_d), [b, d].
          y: their labels Y_d, int32 [b].

        Returns:
          Losses by `game_names`.
        """
        one_hot, _ = class_targets(y, self.c)
        one = tf.ones([y.shape[0], 1])
        made = self.generated(features, y, training=False)
        losses = [self.minimize("M", self.of_m, made, one_hot)]
        self.average("M")
        if self.D is not None:
            for target, x in ((one, features), (1.0 - one, made)):
                losses.append(self.minimize("D", self.of_d, target, x, one_hot))
        if self.G is not None:
            losses.extend(self.generator_step(features, y))
        return tf.stack(losses)

    def generator_step(self, features: tf.Tensor, y: tf.Tensor) -> list[tf.Tensor]:
        """Lines 12-15: one step of G against M, and against D if there is one.

        Args:
          features: F(B_d), [b, d], the anchors.
          y: their labels Y_d, int32 [b].

        Returns:
          The losses against M and against D, before the step.
        """
        one_hot, _ = class_targets(y, self.c)
        one = tf.ones([y.shape[0], 1])

        def loss() -> tf.Tensor:
            points = self.generated(features, y, training=True)
            against = [-self.unadjusted(one_hot, self.M(points))]  # line 14
            if self.D is not None:
                against.append(self.loss(one, self.D([points, one_hot])))  # line 15
            return tf.stack(against)

        return tf.unstack(self.minimize("G", loss))

    def generated(self, features: tf.Tensor, y: tf.Tensor, training: bool) -> tf.Tensor:
        """G(z|y) = (1 - s) x_a + s sum_j g_j x_j; s is 0 for rows of the majority.

        Args:
          features: the anchors x_a, [b, d].
          y: their labels, int32 [b].
          training: the mode of batch normalization.

        Returns:
          [b, d].
        """
        if self.partners is None:  # of the controls, one has no game
            return features
        partners = self.partners.points(features, y, training)
        share = self.random.uniform([y.shape[0], 1]) * tf.gather(self.share, y)[:, None]
        return (1.0 - share) * features + share * partners

    def finish(self) -> None:
        for name, average in self.averages.items():
            self.networks[name].set_weights(average.network.get_weights())

"""Algorithm 1 of the paper, compiled.

Read beside the paper: `Game._feature_pass` is lines 2-5, `Game._game_pass` lines
6-16. F, M, D, G and the source of generated features are handed in, never built here.
Who learns is decided by the variables that `minimize` moves, one Adam a player, never
by `trainable` flags.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.options import Options
from gamo_tf.training.feature_sampler import FeatureSampler, LatentBatch
from gamo_tf.training.feature_trainer import FeatureTrainer
from gamo_tf.training.losses import class_targets


class Game(FeatureTrainer):
    """The game of M, D and a source of generated features, over features F(x).

    Args:
      options: settings of the run.
      networks: F, M; D, if there is one; G, if what generates learns.
      rows: training rows.
      make_sampler: makes the source of generated features from G (or None), the
        options and the random state.
    """

    def __init__(
        self,
        options: Options,
        networks: Sequence[keras.Model],
        rows: int,
        make_sampler: Callable[..., FeatureSampler],
    ) -> None:
        super().__init__(options, networks, rows)
        self.sampler = make_sampler(self.G, options, self.random)
        if working := self.sampler.working:
            self.set_player("G", working.learners)
            working.optimizer = self.optimizers["G"]
        counts = options.class_counts
        self.minority = np.asarray(counts.minority)
        # Line 10: P(label) is proportional to P_c - P_i.
        probabilities = np.asarray(counts.label_probabilities)
        self.label_edges = tf.constant(
            np.cumsum([0, *probabilities]) * self.b, tf.float32
        )
        self.label_slots = np.ceil(probabilities * self.b).astype(int).tolist()
        # Eqs. 2-6 give generated points c P_c - 1 times the mass of real ones.
        equation = self.c * counts.largest / counts.total - 1
        self.generated_mass = equation if options.weighting == "equation" else 1.0
        # The minority rows among the training rows, which are sorted by label.
        labels = np.repeat(np.arange(self.c), counts.sizes)
        self.minority_rows = np.flatnonzero(np.isin(labels, self.minority))
        self.loss_names = self._loss_names()
        self.reserve(rows)
        # F of all training rows, of the last epoch: F stays until the next one.
        self.newest: tf.Tensor | None = None
        self.feature_pass = self.compiled(self._feature_pass, self.xla)
        self.game_pass = self.compiled(self._game_pass, True)

    def _loss_names(self) -> tuple[str, ...]:
        """By player and batch; only those of the players that there are."""
        d, g = self.D is not None, self.G is not None
        played = {
            "F": self.learns_features,
            "M_real": True,
            "M_generated": True,
            "D_real": d,
            "D_generated": d,
            "G_vs_M": g,
            "G_vs_D": g and d,
        }
        return tuple(name for name, there in played.items() if there)

    # ---- one turn of the loop of line 1 ------------------------------------

    def epoch(self, *data: tf.Tensor, steps: int) -> dict[str, float]:
        """`steps` minibatches for each of the two passes.

        Args:
          *data: images uint8 [n, h, w, c] or vectors float64 [n, d], sorted by label,
            and their labels int32 [n].
          steps: at most `steps_per_epoch`.

        Returns:
          The mean losses by `loss_names`.
        """
        images, labels = data
        count = tf.constant(steps, tf.int32)
        self.newest = None  # F is about to change; its memory is free for it
        losses: list[float] = []
        if self.learns_features:
            order = self.order(labels)
            losses.append(float(self.feature_pass(images, labels, order, count)))
        features = self.of_all(self.augmented_features, images)
        losses += self.played(features, labels, count)
        if not self.options.augment and self.table is None:
            self.newest = features
        return dict(zip(self.loss_names, losses, strict=True))

    def training_features(self, images: tf.Tensor) -> tf.Tensor:
        if self.newest is None:
            return super().training_features(images)
        return self.newest

    def played(
        self, features: tf.Tensor, labels: tf.Tensor, steps: tf.Tensor
    ) -> list[float]:
        """The losses of lines 6-16, played on the features of all training rows.

        Args:
          features: [n, d].
          labels: int32 [n].
          steps: minibatches.
        """
        order, class_points = self.order(labels), self.class_points(features)
        losses = self.game_pass(features, labels, order, steps, class_points)
        if self.sampler.working:
            self.sampler.working.store()
        return losses.numpy().tolist()

    def checkpoint(self) -> tf.train.Checkpoint:
        state = super().checkpoint()
        if self.sampler.working:
            state.working = self.sampler.working
        return state

    @tf.function
    def class_points(self, features: tf.Tensor) -> list:
        """The minority rows of `features` [n, d], laid out as the sampler needs them.

        Args:
          features: of all training rows, float32 [n, d].

        Returns:
          An entry for each minority class, in label order.
        """
        rows, drawn = self.minority_rows, self.sampler.draw()
        if drawn is not None:
            rows = tf.gather(rows, drawn)
        return self.sampler.prepare(tf.gather(features, rows))

    # ---- Algorithm 1 --------------------------------------------------------

    def _feature_pass(
        self, images: tf.Tensor, labels: tf.Tensor, order: tf.Tensor, steps: tf.Tensor
    ) -> tf.Tensor:
        k, total = 0, 0.0
        while k < steps:  # line 2
            x, y = tf.gather(images, order[k]), tf.gather(labels, order[k])
            total += self.feature_step(self.augmented(x), y)
            k += 1
        return total / tf.cast(steps, tf.float32)

    def feature_step(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """Lines 3-4: F by gradient descent on (M(F(B_d)), Y_d), M fixed.

        Args:
          x: the minibatch B_d, [b, h, w, c].
          y: its labels, int32 [b].

        Returns:
          The loss before the step.
        """
        one_hot, _ = class_targets(y, self.c)

        def loss(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
            return self.of_m(self.f(x), y)

        value = self.minimize("F", loss, x, one_hot)
        self.average("F")
        return value

    def _game_pass(
        self,
        features: tf.Tensor,
        labels: tf.Tensor,
        order: tf.Tensor,
        steps: tf.Tensor,
        class_points: list,
    ) -> tf.Tensor:
        """Mean losses, those of `loss_names` after F's."""
        total = tf.zeros(len(self.loss_names) - self.learns_features)
        k = 0
        while k < steps:  # line 6
            x, y = tf.gather(features, order[k]), tf.gather(labels, order[k])
            m_real, d_real = self.real_step(x, y)
            m_generated, d_generated = self.generated_step(class_points)
            fooled: tuple = ()
            if self.G is not None:
                fooled = self._generator_pass(class_points)
            losses = (m_real, m_generated, d_real, d_generated, *fooled)
            total += tf.stack([loss for loss in losses if loss is not None])
            k += 1
        return total / tf.cast(steps, tf.float32)

    def real_step(
        self, x: tf.Tensor, y: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Lines 7 and 9: M towards Y_d, D towards 1 on F(B_d), F fixed.

        Args:
          x: features F(B_d), [b, d].
          y: their labels Y_d, int32 [b].

        Returns:
          The losses of M and of D; None for a D that is not there.
        """
        one_hot, _ = class_targets(y, self.c)
        one = 1.0 - self._noise(self.b)
        m = self.minimize("M", self.of_m, x, one_hot)  # L_i1, L_i2
        self.average("M")
        if self.D is None:
            return m, None
        d = self.minimize("D", self.of_d, one, x, one_hot)  # L_i5
        return m, d

    def generated_step(self, class_points: list) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Lines 8, 10, 11: M towards Y_n, D towards 0 on G(B_n|Y_n), G fixed.

        Args:
          class_points: the minority rows, as `class_points` lays them out.

        Returns:
          As `real_step`.
        """
        slots, drawn = self.assign_labels()  # line 10
        slot_targets = tf.one_hot(slots, self.c)
        z = self.random.normal([len(slots), self.options.latent])  # line 8: B_n
        latents = LatentBatch(z, slot_targets, self.label_slots)
        samples = self.sampler.sample(latents, class_points, training=False)
        x, one_hot = tf.gather(samples, drawn), tf.gather(slot_targets, drawn)  # Y_n
        zero, mass = self._noise(self.b), self.generated_mass
        m = self.minimize(  # L_i3, L_i4
            "M", lambda *rows: mass * self.of_m(*rows), x, one_hot
        )
        self.average("M")
        if self.D is None:
            return m, None
        d = self.minimize(  # L_i6
            "D", lambda *rows: mass * self.of_d(*rows), zero, x, one_hot
        )
        return m, d

    def assign_labels(self) -> tuple[np.ndarray, tf.Tensor]:
        """Line 10: b labels, class i with probability proportional to P_c - P_i.

        Systematic sampling: one uniform draw places b equidistant points on the
        cumulated probabilities, so that each class gets floor or ceil of its expected
        number, and that number in the mean. The generator can then work class by
        class in slots of known size.

        Returns:
          The label of each slot [s], and the slots that were drawn [b].
        """
        slots = np.repeat(self.minority, self.label_slots)
        rank = np.concatenate([np.arange(n) for n in self.label_slots])
        place = np.repeat(np.arange(len(self.minority)), self.label_slots)
        points = tf.floor(self.label_edges + self.random.uniform([]))
        wanted = tf.gather(points[1:] - points[:-1], place)
        taken = tf.cast(rank.astype(np.float32) < wanted, tf.int32)
        return slots, tf.math.top_k(taken, self.b).indices

    def _generator_pass(self, class_points: list) -> tuple[tf.Tensor, tf.Tensor | None]:
        if self.options.generator_update == "algorithm":
            return self.generator_step(class_points)
        return self.per_class_generator_step(class_points)

    def generator_step(self, class_points: list) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Lines 12-15: G against M, then against D, on one batch B_g.

        "Equal probability" is made exact: every minority class gets
        ceil(b / (c - 1)) latents. A known number of rows a class is what lets
        each class meet its own points only.

        Args:
          class_points: the minority rows, as `class_points` lays them out.

        Returns:
          The losses against M and against D; None for a D that is not there.
        """
        k = math.ceil(self.b / len(self.minority))
        y = tf.constant(np.repeat(self.minority, k), tf.int32)  # line 13: Y_g
        z = self.random.normal([y.shape[0], self.options.latent])  # line 12: B_g
        one_hot, complement = class_targets(y, self.c)  # line 13: ones' complement

        latents = LatentBatch(z, one_hot, [k] * len(self.minority))

        def sample() -> tf.Tensor:
            return self.sampler.sample(latents, class_points, training=True)

        return self._minimize_generator(sample, one_hot, complement)

    def per_class_generator_step(
        self, class_points: list
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """The authors' program: ceil(b / c) latents a class, 2 (c - 1) updates.

        Args:
          class_points: the minority rows, as `class_points` lays them out.

        Returns:
          The mean losses against M and against D; None for a D that is not there.
        """
        k = math.ceil(self.b / self.c)
        losses = []
        for index, label in enumerate(self.minority):
            one_hot, complement = class_targets(tf.fill([k], int(label)), self.c)
            z = self.random.normal([k, self.options.latent])

            def sample(
                index: int = index, z: tf.Tensor = z, one_hot: tf.Tensor = one_hot
            ) -> tf.Tensor:
                t = self.G.get_layer("cTMU")([z, one_hot], training=True)
                return self.sampler.igu.one_class(t, class_points[index], index)

            losses.append(self._minimize_generator(sample, one_hot, complement))
        m, d = zip(*losses, strict=True)
        mean_d = None if self.D is None else tf.reduce_mean(tf.stack(d))
        return tf.reduce_mean(tf.stack(m)), mean_d

    def _minimize_generator(
        self, sample: Callable[[], tf.Tensor], one_hot: tf.Tensor, complement: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        one = tf.ones([one_hot.shape[0], 1])
        m = self.minimize(  # line 14: L_i7, L_i8; M fixed
            "G", lambda: self.against_m(one_hot, complement, self.M(sample()))
        )
        if self.D is None:
            return m, None
        d = self.minimize(  # line 15: L_i9; D fixed
            "G", lambda: self.loss(one, self.D([sample(), one_hot]))
        )
        return m, d

    def against_m(
        self, one_hot: tf.Tensor, complement: tf.Tensor, p: tf.Tensor
    ) -> tf.Tensor:
        """G's loss against M: its outputs towards the ones' complement.

        Args:
          one_hot: Y_g, [k, c].
          complement: its ones' complement, [k, c].
          p: M's outputs on G(B_g|Y_g), [k, c].

        Returns:
          A scalar.
        """
        return self.loss(complement, p)

    def _noise(self, rows: int) -> tf.Tensor:
        """[rows, 1] of U(0, label_noise): softens the targets of D."""
        if not self.options.label_noise:
            return tf.zeros([rows, 1])
        return self.random.uniform([rows, 1], maxval=self.options.label_noise)

"""Algorithm 1 of the paper, compiled.

Read beside the paper: `Game.feature_pass` is lines 2-5, `Game.game_pass` lines
6-16. F, M, D, G are handed in, never built here. Who learns is decided by the
variables that `Players._descend` differentiates for, one Adam a player, never by
`trainable` flags.
"""

from __future__ import annotations

import math

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.losses import class_targets
from gamo_tf.options import Options
from gamo_tf.players import Players
from gamo_tf.sources import SOURCES

# Columns of what an epoch returns: mean losses, by player and batch.
LOSS_NAMES = ("F", "M_real", "M_generated", "D_real", "D_generated", "G_vs_M", "G_vs_D")


class Game(Players):
    """The game of M, D and a source of generated features, over features F(x).

    Args:
      options: settings of the run.
      networks: F, M; D, if there is one; G, if the source learns.
      rows: training rows.
      source: a name of SOURCES: "convex" is the paper's G.
    """

    def __init__(
        self, options: Options, networks: list[keras.Model], rows: int, source: str
    ) -> None:
        super().__init__(options, networks, rows)
        self.D, self.G = self.networks.get("D"), self.networks.get("G")
        self.source = SOURCES[source](self.G, options.counts, self.random)
        counts = np.asarray(options.counts)
        small = self.small = np.flatnonzero(counts < counts.max())
        # Line 10: P(label) is proportional to P_c - P_i.
        law = (counts.max() - counts)[small] / (counts.max() - counts).sum()
        self.label_edges = tf.constant(np.cumsum([0, *law]) * self.b, tf.float32)
        self.label_slots = np.ceil(law * self.b).astype(int).tolist()
        # Eqs. 2-6 give generated points c P_c - 1 times the mass of real ones.
        equation = self.c * counts.max() / counts.sum() - 1
        self.generated_mass = equation if options.weighting == "equation" else 1.0
        # Points of the minority classes among the training rows, sorted by label.
        labels = np.repeat(np.arange(self.c), counts)
        self.minority_rows = np.flatnonzero(np.isin(labels, small))
        self.feature_pass = self.compiled(self._feature_pass, self.xla)
        self.game_pass = self.compiled(self._game_pass, True)

    @property
    def plays(self) -> list[bool]:
        """Which of LOSS_NAMES an epoch of this game fills."""
        d, g = self.D is not None, self.G is not None
        return [self.learns_features, True, True, d, d, g, g and d]

    # ---- one turn of the loop of line 1 ------------------------------------

    def epoch(self, images: tf.Tensor, labels: tf.Tensor, steps: int) -> np.ndarray:
        """`steps` minibatches (at most `steps_per_epoch`) for each pass.

        `images` uint8 [n, h, w, c] and `labels` int32 [n], sorted by label.
        Returns the mean losses in the order of LOSS_NAMES; NaN: not played.
        """
        steps = tf.constant(steps, tf.int32)
        played = np.full(len(LOSS_NAMES), np.nan)
        if self.learns_features:
            played[0] = self.feature_pass(images, labels, self._order(labels), steps)
        features = self.features(images)
        order, parts = self._order(labels), self.parts(features)
        played[1:] = self.game_pass(features, labels, order, steps, parts)
        return played

    @tf.function
    def parts(self, features: tf.Tensor) -> list:
        """What the source needs of the minority rows, laid out for the game pass.

        Not in there: XLA would make a view of a transposed copy.
        """
        return self.source.prepare(tf.gather(features, self.minority_rows))

    # ---- Algorithm 1 --------------------------------------------------------

    def _feature_pass(self, images, labels, order, steps) -> tf.Tensor:
        total = 0.0
        for k in tf.range(steps):  # line 2
            x, y = tf.gather(images, order[k]), tf.gather(labels, order[k])
            total += self._feature_step(x, y)
        return total / tf.cast(steps, tf.float32)

    def _feature_step(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """Lines 3-4: F by gradient descent on (M(F(B_d)), Y_d), M fixed."""
        own, _ = class_targets(y, self.c)
        value = self._descend(
            "F", lambda: self.loss(own, self.M(self.F(x, training=True)))
        )
        self._average("F")
        return value

    def _game_pass(self, features, labels, order, steps, parts) -> tf.Tensor:
        total = tf.zeros(6)
        for k in tf.range(steps):  # line 6
            x, y = tf.gather(features, order[k]), tf.gather(labels, order[k])
            real = self._real_step(x, y)
            generated = self._generated_step(parts)
            if self.G is None:
                fooled = (math.nan, math.nan)
            elif self.options.generator_update == "algorithm":
                fooled = self._generator_step(parts)
            else:
                fooled = self._per_class_generator_step(parts)
            m, d = zip(real, generated, strict=True)
            total += tf.stack([*m, *d, *fooled])
        return total / tf.cast(steps, tf.float32)

    def _real_step(self, x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Lines 7 and 9: M towards Y_d, D towards 1 on F(B_d), F fixed."""
        own, _ = class_targets(y, self.c)
        one = 1.0 - self._noise(self.b)
        m = self._descend("M", lambda: self.loss(own, self.M(x)))  # L_i1, L_i2
        self._average("M")
        if self.D is None:
            return m, math.nan
        d = self._descend("D", lambda: self.loss(one, self.D([x, own])))  # L_i5
        return m, d

    def _generated_step(self, parts: list) -> tuple[tf.Tensor, tf.Tensor]:
        """Lines 8, 10, 11: M towards Y_n, D towards 0 on G(B_n|Y_n), G fixed."""
        slots, chosen = self._assign_labels()  # line 10
        one_hot = tf.one_hot(slots, self.c)
        z = self.random.normal([len(slots), self.options.latent])  # line 8: B_n
        made = self.source.make(z, one_hot, parts, self.label_slots, training=False)
        x, own = tf.gather(made, chosen), tf.gather(one_hot, chosen)  # Y_n
        zero, mass = self._noise(self.b), self.generated_mass
        m = self._descend("M", lambda: mass * self.loss(own, self.M(x)))  # L_i3, L_i4
        self._average("M")
        if self.D is None:
            return m, math.nan
        d = self._descend("D", lambda: mass * self.loss(zero, self.D([x, own])))  # L_i6
        return m, d

    def _assign_labels(self) -> tuple[np.ndarray, tf.Tensor]:
        """Line 10: b labels, class i with probability proportional to P_c - P_i.

        Systematic sampling: one uniform draw places b equidistant points on the
        cumulated law, so that each class gets floor or ceil of its expected
        number, and that number in the mean. The generator can then work class by
        class in `slots` of known size; `chosen` [b] are the slots drawn.
        """
        slots = np.repeat(self.small, self.label_slots)
        rank = np.concatenate([np.arange(n) for n in self.label_slots])
        place = np.repeat(np.arange(len(self.small)), self.label_slots)
        points = tf.floor(self.label_edges + self.random.uniform([]))
        drawn = tf.gather(points[1:] - points[:-1], place)
        taken = tf.cast(rank.astype(np.float32) < drawn, tf.int32)
        return slots, tf.math.top_k(taken, self.b).indices

    def _generator_step(self, parts: list) -> tuple[tf.Tensor, tf.Tensor]:
        """Lines 12-15: G against M, then against D, on one batch B_g.

        "Equal probability" is made exact: every minority class gets
        ceil(b / (c - 1)) latents. A known number of rows a class is what lets
        each class meet its own points only.
        """
        k = math.ceil(self.b / len(self.small))
        y = tf.constant(np.repeat(self.small, k), tf.int32)  # line 13: Y_g
        z = self.random.normal([len(y), self.options.latent])  # line 12: B_g
        own, complement = class_targets(y, self.c)  # line 13: its ones' complement

        def sample() -> tf.Tensor:
            rows = [k] * len(self.small)
            return self.source.make(z, own, parts, rows, training=True)

        return self._descend_generator(sample, own, complement)

    def _per_class_generator_step(self, parts: list) -> tuple[tf.Tensor, tf.Tensor]:
        """The authors' program: ceil(b / c) latents a class, 2 (c - 1) updates."""
        k = math.ceil(self.b / self.c)
        totals = []
        for index, label in enumerate(self.small):
            own, complement = class_targets(tf.fill([k], int(label)), self.c)
            z = self.random.normal([k, self.options.latent])

            def sample(index=index, z=z, own=own) -> tf.Tensor:
                t = self.G.get_layer("cTMU")([z, own], training=True)
                return self.G.get_layer("IGU").one_class(t, parts[index], index)

            totals.append(self._descend_generator(sample, own, complement))
        m, d = zip(*totals, strict=True)
        return tf.reduce_mean(tf.stack(m)), tf.reduce_mean(tf.stack(d))

    def _descend_generator(
        self, sample, own: tf.Tensor, complement: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        one = tf.ones([own.shape[0], 1])
        m = self._descend(  # line 14: L_i7, L_i8; M fixed
            "G", lambda: self.loss(complement, self.M(sample()))
        )
        if self.D is None:
            return m, math.nan
        d = self._descend(  # line 15: L_i9; D fixed
            "G", lambda: self.loss(one, self.D([sample(), own]))
        )
        return m, d

    def _noise(self, rows: int) -> tf.Tensor:
        """[rows, 1] of U(0, --label-noise): softens D's targets."""
        if not self.options.label_noise:
            return tf.zeros([rows, 1])
        return self.random.uniform([rows, 1], maxval=self.options.label_noise)

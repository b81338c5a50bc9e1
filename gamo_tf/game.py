"""Algorithm 1 of the paper, compiled.

Read beside the paper: `Game.feature_pass` is lines 2-5, `Game.game_pass` lines
6-16. F, M, D, G are handed in, never built here. Who learns is decided by the
variables that `_descend` differentiates for, one Adam a player, never by
`trainable` flags.
"""

from __future__ import annotations

import math

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.averaging import Average
from gamo_tf.chunks import in_chunks
from gamo_tf.losses import LOSSES, class_targets
from gamo_tf.optimizers import FusedAdam
from gamo_tf.options import Options

# Columns of what an epoch returns: mean losses, by player and batch.
LOSS_NAMES = ("F", "M_real", "M_generated", "D_real", "D_generated", "G_vs_M", "G_vs_D")


class Game(tf.Module):
    """The players, their optimizers and the random state: all that a run is.

    Args:
      options: settings of the run.
      F, M: feature extractor and classifier.
      D, G: discriminator and convex generator; both None trains F and M jointly,
        the plain classifier.
    """

    def __init__(
        self,
        options: Options,
        F: keras.Model,
        M: keras.Model,
        D: keras.Model | None = None,
        G: keras.Model | None = None,
    ) -> None:
        super().__init__()
        self.options = options
        self.F, self.M, self.D, self.G = F, M, D, G
        self.players = {p.name: p for p in (F, M, D, G) if p and p.trainable_variables}
        self.optimizers = {
            name: FusedAdam(options.learning_rate, beta_1=options.beta_1)
            for name in self.players
        }
        for name, player in self.players.items():  # before any tracing
            self.optimizers[name].build(player.trainable_variables)
        self.averages = {
            name: Average(self.players[name], options.ema)
            for name in ("F", "M")
            if options.ema and name in self.players
        }
        self.random = tf.random.Generator.from_seed(options.seed)

        counts = np.asarray(options.counts)
        self.c, self.b = len(counts), options.batch_size
        self.steps_per_epoch = math.ceil(counts.sum() / self.b)  # u = v = ceil(n / b)
        self.loss = LOSSES[options.loss]
        if G is not None:
            self._prepare(counts)

        # XLA halves the time of the small dense networks; its convolutions are
        # slower than oneDNN's on a CPU (docs/results.md).
        xla = bool(tf.config.list_physical_devices("GPU")) or not self.learns_features
        self.feature_pass = tf.function(self._feature_pass, jit_compile=xla)
        self.classifier_pass = tf.function(self._classifier_pass, jit_compile=xla)
        self.game_pass = tf.function(self._game_pass, jit_compile=True)

    def _prepare(self, counts: np.ndarray) -> None:
        """What the game needs to know of the classes' sizes."""
        small = self.small = np.flatnonzero(counts < counts.max())
        # Line 10: P(label) is proportional to P_c - P_i.
        law = (counts.max() - counts)[small] / (counts.max() - counts).sum()
        self.label_edges = tf.constant(np.cumsum([0, *law]) * self.b, tf.float32)
        self.label_slots = np.ceil(law * self.b).astype(int).tolist()
        # Eqs. 2-6 give generated points c P_c - 1 times the mass of real ones.
        weighted = self.options.weighting == "equation"
        equation = self.c * counts.max() / counts.sum() - 1
        self.generated_mass = equation if weighted else 1.0
        # Points of the minority classes among the training rows, sorted by label.
        labels = np.repeat(np.arange(self.c), counts)
        self.minority_rows = np.flatnonzero(np.isin(labels, small))

    @property
    def plays(self) -> list[bool]:
        """Which of LOSS_NAMES an epoch of this game fills."""
        game = self.G is not None
        return [game and self.learns_features, True, *[game] * 5]

    @property
    def learns_features(self) -> bool:
        return "F" in self.players

    def checkpoint(self) -> tf.train.Checkpoint:
        """All weights, all optimizer slots, averages and the random state."""
        return tf.train.Checkpoint(
            random=self.random,
            networks={p.name: p for p in (self.F, self.M, self.D, self.G) if p},
            optimizers=self.optimizers,
            averages=self.averages,
        )

    # ---- one turn of the loop of line 1 ------------------------------------

    def epoch(self, images: tf.Tensor, labels: tf.Tensor, steps: int) -> np.ndarray:
        """`steps` minibatches (at most `steps_per_epoch`) for each pass.

        `images` uint8 [n, h, w, c] and `labels` int32 [n], sorted by label.
        Returns the mean losses in the order of LOSS_NAMES; NaN: not played.
        """
        steps = tf.constant(steps, tf.int32)
        played = np.full(len(LOSS_NAMES), np.nan)
        if self.G is None:
            loss = self.classifier_pass(images, labels, self._order(labels), steps)
            played[1] = loss
            return played
        if self.learns_features:
            played[0] = self.feature_pass(images, labels, self._order(labels), steps)
        features = self.features(images)
        order = self._order(labels)
        played[1:] = self.game_pass(features, labels, order, steps)
        return played

    @tf.function
    def _order(self, labels: tf.Tensor) -> tf.Tensor:
        """A fresh permutation of the rows as minibatches [v, b]; the last wraps."""
        n = tf.shape(labels)[0]
        seed = self.random.make_seeds(1)[:, 0]
        rows = tf.random.experimental.stateless_shuffle(tf.range(n), seed)
        wrapped = tf.range(self.steps_per_epoch * self.b) % n
        return tf.reshape(tf.gather(rows, wrapped), [self.steps_per_epoch, self.b])

    @tf.function(reduce_retracing=True)
    def features(self, images: tf.Tensor) -> tf.Tensor:
        """F over a whole set, [n, h, w, c] -> [n, d], in chunks."""
        return in_chunks(lambda x: self.F(x, training=False), images)

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
        value = self._descend("F", lambda: self.loss(own, self.M(self.F(x))))
        self._average("F")
        return value

    def _game_pass(self, features, labels, order, steps) -> tf.Tensor:
        points = tf.gather(features, self.minority_rows)
        parts = self.G.get_layer("IGU").split(points)
        total = tf.zeros(6)
        for k in tf.range(steps):  # line 6
            x, y = tf.gather(features, order[k]), tf.gather(labels, order[k])
            real = self._real_step(x, y)
            generated = self._generated_step(parts)
            if self.options.generator_update == "algorithm":
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
        d = self._descend("D", lambda: self.loss(one, self.D([x, own])))  # L_i5
        return m, d

    def _generated_step(self, parts: list) -> tuple[tf.Tensor, tf.Tensor]:
        """Lines 8, 10, 11: M towards Y_n, D towards 0 on G(B_n|Y_n), G fixed."""
        slots, chosen = self._assign_labels()  # line 10
        one_hot = tf.one_hot(slots, self.c)
        z = self.random.normal([len(slots), self.options.latent])  # line 8: B_n
        t = self.G.get_layer("cTMU")([z, one_hot], training=False)
        made = self.G.get_layer("IGU").stratified(t, parts, self.label_slots)
        x, own = tf.gather(made, chosen), tf.gather(one_hot, chosen)  # Y_n
        zero, mass = self._noise(self.b), self.generated_mass
        m = self._descend("M", lambda: mass * self.loss(own, self.M(x)))  # L_i3, L_i4
        self._average("M")
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
            t = self.G.get_layer("cTMU")([z, own], training=True)
            return self.G.get_layer("IGU").stratified(t, parts, [k] * len(self.small))

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
        d = self._descend(  # line 15: L_i9; D fixed
            "G", lambda: self.loss(one, self.D([sample(), own]))
        )
        return m, d

    # ---- the plain classifier -----------------------------------------------

    def _classifier_pass(self, images, labels, order, steps) -> tf.Tensor:
        total = 0.0
        for k in tf.range(steps):
            x, y = tf.gather(images, order[k]), tf.gather(labels, order[k])
            total += self._classifier_step(x, y)
        return total / tf.cast(steps, tf.float32)

    def _classifier_step(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """F and M together by gradient descent on (M(F(B_d)), Y_d)."""
        own, _ = class_targets(y, self.c)
        both = ["F", "M"] if self.learns_features else ["M"]
        value = self._descend(both, lambda: self.loss(own, self.M(self.F(x))))
        for name in both:
            self._average(name)
        return value

    # ---- how a player moves ---------------------------------------------------

    def _descend(self, names: str | list[str], loss) -> tf.Tensor:
        """One Adam step of the named players, and of nobody else, on `loss()`."""
        names = [names] if isinstance(names, str) else names
        moved = [self.players[name].trainable_variables for name in names]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for variables in moved for v in variables])
            value = loss()
        gradients = tape.gradient(value, [[v.value for v in vs] for vs in moved])
        for name, grads, variables in zip(names, gradients, moved, strict=True):
            self.optimizers[name].apply_gradients(zip(grads, variables, strict=True))
        return value

    def _noise(self, rows: int) -> tf.Tensor:
        """[rows, 1] of U(0, --label-noise): softens D's targets."""
        if not self.options.label_noise:
            return tf.zeros([rows, 1])
        return self.random.uniform([rows, 1], maxval=self.options.label_noise)

    def _average(self, name: str) -> None:
        if name in self.averages:
            self.averages[name].update()

"""What trainings of F and M share, alone or in a game."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from types import MethodType
from typing import Any

import keras
import tensorflow as tf

from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options, spec_of
from gamo_tf.errors import UserError, setting
from gamo_tf.networks.batched import in_chunks
from gamo_tf.networks.mapped_features import MappedFeatures, is_large
from gamo_tf.training import replicas
from gamo_tf.training.augmentation import shift_and_mirror
from gamo_tf.training.ema import ExponentialMovingAverage
from gamo_tf.training.losses import LOSSES
from gamo_tf.training.optimizer import FusedAdam
from gamo_tf.training.row_order import rows_of, shuffled
from gamo_tf.training.trainer import Trainer

COMPILED_FROM = 50  # iterations
# Iterations from which on XLA, on a CPU, saves more time than it takes to compile.
XLA_FROM = 1000
# The loss of F's step in half precision, whose smallest number is 6e-8. A static factor
# is enough, and safe with several devices, which a factor found by trial is not: F's
# gradients of a mean over rows stay far below the largest number, 65,504.
_HALF_SCALE = 1024.0
_WARM_UP = 0.1  # share of a training in which the rate of a pretrained F rises


def on_gpu() -> bool:
    """Whether TensorFlow has a GPU to train on."""
    return bool(tf.config.list_physical_devices("GPU"))


class FeatureTrainer(Trainer):
    """A training of F and M, alone or with other players, on labelled rows.

    A player is a network with trainable variables.

    Args:
      options: settings of the run.
      networks: F and M and, in a game, D and G, by their names.
      rows: training rows n. An epoch has ceil(n / b) minibatches.

    Attributes:
      F, M: the networks of those names.
      D: the discriminator, if there is one.
      G: the generator; None where nothing generates or nothing is learned for it.
      averages: exponential moving averages of F and M, if the options ask for them.
      c, b: number of classes and size of a minibatch.
      loss: the run's loss, of `losses.LOSSES`.
      m_loss: that of M; the same, where a method has no other.
      chunk: rows that F takes at a time outside of training; None: as `in_chunks`.
      table: float32 [m, ...], what positions of views stand for; None: rows are what F
        takes.
    """

    def __init__(
        self, options: Options, networks: Sequence[keras.Model], rows: int
    ) -> None:
        self.options = options
        super().__init__(
            {network.name: network for network in networks},
            {
                network.name: network.trainable_variables
                for network in networks
                if network.trainable_variables
            },
            seed=options.seed,
            learning_rate=options.learning_rate,
            beta_1=options.beta_1,
        )
        self.F, self.M = self.networks["F"], self.networks["M"]
        self.D: keras.Model = self.networks.get("D")
        self.G: keras.Model = self.networks.get("G")
        with replicas.scope():
            self.averages: dict[str, ExponentialMovingAverage] = {
                name: ExponentialMovingAverage(self.networks[name], options.ema)
                for name in ("F", "M")
                if options.ema and name in self.players
            }
        self._file: MappedFeatures | None = None
        self.table: tf.Tensor | None = None
        # A pretrained network makes its images larger inside.
        pretrained = options.pretrained and options.learns_features
        self.chunk = options.batch_size if pretrained else None
        self.c, self.b = len(options.counts), options.batch_size
        self.iterations = options.iterations
        self.steps_per_epoch = math.ceil(rows / self.b)
        self.loss = self.m_loss = LOSSES[options.loss]
        # Gradients that half precision would round to 0 are far from it, scaled so.
        self.loss_scale = _HALF_SCALE if options.precision == "mixed_float16" else 1.0
        self.mirror = options.augment and spec_of(options).mirror

    @property
    def learns_features(self) -> bool:
        """Whether F has anything to learn."""
        return "F" in self.players

    @property
    def f_updates(self) -> int:
        """The steps that F's Adam has made."""
        if not self.learns_features:
            return 0
        return int(self.optimizers["F"].iterations.numpy())

    def m_updates(self, iterations: int) -> int:
        """The steps that M has made.

        Args:
          iterations: minibatches that have been trained.
        """
        return iterations * METHODS[self.options.method].m_updates

    @property
    def xla(self) -> bool:
        """Whether XLA is worth its compilation for the pass through F.

        It halves the time of the small dense networks; its convolutions are slower
        than oneDNN's on a CPU (docs/results.md).
        """
        return on_gpu() or not self.learns_features

    def compiled(self, function: Callable, jit_compile: bool) -> Callable:
        """`function` as a TensorFlow graph, unless the training is so short that
        compiling would take longer than it saves.

        Args:
          function: a method of this trainer, of tensors. Loops and branches over
            tensors are its own, and not of what it calls.
          jit_compile: whether XLA compiles it, where that pays and the options leave
            it open.

        Raises:
          UserError: for XLA that was asked for, with several devices.
        """
        asked = self.options.jit
        if asked == "on" and self.strategy is not None:
            # XLA has no step of several replicas in one program.
            raise UserError(
                f"{setting('jit')} on: not with {setting('strategy')}. Leave one out."
            )
        if asked != "on" and self.options.iterations < COMPILED_FROM:
            return function
        pays = on_gpu() or self.options.iterations >= XLA_FROM
        jit_compile &= pays and self.strategy is None
        if asked != "auto":
            jit_compile = asked == "on"
        # Only the loop of a pass is Python that AutoGraph has to convert. What it calls
        # is traced as it is: to convert it too takes longer than the tracing.
        loop = MethodType(tf.autograph.to_graph(function, recursive=False), self)
        return tf.function(loop, autograph=False, jit_compile=jit_compile)

    def adam(self, name: str) -> FusedAdam:
        """The optimizer of a player. Behind a pretrained network the rates of F and M
        fall to 0 by a cosine; F has its own, which rises over the first tenth.

        Args:
          name: of the player.
        """
        options = self.options
        if name not in ("F", "M") or not options.pretrained:
            return super().adam(name)
        steps, cosine = options.iterations, keras.optimizers.schedules.CosineDecay
        if name == "M":
            updates = steps * METHODS[options.method].m_updates
            rate = cosine(options.learning_rate, updates)
        else:
            warm_up = math.ceil(_WARM_UP * steps)
            rate = cosine(
                0.0,
                max(1, steps - warm_up),
                warmup_target=options.backbone_rate,
                warmup_steps=warm_up,
            )
        return FusedAdam(rate, beta_1=options.beta_1)

    def minimize(self, names: str | list[str], loss: Callable, *rows: Any) -> Any:
        """As that of `Trainer`; the loss of M has its weight decay in it."""
        if self.options.weight_decay and "M" in names:
            loss = partial(self._decayed, loss)
        return super().minimize(names, loss, *rows)

    def _decayed(self, loss: Callable, *rows: tf.Tensor) -> Any:
        """A loss plus the weight decay times the sum of squares of M's kernels."""
        kernels = [w for w in self.players["M"] if len(w.shape) > 1]
        decay = self.options.weight_decay * tf.add_n(
            [tf.reduce_sum(tf.square(w.value)) for w in kernels]
        )
        found = loss(*rows)
        if isinstance(found, tuple):
            return found[0] + decay, *found[1:]
        return found + decay

    def f(self, x: tf.Tensor) -> tf.Tensor:
        """F of a minibatch that it learns from. A pretrained network always runs at
        inference: its batch statistics are those of its own training.

        Args:
          x: [b, ...].

        Returns:
          Features [b, d].
        """
        return self.F(x, training=not self.options.pretrained)

    def checkpoint(self) -> tf.train.Checkpoint:
        state = super().checkpoint()
        state.averages = self.averages
        return state

    @tf.function
    def order(self, labels: tf.Tensor) -> tf.Tensor:
        """A fresh permutation of the rows as minibatches; the last one wraps around.

        Args:
          labels: [n], of which only the number counts.

        Returns:
          Rows int32 [steps_per_epoch, b].
        """
        return self.minibatches(tf.range(tf.shape(labels)[0]))

    def minibatches(self, rows: tf.Tensor) -> tf.Tensor:
        """All of some rows in a fresh order, as minibatches; the last one wraps around.

        Args:
          rows: int32, at most as many as the minibatches of an epoch have.

        Returns:
          int32 [steps_per_epoch, b].
        """
        rows = shuffled(self.random, rows)
        wrapped = tf.range(self.steps_per_epoch * self.b) % tf.size(rows)
        return tf.reshape(tf.gather(rows, wrapped), [self.steps_per_epoch, self.b])

    @tf.function
    def balanced_order(self) -> tf.Tensor:
        """Minibatches [v, b] of `balanced_rows`."""
        return self.balanced_rows([self.steps_per_epoch, self.b])

    def balanced_rows(self, shape: list[int]) -> tf.Tensor:
        """Rows drawn with replacement: a class uniformly, then one of its rows.

        Args:
          shape: of the result.

        Returns:
          Rows int32 of that shape, of training rows that are sorted by label.
        """
        drawn = self.random.uniform(shape, maxval=self.c, dtype=tf.int32)
        return rows_of(self.random, tf.constant(self.options.counts), drawn)

    @tf.function(reduce_retracing=True)
    def features(self, images: tf.Tensor) -> tf.Tensor:
        """F over a whole set, in chunks.

        Args:
          images: [n, h, w, c], or vectors [n, d].

        Returns:
          Features [n, d].
        """
        return in_chunks(
            lambda x: self.F(self.first_views(x), training=False), images, self.chunk
        )

    def first_views(self, images: tf.Tensor) -> tf.Tensor:
        """What F takes: rows as they are, or of positions of views the first ones.

        Args:
          images: [b, ...].
        """
        if self.table is None or images.dtype != tf.int32:
            return images
        return tf.gather(self.table, images[:, 0])

    def of_all(self, extract: Callable, images: tf.Tensor) -> tf.Tensor:
        """Features of all training rows; many of them lie in a file, on a CPU.

        Args:
          extract: `features` or `augmented_features`.
          images: all of them, [n, h, w, c], or vectors [n, d].

        Returns:
          Features [n, d], until the next call: a file has them once.
        """
        self.reserve(len(images))
        return self._file.filled(extract, images) if self._file else extract(images)

    def reserve(self, n: int) -> None:
        """Take the room for `of_all`, where it is needed.

        Args:
          n: rows.

        Raises:
          UserError: the disk has no room for their features.
        """
        width = self.F.output_shape[1]
        if self._file is None and not on_gpu() and is_large(n, width):
            self._file = MappedFeatures(n, width)

    def training_features(self, images: tf.Tensor) -> tf.Tensor:
        """F over the training rows as they are, which some trainers know already.

        Args:
          images: all of them, [n, h, w, c], or vectors [n, d].

        Returns:
          Features [n, d].
        """
        return self.of_all(self.features, images)

    @tf.function(reduce_retracing=True)
    def augmented_features(self, images: tf.Tensor) -> tf.Tensor:
        """`features`, of the images as this look at them shows them.

        Args:
          images: [n, h, w, c], or vectors [n, d].

        Returns:
          Features [n, d].
        """
        return in_chunks(
            lambda x: self.F(self.augmented(x), training=False), images, self.chunk
        )

    def augmented(self, images: tf.Tensor) -> tf.Tensor:
        """Images as this look at them shows them, where the options ask for it.

        Args:
          images: [b, h, w, c]; vectors [b, d] stay as they are. Of positions of views
            int32 [b, k] (see `feature_stage.Views`) it draws a view for each.
        """
        if self.table is not None:
            k = self.random.uniform(tf.shape(images)[:1], 0, images.shape[1], tf.int32)
            return tf.gather(self.table, tf.gather(images, k, batch_dims=1))
        if not self.options.augment or len(images.shape) != 4:
            return images
        return shift_and_mirror(self.random, images, self.mirror)

    def of_m(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """M's loss on features x [b, d], towards the labels y [b, c]."""
        return self.m_loss(y, self.M(x))

    def of_d(self, target: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """D's loss on features x [b, d] of the classes y [b, c], towards [b, 1]."""
        return self.loss(target, self.D([x, y]))

    def average(self, name: str) -> None:
        """Let the moving average of a player follow, if it has one.

        Args:
          name: of the player.
        """
        if name in self.averages:
            self.averages[name].update()

"""What the one loop asks of a training, and what trainings of F and M share."""

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
from gamo_tf.networks.batched import in_chunks
from gamo_tf.training import replicas
from gamo_tf.training.augmentation import shift_and_mirror
from gamo_tf.training.ema import ExponentialMovingAverage
from gamo_tf.training.losses import LOSSES
from gamo_tf.training.optimizer import FusedAdam, minimize
from gamo_tf.training.row_order import shuffled

COMPILED_FROM = 50  # iterations
# Iterations from which on XLA, on a CPU, saves more time than it takes to compile.
XLA_FROM = 1000


def on_gpu() -> bool:
    """Whether TensorFlow has a GPU to train on."""
    return bool(tf.config.list_physical_devices("GPU"))


class Trainer(tf.Module):
    """A training that `loop.run_loop` can run.

    Every player has its own Adam. Who learns is decided by the variables that
    `minimize` moves; nobody's `trainable` flag is ever touched.

    Args:
      networks: all networks by name.
      players: the variables of those that learn, by name.
      seed: of the random state.
      learning_rate: Adam's.
      beta_1: Adam's.

    Attributes:
      optimizers: the Adam of each player.
      random: the state that all draws of the training come from.
      strategy: of `replicas.using`, by which minibatches are shared out; None: one
        device has them.
      loss_names: of the losses that `epoch` returns.
      iterations: minibatches of the whole training.
      steps_per_epoch: the most minibatches that one call of `epoch` trains.
      parts: iterations at which another part of the training begins. An epoch is cut
        there, so that every part has all the iterations that it should have.
    """

    loss_names: tuple[str, ...]
    iterations: int
    steps_per_epoch: int
    parts: tuple[int, ...] = ()

    def __init__(
        self,
        networks: dict[str, keras.Model],
        players: dict[str, list[keras.Variable]],
        *,
        seed: int,
        learning_rate: float,
        beta_1: float = 0.9,
    ) -> None:
        super().__init__()
        self.networks, self.players = networks, players
        self.strategy = replicas.present()
        with replicas.scope():
            self.optimizers = {
                name: FusedAdam(learning_rate, beta_1=beta_1) for name in players
            }
            # Slots have to exist before anything is traced.
            for name, variables in players.items():
                self.optimizers[name].build(variables)
        self.random = replicas.SharedRandom.from_seed(seed)

    def epoch(self, *data: tf.Tensor, steps: int) -> dict[str, float]:
        """Train `steps` minibatches.

        Args:
          *data: the training set, in the form that the subclass expects.
          steps: 1 to `steps_per_epoch`.

        Returns:
          The mean of every loss over the minibatches, by `loss_names`.
        """
        raise NotImplementedError

    def finish(self) -> None:
        """What is left to do after the last minibatch, before the last evaluation and
        checkpoint."""

    def checkpoint(self) -> tf.train.Checkpoint:
        """All that a resumed training needs to go on exactly: the weights, all
        optimizer slots and the random state."""
        return tf.train.Checkpoint(
            random=self.random, networks=self.networks, optimizers=self.optimizers
        )

    def minimize(self, names: str | list[str], loss: Callable, *rows: tf.Tensor) -> Any:
        """One Adam step of the named players, and of nobody else, on `loss(*rows)`.

        Args:
          names: of one player or several.
          loss: computes the loss, a mean over rows, or a tuple of that and of one more
            tensor [b, ...].
          *rows: of the minibatch, [b, ...] each, which replicas share out. What else
            `loss` reads, all of them have; without rows all work out the same.

        Returns:
          What `loss` gives before the step.
        """
        names = [names] if isinstance(names, str) else names
        moved = [(self.optimizers[name], self.players[name]) for name in names]
        if self.strategy is None:
            return minimize(moved, partial(loss, *rows))
        n = self.strategy.num_replicas_in_sync

        def step(*rows: tf.Tensor) -> Any:
            return minimize(moved, partial(loss, *map(replicas.own_rows, rows)), n)

        found = self.strategy.run(step, args=rows)
        value = found[0] if isinstance(found, tuple) else found
        value = self.strategy.reduce("MEAN", value, axis=None)
        if not isinstance(found, tuple):
            return value
        part = self.strategy.experimental_local_results(found[1])[0]
        more = self.strategy.gather(found[1], axis=0)
        return value, tf.ensure_shape(more, [rows[0].shape[0], *part.shape[1:]])


class FeatureTrainer(Trainer):
    """A training of F and M, alone or with other players, on labelled rows.

    A player is a network with trainable variables.

    Args:
      options: settings of the run.
      networks: F and M and, in a game, D and G, by their names.
      rows: training rows n. An epoch has ceil(n / b) minibatches.

    Attributes:
      F, M: the networks of those names.
      G: the generator; None where nothing generates or nothing is learned for it.
      averages: exponential moving averages of F and M, if the options ask for them.
      c, b: number of classes and size of a minibatch.
      loss: the run's loss, of `losses.LOSSES`.
    """

    def __init__(
        self, options: Options, networks: Sequence[keras.Model], rows: int
    ) -> None:
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
        self.options = options
        self.F, self.M = self.networks["F"], self.networks["M"]
        self.G: keras.Model = self.networks.get("G")
        with replicas.scope():
            self.averages: dict[str, ExponentialMovingAverage] = {
                name: ExponentialMovingAverage(self.networks[name], options.ema)
                for name in ("F", "M")
                if options.ema and name in self.players
            }
        self.c, self.b = len(options.counts), options.batch_size
        self.iterations = options.iterations
        self.steps_per_epoch = math.ceil(rows / self.b)
        self.loss = LOSSES[options.loss]
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
          jit_compile: whether XLA compiles it, where that pays.
        """
        if self.options.iterations < COMPILED_FROM:
            return function
        pays = on_gpu() or self.options.iterations >= XLA_FROM
        # Only the loop of a pass is Python that AutoGraph has to convert. What it calls
        # is traced as it is: to convert it too takes longer than the tracing.
        loop = MethodType(tf.autograph.to_graph(function, recursive=False), self)
        # XLA has no step of several replicas in one program.
        pays &= self.strategy is None
        return tf.function(loop, autograph=False, jit_compile=jit_compile and pays)

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
        counts = tf.constant(self.options.counts)
        starts = tf.cumsum(counts, exclusive=True)
        drawn = self.random.uniform(shape, maxval=self.c, dtype=tf.int32)
        share = self.random.uniform(shape)
        sizes = tf.gather(counts, drawn)
        place = tf.cast(share * tf.cast(sizes, tf.float32), tf.int32)
        place = tf.minimum(place, sizes - 1)  # share * size can round up
        return tf.gather(starts, drawn) + place

    @tf.function(reduce_retracing=True)
    def features(self, images: tf.Tensor) -> tf.Tensor:
        """F over a whole set, in chunks.

        Args:
          images: [n, h, w, c], or vectors [n, d].

        Returns:
          Features [n, d].
        """
        return in_chunks(lambda x: self.F(x, training=False), images)

    @tf.function(reduce_retracing=True)
    def augmented_features(self, images: tf.Tensor) -> tf.Tensor:
        """`features`, of the images as this look at them shows them.

        Args:
          images: [n, h, w, c], or vectors [n, d].

        Returns:
          Features [n, d].
        """
        return in_chunks(lambda x: self.F(self.augmented(x), training=False), images)

    def augmented(self, images: tf.Tensor) -> tf.Tensor:
        """Images as this look at them shows them, where the options ask for it.

        Args:
          images: [b, h, w, c]; vectors [b, d] stay as they are.
        """
        if not self.options.augment or len(images.shape) != 4:
            return images
        return shift_and_mirror(self.random, images, self.mirror)

    def average(self, name: str) -> None:
        """Let the moving average of a player follow, if it has one.

        Args:
          name: of the player.
        """
        if name in self.averages:
            self.averages[name].update()

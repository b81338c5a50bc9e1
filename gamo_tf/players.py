"""What every training has: networks, one Adam a player, averages, random state."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import tensorflow as tf

from gamo_tf.averaging import Average
from gamo_tf.chunks import in_chunks
from gamo_tf.losses import LOSSES
from gamo_tf.optimizers import FusedAdam, descend
from gamo_tf.options import Options

COMPILED_FROM = 50  # iterations


class Players(tf.Module):
    """All that a run is, and how a player moves; when is up to the subclasses.

    Args:
      options: settings of the run.
      networks: F, M and, in a game, D and G. Those with trainable variables
        are the players; nobody's `trainable` flag is ever touched.
      rows: training rows n: an epoch has ceil(n / b) minibatches.
    """

    def __init__(
        self, options: Options, networks: list[keras.Model], rows: int
    ) -> None:
        super().__init__()
        self.options = options
        self.networks = {network.name: network for network in networks}
        self.F, self.M = self.networks["F"], self.networks["M"]
        self.players = {
            name: p for name, p in self.networks.items() if p.trainable_variables
        }
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
        self.c, self.b = len(options.counts), options.batch_size
        self.steps_per_epoch = math.ceil(rows / self.b)
        self.loss = LOSSES[options.loss]

    @property
    def learns_features(self) -> bool:
        return "F" in self.players

    @property
    def xla(self) -> bool:
        """XLA halves the time of the small dense networks; its convolutions are
        slower than oneDNN's on a CPU (docs/results.md)."""
        return bool(tf.config.list_physical_devices("GPU")) or not self.learns_features

    def compiled(self, function: Callable, jit_compile: bool) -> Callable:
        """`function` as a TensorFlow graph; as it is for a training so short that
        compiling would take longer."""
        if self.options.iterations < COMPILED_FROM:
            return function
        return tf.function(function, jit_compile=jit_compile)

    def checkpoint(self) -> tf.train.Checkpoint:
        """All weights, all optimizer slots, averages and the random state."""
        return tf.train.Checkpoint(
            random=self.random,
            networks=self.networks,
            optimizers=self.optimizers,
            averages=self.averages,
        )

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

    def _descend(self, names: str | list[str], loss) -> tf.Tensor:
        """One Adam step of the named players, and of nobody else, on `loss()`."""
        names = [names] if isinstance(names, str) else names
        moved = [
            (self.optimizers[name], self.players[name].trainable_variables)
            for name in names
        ]
        return descend(moved, loss)

    def _average(self, name: str) -> None:
        if name in self.averages:
            self.averages[name].update()

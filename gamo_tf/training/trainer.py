"""What the one loop asks of a training: players, their steps, and what is saved."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from gamo_tf.training import replicas
from gamo_tf.training.optimizer import FusedAdam, minimize


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
      loss_scale: what a loss is multiplied by before its gradients are taken, and these
        are divided by.
    """

    loss_names: tuple[str, ...]
    iterations: int
    steps_per_epoch: int
    parts: tuple[int, ...] = ()
    loss_scale: float = 1.0

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
        self.networks = networks
        self.strategy = replicas.present()
        self._new_adam = partial(FusedAdam, learning_rate, beta_1=beta_1)
        self.players: dict[str, list[keras.Variable]] = {}
        self.optimizers: dict[str, FusedAdam] = {}
        for name, variables in players.items():
            self.set_player(name, variables)
        self.random = replicas.SharedRandom.from_seed(seed)

    def set_player(self, name: str, variables: list[keras.Variable]) -> None:
        """Say which variables a player has, before anything is trained or traced.

        Args:
          name: of the player.
          variables: that its steps move.
        """
        with replicas.scope():
            adam = self.adam(name)
            adam.build(variables)
        # New dictionaries: a checkpoint refuses one of which an entry was replaced.
        self.players = {**self.players, name: variables}
        self.optimizers = {**self.optimizers, name: adam}

    def adam(self, name: str) -> FusedAdam:
        """A new optimizer of a player; subclasses may give players other rates.

        Args:
          name: of the player.
        """
        return self._new_adam()

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

    def minimize(self, names: str | list[str], loss: Callable, *rows: Any) -> Any:
        """One Adam step of the named players, and of nobody else, on `loss(*rows)`.

        Args:
          names: of one player or several.
          loss: computes the loss, a mean over rows, or a tuple of that and of one more
            tensor [b, ...].
          *rows: of the minibatch, [b, ...] each or tuples of such, which replicas share
            out. What else `loss` reads, all of them have; without rows all work out the
            same.

        Returns:
          What `loss` gives before the step.
        """
        names = [names] if isinstance(names, str) else names
        moved = [(self.optimizers[name], self.players[name]) for name in names]
        if self.strategy is None:
            return minimize(moved, partial(loss, *rows), scale=self.loss_scale)
        n = self.strategy.num_replicas_in_sync

        def step(*rows: Any) -> Any:
            own = partial(loss, *tf.nest.map_structure(replicas.own_rows, rows))
            return minimize(moved, own, n, self.loss_scale)

        found = self.strategy.run(step, args=rows)
        value = found[0] if isinstance(found, tuple) else found
        value = self.strategy.reduce("MEAN", value, axis=None)
        if not isinstance(found, tuple):
            return value
        part = self.strategy.experimental_local_results(found[1])[0]
        more = self.strategy.gather(found[1], axis=0)
        b = tf.nest.flatten(rows)[0].shape[0]
        return value, tf.ensure_shape(more, [b, *part.shape[1:]])

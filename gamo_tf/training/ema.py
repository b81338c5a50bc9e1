"""An exponential moving average of a network, for evaluation and export only."""

from __future__ import annotations

import keras
import tensorflow as tf


class ExponentialMovingAverage(tf.Module):
    """The average of a network's weights over its own steps.

    M swings during the game; its average is calmer. The average is never part of the
    game: F and D do not see it.

    The decay starts short and lengthens, min(decay, (1 + t) / (10 + t)), so that the
    first weights do not linger, as tf.train.ExponentialMovingAverage does with
    `num_updates`.

    Args:
      player: the network to be averaged.
      decay: per update, below 1.

    Attributes:
      network: a copy of `player` that holds the average.
    """

    def __init__(self, player: keras.Model, decay: float) -> None:
        super().__init__()
        self.decay = decay
        # Checkpoints of earlier versions know the attributes by these names.
        self.source = player.weights
        self.network = keras.models.clone_model(player)
        self.network.set_weights(player.get_weights())
        self.t = tf.Variable(0.0, trainable=False)

    def update(self) -> None:
        """Move towards the present weights: once after each step of the network."""
        decay = tf.minimum(self.decay, (1.0 + self.t) / (10.0 + self.t))
        for mean, value in zip(self.network.weights, self.source, strict=True):
            mean.assign_add((1.0 - decay) * (value - mean))
        self.t.assign_add(1.0)

    def restart(self) -> None:
        """Forget the past, where the network itself has begun again."""
        for mean, value in zip(self.network.weights, self.source, strict=True):
            mean.assign(value)
        self.t.assign(0.0)

"""An exponential moving average of a network, for evaluation and export only."""

from __future__ import annotations

import keras
import tensorflow as tf


class Average(tf.Module):
    """Average of a player's weights, one `update` after each of its own steps.

    The decay starts short and lengthens, min(decay, (1 + t) / (10 + t)), so that
    early weights do not linger (as tf.train.ExponentialMovingAverage does with
    `num_updates`). M swings during the game; F and D never see the average.
    """

    def __init__(self, player: keras.Model, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.source = player.weights
        self.network = keras.models.clone_model(player)
        self.network.set_weights(player.get_weights())
        self.t = tf.Variable(0.0, trainable=False)

    def update(self) -> None:
        """Move towards the player's present weights."""
        decay = tf.minimum(self.decay, (1.0 + self.t) / (10.0 + self.t))
        for mean, value in zip(self.network.weights, self.source, strict=True):
            mean.assign_add((1.0 - decay) * (value - mean))
        self.t.assign_add(1.0)

    def restart(self) -> None:
        """Forget what was, where the player has begun again."""
        for mean, value in zip(self.network.weights, self.source, strict=True):
            mean.assign(value)
        self.t.assign(0.0)

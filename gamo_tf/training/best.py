"""The best weights of a training so far, and when it has not become better for long."""

from __future__ import annotations

import tensorflow as tf

from gamo_tf.training.feature_trainer import FeatureTrainer


class Best(tf.Module):
    """Watches the scores of a training, and keeps the weights of the best one.

    It is part of the checkpoint, so that a resumed training goes on exactly.

    Args:
      trainer: whose networks and averages are kept.
      patience: evaluations without a better score after which the training ends; 0:
        it never does.
      keep: whether the weights of the best score are kept.

    Attributes:
      score: the best so far; -1 before the first.
      iteration: at which it was found.
      stale: evaluations since then.
    """

    def __init__(self, trainer: FeatureTrainer, patience: int, keep: bool) -> None:
        super().__init__()
        averages = [average.network for average in trainer.averages.values()]
        networks = [*trainer.networks.values(), *averages]
        self._watched = [w for network in networks for w in network.weights]
        self.patience, self.keep = patience, keep
        self.score = tf.Variable(-1.0, trainable=False, dtype=tf.float64)
        self.iteration = tf.Variable(0, trainable=False, dtype=tf.int64)
        self.stale = tf.Variable(0, trainable=False, dtype=tf.int64)
        kept = self._watched if keep else []
        self.weights = [tf.Variable(w.value, trainable=False) for w in kept]

    def checkpoint(self) -> tf.train.Checkpoint:
        """All of it but the training itself."""
        return tf.train.Checkpoint(
            score=self.score,
            iteration=self.iteration,
            stale=self.stale,
            weights=self.weights,
        )

    def look(self, iteration: int, score: float) -> None:
        """An evaluation was made. Of equal scores the first is the best.

        Args:
          iteration: minibatches trained.
          score: 0 to 1.
        """
        if score <= float(self.score):
            self.stale.assign_add(1)
            return
        self.score.assign(score)
        self.iteration.assign(iteration)
        self.stale.assign(0)
        for mine, now in zip(self.weights, self._watched, strict=False):
            mine.assign(now.value)

    @property
    def exhausted(self) -> bool:
        """Whether the training should end."""
        return bool(self.patience) and int(self.stale) >= self.patience

    def restore(self) -> None:
        """Put the best weights in the place of the present ones, if they were kept."""
        for mine, now in zip(self.weights, self._watched, strict=False):
            now.assign(mine)

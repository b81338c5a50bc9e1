"""Algorithm 1 compiled once for trainings whose numbers of rows differ a little.

The folds of a cross-validation differ by a row of a class. Their games share a graph
that has room for more points: those that are not there have a convex weight of 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.config.options import Options
from gamo_tf.game import Game
from gamo_tf.methods.feature_sampling import Convex
from gamo_tf.training.feature_trainer import FeatureTrainer

ROOM = 8  # the numbers of rows are rounded up to a multiple of it
_ABSENT = -1e30  # the logit of a point that is not there: exp of it is 0 in float32


def rounded(counts: ClassCounts) -> ClassCounts:
    """Class sizes with room; the largest classes stay the largest.

    Parameters
    ----------
    counts : ClassCounts
        Of a training set.
    """
    sizes = [_up(n) for n in counts.sizes]
    above = max(sizes) + ROOM
    largest = counts.largest
    return ClassCounts.of(
        above if n == largest else size
        for n, size in zip(counts.sizes, sizes, strict=True)
    )


def room_for(rows: int) -> int:
    """Rows of the padded training set: one more than there are, or some.

    Parameters
    ----------
    rows : int
        Training rows n.
    """
    return _up(rows + 1)


def state(trainer: FeatureTrainer) -> list:
    """The variables of a checkpoint of a training, always in one order.

    Parameters
    ----------
    trainer : FeatureTrainer
    """
    checkpoint = trainer.checkpoint()  # the view keeps no reference to it
    parts = tf.train.TrackableView(checkpoint).descendants()
    return [v for v in parts if isinstance(v, (tf.Variable, keras.Variable))]


def copy_state(
    source: FeatureTrainer, target: FeatureTrainer, columns: np.ndarray | None = None
) -> None:
    """Let a training be where another one is.

    Parameters
    ----------
    source, target : FeatureTrainer
        Of the same networks.
    columns : ndarray of int, shape (N,), or None
        Where one of the two has more points: the places, among these, of the points
        that both have.
    """
    for old, new in zip(state(source), state(target), strict=True):
        value = old.numpy()
        if old.shape != new.shape and old.shape[-1] > new.shape[-1]:
            value = value[..., columns]
        elif old.shape != new.shape:
            value = np.zeros(new.shape, value.dtype)
            value[..., columns] = old.numpy()
        new.assign(value)


class RoomyGame(Game):
    """The game of the paper's G with room for more rows.

    Parameters
    ----------
    options : Options
        Its `counts` are `rounded`.
    networks : sequence of keras.Model
        F, M, D (if there is one) and G, which has room.
    game : Game
        The first of those that it will play, of which the number of minibatches and
        the slots of the labels are taken.
    """

    def __init__(
        self, options: Options, networks: Sequence[keras.Model], game: Game
    ) -> None:
        super().__init__(options, networks, sum(game.options.counts), Convex)
        self.label_slots = game.label_slots
        # What differs from game to game has to be a variable for the graph.
        self.label_edges = tf.Variable(game.label_edges, trainable=False)
        points = sum(options.class_counts.minority_sizes)
        self.point_rows = tf.Variable(tf.zeros([points], tf.int32), trainable=False)
        self.rows = 0
        self.columns = np.zeros(0, int)

    def take_over(self, game: Game) -> None:
        """Become another game, in all that a checkpoint has of it.

        Parameters
        ----------
        game : Game
            Whose class sizes fit.
        """
        sizes = game.options.class_counts.minority_sizes
        starts = np.cumsum([0, *self.options.class_counts.minority_sizes])[:-1]
        self.columns = np.concatenate(
            [start + np.arange(n) for start, n in zip(starts, sizes, strict=True)]
        )
        self.rows = sum(game.options.counts)
        self.label_edges.assign(game.label_edges)
        # A point that is not there is the first of the rows that are not there.
        rows = np.full(self.point_rows.shape, self.rows)
        rows[self.columns] = game.minority_rows
        self.point_rows.assign(rows)
        copy_state(game, self, self.columns)
        bias = self.G.get_layer("IGU").bias
        logits = np.full(bias.shape, _ABSENT, np.float32)
        logits[self.columns] = bias.numpy()[self.columns]
        bias.assign(logits)

    def hand_back(self, game: Game) -> None:
        """Give the game that was taken over the state that it has come to.

        Parameters
        ----------
        game : Game
        """
        copy_state(self, game, self.columns)

    def padded(self, data: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
        """Rows and labels with zeros behind them, up to `room_for` of them.

        Parameters
        ----------
        data : tuple of Tensor
            Each of them [n, ...].
        """
        more = room_for(self.rows) - self.rows
        return tuple(tf.pad(t, [[0, more]] + [[0, 0]] * (t.ndim - 1)) for t in data)

    def order(self, labels: tf.Tensor) -> tf.Tensor:
        """As `FeatureTrainer.order`, of the rows that are there.

        Parameters
        ----------
        labels : Tensor of shape (room_for(n),)
        """
        return super().order(labels[: self.rows])

    @tf.function
    def class_points(self, features: tf.Tensor) -> list:
        """As `Game.class_points`, with room.

        Parameters
        ----------
        features : Tensor of shape (room_for(n), d)
        """
        return self.sampler.prepare(tf.gather(features, self.point_rows))


def _up(n: int) -> int:
    return -(-n // ROOM) * ROOM

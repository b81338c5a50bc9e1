"""`--support K`: an epoch of G on at most K points of each class, and on their weights.

The IGU has a column of weights for every point. Here a small IGU of at most K columns a
class learns for an epoch in its place; then what it has learned goes back to its
columns, and others are drawn. So neither the time nor the memory of an iteration grows
with the points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras
import tensorflow as tf

from gamo_tf.networks.convex_generator import IGU
from gamo_tf.training import replicas
from gamo_tf.training.optimizer import FusedAdam


class WorkingColumns(tf.Module):
    """Columns of an IGU that learn for an epoch, and the slots of all columns' Adam.

    Args:
      G: the generator, with an IGU of N columns.
      support: K, the most columns of a class that learn at a time.

    Attributes:
      igu: of these columns, in the order of the classes.
      learners: the variables of G that learn: those of `igu` in the place of the
        columns of all points.
      optimizer: of the learners; to be set before the first epoch.
    """

    optimizer: FusedAdam

    def __init__(self, G: keras.Model, support: int) -> None:
        super().__init__()
        self._all: IGU = G.get_layer("IGU")
        counts = [[label, min(n, support)] for label, n in self._all.counts]
        with replicas.scope():
            self.igu = IGU(counts, name="working_IGU")
            self.igu.build([(None, self._all.kernel.shape[0])])
            self.columns = tf.Variable(
                tf.zeros([sum(self.igu.sizes)], tf.int32), trainable=False
            )
            self.slots = [  # a mean and a mean square of the gradients of each
                tf.Variable(tf.zeros(variable.shape), trainable=False)
                for variable in (self._all.kernel, self._all.bias)
                for _ in range(2)
            ]
        waiting = {id(variable) for variable in (self._all.kernel, self._all.bias)}
        others = [v for v in G.trainable_variables if id(v) not in waiting]
        self.learners = [*others, self.igu.kernel, self.igu.bias]

    def load(self, places: Sequence[tf.Tensor]) -> tf.Tensor:
        """Let other columns learn, from where they have come to.

        Args:
          places: of each minority class, the points, int32 [min(n_i, K)].

        Returns:
          The columns, int32, in the order of the classes.
        """
        starts = self._all.starts[:-1]
        columns = [
            int(start) + place for start, place in zip(starts, places, strict=True)
        ]
        self.columns.assign(tf.concat(columns, 0))
        for kept, learning in self._pairs():
            learning.assign(tf.gather(kept, self.columns, axis=-1))
        return self.columns.read_value()

    @tf.function
    def store(self) -> None:
        """Put what the columns have learned where the columns of all points are."""
        for kept, learning in self._pairs():
            rows = tf.tensor_scatter_nd_update(
                tf.transpose(kept), self.columns[:, None], tf.transpose(learning)
            )
            kept.assign(tf.transpose(rows))

    def _pairs(self) -> Iterator[tuple[tf.Variable, tf.Variable]]:
        """Variables of all columns with those of the columns that learn."""
        slots = iter(self.slots)
        for name in ("kernel", "bias"):
            learning = getattr(self.igu, name)
            yield getattr(self._all, name).value, learning.value
            for slot in self.optimizer.slots(learning):
                yield next(slots), slot.value

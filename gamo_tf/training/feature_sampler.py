"""What the game asks of its source of features (see `methods.feature_sampling`)."""

from __future__ import annotations

from typing import NamedTuple

import keras
import tensorflow as tf

from gamo_tf.config.options import Options
from gamo_tf.networks.convex_generator import IGU
from gamo_tf.training.working_columns import WorkingColumns


class LatentBatch(NamedTuple):
    """Latents for features that are to be generated, sorted by minority class.

    Attributes:
      z: [sum(rows), l].
      one_hot: their classes, [sum(rows), c].
      rows: the number of latents of each minority class, in label order.
    """

    z: tf.Tensor
    one_hot: tf.Tensor
    rows: list[int]


class FeatureSampler:
    """Where generated features come from: G, or a control in its place.

    It works class by class, in label order, with a known number of rows for each
    minority class: every class meets its own points only, and shapes are static.

    Args:
      G: the generator; None where nothing learns.
      options: settings of the run, with the class sizes.
      random: the random state of the training.

    Attributes:
      working: what learns in the place of the IGU, where that is too large; else None.
    """

    working: WorkingColumns | None = None

    def __init__(
        self, G: keras.Model | None, options: Options, random: tf.random.Generator
    ) -> None:
        self.G: keras.Model = G
        self.random = random
        self.sizes = list(options.class_counts.minority_sizes)

    @property
    def igu(self) -> IGU:
        """What makes convex weights of the points of a pass, where G is convex."""
        return self.working.igu if self.working else self.G.get_layer("IGU")

    def draw(self) -> tf.Tensor | None:
        """Which of the minority points the next pass works on.

        Returns:
          Positions among them, int32, in label order; None: all.
        """
        return None

    def prepare(self, points: tf.Tensor) -> list:
        """What `sample` needs of the minority points, worked out once a pass.

        The points are split once and used often: in XLA, a slice is a copy.

        Args:
          points: those of `draw`, float32 [N, d], sorted by label.

        Returns:
          An entry for each minority class; here its points [n_i, d].
        """
        sizes = self.working.igu.sizes if self.working else self.sizes
        return tf.split(points, sizes)

    def sample(
        self, latents: LatentBatch, class_points: list, training: bool
    ) -> tf.Tensor:
        """Generated features.

        Args:
          latents: one for each feature.
          class_points: of `prepare`.
          training: the mode of batch normalization.

        Returns:
          Features [sum(rows), d], in the order of the latents.
        """
        raise NotImplementedError

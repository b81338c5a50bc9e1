"""What G makes of the same latents at every look, so that one sees how it moves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gamo_tf.evaluation import image_grids
from gamo_tf.inference.convex_sampler import ConvexSampler
from gamo_tf.training.feature_trainer import FeatureTrainer

LATENTS = 16  # fixed latents a minority class; the first few are drawn as pictures
_BLOCK = 4096  # images that are mixed at a time
MOST_LATENTS = 4000  # of all classes, whose weights [m, N] are in memory together


class FixedSamples(NamedTuple):
    """What G makes of the fixed latents at one moment.

    Attributes:
      labels: int [m].
      values: [m, d].
      weights: convex weights [m, N].
      rows: int [N], the training row of each column of the weights.
    """

    labels: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    rows: np.ndarray

    def first(self, wanted: list[int]) -> np.ndarray:
        """Positions of the first LATENTS_SHOWN samples of some labels, in order.

        Args:
          wanted: the labels.
        """
        each = image_grids.LATENTS_SHOWN
        places = [np.flatnonzero(self.labels == label)[:each] for label in wanted]
        return np.sort(np.concatenate(places))


class FixedLatents:
    """The same latents at every look, so that one sees how G moves.

    They are drawn once, by the run's seed.

    Args:
      trainer: a game with a convex generator.
    """

    def __init__(self, trainer: FeatureTrainer) -> None:
        self.trainer = trainer
        options = trainer.options
        minority = options.class_counts.minority
        fair = MOST_LATENTS // max(1, len(minority))
        each = min(LATENTS, max(image_grids.LATENTS_SHOWN, fair))
        self.labels = np.repeat(minority, each)
        shape = (len(self.labels), options.latent)
        rng = np.random.default_rng(options.seed)
        self.latents = rng.standard_normal(shape).astype(np.float32)

    def look(self, features: np.ndarray, labels: np.ndarray) -> FixedSamples:
        """What G makes of them.

        Args:
          features: of the training rows, at present, [n, d].
          labels: int [n].
        """
        sampler = ConvexSampler(self.trainer.G, features, labels)
        values, weights = sampler.generate(self.latents, self.labels)
        return FixedSamples(self.labels, values, weights, sampler.minority_rows)


def mixed(images: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The same convex combinations of images as G makes of their features.

    Args:
      images: uint8 [n, h, w, c].
      rows: int [N], the image of each column of the weights.
      weights: [m, N].

    Returns:
      uint8 [m, h, w, c].
    """
    found = []
    for mine in weights:
        used = np.flatnonzero(mine > 0.001 * mine.max())
        share = mine[used] / mine[used].sum()
        # An untrained G weighs all rows of a class: they are not in memory at once.
        total = np.zeros(images.shape[1:], np.float32)
        for k in range(0, len(used), _BLOCK):
            block = slice(k, k + _BLOCK)
            parents = images[rows[used[block]]].astype(np.float32)
            total += np.tensordot(share[block], parents, axes=1)
        found.append(total.round().astype(np.uint8))
    return np.stack(found)

"""Points of a plane and of a line, and the game trained on them.

The points are the "pixels" of an F without layers, so that G, M and D play on the
points themselves and what they do can be drawn (Sections 3.1 and 3.3 of the paper).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.options import Options
from gamo_tf.evaluation.metrics import RANKED_BY, confusion, summarise
from gamo_tf.inference.convex_sampler import ConvexSampler
from gamo_tf.methods.build import build
from gamo_tf.methods.conditional_gan import ConditionalGan
from gamo_tf.networks import conditional_gan as gan_networks
from gamo_tf.training.loop import run_loop

SEED = 0
CLASSES = ("majority", "minority")
MAJORITY, MINORITY = 0, 1  # their labels


class Points(NamedTuple):
    """Labelled points.

    Attributes:
      x: float [n, dims], within [-1, 1].
      y: int [n], the labels, ascending: the majority comes first.
    """

    x: np.ndarray
    y: np.ndarray

    @property
    def counts(self) -> tuple[int, ...]:
        """Points of each class, in label order."""
        return tuple(np.bincount(self.y).tolist())

    @property
    def images(self) -> tf.Tensor:
        """The points as an F without layers takes them: "pixels" float32
        [n, 1, dims, 1] from 0 to 255."""
        return tf.constant((self.x[:, None, :, None] + 1) * 127.5, tf.float32)

    @property
    def spec(self) -> DatasetSpec:
        """The row of a dataset that has these points."""
        return DatasetSpec(
            name="toy",
            shape=(1, self.x.shape[1], 1),
            classes=CLASSES,
            counts=self.counts,
            conv=(),
            test_per_class=0,
            reader="",
            iterations=0,
            source="this project",
            terms="",
        )

    def options(self, method: str, iterations: int) -> Options:
        """The settings of a training on these points.

        Args:
          method: a row of `METHODS`.
          iterations: minibatches.
        """
        return Options(
            dataset="toy",
            iterations=iterations,
            counts=self.counts,
            test_per_class=0,
            checkpoint_every=iterations,
            evaluate_every=iterations,
            method=method,
            seed=SEED,
        )

    def extended(self, x: np.ndarray) -> Points:
        """These points, and more of the minority.

        Args:
          x: the new points, [m, dims].
        """
        y = np.full(len(x), MINORITY)
        return Points(np.concatenate([self.x, x]), np.concatenate([self.y, y]))


def crescent(n: tuple[int, int], seed: int) -> Points:
    """A round majority within the hull of a crescent-shaped minority.

    The minority is a class that is not convex (Section 3.3).

    Args:
      n: points of the majority and of the minority.
      seed: of the draw.

    Returns:
      Points of a plane.
    """
    rng = np.random.default_rng(seed)
    blob = rng.normal((0.0, -0.05), 0.17, (n[0], 2))
    angle = rng.uniform(-0.15 * np.pi, 1.15 * np.pi, n[1])
    arc = 0.55 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    arc += rng.normal((0.0, -0.05), 0.08, arc.shape)
    x = np.clip(np.concatenate([blob, arc]), -1, 1)
    return Points(x, np.repeat([MAJORITY, MINORITY], n))


def line(n: tuple[int, int], seed: int) -> Points:
    """Two normal distributions that overlap.

    Args:
      n: points of the majority and of the minority.
      seed: of the draw.

    Returns:
      Points of a line.
    """
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.normal(0.25, 0.22, n[0]), rng.normal(-0.3, 0.18, n[1])])
    return Points(np.clip(x, -1, 1)[:, None], np.repeat([MAJORITY, MINORITY], n))


class ToyTraining:
    """A method of `METHODS` on points, to be trained at once or an epoch at a time.

    Args:
      method: a row of `METHODS`.
      points: the two classes; G's points, if the method has a G, are its minority.
      iterations: minibatches in all.
      rows: trained on in the place of `points`, by a method that adds points before
        the training.
    """

    def __init__(
        self, method: str, points: Points, iterations: int, rows: Points | None = None
    ) -> None:
        rows = rows or points
        self.points = points
        self.options = points.options(method, iterations)
        self.trainer = build(self.options, points.spec, rows=len(rows.x))
        self.iterations = 0  # minibatches so far
        self._data = (rows.images, tf.constant(rows.y, tf.int32))

    def train(self) -> ToyTraining:
        """All iterations, from the start. Returns the training itself."""
        run_loop(self.trainer, self._data)
        self.iterations = self.options.iterations
        return self

    def epoch(self) -> None:
        """One epoch more."""
        steps = self.trainer.steps_per_epoch
        self.trainer.epoch(*self._data, steps=steps)
        self.iterations += steps

    def minority_probability(self, x: np.ndarray) -> np.ndarray:
        """M's probability of the minority.

        Args:
          x: points [n, dims].

        Returns:
          [n].
        """
        images = Points(x, np.zeros(len(x), int)).images
        return self.trainer.M(self.trainer.F(images)).numpy()[:, MINORITY]

    def generated(self, n: int) -> np.ndarray:
        """G(z|minority) of n latents that are the same at every call.

        Args:
          n: points.

        Returns:
          [n, dims].
        """
        rng = np.random.default_rng(SEED)
        z = rng.standard_normal((n, self.options.latent)).astype(np.float32)
        sampler = ConvexSampler(
            self.trainer.G, self.points.x.astype(np.float32), self.points.y
        )
        values, _ = sampler.generate(z, np.full(n, MINORITY, np.int32))
        return np.asarray(values)

    def recall(self, test: Points) -> dict[str, float]:
        """How well M tells the classes apart.

        Args:
          test: points that were not trained on.

        Returns:
          The recall of each class by its name, and the metric `RANKED_BY`.
        """
        predicted = (self.minority_probability(test.x) > 0.5).astype(int)
        summary = summarise(confusion(test.y, predicted, len(CLASSES)))
        recalls = dict(zip(CLASSES, summary["recall"], strict=True))
        return {**recalls, RANKED_BY: summary[RANKED_BY]}


def conditional_gan_points(points: Points, turns: int) -> np.ndarray:
    """Minority points of a conditional GAN, which is trained on all points first.

    Args:
      points: the two classes.
      turns: updates of the GAN's G, and of its D.

    Returns:
      [m, dims], as many as the minority lacks to the majority.
    """
    # This training is left untrained. Building it sets Keras's random state and draws
    # the weights of F and M from it; those of the GAN follow. The numbers of Figure 1
    # in docs/results stand on that order of draws.
    options = ToyTraining("cn", points, 2).options
    G, D = gan_networks.dense(points.spec, options.latent)
    gan = ConditionalGan(options, G, D, iterations=turns)
    run_loop(gan, (points.images, tf.constant(points.y, tf.int32)))
    n = points.counts[MAJORITY] - points.counts[MINORITY]
    z = gan.random.normal([n, options.latent])
    one_hot = tf.one_hot(tf.fill([n], MINORITY), len(CLASSES))
    return gan.G([z, one_hot], training=False).numpy()

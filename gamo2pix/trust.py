"""How far a single generated image can be trusted, and which are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from gamo2pix import novelty
from gamo2pix.generate import ImageGenerator
from gamo2pix.reference_classifier import ReferenceClassifier
from gamo_tf.config.methods import METHODS
from gamo_tf.errors import UserError, setting
from gamo_tf.inference.players import load_player
from gamo_tf.networks.batched import compiled
from gamo_tf.runs.run import Run


class Trust(NamedTuple):
    """What is known of generated images of one class; all are arrays [m].

    Attributes:
      copy: one less the ratio of the distances to the nearest and to the second
        nearest picture of the class (see `novelty.nearest_two`): 1 is a copy. The
        features are the reference classifier's.
      confidence: probability of the class by the reference classifier, which is no
        network of the run.
      confidence_m: the same by F and M of the run.
      realness_d: D's output of F of the image, 1 for real; NaN without D.
    """

    copy: np.ndarray
    confidence: np.ndarray
    confidence_m: np.ndarray
    realness_d: np.ndarray

    def some(self, chosen: np.ndarray) -> Trust:
        """That of some of the images.

        Args:
          chosen: their positions, or a mask of booleans [m].
        """
        return Trust(*(values[chosen] for values in self))


@dataclass(frozen=True)
class Limits:
    """Which generated images are kept.

    Attributes:
      min_confidence: the least `Trust.confidence`; None: any.
      max_copy: the most `Trust.copy`; None: any.
    """

    min_confidence: float | None = None
    max_copy: float | None = None

    def __bool__(self) -> bool:
        """Whether there is any limit."""
        return self.min_confidence is not None or self.max_copy is not None

    def keep(self, trust: Trust) -> np.ndarray:
        """Which images are within the limits, bool [m].

        Args:
          trust: of the images.
        """
        kept = np.ones(len(trust.copy), bool)
        if self.min_confidence is not None:
            kept &= trust.confidence >= self.min_confidence
        if self.max_copy is not None:
            kept &= trust.copy <= self.max_copy
        return kept

    def __str__(self) -> str:
        """The limits as they were given."""
        given = {"min_confidence": self.min_confidence, "max_copy": self.max_copy}
        words = [f"{setting(k)} {v:g}" for k, v in given.items() if v is not None]
        return " ".join(words)


NO_LIMITS = Limits()


class Judge:
    """Judges generated images of the classes of a run.

    Args:
      run: a finished run.
      generator: of the run.
      reference: of the run's dataset.

    Raises:
      UserError: the run's M is missing, damaged, or of another run.
    """

    def __init__(
        self, run: Run, generator: ImageGenerator, reference: ReferenceClassifier
    ) -> None:
        self.generator, self.reference = generator, reference
        self.classes = len(run.options.counts)
        self._m = compiled(load_player(run, "M"))
        has_d = "D" in METHODS[run.options.method].players
        self._d = load_player(run, "D") if has_d else None
        # Of each class: the features of its images, and which show the same picture.
        self._real: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __call__(self, label: int, images: np.ndarray) -> Trust:
        """What is to be known of generated images.

        Args:
          label: of their class.
          images: uint8 [m, h, w, c].
        """
        if label not in self._real:  # the class's own, of which copies would be
            rows = self.generator.rows[label]
            real = self.reference.features(self.generator.images[rows])
            self._real[label] = real, novelty.duplicates(real)
        features, probabilities = self.reference.judge(images)
        near = novelty.nearest_two(features, *self._real[label])
        run_features = self.generator.extract(images)
        realness = np.full(len(images), np.nan)
        if self._d is not None:
            one_hot = tf.one_hot(tf.fill([len(images)], label), self.classes)
            realness = self._d(
                [tf.constant(run_features), one_hot], training=False
            ).numpy()[:, 0]
        return Trust(
            1.0 - novelty.ratios(near),
            probabilities[:, label],
            self._m(run_features)[:, label],
            realness,
        )


def too_few(name: str, wanted: int, kept: int, tried: int, limits: Limits) -> UserError:
    """The error where too few images of a class are within the limits.

    Args:
      name: of the class.
      wanted: images that are needed.
      kept: images that were found.
      tried: images that were generated for it.
      limits: that were given.
    """
    return UserError(
        f"{limits}: of class {name} {kept} of {tried} generated images are within it, "
        f"{wanted} are needed. Loosen it, or give a smaller {setting('per_class')}."
    )

"""How well a pair F, M predicts: all metrics, on each set that is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.options import MEASURED, VALIDATION, Options
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError, setting
from gamo_tf.evaluation import metrics
from gamo_tf.networks.batched import in_chunks, tensor_of
from gamo_tf.training.feature_stage import FeatureStage


class DeviceSplit(NamedTuple):
    """A split whose images are in TensorFlow's memory and, on a CPU, only there.

    Attributes:
      split: the rows; its image arrays are views of the tensors.
      train: training images [n, h, w, c].
      test: test images [m, h, w, c].
      validation: validation images [k, h, w, c]; k may be 0.
      pictures: training images uint8 [n, h, w, c] for people, also where the others are
        features of a frozen F.
    """

    split: Split
    train: tf.Tensor
    test: tf.Tensor
    validation: tf.Tensor
    pictures: np.ndarray

    @classmethod
    def of(cls, split: Split, stage: FeatureStage | None = None) -> DeviceSplit:
        """Hand the images of a split to TensorFlow (see `tensor_of`).

        Args:
          split: is left as it is.
          stage: of a pretrained F, whose features take the place of the images.
        """
        images = split.images
        split = stage.behind(split) if stage else split
        names = ("images", "test_images", "validation_images")
        tensors = {name: tensor_of(getattr(split, name)) for name in names}
        views = {name: np.asarray(tensor) for name, tensor in tensors.items()}
        split = replace(split, **views)
        train, test, validation = tensors.values()
        pictures = images if stage else split.images
        return cls(split, train, test, validation, pictures)

    @property
    def watched(self) -> str:
        """The set that a training is watched on: the validation set, or the training
        rows where there is none. The test set never is."""
        return VALIDATION if len(self.split.validation_labels) else "train"


class Evaluator:
    """Measures one pair F, M, and knows nothing of how it was trained.

    Args:
      rows: the split.
      c: number of classes.
      F: rows -> features [b, d].
      M: features -> class probabilities [b, c].
      chunk: rows that F takes at a time; None: as `in_chunks` has it.

    Attributes:
      priors: of each set that was measured, the prior that M acts by, [c] (see
        `metrics.effective_prior`).
    """

    def __init__(
        self,
        rows: DeviceSplit,
        c: int,
        F: keras.Model,
        M: keras.Model,
        chunk: int | None = None,
    ) -> None:
        self.rows, self.c = rows, c
        self.priors: dict[str, np.ndarray] = {}

        @tf.function(reduce_retracing=True)
        def predict(images: tf.Tensor) -> tf.Tensor:
            return in_chunks(lambda x: M(F(x, training=False)), images, chunk)

        @tf.function(reduce_retracing=True)
        def classify(features: tf.Tensor) -> tf.Tensor:
            return in_chunks(lambda x: M(x, training=False), features)

        self._predict, self._classify = predict, classify

    def __call__(
        self, *names: str, features: tf.Tensor | None = None
    ) -> dict[str, dict]:
        """Measure now.

        Args:
          names: the sets, of `MEASURED`; none: all of them. No other set is looked at.
          features: F of the training rows, where they are known; else F is asked.

        Returns:
          `metrics.summarise` of each, in the order of `MEASURED`: of ``test``, the
          protocol's set (100 a class in the paper); of ``test_full``, the whole
          published test set; of ``validation``, which is left out where it has no
          rows; and of ``train``, the imbalanced training rows.

        Raises:
          UserError: a probability is NaN or infinite. (The largest of NaNs would be
            taken to be the first.)
        """
        wanted = [name for name in MEASURED if name in (names or MEASURED)]
        split, protocol = self.rows.split, self.rows.split.protocol_index
        pairs = {}  # of true labels and predicted probabilities
        if {"test", "test_full"} & set(wanted):
            labels = split.test_labels
            outputs = _probabilities(self._predict(self.rows.test))
            pairs["test"] = labels[protocol], outputs[protocol]
            pairs["test_full"] = labels, outputs
        if VALIDATION in wanted and len(split.validation_labels):
            outputs = _probabilities(self._predict(self.rows.validation))
            pairs[VALIDATION] = split.validation_labels, outputs
        if "train" in wanted:
            known = features is not None
            found = (
                self._classify(features) if known else self._predict(self.rows.train)
            )
            pairs["train"] = split.labels, _probabilities(found)
        summaries = {}
        for name in wanted:
            if name in pairs:
                labels, outputs = pairs[name]
                matrix = metrics.confusion(labels, outputs.argmax(axis=1), self.c)
                summaries[name] = metrics.summarise(matrix)
                self.priors[name] = metrics.effective_prior(outputs, labels)
        return summaries


def _probabilities(outputs: tf.Tensor) -> np.ndarray:
    """Predicted probabilities [n, c], or the UserError that they are none."""
    found = outputs.numpy()
    if not np.isfinite(found).all():
        raise UserError(
            "F and M give probabilities that are not finite numbers: the training "
            f"diverged. Train anew with a smaller {setting('learning_rate')} "
            f"({Options.learning_rate:g} is the default)."
        )
    return found

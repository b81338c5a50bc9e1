"""How well a pair F, M predicts: all metrics, on three sets."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.options import Options
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError, setting
from gamo_tf.evaluation import metrics
from gamo_tf.networks.batched import in_chunks


class DeviceSplit(NamedTuple):
    """A split whose images are in TensorFlow's memory and, on a CPU, only there.

    Attributes:
      split: the rows; its image arrays are views of the tensors.
      train: training images [n, h, w, c].
      test: test images [m, h, w, c].
    """

    split: Split
    train: tf.Tensor
    test: tf.Tensor

    @classmethod
    def of(cls, split: Split) -> DeviceSplit:
        """Copy the images of a split to TensorFlow's memory.

        Args:
          split: is left as it is.
        """
        train, test = tf.constant(split.images), tf.constant(split.test_images)
        views = {"images": np.asarray(train), "test_images": np.asarray(test)}
        return cls(replace(split, **views), train, test)


class Evaluator:
    """Measures one pair F, M, and knows nothing of how it was trained.

    Args:
      rows: the split.
      c: number of classes.
      F: rows -> features [b, d].
      M: features -> class probabilities [b, c].
    """

    def __init__(
        self, rows: DeviceSplit, c: int, F: keras.Model, M: keras.Model
    ) -> None:
        self.split, self.train, self.test = rows
        self.c = c

        @tf.function(reduce_retracing=True)
        def predict(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            outputs = in_chunks(lambda x: M(F(x, training=False)), images)
            finite = tf.reduce_all(tf.math.is_finite(outputs))
            return tf.argmax(outputs, axis=1), finite

        self._compiled = predict

    def __call__(self) -> dict[str, dict]:
        """Measure now.

        Returns:
          `metrics.summarise` of ``test``, the protocol's set (100 a class in the
          paper); of ``test_full``, the whole published test set; and of ``train``,
          the imbalanced training rows.

        Raises:
          UserError: a probability is NaN or infinite. (The largest of NaNs would be
            taken to be the first.)
        """
        split, rows = self.split, self.split.protocol_index
        test = self._predict(self.test)
        sets = {
            "test": (split.test_labels[rows], test[rows]),
            "test_full": (split.test_labels, test),
            "train": (split.labels, self._predict(self.train)),
        }
        return {
            name: metrics.summarise(metrics.confusion(true, predicted, self.c))
            for name, (true, predicted) in sets.items()
        }

    def _predict(self, images: tf.Tensor) -> np.ndarray:
        """The predicted labels [n]."""
        labels, finite = self._compiled(images)
        if not finite:
            raise UserError(
                "F and M give probabilities that are not finite numbers: the training "
                f"diverged. Train anew with a smaller {setting('learning_rate')} "
                f"({Options.learning_rate:g} is the default)."
            )
        return labels.numpy()

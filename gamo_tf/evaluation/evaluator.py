"""How well a pair F, M predicts: all metrics, on three sets."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.data.splits import Split
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
        def predict(images: tf.Tensor) -> tf.Tensor:
            outputs = in_chunks(lambda x: M(F(x, training=False)), images)
            return tf.argmax(outputs, axis=1)

        self._predict = predict

    def __call__(self) -> dict[str, dict]:
        """Measure now.

        Returns:
          `metrics.summarise` of ``test``, the protocol's set (100 a class in the
          paper); of ``test_full``, the whole published test set; and of ``train``,
          the imbalanced training rows.
        """
        split, rows = self.split, self.split.protocol_index
        test = self._predict(self.test).numpy()
        sets = {
            "test": (split.test_labels[rows], test[rows]),
            "test_full": (split.test_labels, test),
            "train": (split.labels, self._predict(self.train).numpy()),
        }
        return {
            name: metrics.summarise(metrics.confusion(true, predicted, self.c))
            for name, (true, predicted) in sets.items()
        }

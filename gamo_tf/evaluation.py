"""What an evaluation measures: metrics on three sets, and G's parents."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gamo_tf import metrics
from gamo_tf.chunks import in_chunks
from gamo_tf.datasets import Split
from gamo_tf.game import Game

LATENTS = 16  # fixed latents a minority class; the first few are drawn as pictures


class Held(NamedTuple):
    """A split whose images are in TensorFlow's memory, and only there (on a CPU):
    the arrays of `split` are views of the tensors."""

    split: Split
    train: tf.Tensor
    test: tf.Tensor

    @classmethod
    def of(cls, split: Split) -> Held:
        train, test = tf.constant(split.images), tf.constant(split.test_images)
        views = {"images": np.asarray(train), "test_images": np.asarray(test)}
        return cls(replace(split, **views), train, test)


class Evaluator:
    """Metrics of one pair F, M, and nothing of the game.

    `test` is the protocol's set (100 a class in the paper), `test_full` the whole
    published test set, `train` the imbalanced training rows.
    """

    def __init__(self, held: Held, c: int, F: keras.Model, M: keras.Model) -> None:
        self.split, self.train, self.test = held
        self.c = c

        @tf.function(reduce_retracing=True)
        def predict(images: tf.Tensor) -> tf.Tensor:
            outputs = in_chunks(lambda x: M(F(x, training=False)), images)
            return tf.argmax(outputs, axis=1)

        self._predict = predict

    def __call__(self) -> dict:
        """``{"test": ..., "test_full": ..., "train": ...}`` of `metrics.summarise`."""
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


class Parents:
    """Which training rows the generated samples of fixed latents are made of.

    Call: the features of the training rows [n, d] -> `labels` [m], `samples`
    [m, d], `weights` [m, N]; `rows` [N] are the training rows that the weights
    belong to. The latents are drawn once, by the run's seed.
    """

    def __init__(self, game: Game) -> None:
        self.game = game
        self.rows = game.minority_rows
        self.labels = np.repeat(game.small, LATENTS)
        rng = np.random.default_rng(game.options.seed)
        shape = (len(self.labels), game.options.latent)
        self.latents = tf.constant(rng.standard_normal(shape), tf.float32)

    def __call__(self, features: tf.Tensor) -> tuple[np.ndarray, np.ndarray]:
        points = tf.gather(features, self.rows)
        labels = tf.constant(self.labels, tf.int32)
        samples, weights = self.game.G([self.latents, labels, points], training=False)
        return samples.numpy(), weights.numpy()

    def effective(self, weights: np.ndarray) -> dict[int, float]:
        """exp(entropy of the weights) of each class: 1 copies one parent, n_i
        weighs all alike. Mean over the latents."""
        entropy = -np.sum(weights * np.log(np.maximum(weights, 1e-12)), axis=1)
        return {
            int(label): float(np.exp(entropy[self.labels == label]).mean())
            for label in self.game.small
        }

"""DOS: deep over-sampling (Ando & Huang, ECML PKDD 2017)."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from gamo_tf import convex
from gamo_tf.classifier import Classifier
from gamo_tf.losses import class_targets
from gamo_tf.methods import Method
from gamo_tf.neighbours import nearest, simplex
from gamo_tf.options import Options

NEIGHBOURS = 5  # k of every minority class; the paper tunes it class by class


class Dos(Classifier):
    """F and M on minority rows that carry synthetic targets in feature space.

    A row x of minority class j is used r_j = ceil(n_max / n_j) times a pass, with
    v_1 ... v_k, the nearest rows of its class in the features at the start of the
    pass (held constant), and each time new weights w, uniform on the simplex:

        L = l(M(F(x)), y) + sum_p d_p + sum_p rho_p l(M(v_p), y),
        d_p = w_p |F(x) - v_p|^2 / d,   rho = softmax(-d_1, ..., -d_k);

    a majority row has the first term only. l is the run's loss.

    The text of the paper (arXiv 1704.07515, Section 3) could not be had; this is put
    together from its abstract and from two ports that agree on d_p and rho. Ours are
    the first term, without which F would hear of classes only through rho; the mean
    over the d features, which weighs the last terms by d against a sum; and one k.

    Args: as `Classifier`'s, but for the rows, which follow from the class sizes.
    """

    def __init__(
        self, options: Options, networks: list[keras.Model], method: Method
    ) -> None:
        counts = np.asarray(options.counts)
        labels = np.repeat(np.arange(len(counts)), counts)
        self.repeated = np.repeat(
            np.arange(counts.sum(), dtype=np.int32), -(-counts.max() // counts)[labels]
        )
        self.minority = (counts < counts.max())[labels]
        super().__init__(options, networks, len(self.repeated), method)

    def _prepare(self, images: tf.Tensor, labels: tf.Tensor) -> tuple:
        features = self.features(images)
        order = tf.gather(self.repeated, self._order(tf.constant(self.repeated)))
        return order, (features, self._neighbours(features))

    @tf.function
    def _neighbours(self, features: tf.Tensor) -> tf.Tensor:
        """Training rows [n, k]; of the majority classes, which have no use for them,
        the row itself."""
        own = tf.range(self.minority.size)[:, None] + tf.zeros(
            [1, NEIGHBOURS], tf.int32
        )
        counts = self.options.counts
        starts = np.cumsum([0, *counts])
        parts = tf.split(own, counts)
        for label, n in convex.minority(counts):
            mine = slice(starts[label], starts[label + 1])
            near = nearest(features[mine], NEIGHBOURS) + int(starts[label])
            k = min(NEIGHBOURS, n - 1)  # a class of few has its neighbours in turn
            parts[label] = tf.gather(near, np.arange(NEIGHBOURS) % k, axis=1)
        return tf.concat(parts, 0)

    def _step_loss(self, images, labels, rows, loss, features, near) -> tf.Tensor:
        own, _ = class_targets(tf.gather(labels, rows), self.c)
        made = self.F(tf.gather(images, rows), training=True)
        value = loss(own, self.M(made))
        targets = tf.gather(features, tf.gather(near, rows))  # [b, k, d]
        squares = tf.math.squared_difference(made[:, None], targets)
        weights = simplex(self.random, [self.b, NEIGHBOURS])
        distance = weights * tf.reduce_mean(squares, axis=2)  # [b, k]
        oversampled = tf.cast(tf.gather(self.minority, rows), tf.float32)[:, None]
        value += tf.reduce_mean(oversampled * distance) * NEIGHBOURS
        rho = oversampled * tf.nn.softmax(-distance)
        flat = tf.reshape(targets, [self.b * NEIGHBOURS, targets.shape[2]])
        each = tf.reshape(rho, [-1, 1]) * NEIGHBOURS  # the loss is a mean over rows
        return value + loss(tf.repeat(own, NEIGHBOURS, axis=0), self.M(flat), each)

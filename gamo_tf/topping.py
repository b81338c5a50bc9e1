"""Topping up: new samples of a trained G, each with its parents and their weights."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.chunks import CHUNK
from gamo_tf.plots import heaviest

PARENTS = 5  # heaviest parents that are told of a sample


class Made(NamedTuple):
    """New samples, class by class.

    Attributes:
      samples: [m, d].
      labels: [m] of the game.
      parents: [m, PARENTS] rows of the training set, the heaviest first; -1 where a
        class has fewer.
      weights: [m, PARENTS] their convex weights. What is missing to 1 is spread over
        the other rows of the class.
    """

    samples: np.ndarray
    labels: np.ndarray
    parents: np.ndarray
    weights: np.ndarray


def top_up(
    G: keras.Model,
    points: np.ndarray,
    labels: np.ndarray,
    wanted: dict[int, int],
    seed: int,
) -> Made:
    """`wanted[label]` samples of each class, from its own rows of `points`.

    `points` [n, d] are what Eq. 1 combines: features, or the values that they are
    worked out from, where F only scales columns (a convex combination passes through
    that). `labels` [n] of them; rows of a class in the order that G was trained with.
    Sample k of a class is the same for every number asked for.
    """
    igu, ctmu = G.get_layer("IGU"), G.get_layer("cTMU")
    classes, latent = ctmu.input[1].shape[1], G.inputs[0].shape[1]
    index = {label: i for i, (label, _) in enumerate(igu.counts)}

    parts = []
    for label, n in wanted.items():
        rows = np.flatnonzero(labels == label)
        rng = np.random.default_rng([seed, label])
        own = tf.one_hot(tf.fill([CHUNK], label), classes)
        for start in range(0, n, CHUNK):
            z = rng.standard_normal((CHUNK, latent), np.float32)
            keep = min(CHUNK, n - start)
            t = ctmu([tf.constant(z), own], training=False)
            weights = igu.weights_of(t, index[label]).numpy()[:keep]
            top = heaviest(weights, PARENTS)
            short = PARENTS - top.shape[1]
            told = np.take_along_axis(weights, top, axis=1)
            parts.append(
                Made(
                    weights @ points[rows],
                    np.full(keep, label),
                    np.pad(rows[top], ((0, 0), (0, short)), constant_values=-1),
                    np.pad(told, ((0, 0), (0, short))),
                )
            )
    if not parts:
        none = np.zeros((0, PARENTS))
        empty = np.zeros((0, points.shape[1]), points.dtype)
        return Made(empty, np.zeros(0, int), none.astype(int), none)
    return Made(*(np.concatenate(group) for group in zip(*parts, strict=True)))

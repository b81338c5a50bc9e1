"""What tells whether a game is healthy: coverage, M's prior, D by class, the hull."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.inference.convex_sampler import ConvexSampler, standard_normal
from gamo_tf.training.feature_trainer import FeatureTrainer

LATENTS = 256  # of each class; also the most real rows of it that D is shown
NEIGHBOURS, STEPS = 50, 200  # of a validation row, for its distance to the hull
LOOKED_AT = 50  # validation rows of a class, for the hull
_USE = 1000  # of the random stream of the latents, [seed, label, use]
_TINY = 1e-12


class Coverage(NamedTuple):
    """How much of a minority class G uses.

    Attributes:
      per_sample: effective parents of a sample, exp(H(w)), mean over the latents.
      over_latents: effective parents of all samples together, exp(H(mean of w)). It is
        small where all latents lead to the same few rows, whatever `per_sample` is.
      share: rows whose mean weight is at least a tenth of what it would be if all rows
        were used alike, of the rows that so many latents could reach: all of a class,
        or one a latent where the class is larger.
    """

    per_sample: float
    over_latents: float
    share: float


def coverage(weights: np.ndarray) -> Coverage:
    """The coverage of one class.

    Args:
      weights: convex weights of many latents [m, n_i].
    """
    mean = weights.mean(axis=0)
    entropies = -np.sum(weights * np.log(np.maximum(weights, _TINY)), axis=1)
    together = -np.sum(mean * np.log(np.maximum(mean, _TINY)))
    return Coverage(
        float(np.exp(entropies).mean()),
        float(np.exp(together)),
        min(1.0, float(np.sum(mean >= 0.1 / len(mean))) / min(weights.shape)),
    )


def outside_hull(rows: np.ndarray, points: np.ndarray) -> float:
    """The share of rows that no convex combination of a class's points comes near.

    A row's distance is that to the hull of its 50 nearest points, found by 200 steps
    of Frank and Wolfe's algorithm. It is outside where that is more than half of the
    median distance between a point and its nearest other point: in hundreds of
    dimensions nearly every new row is outside by a little.

    Args:
      rows: features [m, d].
      points: features of the class's training rows [n, d], two or more.

    Returns:
      0 to 1.
    """
    scale = np.median(np.sort(_distances(points[:LATENTS], points), axis=1)[:, 1])
    k = min(NEIGHBOURS, len(points))
    near = np.argsort(_distances(rows, points), axis=1)[:, :k]
    offsets = points[near] - rows[:, None]  # [m, k, d]: the hull around each row
    products = offsets @ offsets.transpose(0, 2, 1)  # [m, k, k]
    weights = np.full((len(rows), k), 1.0 / k)
    each = np.arange(len(rows))
    for _ in range(STEPS):
        gradient = np.einsum("mkl,ml->mk", products, weights)
        best = gradient.argmin(axis=1)
        square = np.sum(weights * gradient, axis=1)  # of the present distance
        to_best = gradient[each, best]
        length = square - 2 * to_best + products[each, best, best]
        step = np.clip((square - to_best) / np.maximum(length, _TINY), 0, 1)
        weights *= (1 - step)[:, None]
        weights[each, best] += step
    gradient = np.einsum("mkl,ml->mk", products, weights)
    distance = np.sqrt(np.maximum(np.sum(weights * gradient, axis=1), 0))
    return float((distance > scale / 2).mean())


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances [n, m]."""
    squares = (a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)[None]
    return np.sqrt(np.maximum(squares, 0))


def look(
    trainer: FeatureTrainer,
    train: np.ndarray,
    labels: np.ndarray,
    beside: np.ndarray,
    beside_labels: np.ndarray,
) -> dict[str, dict[int, float]]:
    """Everything that is watched of a game with a convex generator, by class.

    Args:
      trainer: the game.
      train: features of the training rows [n, d].
      labels: int [n].
      beside: features of some validation rows [m, d]; m may be 0.
      beside_labels: int [m].

    Returns:
      Of every minority label, by name: ``parents``, ``parents_over_latents`` and
      ``share_of_rows`` (see `Coverage`); ``outside_hull`` of those classes that have
      rows in `beside`; with a D also ``d_accuracy``.
    """
    found: dict[str, dict[int, float]] = {}
    sampler = ConvexSampler(trainer.G, train, labels)
    D = trainer.networks.get("D")
    for label, rows in sampler.rows.items():
        stream = [trainer.options.seed, label, _USE]
        weights = sampler.weights(
            label, standard_normal(stream, LATENTS, sampler.latent)
        )
        mine = coverage(weights)
        values = {
            "parents": mine.per_sample,
            "parents_over_latents": mine.over_latents,
            "share_of_rows": mine.share,
        }
        others = beside[beside_labels == label]
        if len(others) and len(rows) > 1:
            values["outside_hull"] = outside_hull(others, train[rows])
        if D is not None:
            samples = sampler.combine(label, weights)
            values["d_accuracy"] = _d_accuracy(
                D, train[rows[:LATENTS]], samples, label, len(trainer.options.counts)
            )
        for name, value in values.items():
            found.setdefault(name, {})[label] = value
    return found


def _d_accuracy(
    D: keras.Model, real: np.ndarray, made: np.ndarray, label: int, c: int
) -> float:
    """The mean of D's accuracies on real and on generated features of a class."""
    right = []
    for rows, target in ((real, 1), (made, 0)):
        one_hot = np.eye(c, dtype=np.float32)[np.full(len(rows), label)]
        real_by_d = D([tf.constant(rows), tf.constant(one_hot)]).numpy() > 0.5
        right.append((real_by_d == target).mean())
    return float(np.mean(right))

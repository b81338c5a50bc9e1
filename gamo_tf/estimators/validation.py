"""Rows that a fit sets aside, and the scores that it finds on them."""

from __future__ import annotations

import numpy as np

from gamo_tf.estimators.networks import forward
from gamo_tf.evaluation import metrics
from gamo_tf.methods.build import prediction_model
from gamo_tf.training.feature_trainer import FeatureTrainer
from gamo_tf.training.loop import Monitor

SHARE = 0.1  # of each class, where `n_iter_no_change` is given alone


def set_aside(labels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Which rows are for validation.

    Two rows of each class are left to train on, three of the largest, and classes that
    are smaller than the largest stay smaller than it.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        Labels 0, 1, ...
    fraction : float
        Of each class.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    ValueError
        Where there would be none.
    """
    rng = np.random.default_rng([seed, 1])
    sizes = np.bincount(labels)
    smaller = sizes < sizes.max()
    left = np.where(smaller, 2, 3)
    taken = np.clip(
        np.rint(fraction * sizes).astype(int), 0, np.maximum(sizes - left, 0)
    )
    most = (sizes - taken)[~smaller].max()
    taken[smaller] = np.maximum(taken, sizes - most + 1)[smaller]
    if not taken.sum():
        raise ValueError(
            f"validation_fraction {fraction:g}: no row for validation of classes of "
            f"{', '.join(map(str, sizes[:10]))} rows; give a larger one."
        )
    chosen = np.zeros(len(labels), bool)
    for label, n in enumerate(taken):
        chosen[rng.permutation(np.flatnonzero(labels == label))[:n]] = True
    return chosen


class Validation(Monitor):
    """Finds the balanced accuracy on the rows that were set aside.

    Parameters
    ----------
    trainer : FeatureTrainer
        Is looked at.
    rows : ndarray of shape (k, ...)
        As its F takes them.
    labels : ndarray of int, shape (k,)

    Attributes
    ----------
    scores : list of float
        The balanced accuracy of each evaluation.
    """

    def __init__(
        self, trainer: FeatureTrainer, rows: np.ndarray, labels: np.ndarray
    ) -> None:
        super().__init__()
        self.trainer, self.rows, self.labels = trainer, rows, labels
        self.M = prediction_model(trainer.options, trainer.M)
        self.scores: list[float] = []

    def evaluate(
        self, iteration: int, seconds: float, losses: dict[str, float]
    ) -> None:
        p = forward(self.M, forward(self.trainer.F, self.rows))
        matrix = metrics.confusion(self.labels, p.argmax(axis=1), self.trainer.c)
        self.scores.append(metrics.summarise(matrix)[metrics.CHOSEN_BY])
        self.history.append({"iteration": iteration, "seconds": seconds})

    def score(self) -> float:
        return self.scores[-1]

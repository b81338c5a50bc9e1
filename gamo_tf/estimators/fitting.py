"""What `GAMOClassifier` and `GAMO` share: their parameters and the training."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, NamedTuple

import keras
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from gamo_tf import prepare
from gamo_tf.config.backbones import TRAINS
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import CHOICES, resolve, spec_of
from gamo_tf.config.tuned import settings_for
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError
from gamo_tf.estimators import kept
from gamo_tf.estimators.networks import forward
from gamo_tf.estimators.validation import SHARE, Validation, set_aside
from gamo_tf.inference.convex_sampler import Samples
from gamo_tf.methods.build import Networks
from gamo_tf.training.best import Best
from gamo_tf.training.feature_stage import FeatureStage
from gamo_tf.training.feature_trainer import FeatureTrainer
from gamo_tf.training.loop import Schedule, run_loop

AUTO = "auto"  # the recommended method for the data

CONSTRAINTS = {
    "method": [StrOptions({AUTO, *METHODS})],
    "loss": [StrOptions(set(CHOICES["loss"])), None],
    "iterations": [Interval(Integral, 1, None, closed="left"), None],
    "batch_size": [Interval(Integral, 2, None, closed="left")],
    "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
    "random_state": ["random_state"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
    "backbone_weights": [str],
    "backbone_trains": [StrOptions(set(TRAINS))],
    "backbone_rate": [Interval(Real, 0, 1, closed="right"), None],
    "image_size": [Interval(Integral, 8, 1024, closed="both"), None],
    "head": [StrOptions(set(CHOICES["head"])), None],
    "weight_decay": [Interval(Real, 0, 100, closed="both"), None],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
}
# Settings of `Options` by the parameters that they come from; None leaves them out.
_SETTINGS = {
    "loss": "loss",
    "learning_rate": "learning_rate",
    "iterations": "iterations",
    "head": "head",
    "weight_decay": "weight_decay",
    "backbone_weights": "backbone_weights",
    "backbone_trains": "backbone_trains",
    "backbone_rate": "backbone_rate",
    "image_size": "backbone_side",
}
# Keras, Python and NumPy have one random state each for all threads of a process.
_ONE_TRAINING = threading.RLock()


class Training(NamedTuple):
    """What `fit` has done.

    Attributes
    ----------
    trainer : FeatureTrainer
        The trained networks.
    F : keras.Model
        All of F, rows as they came to features.
    features : ndarray of shape (m, d)
        F of the rows that were trained on.
    rows : ndarray of int, shape (m,)
        Those that were trained on, of the rows that it was given.
    iterations : int
        Minibatches.
    scores : ndarray of shape (n_evaluations,) or None
        The balanced accuracy on the other rows; None where there are none.
    """

    trainer: FeatureTrainer
    F: keras.Model
    features: np.ndarray
    rows: np.ndarray
    iterations: int
    scores: np.ndarray | None


def fit(
    rows: np.ndarray,
    labels: np.ndarray,
    estimator: BaseEstimator,
    method: str,
    seed: int,
    networks: Networks,
    backbone: str = "",
    categories: tuple[int, ...] = (),
) -> Training:
    """Train the networks of a method on arrays; nothing is written to disk.

    Parameters
    ----------
    rows : ndarray of shape (n, h, w, c) or (n, d)
        Images of values 0 to 255 or float64 vectors, sorted by label.
    labels : ndarray of int, shape (n,)
        Labels 0, 1, ..., each of them present.
    estimator : BaseEstimator
        Its parameters `batch_size`, `learning_rate`, `loss`, `iterations`,
        `validation_fraction`, `n_iter_no_change` and those of a pretrained F are
        taken; None means the default of the method and the data.
    method : str
        A name of ``METHODS``.
    seed : int
        Of the initial weights and of all draws.
    networks : Networks
        The user's F and M, to take in the place of the default ones.
    backbone : str
        A pretrained F: its name, its file, or `GIVEN` for the F of `networks`.
    categories : tuple of int
        Of vectors, the number of categories of each column; 0 for one of numbers.

    Returns
    -------
    Training

    Raises
    ------
    ValueError
        For a single class, a class of one row, or settings that do not go with the
        method or the data.
    """
    patience, fraction = estimator.n_iter_no_change, estimator.validation_fraction
    if fraction is None and patience is not None:
        fraction = SHARE
    aside = np.zeros(len(labels), bool)
    if fraction is not None:
        aside = set_aside(labels, fraction, seed)
    others, their_labels = rows[aside], labels[aside]
    trained = np.flatnonzero(~aside)
    rows, labels = rows[trained], labels[trained]
    counts = np.bincount(labels)
    if len(counts) < 2:
        raise ValueError("the labels have one class; 2 or more are needed.")
    if counts.min() < 2:
        raise ValueError(
            f"the smallest of {len(counts)} classes has {counts.min()} sample; a "
            "convex combination needs 2 or more of each."
        )
    tuned = settings_for(method, rows.ndim == 4, bool(backbone))
    # Estimators predict with the weights that training ends on; only the methods that
    # end on their averages need any.
    tuned["ema"] = METHODS[method].defaults.get("ema", 0.0)
    chosen = {
        **tuned,
        "dataset": "memory",
        "data": "memory",
        "classes": tuple(map(str, range(len(counts)))),
        "shape": rows.shape[1:],
        "categories": categories,
        "counts": tuple(counts.tolist()),
        "test_per_class": 0,
        "method": method,
        "seed": seed,
        "batch_size": int(estimator.batch_size),
    }
    chosen |= {
        setting: getattr(estimator, parameter)
        for parameter, setting in _SETTINGS.items()
        if getattr(estimator, parameter, None) is not None
    }
    if backbone:
        chosen["backbone"] = backbone
    # All rows are trained on: the test set of the split is empty.
    split = Split(
        rows, labels, rows[:0], labels[:0], np.arange(len(labels)), labels[:0]
    )
    try:
        options = resolve(chosen)
        with seeded(seed):
            stage = None
            if options.pretrained:
                stage = FeatureStage(options, networks.F)
                networks = Networks(M=networks.M)
            trainer, data = prepare.prepared(
                options, spec_of(options), split, networks, stage=stage
            )
            others = stage.start_of(others) if stage else others

            def loop(worker: FeatureTrainer, data: kept.Data, others: Any) -> tuple:
                if fraction is None:
                    return run_loop(worker, data), None
                watch = Validation(worker, others, their_labels)
                best = Best(worker, int(patience or 0), keep=True)
                schedule = Schedule(options.evaluate_every, options.iterations)
                n = run_loop(worker, data, schedule=schedule, monitor=watch, best=best)
                return n, np.asarray(watch.scores)

            if networks == Networks() and stage is None:
                done = kept.train(trainer, data, others, loop)
            else:
                done = loop(trainer, data, others)
            F, start = trainer.F, rows
            if stage:
                F, start = stage.whole(F), stage.start_of(rows)
            features = forward(trainer.F, start)
            return Training(trainer, F, features, trained, *done)
    except UserError as err:
        raise ValueError(str(err)) from err


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within it, the random states of Keras, Python and NumPy follow from a seed, and
    no other thread is within it; afterwards Python's and NumPy's are as before.

    Keras has only a global seed, which sets these two as well. Whoever calls an
    estimator with a `random_state` expects that the other random numbers of the
    program do not depend on it, and that threads do not draw from each other's.

    Parameters
    ----------
    seed : int
        Of all three.
    """
    with _ONE_TRAINING:
        python, numpy = random.getstate(), np.random.get_state()
        try:
            keras.utils.set_random_seed(seed)
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def seed_of(random_state: Any) -> int:
    """A seed for the training from scikit-learn's parameter `random_state`.

    Parameters
    ----------
    random_state : int, RandomState or None
        None draws from NumPy's global generator, as in scikit-learn.

    Returns
    -------
    int
        The integer itself, or else one that is drawn, of 0 to 2**31 - 2.
    """
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def in_original_order(samples: Samples, order: np.ndarray) -> Samples:
    """Samples with their parents as rows of the data that the user passed.

    Parameters
    ----------
    samples : Samples
        Their parents are rows of the data sorted by label; -1 stays -1.
    order : ndarray of int, shape (n,)
        The row of the user's data at each position of the sorted data.

    Returns
    -------
    Samples
    """
    parents = np.where(samples.parents < 0, -1, order[samples.parents])
    return samples._replace(parents=parents)

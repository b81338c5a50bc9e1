"""What `GAMOClassifier` and `GAMO` share: checks of what comes in, and the training."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

import keras
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from gamo_tf import train
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import CHOICES, resolve, spec_of
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError
from gamo_tf.inference.convex_sampler import Samples
from gamo_tf.methods.build import Networks
from gamo_tf.networks.batched import CHUNK
from gamo_tf.training.trainer import FeatureTrainer

CONSTRAINTS = {
    "method": [StrOptions(set(METHODS))],
    "loss": [StrOptions(set(CHOICES["loss"])), None],
    "iterations": [Interval(Integral, 1, None, closed="left"), None],
    "batch_size": [Interval(Integral, 2, None, closed="left")],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "random_state": ["random_state"],
}


def fit(
    rows: np.ndarray,
    labels: np.ndarray,
    estimator: BaseEstimator,
    method: str,
    seed: int,
    networks: Networks,
) -> FeatureTrainer:
    """Train the networks of a method on arrays; nothing is written to disk.

    Parameters
    ----------
    rows : ndarray of shape (n, h, w, c) or (n, d)
        Images of values 0 to 255 or float32 vectors, sorted by label.
    labels : ndarray of int, shape (n,)
        Labels 0, 1, ..., each of them present.
    estimator : BaseEstimator
        Its parameters `batch_size`, `learning_rate`, `loss` and `iterations` are
        taken; of the last two, None means the default of the method and the data.
    method : str
        A name of ``METHODS``.
    seed : int
        Of the initial weights and of all draws.
    networks : Networks
        The user's F and M, to take in the place of the default ones.

    Returns
    -------
    FeatureTrainer
        The trained networks.

    Raises
    ------
    ValueError
        For a single class, a class of one row, or settings that do not go with the
        method or the data.
    """
    counts = np.bincount(labels)
    if len(counts) < 2:
        raise ValueError("the labels have one class; 2 or more are needed.")
    if counts.min() < 2:
        raise ValueError(
            f"the smallest of {len(counts)} classes has {counts.min()} sample; a "
            "convex combination needs 2 or more of each."
        )
    chosen = {
        "dataset": "memory",
        "data": "memory",
        "classes": tuple(map(str, range(len(counts)))),
        "shape": rows.shape[1:],
        "counts": tuple(counts.tolist()),
        "test_per_class": 0,
        "method": method,
        "seed": seed,
        "batch_size": int(estimator.batch_size),
        "learning_rate": float(estimator.learning_rate),
    }
    for name in ("loss", "iterations"):
        if getattr(estimator, name) is not None:
            chosen[name] = getattr(estimator, name)
    # All rows are trained on: the test set of the split is empty.
    split = Split(
        rows, labels, rows[:0], labels[:0], np.arange(len(labels)), labels[:0]
    )
    try:
        options = resolve(chosen)
        with preserved_random_state():
            return train.fit(options, spec_of(options), split, networks=networks)
    except UserError as err:
        raise ValueError(str(err)) from err


@contextmanager
def preserved_random_state() -> Iterator[None]:
    """Within it, the global states of Python's and NumPy's random numbers may change;
    afterwards they are as before.

    Keras has only a global seed, which sets these two as well. Whoever calls an
    estimator with a `random_state` expects that the other random numbers of the
    program do not depend on it.
    """
    python, numpy = random.getstate(), np.random.get_state()
    try:
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


def label_column(y: Any) -> np.ndarray:
    """Labels of any hashable kind as an array.

    Parameters
    ----------
    y : array-like of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
        Of dtype object for a list of tuples or of mixed types.

    Raises
    ------
    ValueError
        For more than one column, or numbers that are no classes.
    """
    # NumPy would make a matrix of tuples, and text of [1, "one"].
    if isinstance(y, list) and (
        any(isinstance(v, tuple) for v in y) or len({type(v) for v in y}) > 1
    ):
        column = np.empty(len(y), object)
        column[:] = y
        return column
    column = column_or_1d(y, warn=True)
    if column.dtype != object:
        check_classification_targets(column)
    return column


def encode(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes of a label column, and each label as a position among them.

    Parameters
    ----------
    y : ndarray of shape (n,)

    Returns
    -------
    classes : ndarray of shape (c,)
        Sorted, or in the order of their first appearance where labels such as None
        and text cannot be compared.
    codes : ndarray of int, shape (n,)
    """
    try:
        classes, codes = np.unique(y, return_inverse=True)
        return classes, codes
    except TypeError:
        position = {label: k for k, label in enumerate(dict.fromkeys(y))}
        classes = np.empty(len(position), object)
        classes[:] = list(position)
        return classes, np.array([position[label] for label in y])


def check_images(X: np.ndarray) -> np.ndarray:
    """Images as F takes them.

    Parameters
    ----------
    X : ndarray of shape (n, h, w, c)
        Values 0 to 255, of any numeric dtype.

    Returns
    -------
    ndarray of shape (n, h, w, c)
        uint8 as it is, everything else as float32.

    Raises
    ------
    ValueError
        For text, missing or infinite values, values outside 0 to 255, and images that
        were scaled to 0 to 1.
    """
    if not np.issubdtype(X.dtype, np.number) or not np.isfinite(X).all():
        raise ValueError("images: expected finite numbers from 0 to 255.")
    if X.size and (X.min() < 0 or X.max() > 255):
        raise ValueError(f"images: {X.min():g} to {X.max():g}; expected 0 to 255.")
    if np.issubdtype(X.dtype, np.floating) and X.size and X.max() <= 1:
        raise ValueError("images: no value above 1; expected 0 to 255 (times 255?).")
    return X if X.dtype == np.uint8 else X.astype(np.float32)


def forward(network: keras.Model, rows: np.ndarray) -> np.ndarray:
    """A network at inference over any number of rows.

    Parameters
    ----------
    network : keras.Model
        Of one input; its output is [b, d].
    rows : ndarray of shape (n, ...)

    Returns
    -------
    ndarray of shape (n, d)
    """
    # Not compiled: a user's network may be called for a few rows only, and compiling
    # it takes longer than that.
    chunks = [
        np.asarray(network(rows[k : k + CHUNK], training=False))
        for k in range(0, len(rows), CHUNK)
    ]
    return np.concatenate(chunks) if chunks else np.zeros((0, network.output_shape[1]))


def copy_as(name: str, model: keras.Model) -> keras.Model:
    """A copy of a network, weights and all, under another name.

    Parameters
    ----------
    name : {"F", "M"}
        The name by which the training finds the network.
    model : keras.Model
        The user's. It is left as it is; the copy learns.

    Returns
    -------
    keras.Model
    """
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    inputs = twin.inputs[0] if len(twin.inputs) == 1 else twin.inputs
    return keras.Model(inputs, twin.outputs[0], name=name)


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

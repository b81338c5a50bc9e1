"""What `GAMOClassifier` and `GAMO` share: training on arrays, and what goes in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real

import keras
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from gamo_tf import options as settings
from gamo_tf import train
from gamo_tf.chunks import CHUNK
from gamo_tf.datasets import Split
from gamo_tf.errors import UserError
from gamo_tf.methods import METHODS
from gamo_tf.players import Players
from gamo_tf.topping import Made

CONSTRAINTS = {
    "method": [StrOptions(set(METHODS))],
    "loss": [StrOptions({"ls", "ce"}), None],
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
    own: train.Networks,
) -> Players:
    """Players trained on rows sorted by label. Raises ValueError."""
    counts = np.bincount(labels)
    if len(counts) < 2:
        raise ValueError("the labels have one class; 2 or more are needed.")
    if counts.min() < 2:
        raise ValueError(
            f"the smallest of {len(counts)} classes has {counts.min()} sample; a "
            "convex combination needs 2 or more of each."
        )
    given = {
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
            given[name] = getattr(estimator, name)
    none = rows[:0]
    empty = labels[:0]
    split = Split(rows, labels, none, empty, np.arange(len(labels)), empty)
    try:
        chosen = settings.resolve(given)
        with global_random_state():
            return train.fit(chosen, settings.spec_of(chosen), split, own=own)
    except UserError as err:
        raise ValueError(str(err)) from err


@contextmanager
def global_random_state() -> Iterator[None]:
    """Keras's seeds are global; the caller's Python and NumPy do not notice."""
    kept = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])


def seed(random_state) -> int:
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def column(y) -> np.ndarray:
    """Labels [n] of any hashable kind."""
    if isinstance(y, list) and (
        any(isinstance(v, tuple) for v in y) or len({type(v) for v in y}) > 1
    ):
        held = np.empty(len(y), object)
        held[:] = y
        return held
    y = column_or_1d(y, warn=True)
    if y.dtype != object:
        check_classification_targets(y)
    return y


def encode(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels, sorted where they can be (else as they appear), and codes [n]."""
    try:
        return np.unique(y, return_inverse=True)
    except TypeError:
        known = {label: k for k, label in enumerate(dict.fromkeys(y))}
        classes = np.empty(len(known), object)
        classes[:] = list(known)
        return classes, np.array([known[label] for label in y])


def images(X: np.ndarray) -> np.ndarray:
    """Raises ValueError for what cannot be images of values 0 to 255."""
    if not np.issubdtype(X.dtype, np.number) or not np.isfinite(X).all():
        raise ValueError("images: expected finite numbers from 0 to 255.")
    if X.size and (X.min() < 0 or X.max() > 255):
        raise ValueError(f"images: {X.min():g} to {X.max():g}; expected 0 to 255.")
    if np.issubdtype(X.dtype, np.floating) and X.size and X.max() <= 1:
        raise ValueError("images: no value above 1; expected 0 to 255 (times 255?).")
    return X if X.dtype == np.uint8 else X.astype(np.float32)


def forward(network: keras.Model, rows: np.ndarray) -> np.ndarray:
    parts = [
        np.asarray(network(rows[k : k + CHUNK], training=False))
        for k in range(0, len(rows), CHUNK)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, network.output_shape[1]))


def named(model: keras.Model, name: str) -> keras.Model:
    """A copy of the model, weights and all, under the name of a player."""
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    inputs = twin.inputs[0] if len(twin.inputs) == 1 else twin.inputs
    return keras.Model(inputs, twin.outputs[0], name=name)


def in_order(made: Made, order: np.ndarray) -> Made:
    """Parents as rows of what was given, not of what was sorted by class."""
    return made._replace(parents=np.where(made.parents < 0, -1, order[made.parents]))

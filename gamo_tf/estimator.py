"""GAMO as scikit-learn and imbalanced-learn know such things: fit, predict,
fit_resample. The training is `train.fit`'s, as the command line's."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import ClassVar

import keras
import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from gamo_tf import options as settings
from gamo_tf import train
from gamo_tf.chunks import CHUNK
from gamo_tf.datasets import Split
from gamo_tf.errors import UserError
from gamo_tf.methods import METHODS
from gamo_tf.players import Players
from gamo_tf.topping import PARENTS, Made, top_up

_CONSTRAINTS = {
    "method": [StrOptions(set(METHODS))],
    "loss": [StrOptions({"ls", "ce"}), None],
    "iterations": [Interval(Integral, 1, None, closed="left"), None],
    "batch_size": [Interval(Integral, 2, None, closed="left")],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "random_state": ["random_state"],
}


class GAMOClassifier(ClassifierMixin, BaseEstimator):
    """GAMO's F and M, trained with G and D (Mullick et al., ICCV 2019, Algorithm 1).

    Parameters
    ----------
    method : str, default="gamo"
        A name of ``METHODS``: what F and M are trained with.
    loss : {"ls", "ce"}, default=None
        Least squares or cross entropy; None: the method's first.
    iterations : int, default=None
        Minibatches; None: 50 passes over the rows, 2,000 to 25,000.
    batch_size : int, default=32
    learning_rate : float, default=2e-4
        Of Adam.
    F, M : keras.Model or callable, default=None
        Networks in the place of ours. F: images [b, h, w, c] as they are given, or
        vectors [b, d] -> features [b, e]; M: these -> probabilities [b, classes],
        in the order of ``classes_``. A callable takes the shape of a row (F), or the
        number of features and of classes (M), and returns a model: with it every fit
        begins anew, and ``clone`` copies no weights. A model that is given is copied.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    classes_ : ndarray
        The labels. ``F_``, ``M_``, ``G_``: the trained networks (G_ None for a method
        without a convex generator).

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from gamo_tf import GAMOClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> model = GAMOClassifier(iterations=20, random_state=0).fit(X[:150], y[:150])
    >>> model.predict_proba(X[150:]).shape
    (28, 3)
    >>> samples, parents, weights = model.sample(2, 4, return_parents=True)
    >>> samples.shape, parents.shape
    ((4, 13), (4, 5))
    """

    _parameter_constraints: ClassVar[dict] = {
        **_CONSTRAINTS,
        "F": [keras.Model, callable, None],
        "M": [keras.Model, callable, None],
    }

    def __init__(
        self,
        method: str = "gamo",
        *,
        loss: str | None = None,
        iterations: int | None = None,
        batch_size: int = 32,
        learning_rate: float = 2e-4,
        F: keras.Model | Callable | None = None,
        M: keras.Model | Callable | None = None,
        random_state=None,
    ) -> None:
        self.method = method
        self.loss = loss
        self.iterations = iterations
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.F = F
        self.M = M
        self.random_state = random_state

    def fit(self, X, y) -> GAMOClassifier:
        """Images [n, h, w, c] of values 0 to 255, or vectors [n, d]; labels [n].

        Raises ValueError for what cannot be trained on.
        """
        self._validate_params()
        X, y = self._rows(X, y)
        self.classes_, codes = _encode(y)
        counts = np.bincount(codes)
        method = self.method
        if len(counts) > 1 and len(set(counts)) == 1 and METHODS[method].source:
            warnings.warn(
                f"all classes have {counts[0]} samples: nothing to oversample; a plain "
                "classifier is trained.",
                UserWarning,
                stacklevel=2,
            )
            method = "cn"
        self._seed = _seed(self.random_state)
        order = np.argsort(codes, kind="stable")
        rows, labels = X[order], codes[order]
        game = _fit(rows, labels, self, method, self._seed, self._networks(X, counts))
        self.F_, self.M_ = game.F, train.judge(game.options, game.M)
        self.G_ = game.G if METHODS[method].convex else None
        self._order, self._labels = order, labels
        # What Eq. 1 combines: vectors as they are, where F only scales them.
        own = self.F is None and X.ndim == 2
        self._points = rows if own else _forward(self.F_, rows)
        return self

    def _rows(self, X, y) -> tuple[np.ndarray, np.ndarray]:
        if isinstance(X, list):
            X = np.asarray(X)
        if getattr(X, "ndim", 0) == 4:
            X, y = np.asarray(X), _column(y)
            if len(X) != len(y):
                raise ValueError(f"{len(X)} images and {len(y)} labels.")
            self.image_shape_ = X.shape[1:]
            return _images(X), y
        self.image_shape_ = None
        X = validate_data(self, X, dtype=np.float32, ensure_min_samples=2)
        y = _column(y)
        if len(X) != len(y):
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: "
                f"{[len(X), len(y)]}"
            )
        return X, y

    def _networks(self, X: np.ndarray, counts: np.ndarray) -> train.Networks:
        F, M, c = self.F, self.M, len(counts)
        if F is not None:
            F = _named(F if isinstance(F, keras.Model) else F(X.shape[1:]), "F")
            if len(F.output_shape) != 2:
                raise ValueError(f"F: its output is {F.output_shape}, not [b, e].")
        if M is not None:
            width = F.output_shape[1] if F is not None else X.shape[1]
            if F is None and X.ndim == 4:
                raise ValueError("M: of images, give F too.")
            M = _named(M if isinstance(M, keras.Model) else M(width, c), "M")
            if M.output_shape[1:] != (c,):
                raise ValueError(f"M: its output is {M.output_shape}, not [b, {c}].")
        return train.Networks(F, M)

    def predict_proba(self, X) -> np.ndarray:
        """Probabilities [n, classes], in the order of ``classes_``."""
        check_is_fitted(self)
        if self.image_shape_:
            X = np.asarray(X)
            if X.shape[1:] != self.image_shape_:
                raise ValueError(
                    f"images {X.shape[1:]}; trained on {self.image_shape_}."
                )
            X = _images(X)
        else:
            X = validate_data(self, X, dtype=np.float32, reset=False)
        p = _forward(self.M_, _forward(self.F_, X)).astype(np.float64)
        return p / p.sum(axis=1, keepdims=True)

    def predict(self, X) -> np.ndarray:
        """Labels [n]."""
        p = self.predict_proba(X)
        return self.classes_[p.argmax(axis=1)]

    def sample(self, label: Hashable, n: int, return_parents: bool = False):
        """`n` samples of a class smaller than the largest, [n, d].

        Trained on vectors: such vectors. On images: features F(x); images of them are
        GAMO2pix's. With `return_parents` also parents [n, 5], rows of the training
        set, heaviest first (-1: none), and their convex weights [n, 5].
        """
        check_is_fitted(self)
        if self.G_ is None:
            raise ValueError(f"sample: {self.method} has trained no convex generator.")
        found = [k for k, known in enumerate(self.classes_) if known == label]
        small = [k for k, _ in self.G_.get_layer("IGU").counts]
        if not found or found[0] not in small:
            names = ", ".join(str(self.classes_[k]) for k in small)
            raise ValueError(f"sample: {label!r} is none of the classes {names}.")
        wanted = {found[0]: n}
        made = top_up(self.G_, self._points, self._labels, wanted, self._seed)
        made = _in_order(made, self._order)
        if return_parents:
            return made.samples, made.parents, made.weights
        return made.samples


class GAMO(BaseOverSampler):
    """Oversampling of vectors by GAMO's convex generator, for imbalanced-learn.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As imbalanced-learn's oversamplers. The largest class cannot be given more.
    iterations, batch_size, learning_rate, loss : as of `GAMOClassifier`.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    sampling_strategy_ : dict
    sample_parents_ : ndarray of shape (new rows, 5)
        Of each new row, which stand behind the given ones: the rows of X that weigh
        most, heaviest first; -1 where a class has fewer.
    sample_weights_ : ndarray of shape (new rows, 5)
        Their convex weights.
    G_ : keras.Model or None
        The generator; None if there was nothing to do.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from gamo_tf import GAMO
    >>> X, y = load_wine(return_X_y=True)
    >>> X_new, y_new = GAMO(iterations=20, random_state=0).fit_resample(X, y)
    >>> X_new.shape
    (213, 13)
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseOverSampler._parameter_constraints,
        **{k: v for k, v in _CONSTRAINTS.items() if k != "method"},
    }

    def __init__(
        self,
        *,
        sampling_strategy="auto",
        loss: str | None = None,
        iterations: int | None = None,
        batch_size: int = 32,
        learning_rate: float = 2e-4,
        random_state=None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.loss = loss
        self.iterations = iterations
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    def _fit_resample(self, X, y):
        classes, codes = _encode(y)
        counts = np.bincount(codes)
        largest = counts.max()
        wanted = {}
        for label, n in self.sampling_strategy_.items():
            (code,) = np.flatnonzero(classes == label)
            if n and counts[code] == largest:
                raise ValueError(
                    f"sampling_strategy: {label!r} is the largest class "
                    f"({largest} samples); GAMO generates only smaller ones."
                )
            if n:
                wanted[int(code)] = int(n)
        self.G_ = None
        self.sample_parents_ = np.zeros((0, PARENTS), int)
        self.sample_weights_ = np.zeros((0, PARENTS))
        if not wanted:
            return X, y
        dense = X.toarray() if sparse.issparse(X) else X
        order = np.argsort(codes, kind="stable")
        rows, labels = dense[order].astype(np.float32), codes[order]
        seed = _seed(self.random_state)
        game = _fit(rows, labels, self, "gamo", seed, train.Networks())
        self.G_ = game.G
        made = _in_order(top_up(game.G, rows, labels, wanted, seed), order)
        self.sample_parents_, self.sample_weights_ = made.parents, made.weights
        new = made.samples.astype(X.dtype)
        if sparse.issparse(X):
            X_new = sparse.vstack([X, sparse.csr_matrix(new)], format=X.format)
        else:
            X_new = np.concatenate([X, new])
        return X_new, np.concatenate([y, classes[made.labels].astype(y.dtype)])


# ---- what both do ---------------------------------------------------------------


def _fit(
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
        with _global_random_state():
            return train.fit(chosen, settings.spec_of(chosen), split, own=own)
    except UserError as err:
        raise ValueError(str(err)) from err


@contextmanager
def _global_random_state() -> Iterator[None]:
    """Keras's seeds are global; the caller's Python and NumPy do not notice."""
    kept = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])


def _seed(random_state) -> int:
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def _column(y) -> np.ndarray:
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


def _encode(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels, sorted where they can be (else as they appear), and codes [n]."""
    try:
        return np.unique(y, return_inverse=True)
    except TypeError:
        known = {label: k for k, label in enumerate(dict.fromkeys(y))}
        classes = np.empty(len(known), object)
        classes[:] = list(known)
        return classes, np.array([known[label] for label in y])


def _images(X: np.ndarray) -> np.ndarray:
    """Raises ValueError for what cannot be images of values 0 to 255."""
    if not np.issubdtype(X.dtype, np.number) or not np.isfinite(X).all():
        raise ValueError("images: expected finite numbers from 0 to 255.")
    if X.size and (X.min() < 0 or X.max() > 255):
        raise ValueError(f"images: {X.min():g} to {X.max():g}; expected 0 to 255.")
    if np.issubdtype(X.dtype, np.floating) and X.size and X.max() <= 1:
        raise ValueError("images: no value above 1; expected 0 to 255 (times 255?).")
    return X if X.dtype == np.uint8 else X.astype(np.float32)


def _forward(network: keras.Model, rows: np.ndarray) -> np.ndarray:
    parts = [
        np.asarray(network(rows[k : k + CHUNK], training=False))
        for k in range(0, len(rows), CHUNK)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, network.output_shape[1]))


def _named(model: keras.Model, name: str) -> keras.Model:
    """A copy of the model, weights and all, under the name of a player."""
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    return keras.Model(twin.inputs, twin.outputs[0], name=name)


def _in_order(made: Made, order: np.ndarray) -> Made:
    """Parents as rows of what was given, not of what was sorted by class."""
    return made._replace(parents=np.where(made.parents < 0, -1, order[made.parents]))

"""GAMO as scikit-learn knows classifiers. The training is the command line's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from typing import ClassVar

import keras
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gamo_tf import fitting, train
from gamo_tf.methods import METHODS
from gamo_tf.topping import top_up


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
        **fitting.CONSTRAINTS,
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
        self.classes_, codes = fitting.encode(y)
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
        self._seed = fitting.seed(self.random_state)
        order = np.argsort(codes, kind="stable")
        rows, labels = X[order], codes[order]
        game = fitting.fit(
            rows, labels, self, method, self._seed, self._networks(X, counts)
        )
        self.F_, self.M_ = game.F, train.judge(game.options, game.M)
        self.G_ = game.G if METHODS[method].convex else None
        self._order, self._labels = order, labels
        # What Eq. 1 combines: vectors as they are, where F only scales them.
        own = self.F is None and X.ndim == 2
        self._points = rows if own else fitting.forward(self.F_, rows)
        return self

    def _rows(self, X, y) -> tuple[np.ndarray, np.ndarray]:
        if isinstance(X, list):
            X = np.asarray(X)
        if getattr(X, "ndim", 0) == 4:
            X, y = np.asarray(X), fitting.column(y)
            if len(X) != len(y):
                raise ValueError(f"{len(X)} images and {len(y)} labels.")
            self.image_shape_ = X.shape[1:]
            return fitting.images(X), y
        self.image_shape_ = None
        X = validate_data(self, X, dtype=np.float32, ensure_min_samples=2)
        y = fitting.column(y)
        if len(X) != len(y):
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: "
                f"{[len(X), len(y)]}"
            )
        return X, y

    def _networks(self, X: np.ndarray, counts: np.ndarray) -> train.Networks:
        F, M, c = self.F, self.M, len(counts)
        if F is not None:
            F = fitting.named(F if isinstance(F, keras.Model) else F(X.shape[1:]), "F")
            if len(F.output_shape) != 2:
                raise ValueError(f"F: its output is {F.output_shape}, not [b, e].")
        if M is not None:
            width = F.output_shape[1] if F is not None else X.shape[1]
            if F is None and X.ndim == 4:
                raise ValueError("M: of images, give F too.")
            M = fitting.named(M if isinstance(M, keras.Model) else M(width, c), "M")
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
            X = fitting.images(X)
        else:
            X = validate_data(self, X, dtype=np.float32, reset=False)
        p = fitting.forward(self.M_, fitting.forward(self.F_, X)).astype(np.float64)
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
        made = fitting.in_order(made, self._order)
        if return_parents:
            return made.samples, made.parents, made.weights
        return made.samples

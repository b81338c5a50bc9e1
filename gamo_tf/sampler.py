"""GAMO as imbalanced-learn knows oversamplers. The training is the command line's."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from scipy import sparse

from gamo_tf import fitting, train
from gamo_tf.topping import PARENTS, top_up


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
        **{k: v for k, v in fitting.CONSTRAINTS.items() if k != "method"},
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
        classes, codes = fitting.encode(y)
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
        seed = fitting.seed(self.random_state)
        game = fitting.fit(rows, labels, self, "gamo", seed, train.Networks())
        self.G_ = game.G
        made = fitting.in_order(top_up(game.G, rows, labels, wanted, seed), order)
        self.sample_parents_, self.sample_weights_ = made.parents, made.weights
        new = made.samples.astype(X.dtype)
        if sparse.issparse(X):
            X_new = sparse.vstack([X, sparse.csr_matrix(new)], format=X.format)
        else:
            X_new = np.concatenate([X, new])
        return X_new, np.concatenate([y, classes[made.labels].astype(y.dtype)])

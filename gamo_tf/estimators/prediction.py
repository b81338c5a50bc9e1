"""What a fitted `GAMOClassifier` does: it predicts, and makes new samples."""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from typing import Any

import keras
import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted, validate_data

from gamo_tf.config.methods import METHODS, RECOMMENDED
from gamo_tf.data.column_kinds import Column
from gamo_tf.estimators import fitting, input_checks, resampled
from gamo_tf.estimators.networks import forward
from gamo_tf.inference import spread
from gamo_tf.inference.convex_sampler import sampler_of
from gamo_tf.networks.batched import CHUNK
from gamo_tf.own_settings import own_settings
from gamo_tf.training.extraction import BATCH
from gamo_tf.training.feature_stage import FeatureStage


class Prediction:
    """The methods of `GAMOClassifier` that need a trained one.

    Attributes
    ----------
    classes_, method_, F_, M_, G_, image_shape_, spread_
        As those of `GAMOClassifier`.
    """

    classes_: np.ndarray
    method_: str
    F_: keras.Model
    M_: keras.Model
    G_: keras.Model | None
    image_shape_: tuple[int, ...] | None
    spread_: pd.DataFrame
    _columns: tuple[Column, ...]
    _order: np.ndarray
    _labels: np.ndarray
    _points: np.ndarray
    _frame: tuple[pd.DataFrame, np.ndarray] | None
    _number_columns: dict[int, str] | None
    _seed: int
    # Of a pretrained F: its stage, and the part of it that was trained.
    _stage: tuple[FeatureStage, keras.Model] | None
    _pretrained: bool

    def __getstate__(self) -> dict[str, Any]:
        # `F_` has all that predictions need; the stage only finds known images.
        state: Any = super().__getstate__()
        return {k: None if k == "_stage" else v for k, v in state.items()}

    def _features(self, X: np.ndarray) -> np.ndarray:
        """F of rows [n, ...], of known images by what the store has: [n, e]."""
        if self._stage and self._stage[0].frozen is not None:
            stage, learned = self._stage
            return forward(learned, stage.extract(X)[0])
        return forward(self.F_, X, BATCH if self._pretrained else CHUNK)

    def _probabilities(self, features: np.ndarray) -> np.ndarray:
        """M's probabilities [n, c]. Raises ValueError where they are no numbers."""
        p = forward(self.M_, features).astype(np.float64)
        wrong = ~np.isfinite(p).all(axis=1)
        if wrong.any():
            raise ValueError(
                f"the probabilities of {wrong.sum()} of {len(p)} rows are no numbers: "
                "the training has diverged (fit again with a smaller learning_rate), "
                "or the rows lie too far from those of the training."
            )
        # Softmax in float32 sums to 1 within 1e-7 only; the ecosystem expects more.
        return p / p.sum(axis=1, keepdims=True)

    @own_settings()
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n, d) or (n, h, w, c)
            Rows of the kind that the classifier was trained on.

        Returns
        -------
        ndarray of float64, shape (n, n_classes)
            In the order of `classes_`; each row sums to 1.

        Raises
        ------
        ValueError
            For rows of another shape, for values that are not finite numbers, and
            where the probabilities are none, as after a training that diverged.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        if self.image_shape_:
            X = input_checks.check_images_of(X, self.image_shape_)
        else:
            if isinstance(X, pd.DataFrame):  # names of columns come before their kinds
                validate_data(self, X, reset=False, skip_check_array=True)
            X, _ = input_checks.as_numbers(X, self._columns)
            X = validate_data(self, X, dtype=np.float64, reset=False)
        # Matrix products treat the last rows of a batch otherwise than the rest, which
        # shows in the last digit. M sees the rows in one fixed order, so that the
        # probabilities of a row do not depend on the order of X.
        features, rows = np.unique(self._features(X), axis=0, return_inverse=True)
        return self._probabilities(features)[rows]

    @own_settings()
    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row.

        Parameters
        ----------
        X : array-like of shape (n, d) or (n, h, w, c)
            Rows of the kind that the classifier was trained on.

        Returns
        -------
        ndarray of shape (n,)
            Labels, as they were passed to `fit`.

        Raises
        ------
        ValueError
            As `predict_proba`.
        """
        p = self.predict_proba(X)
        return self.classes_[p.argmax(axis=1)]

    @own_settings()
    def sample(self, label: Hashable, n: int, return_parents: bool = False) -> Any:
        """New samples of a minority class.

        Each is a convex combination of the training rows of the class (Eq. 1 of the
        paper): by the trained generator, or of two random rows where the method is
        "balanced-pairs". The k-th sample is the same for every `n`.

        Parameters
        ----------
        label : hashable
            One of the labels of `fit`; its class is smaller than the largest.
        n : int
            Number of samples.
        return_parents : bool, default=False
            Whether to return the rows that are combined, too.

        Returns
        -------
        samples : ndarray of shape (n, d) or (n, e), or dataframe of shape (n, d)
            Of a classifier of vectors with the default F: vectors like those of
            `fit`, as float64, within the range of the class; where `fit` was passed a
            data frame, one of its columns and types (integers are rounded, decimals
            are as in the column, and what cannot be combined is that of the heaviest
            parent). Else features, as `F_`
            makes them; GAMO2pix makes images of those.
        parents : ndarray of int, shape (n, 5)
            Only with `return_parents`: the rows of the training set that weigh most,
            heaviest first; -1 where the class has fewer.
        weights : ndarray of shape (n, 5)
            Only with `return_parents`: their convex weights. What is missing to 1 is
            spread over the other rows of the class.

        Raises
        ------
        ValueError
            For a label that is unknown or of a largest class, and for a method that
            generates nothing.
        sklearn.exceptions.NotFittedError
            Before `fit`.

        Warns
        -----
        UserWarning
            Where samples of vectors are narrow, or near copies of real rows.
        """
        check_is_fitted(self)
        if not METHODS[self.method_].convex:
            raise ValueError(
                f"sample: {self.method_} generates nothing. Fit with "
                f"method={RECOMMENDED!r} or 'gamo'."
            )
        sampler = sampler_of(self.G_, self._points, self._labels)
        found = [k for k, known in enumerate(self.classes_) if known == label]
        if not found or found[0] not in sampler.rows:
            names = ", ".join(str(self.classes_[k]) for k in sampler.rows)
            raise ValueError(f"sample: {label!r} is none of the classes {names}.")
        samples = sampler.sample({found[0]: n}, self._seed)
        if self._number_columns is not None:
            measured = spread.measure(sampler, samples, self._number_columns)
            self.spread_ = spread.table(measured, self.classes_)
            if complaints := spread.complaints(measured, self.classes_):
                warnings.warn(
                    f"{complaints[0]}. See spread_.", UserWarning, stacklevel=2
                )
        samples = fitting.in_original_order(samples, self._order)
        values = samples.values
        if self._frame:
            values = resampled.alone(*self._frame, samples)
        if return_parents:
            return values, samples.parents, samples.weights
        return values

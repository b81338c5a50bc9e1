"""GAMO as a classifier for scikit-learn. It is trained as on the command line."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from typing import Any, ClassVar

import keras
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from gamo_tf.config.backbones import GIVEN
from gamo_tf.config.methods import METHODS, RECOMMENDED, recommended
from gamo_tf.data.column_kinds import Column
from gamo_tf.estimators import fitting, input_checks, resampled
from gamo_tf.estimators.networks import copy_as, forward
from gamo_tf.inference import spread
from gamo_tf.inference.convex_sampler import sampler_of
from gamo_tf.methods.build import Networks, prediction_model
from gamo_tf.networks.batched import CHUNK
from gamo_tf.own_settings import own_settings
from gamo_tf.training.feature_stage import BATCH


class GAMOClassifier(ClassifierMixin, BaseEstimator):
    """Classifier for imbalanced classes, trained by GAMO or another method.

    With "gamo", a feature extractor F and a classifier M are trained in a game with a
    generator G and a discriminator D. G makes convex combinations of the training rows
    of each minority class, where M errs; M learns from them as if they were further
    rows of the class (Algorithm 1 of [1]_). A minority class is one that is smaller
    than the largest.

    Parameters
    ----------
    method : str, default="auto"
        How F and M are trained. "auto" is the recommended method: "balanced-pairs" for
        images and "logit-adjust" for vectors, which scored highest on validation data
        of our image sets (augmented) and tables. "gamo" is the paper's. Any other name
        of ``gamo_tf.config.methods.METHODS`` is allowed, such as "cn" (a plain
        classifier), "smote-features" or "focal".
    loss : {"ls", "ce"} or None, default=None
        Least squares (Eqs. 4 to 6) or cross entropy (Eqs. 2 and 3). None is the loss
        that tuning kept for the method, or else its first.
    iterations : int or None, default=None
        Number of minibatches. None makes 50 passes over the rows for "gamo", at
        least 2,000 and at most 25,000 minibatches, and for the other methods as
        many as give M the same number of updates.
    batch_size : int, default=32
        Rows of a minibatch, 2 or more.
    learning_rate : float or None, default=None
        Learning rate of Adam, for all networks. None is the rate that tuning kept for
        the method (``gamo_tf.config.tuned``), or else the paper's 2e-4.
    F : str, keras.Model, callable or None, default=None
        The feature extractor. A str names a pretrained network for images: a row of
        ``gamo_tf.config.backbones.BACKBONES``, such as "EfficientNetV2B0", or a
        ``.keras`` file. A model takes images [b, h, w, c] as they are passed to `fit`,
        or vectors [b, d], to features [b, e]; it is copied and stays as it is. Both
        are frozen on images (see `backbone_trains`): every image passes once. A
        callable takes the shape of a row and returns a model, which learns: every
        `fit` starts anew, and `sklearn.base.clone` copies no weights. None is a
        network of convolutions for images, and for vectors a standardisation of the
        columns.
    M : keras.Model, callable or None, default=None
        A classifier in the place of the default one, features [b, e] to probabilities
        [b, n_classes] in the order of `classes_`. A callable takes the number of
        features and of classes.
    backbone_weights : str, default="imagenet"
        Weights of a named F: "imagenet", "none" (random), or a ``.weights.h5`` or
        ``.keras`` file.
    backbone_trains : {"none", "top", "all"}, default="none"
        Which layers of a pretrained F learn. "top" is its last stage. Training begins
        with the classifier of the frozen network.
    backbone_rate : float or None, default=None
        Learning rate of a pretrained F that learns. None is 1e-5.
    image_size : int or None, default=None
        Height and width in pixels of the images that a named F gets. None is its own.
    head : {"mlp", "linear"} or None, default=None
        Layers of the classifier. None is "linear" behind a pretrained F, else "mlp".
    weight_decay : float or None, default=None
        Times the sum of squares of the classifier's weights, in its loss. None is a
        default for a pretrained F (``config.tuned.behind_backbone``), else 0.
    validation_fraction : float or None, default=None
        Share of each class that is not trained on. 25 times a fit the balanced accuracy
        on these rows is measured, and the networks of its best moment are kept. None:
        all rows are trained on, and the last networks stay.
    n_iter_no_change : int or None, default=None
        Measurements without a better balanced accuracy after which the fit ends; given
        alone, a tenth of each class is not trained on. None: it never ends early.
    random_state : int, RandomState instance or None, default=None
        Of the validation rows, the initial weights, the minibatches and the generated
        samples.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted where they can be compared.
    method_ : str
        The method that was trained.
    F_ : keras.Model
        The trained feature extractor, rows to features [b, e].
    M_ : keras.Model
        The trained classifier, features [b, e] to probabilities [b, n_classes].
    G_ : keras.Model or None
        The trained convex generator; None for methods that train none.
    image_shape_ : tuple (h, w, c) or None
        The shape of an image; None for a classifier of vectors.
    n_iter_ : int
        Minibatches that were trained.
    validation_scores_ : ndarray of shape (n_evaluations,) or None
        The balanced accuracy on the validation rows at each measurement; the kept
        networks have the largest. None without such rows.
    spread_ : dataframe
        Of vectors, how widely the rows of the last `sample` are spread (see
        `gamo_tf.GAMO` and `gamo_tf.inference.spread`); there only after `sample`.
    n_features_in_ : int
        Number of columns, of a classifier of vectors.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where `fit` was passed a data frame.

    See Also
    --------
    gamo_tf.GAMO : The same generator as an oversampler for imbalanced-learn.

    References
    ----------
    .. [1] S. S. Mullick, S. Datta, S. Das, "Generative Adversarial Minority
       Oversampling", IEEE/CVF International Conference on Computer Vision (ICCV),
       2019, pp. 1695-1704. https://doi.org/10.1109/ICCV.2019.00178

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from gamo_tf import GAMOClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> model = GAMOClassifier("gamo", iterations=20, random_state=0)
    >>> model = model.fit(X[:150], y[:150])
    >>> model.predict_proba(X[150:]).shape
    (28, 3)
    >>> samples, parents, weights = model.sample(2, 4, return_parents=True)
    >>> samples.shape, parents.shape
    ((4, 13), (4, 5))
    """

    _parameter_constraints: ClassVar[dict] = {
        **fitting.CONSTRAINTS,
        "F": [str, keras.Model, callable, None],
        "M": [keras.Model, callable, None],
    }

    def __init__(
        self,
        method: str = fitting.AUTO,
        *,
        loss: str | None = None,
        iterations: int | None = None,
        batch_size: int = 32,
        learning_rate: float | None = None,
        F: str | keras.Model | Callable | None = None,
        M: keras.Model | Callable | None = None,
        backbone_weights: str = "imagenet",
        backbone_trains: str = "none",
        backbone_rate: float | None = None,
        image_size: int | None = None,
        head: str | None = None,
        weight_decay: float | None = None,
        validation_fraction: float | None = None,
        n_iter_no_change: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.method = method
        self.loss = loss
        self.iterations = iterations
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.F = F
        self.M = M
        self.backbone_weights = backbone_weights
        self.backbone_trains = backbone_trains
        self.backbone_rate = backbone_rate
        self.image_size = image_size
        self.head = head
        self.weight_decay = weight_decay
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state

    @own_settings()
    def fit(self, X: Any, y: Any, **params: Any) -> GAMOClassifier:
        """Train the networks.

        Parameters
        ----------
        X : array-like of shape (n, d) or (n, h, w, c)
            Vectors, or images of values 0 to 255. Data frames may have columns of
            text and of categories; M sees them as a column for each category.
        y : array-like of shape (n,)
            Labels of any hashable kind, two or more of each.
        **params : dict
            There are none: `sample_weight` is an error, since no method weighs rows.

        Returns
        -------
        GAMOClassifier
            The fitted estimator itself.

        Raises
        ------
        ValueError
            For data that cannot be trained on, parameters that do not go together,
            and networks whose shapes do not fit.

        Warns
        -----
        UserWarning
            Where all classes are of one size: there is nothing to oversample, and a
            plain classifier is trained.
        sklearn.exceptions.ConvergenceWarning
            Where a class is never predicted on the training rows.
        """
        input_checks.refuse_parameters(params)
        self._validate_params()
        given = X
        self._columns: tuple[Column, ...] = ()
        X, y = self._check_rows(X, y)
        input_checks.warn_of_identifiers(given, self._columns)
        self.classes_, codes = input_checks.encode(y)
        counts = np.bincount(codes)
        method = self.method
        if method == fitting.AUTO:
            method = recommended(images=X.ndim == 4)
        if len(counts) > 1 and len(set(counts)) == 1 and METHODS[method].samples:
            warnings.warn(
                f"all classes have {counts[0]} samples: nothing to oversample; a plain "
                "classifier is trained.",
                UserWarning,
                stacklevel=2,
            )
            method = "cn"
        self._seed = fitting.seed_of(self.random_state)
        # G knows the rows of a class by their order, class by class.
        order = np.argsort(codes, kind="stable")
        rows, labels = X[order], codes[order]
        with fitting.seeded(self._seed):  # the user's functions draw weights too
            networks = self._user_networks(X, counts)
            sizes = input_checks.sizes(self._columns)
            done = fitting.fit(
                *(rows, labels, self, method, self._seed, networks),
                *(self._backbone(X), sizes),
            )
        trainer = done.trainer
        self.n_iter_, self.validation_scores_ = done.iterations, done.scores
        order, rows, labels = order[done.rows], rows[done.rows], labels[done.rows]
        self.F_ = done.F
        self.M_ = prediction_model(trainer.options, trainer.M)
        self.method_ = method
        self.G_ = trainer.G if METHODS[method].learns_generator else None
        self._order, self._labels = order, labels
        # The points that Eq. 1 combines. The default F of vectors only scales the
        # columns, and a convex combination passes through that: there the vectors
        # themselves are combined, so that `sample` returns vectors as they came in.
        scales_only = self.F is None and X.ndim == 2
        features = done.features
        self._points = rows if scales_only else features
        # Of a data frame, what its samples need to become one.
        frame = isinstance(given, pd.DataFrame) and scales_only
        self._frame = (given.copy(), codes) if frame else None
        self._number_columns = resampled.number_columns(given) if scales_only else None
        self._warn_of_collapse(features)
        return self

    def _warn_of_collapse(self, features: np.ndarray) -> None:
        """Warns of classes that none of the training rows is taken for."""
        predicted = self._probabilities(features).argmax(axis=1)
        never = [
            str(name) for k, name in enumerate(self.classes_) if k not in set(predicted)
        ]
        if never:
            warnings.warn(
                f"never predicted on the training rows: {', '.join(never[:10])}. Try "
                "more iterations, or a smaller learning_rate.",
                ConvergenceWarning,
                stacklevel=3,
            )

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

    def _check_rows(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Rows and labels as arrays of one length; sets what is known of the rows."""
        if isinstance(X, list):
            X = np.asarray(X)
        if getattr(X, "ndim", 0) == 4:
            X, y = np.asarray(X), input_checks.label_column(y)
            if len(X) != len(y):
                raise ValueError(f"{len(X)} images and {len(y)} labels.")
            self.image_shape_ = X.shape[1:]
            return input_checks.check_images(X, fitting=True), y
        self.image_shape_ = None
        X, self._columns = input_checks.as_numbers(X)
        if input_checks.sizes(self._columns) and self.F is not None:
            raise ValueError("F: of columns of names, the default one is needed.")
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        y = input_checks.label_column(y)
        if len(X) != len(y):
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: "
                f"{[len(X), len(y)]}"
            )
        return X, y

    def _backbone(self, X: np.ndarray) -> str:
        """The name of a pretrained F; "" where F is none."""
        if isinstance(self.F, str):
            return self.F
        return GIVEN if isinstance(self.F, keras.Model) and X.ndim == 4 else ""

    def _user_networks(self, X: np.ndarray, counts: np.ndarray) -> Networks:
        """Copies of the user's F and M. Raises ValueError where shapes do not fit."""
        F, M, c = self.F, self.M, len(counts)
        if isinstance(F, str):
            if M is not None:
                raise ValueError("M: goes with another F than a name; see head.")
            return Networks()
        if F is not None:
            model = F if isinstance(F, keras.Model) else F(X.shape[1:])
            F = copy_as("F", model)
            if len(F.output_shape) != 2:
                raise ValueError(f"F: its output is {F.output_shape}, not [b, e].")
        if M is not None:
            width = F.output_shape[1] if F is not None else X.shape[1]
            if F is None and X.ndim == 4:
                raise ValueError("M: of images, give F too.")
            M = copy_as("M", M if isinstance(M, keras.Model) else M(width, c))
            if M.output_shape[1:] != (c,):
                raise ValueError(f"M: its output is {M.output_shape}, not [b, {c}].")
        return Networks(F, M)

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
            X = np.asarray(X)
            if X.shape[1:] != self.image_shape_:
                raise ValueError(
                    f"images {X.shape[1:]}; trained on {self.image_shape_}."
                )
            X = input_checks.check_images(X)
        else:
            if isinstance(X, pd.DataFrame):  # names of columns come before their kinds
                validate_data(self, X, reset=False, skip_check_array=True)
            X, _ = input_checks.as_numbers(X, self._columns)
            X = validate_data(self, X, dtype=np.float64, reset=False)
        # Matrix products treat the last rows of a batch otherwise than the rest, which
        # shows in the last digit. M sees the rows in one fixed order, so that the
        # probabilities of a row do not depend on the order of X.
        # Images go through a pretrained network a few at a time.
        features = forward(self.F_, X, BATCH if self._backbone(X) else CHUNK)
        features, rows = np.unique(features, axis=0, return_inverse=True)
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

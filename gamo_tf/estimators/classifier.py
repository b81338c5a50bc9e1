"""GAMO as a classifier for scikit-learn. It is trained as on the command line."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import keras
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import validate_data

from gamo_tf.config.checks import RANGES
from gamo_tf.config.methods import METHODS, recommended
from gamo_tf.config.options import CHOICES
from gamo_tf.data.column_kinds import Column
from gamo_tf.estimators import fitting, input_checks, pretrained, resampled
from gamo_tf.estimators.networks import user_networks
from gamo_tf.estimators.prediction import Prediction
from gamo_tf.methods.build import prediction_model
from gamo_tf.own_settings import own_settings


class GAMOClassifier(Prediction, ClassifierMixin, BaseEstimator):
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
        images, and "logit-adjust" for vectors and behind a pretrained F. They scored
        highest on validation data of ours. "gamo" is the paper's. Any other name
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
        the method (``gamo_tf.config.tuned``), or else the paper's 2e-4; behind a
        pretrained F it is 1e-3.
    F : str, path, keras.Model, callable or None, default=None
        A feature extractor in the place of the default one. None is a network of
        convolutions for images, and for vectors a standardisation of the columns.

        - str: the name of a network that was trained on ImageNet, such as
          "EfficientNetV2B0" (see ``gamo_tf.config.backbones.BACKBONES``), or the path
          of a ``.keras`` file. It takes images.
        - keras.Model of images [b, h, w, c]: it is copied and stays as it is. The copy
          counts as pretrained: by default none of its layers learns.
        - keras.Model of vectors [b, d]: its copy learns.
        - callable: takes the shape of a row and returns a model, which learns. Every
          `fit` starts anew, and `sklearn.base.clone` copies no weights.

        A pretrained network gets images of values 0 to 255. It runs once for each
        image; a folder on the disk keeps the features (``GAMO_CACHE_DIR``, by default
        ``~/.cache/gamo``).
    M : keras.Model, callable or None, default=None
        A classifier in the place of the default one, features [b, e] to probabilities
        [b, n_classes] in the order of `classes_`. A callable takes the number of
        features and of classes.
    backbone_weights : str or path, default="imagenet"
        Weights of a named F: "imagenet", "none" (random weights), or a
        ``.weights.h5`` or ``.keras`` file.
    backbone_trains : {"none", "top", "all"}, default="none"
        Which layers of a pretrained F learn: none, the last stage, or all. Its batch
        normalization always keeps its statistics.
    backbone_rate : float or None, default=None
        Learning rate of these layers. None is 3e-4.
    image_size : int or None, default=None
        Height and width in pixels that a pretrained F resizes images to. None is the
        size that it was trained on; a model of any size takes images as they are.
    head : {"mlp", "linear"} or None, default=None
        The layers of M: the paper's, or a single one. None is "linear" behind a
        pretrained F, and "mlp" behind others.
    weight_decay : float or None, default=None
        Factor of the sum of squares of M's weights in its loss. None is a default for
        a pretrained F (``config.tuned.behind_backbone``), and 0 behind others.
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
    gamo_tf.BackboneFeatures : The features of a pretrained F for other estimators.

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
        **pretrained.CONSTRAINTS,
        "F": [keras.Model, callable, str, os.PathLike, None],
        "M": [keras.Model, callable, None],
        "head": [StrOptions(set(CHOICES["head"])), None],
        "weight_decay": [
            Interval(Real, 0, RANGES["weight_decay"].high, closed="both"),
            None,
        ],
    }

    def __init__(
        self,
        method: str = fitting.AUTO,
        *,
        loss: str | None = None,
        iterations: int | None = None,
        batch_size: int = 32,
        learning_rate: float | None = None,
        F: str | os.PathLike | keras.Model | Callable | None = None,
        M: keras.Model | Callable | None = None,
        backbone_weights: str | os.PathLike = "imagenet",
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
        if self.M is not None and self.head is not None:
            raise ValueError("head: M is given, which has layers of its own.")
        given = X
        self._columns: tuple[Column, ...] = ()
        X, y = self._check_rows(X, y)
        input_checks.warn_of_identifiers(given, self._columns)
        self.classes_, codes = input_checks.encode(y)
        counts = np.bincount(codes)
        method = self.method
        if method == fitting.AUTO:
            images, kinds = X.ndim == 4, (str, os.PathLike, keras.Model)
            frozen = images and isinstance(self.F, kinds)
            method = recommended(images, pretrained=frozen)
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
        with fitting.seeded(self._seed):
            network = pretrained.of(self, X.shape[1:], self._seed)
        F = network and network.F
        with fitting.seeded(self._seed):  # the user's functions draw weights too
            networks = user_networks(self.F, self.M, X.shape[1:], len(counts), F)
            sizes = input_checks.sizes(self._columns)
            done = fitting.fit(
                *(rows, labels, self, method, self._seed, networks, sizes, network)
            )
        trainer = done.trainer
        self.n_iter_, self.validation_scores_ = done.iterations, done.scores
        order, rows, labels = order[done.rows], rows[done.rows], labels[done.rows]
        self.F_ = done.F
        self._pretrained = done.stage is not None
        self._stage = (done.stage, trainer.F) if done.stage else None
        self.M_ = prediction_model(trainer.options, trainer.M)
        self.method_ = method
        self.G_ = trainer.G if METHODS[method].learns_generator else None
        self._order, self._labels = order, labels
        # The points that Eq. 1 combines. The default F of vectors only scales the
        # columns, and a convex combination passes through that: there the vectors
        # themselves are combined, so that `sample` returns vectors as they came in.
        scales_only = self.F is None and X.ndim == 2
        features = self._features(rows)
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
        if isinstance(self.F, (str, os.PathLike)):
            name = os.fspath(self.F)
            raise ValueError(f"F: {name} takes images; X is a table. Leave F out.")
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

"""Features of images by a pretrained network, as a transformer for scikit-learn."""

from __future__ import annotations

import os
from typing import Any, ClassVar

import keras
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from gamo_tf.estimators import input_checks, pretrained
from gamo_tf.own_settings import own_settings
from gamo_tf.training.feature_stage import FeatureStage


class BackboneFeatures(TransformerMixin, BaseEstimator):
    """Features of images by a pretrained network, which stays as it is.

    A folder on the disk keeps the features of every image that the network has seen,
    so that the folds of a cross-validation extract each image once. The environment
    variable ``GAMO_CACHE_DIR`` names the folder; the default is ``~/.cache/gamo``.

    Parameters
    ----------
    backbone : str, path or keras.Model, default="EfficientNetV2B0"
        The name of a network (see
        ``gamo_tf.config.backbones.BACKBONES``), the path of a ``.keras`` file, or a
        model of images [b, h, w, c].
    weights : str or path, default="imagenet"
        "imagenet", "none" (random weights), or a ``.weights.h5`` or ``.keras`` file.
    image_size : int or None, default=None
        Height and width in pixels that images are resized to. None is the size that
        the network was trained on.

    Attributes
    ----------
    image_shape_ : tuple (h, w, c)
        The shape of an image.
    n_features_out_ : int
        Number of features e.

    See Also
    --------
    gamo_tf.GAMO : An oversampler for these features.
    gamo_tf.GAMOClassifier : A classifier of images, which can have such an F.

    Examples
    --------
    >>> from imblearn.pipeline import make_pipeline
    >>> from sklearn.linear_model import LogisticRegression
    >>> from gamo_tf import GAMO, BackboneFeatures
    >>> model = make_pipeline(
    ...     BackboneFeatures("EfficientNetV2B0"), GAMO(), LogisticRegression()
    ... )
    """

    _parameter_constraints: ClassVar[dict] = {
        "backbone": [str, os.PathLike, keras.Model],
        "weights": [str, os.PathLike],
        "image_size": pretrained.CONSTRAINTS["image_size"],
    }

    def __init__(
        self,
        backbone: str | os.PathLike | keras.Model = "EfficientNetV2B0",
        weights: str | os.PathLike = "imagenet",
        image_size: int | None = None,
    ) -> None:
        self.backbone = backbone
        self.weights = weights
        self.image_size = image_size

    @own_settings()
    def fit(self, X: Any, y: Any = None) -> BackboneFeatures:
        """Check the images and load the network. Nothing is trained.

        Parameters
        ----------
        X : array-like of shape (n, h, w, c)
            Images of values 0 to 255.
        y : ignored

        Returns
        -------
        BackboneFeatures
            The transformer itself.

        Raises
        ------
        ValueError
            For data that are no images, and a network that does not fit them.
        """
        self._validate_params()
        X = np.asarray(X)
        if X.ndim != 4:
            raise ValueError(
                f"X has the shape {X.shape}; expected images (n, h, w, c)."
            )
        input_checks.check_images(X, fitting=True)
        self.image_shape_ = X.shape[1:]
        stage = self._stage()
        self._sha256, self.n_features_out_ = stage.sha256, stage.F.output_shape[1]
        return self

    @own_settings()
    def transform(self, X: Any) -> np.ndarray:
        """The features of images.

        Parameters
        ----------
        X : array-like of shape (n, h, w, c)
            Images of the shape that `fit` was passed.

        Returns
        -------
        ndarray of float32, shape (n, e)

        Raises
        ------
        ValueError
            For images of another shape, and a network that has changed since `fit`.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        X = input_checks.check_images_of(X, self.image_shape_)
        stage = self._stage()
        if stage.sha256 != self._sha256:
            raise ValueError("backbone: has other weights than in `fit`. Fit again.")
        return stage.extract(X)[0]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the features: ``backbone0``, ``backbone1``, ...

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str, shape (e,)
        """
        check_is_fitted(self)
        names = [f"backbone{k}" for k in range(self.n_features_out_)]
        return np.array(names, object)

    def _stage(self) -> FeatureStage:
        network = pretrained.load(
            self.backbone,
            self.image_shape_,
            weights=self.weights,
            side=self.image_size,
            words=("backbone", "weights"),
        )
        return FeatureStage(network.placeholder(self.image_shape_), network.F)

"""Features of images by a pretrained network, as a transformer for scikit-learn."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from gamo_tf.config.options import resolve
from gamo_tf.errors import UserError
from gamo_tf.estimators import input_checks
from gamo_tf.own_settings import own_settings
from gamo_tf.training.feature_stage import FeatureStage


class BackboneFeatures(TransformerMixin, BaseEstimator):
    """Features of images by a frozen pretrained network.

    Every image passes through the network once; its features stay in a store on disk
    (``GAMO_CACHE_DIR``, default ``~/.cache/gamo``). Put it before `gamo_tf.GAMO`, any
    sampler of imbalanced-learn and any classifier of scikit-learn.

    Parameters
    ----------
    backbone : str, default="EfficientNetV2B0"
        A row of ``gamo_tf.config.backbones.BACKBONES``, or a ``.keras`` file of a
        network from images to vectors or maps.
    weights : str, default="imagenet"
        "imagenet", "none" (random), or a ``.weights.h5`` or ``.keras`` file.
    image_size : int or None, default=None
        Height and width in pixels of the images that the network gets. None is its
        own.

    Attributes
    ----------
    image_shape_ : tuple (h, w, c)
        The shape of an image.
    n_features_out_ : int
        Number of features.

    Examples
    --------
    >>> import numpy as np
    >>> from gamo_tf import BackboneFeatures
    >>> images = np.zeros((2, 32, 32, 3), np.uint8)
    >>> features = BackboneFeatures("MobileNetV3Small", weights="none", image_size=32)
    >>> features.fit_transform(images).shape
    (2, 576)
    """

    _parameter_constraints: ClassVar[dict] = {
        "backbone": [str],
        "weights": [str],
        "image_size": [Interval(Integral, 8, 1024, closed="both"), None],
    }

    def __init__(
        self,
        backbone: str = "EfficientNetV2B0",
        *,
        weights: str = "imagenet",
        image_size: int | None = None,
    ) -> None:
        self.backbone = backbone
        self.weights = weights
        self.image_size = image_size

    @own_settings()
    def fit(self, X: Any, y: Any = None) -> BackboneFeatures:
        """Load the network. Nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n, h, w, c)
            Images of values 0 to 255.
        y : object
            Not used.

        Returns
        -------
        BackboneFeatures
            The fitted transformer itself.

        Raises
        ------
        ValueError
            For a network that cannot be had or does not fit, and rows that are no
            images.
        """
        self._validate_params()
        images = self._images(X)
        self.image_shape_ = images.shape[1:]
        self.n_features_out_ = int(self._stage().F.output_shape[1])
        return self

    @own_settings()
    def transform(self, X: Any) -> np.ndarray:
        """Features of images.

        Parameters
        ----------
        X : array-like of shape (n, h, w, c)
            Images of the shape of `fit`, of values 0 to 255.

        Returns
        -------
        ndarray of float32, shape (n, n_features_out_)

        Raises
        ------
        ValueError
            For images of another shape.
        """
        check_is_fitted(self)
        images = self._images(X)
        if images.shape[1:] != self.image_shape_:
            raise ValueError(
                f"images {images.shape[1:]}; fitted on {self.image_shape_}."
            )
        return self._stage().extract(images)[0]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the features: ``backbone0``, ``backbone1``, ...

        Parameters
        ----------
        input_features : object
            Not used.

        Returns
        -------
        ndarray of str, shape (n_features_out_,)
        """
        check_is_fitted(self)
        names = [f"backbone{k}" for k in range(self.n_features_out_)]
        return np.array(names, object)

    def _images(self, X: Any) -> np.ndarray:
        X = np.asarray(X)
        if X.ndim != 4:
            raise ValueError(
                f"X has the shape {X.shape}; expected images (n, h, w, c)."
            )
        return input_checks.check_images(X)

    def _stage(self) -> FeatureStage:
        # The counts stand for none: a stage of its own has no training set.
        chosen = {
            "dataset": "memory",
            "data": "memory",
            "classes": ("0", "1"),
            "counts": (3, 2),
            "shape": self.image_shape_,
            "backbone": self.backbone,
            "backbone_weights": self.weights,
            "backbone_side": self.image_size or 0,
        }
        try:
            return FeatureStage(resolve(chosen))
        except UserError as err:
            raise ValueError(str(err)) from err

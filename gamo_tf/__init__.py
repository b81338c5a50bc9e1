"""GAMO, Generative Adversarial Minority Oversampling, in TensorFlow and Keras.

Mullick, Datta, Das: "Generative Adversarial Minority Oversampling", ICCV 2019.

`GAMOClassifier` is a classifier for scikit-learn, `GAMO` an oversampler for
imbalanced-learn, and `BackboneFeatures` makes features of images for both. They are
imported when they are first asked for, so that importing this package takes no time and
does not import TensorFlow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gamo_tf.estimators.backbone_features import BackboneFeatures
    from gamo_tf.estimators.classifier import GAMOClassifier
    from gamo_tf.estimators.oversampler import GAMO

# The only place of the version. It has to stay a plain text: pyproject.toml has
# setuptools read it from here without importing the package.
__version__ = "0.1.0"
__all__ = ["GAMO", "BackboneFeatures", "GAMOClassifier", "__version__"]

_MODULES = {
    "BackboneFeatures": "gamo_tf.estimators.backbone_features",
    "GAMO": "gamo_tf.estimators.oversampler",
    "GAMOClassifier": "gamo_tf.estimators.classifier",
}


def __getattr__(name: str) -> Any:
    """Import an estimator at its first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    estimator = getattr(import_module(_MODULES[name]), name)
    globals()[name] = estimator  # Python asks here only for what is missing.
    return estimator


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})

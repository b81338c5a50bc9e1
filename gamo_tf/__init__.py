"""GAMO in TensorFlow and Keras. `GAMOClassifier` and `GAMO` are imported when asked
for: the command line starts without TensorFlow."""

from __future__ import annotations

__all__ = ["GAMO", "GAMOClassifier"]


def __getattr__(name: str):
    if name in __all__:
        from gamo_tf import estimator

        return getattr(estimator, name)
    raise AttributeError(f"module 'gamo_tf' has no attribute {name!r}")

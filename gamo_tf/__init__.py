"""GAMO in TensorFlow and Keras. `GAMOClassifier` and `GAMO` are imported when asked
for: the command line starts without TensorFlow."""

from __future__ import annotations

from importlib import import_module

_HOMES = {"GAMO": "sampler", "GAMOClassifier": "estimator"}
__all__ = ["GAMO", "GAMOClassifier"]


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(import_module(f"gamo_tf.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'gamo_tf' has no attribute {name!r}")

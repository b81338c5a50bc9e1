"""TUNED: what equal tuning kept for each method, on images.

`python reproduce.py tune` chose it on validation rows of MNIST and CIFAR-10 with
augmentation and averaged weights (docs/results/tuning.md). `gamo compare` and the main
table train images with it; a method that is not here keeps its defaults.
"""

from __future__ import annotations

from collections.abc import Mapping

_BALANCED = {"learning_rate": 1e-3, "sampling": 0.25}

TUNED: Mapping[str, Mapping[str, object]] = {
    "cn": {"learning_rate": 1e-3, "loss": "ce"},
    "class-weight": {"learning_rate": 5e-4, "loss": "ce"},
    "ros": {"learning_rate": 1e-3, "loss": "ce"},
    "crt": {"learning_rate": 2e-3, "loss": "ce"},
    "eos": {"learning_rate": 1e-3, "loss": "ce"},
    "mixup": {"learning_rate": 1e-3, "loss": "ce"},
    "remix": {"learning_rate": 5e-4, "loss": "ce"},
    "cmo": {"learning_rate": 5e-4, "loss": "ce"},
    "m2m": {"learning_rate": 1e-3},
    "ldam-drw": {"learning_rate": 5e-4},
    "logit-adjust": {"learning_rate": 1e-3, "tau": 1.0},
    "vector-scaling": {"learning_rate": 5e-4, "tau": 0.8},
    "tau-norm": {"learning_rate": 1e-3, "tau": 1.0},
    "gamo": {"learning_rate": 1e-3, "loss": "ce"},
    "gamo-balanced": _BALANCED,
    "gamo-balanced-no-d": _BALANCED,
    "balanced-pairs": _BALANCED,
    "balanced-smote": _BALANCED,
    "balanced-repeats": _BALANCED,
}
# What all of them were tuned with, where there are images.
RECIPE: Mapping[str, object] = {"augment": True, "ema": 0.999}

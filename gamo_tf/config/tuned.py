"""TUNED: the settings that equal tuning kept for each method.

`python reproduce.py tune` chose them on validation samples of MNIST and CIFAR-10 with
augmentation and averaged weights (docs/results/tuning.md). A person's own data, the
estimators, `gamo compare` and the main table train with them. A method that is not here
keeps its defaults, and so does every method on a published dataset.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

_FEWEST_UPDATES = 3000  # of M behind a pretrained network
# Weight decay times samples of the heads behind a pretrained network.
_MOST_DECAY = 0.2
_DECAYS = {"linear": 150.0, "mlp": 30.0}
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
# The recommendation for tables is the best line of docs/table-methods.csv: a method and
# a learning rate. Every other method has its own settings on tables too.
ON_TABLES: Mapping[str, Mapping[str, object]] = {
    "logit-adjust": {"learning_rate": 2e-4},
}


def settings_for(
    method: str, images: bool, pretrained: bool = False
) -> dict[str, object]:
    """The settings that a method gets on a person's own data.

    Args:
      method: A row of `METHODS`.
      images: Whether the data are images, which have the `RECIPE`, or a table.
      pretrained: Whether F is a pretrained network, which has `behind_backbone`.

    Returns:
      Settings by the names of `Options`; a method that was not tuned has none.
    """
    tuned = TUNED.get(method, {})
    if pretrained:
        return {k: v for k, v in tuned.items() if k != "learning_rate"}
    return {
        **tuned,
        **(RECIPE if images else ON_TABLES.get(method, {})),
    }


def behind_backbone(
    rows: int, m_updates: int, trains: str = "none", head: str = "linear"
) -> dict[str, object]:
    """The settings of trainings behind a pretrained network.

    The weight decay is that of a Gaussian prior which does not depend on the number of
    samples, from some 750 samples on. For a linear head it equals
    ``LogisticRegression(C=1 / 300)`` on features of root mean square 1
    (docs/results/backbones.md has the search on validation samples).

    Args:
      rows: Training samples n.
      m_updates: Updates of M in an iteration.
      trains: Which layers of the network learn, of `config.backbones.TRAINS`.
      head: Layers of M.

    Returns:
      Settings by the names of `Options`.
    """
    updates = min(max(_FEWEST_UPDATES, 10 * math.ceil(rows / 32)), 25_000)
    return {
        "head": head,
        "weight_decay": min(_MOST_DECAY, _DECAYS[head] / rows),
        "learning_rate": 1e-3,
        "iterations": updates // m_updates,
        "ema": RECIPE["ema"],
        "augment": trains == "all",
    }

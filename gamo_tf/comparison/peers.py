"""What people use on tables without this package: a sampler and a common classifier.

They see the same splits as the methods of `METHODS`. Every part is at its defaults,
but for the number of iterations of GAMO, which is that of the comparison.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from datetime import date
from importlib.metadata import version
from typing import NamedTuple

import numpy as np

from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import VALIDATION, Options
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError, first_line
from gamo_tf.evaluation.metrics import confusion, summarise


class Peer(NamedTuple):
    """A classifier behind a sampler.

    Attributes:
      title: for people.
      code: that makes it, in Python.
      sampler: makes the sampler from a seed and a number of iterations; None: none.
      model: makes the classifier from a seed.
    """

    title: str
    code: str
    sampler: Callable | None
    model: Callable


def _over_sampler(name: str) -> Callable:
    """A sampler of imbalanced-learn, imported when it is needed."""

    def make(seed: int, iterations: int) -> object:
        import imblearn.over_sampling

        return getattr(imblearn.over_sampling, name)(random_state=seed)

    return make


def _gamo(seed: int, iterations: int) -> object:
    from gamo_tf.estimators.oversampler import GAMO

    return GAMO(random_state=seed, iterations=iterations)


def _logistic(seed: int) -> object:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=2000, random_state=seed)


def _boosting(seed: int) -> object:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=seed)


_SAMPLERS: Mapping[str, tuple[str, str, Callable | None]] = {
    "": ("", "", None),
    "random+": ("random oversampling", "RandomOverSampler(), ", None),
    "smote+": ("SMOTE", "SMOTE(), ", None),
    "borderline-smote+": ("Borderline-SMOTE", "BorderlineSMOTE(), ", None),
    "adasyn+": ("ADASYN", "ADASYN(), ", None),
    "gamo+": ("GAMO.fit_resample", "GAMO(), ", _gamo),
}
_MODELS = {
    "logistic": ("logistic regression", "LogisticRegression(max_iter=2000)", _logistic),
    "boosting": ("gradient boosting", "HistGradientBoostingClassifier()", _boosting),
}


def _peer(sampler: str, model: str) -> Peer:
    word, code, made = _SAMPLERS[sampler]
    if code and made is None:
        made = _over_sampler(code.split("(")[0])
    title, model_code, make = _MODELS[model]
    text = f"make_pipeline(StandardScaler(), {code}{model_code})"
    return Peer(f"{word} + {title}" if word else title, text, made, make)


PEERS = {
    sampler + model: _peer(sampler, model) for sampler in _SAMPLERS for model in _MODELS
}


def title_of(method: str) -> str:
    """What a method is, for people.

    Args:
      method: a row of `METHODS` or of `PEERS`.
    """
    return (PEERS if method in PEERS else METHODS)[method].title


def fit(method: str, options: Options, split: Split) -> dict:
    """Fit a peer, and measure it as a run is measured.

    Args:
      method: a row of `PEERS`.
      options: of the split, with the seed and the iterations.
      split: vectors.

    Returns:
      As results.json: metrics of the sets, seconds, versions and date.

    Raises:
      UserError: the sampler cannot work on these rows, such as SMOTE on a class of
        fewer rows than its neighbours.
    """
    from sklearn.preprocessing import StandardScaler

    peer, began = PEERS[method], time.perf_counter()
    scale = StandardScaler().fit(split.images)
    X, y = scale.transform(split.images), split.labels
    try:
        if peer.sampler:
            X, y = peer.sampler(options.seed, options.iterations).fit_resample(X, y)
        model = peer.model(options.seed).fit(X, y)
    except (ValueError, RuntimeError) as err:
        raise UserError(f"{method}: {first_line(err)}") from err
    seconds = time.perf_counter() - began

    def measured(rows: np.ndarray, labels: np.ndarray) -> dict:
        guess = model.predict(scale.transform(rows))
        return summarise(confusion(labels, guess, len(options.counts)))

    packages = ("scikit-learn", "imbalanced-learn", "numpy")
    return {
        "classes": list(options.classes),
        "counts": list(options.counts),
        VALIDATION: measured(split.validation_images, split.validation_labels),
        "test_full": measured(split.test_images, split.test_labels),
        "seconds": round(seconds, 2),
        "versions": {
            **{name: version(name) for name in packages},
            "python": platform.python_version(),
        },
        "date": date.today().isoformat(),
    }

"""Fitting a row of `PEERS`, and measuring it as a run is measured."""

from __future__ import annotations

import platform
import time
import warnings
from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gamo_tf.comparison.peers import PEERS
from gamo_tf.config.options import VALIDATION, Options, spec_of
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError, first_line
from gamo_tf.evaluation.metrics import CHOSEN_BY, confusion, summarise

if TYPE_CHECKING:
    import pandas as pd

_WORSE = 2  # settings in a row that score lower than the best: no further is tried


class _Columns:
    """Columns of numbers at mean 0 and variance 1, those of names as they are or as a
    column for each category."""

    def __init__(self, X: np.ndarray, named: np.ndarray) -> None:
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        self.named = named
        self.scale = None if named.all() else StandardScaler().fit(X[:, ~named])
        self.one_hot = None
        if named.any():
            encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
            self.one_hot = encoder.fit(X[:, named])

    def scaled(self, X: np.ndarray) -> np.ndarray:
        found = X.astype(np.float64)
        if self.scale:
            found[:, ~self.named] = self.scale.transform(X[:, ~self.named])
        return found

    def framed(self, X: np.ndarray) -> np.ndarray | pd.DataFrame:
        """For samplers that know columns of names: these as categories."""
        import pandas as pd

        if self.one_hot is None:
            return X
        frame = pd.DataFrame(X)
        return frame.astype(dict.fromkeys(frame.columns[self.named], "category"))

    def spread(self, X: np.ndarray) -> np.ndarray:
        """A column for each category, behind those of numbers."""
        if self.one_hot is None:
            return X
        return np.hstack([X[:, ~self.named], self.one_hot.transform(X[:, self.named])])


class _Tried(NamedTuple):
    """A fitted classifier, and what validation samples say of its setting."""

    setting: float | None
    model: Any
    found: dict

    @property
    def score(self) -> float:
        return self.found[CHOSEN_BY]


def fit(method: str, options: Options, split: Split) -> dict:
    """Fit a peer, and measure it as a run is measured.

    Args:
      method: a row of `PEERS`.
      options: of the split, with the seed and the iterations.
      split: vectors, or features of images float32 [n, d].

    Returns:
      As results.json: metrics of the sets, seconds, versions and date.

    Raises:
      UserError: the sampler cannot work on these rows, such as SMOTE on a class of
        fewer rows than its neighbours.
    """
    peer, began = PEERS[method], time.perf_counter()
    from sklearn.exceptions import ConvergenceWarning

    named = np.array(options.categories or [0] * split.images.shape[1]) > 0
    if peer.sampler.needs_names and not named.any():
        raise UserError(f"{method}: needs columns of names (text or categories).")
    columns = _Columns(split.images, named)
    X, y = columns.scaled(split.images), split.labels

    def measured(model: Any, rows: np.ndarray, labels: np.ndarray) -> dict:
        guess = model.predict(columns.spread(columns.scaled(rows)))
        return summarise(confusion(labels, guess, len(options.counts)))

    try:
        knows_names = peer.sampler.knows_names
        rows = columns.framed(X) if knows_names else columns.spread(X)
        if peer.sampler.make:
            sampler = peer.sampler.make(options.seed, options.iterations)
            with warnings.catch_warnings():
                # The comparison says what narrow rows are worth.
                warnings.filterwarnings("ignore", "generated rows of class")
                rows, y = sampler.fit_resample(rows, y)
        X = np.asarray(rows, np.float64)
        X = columns.spread(X) if knows_names else X
        tried: list[_Tried] = []
        for setting in peer.settings:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model = peer.make(options.seed, setting).fit(X, y)
            aside = split.validation_images, split.validation_labels
            tried.append(_Tried(setting, model, measured(model, *aside)))
            best = max(tried, key=lambda one: one.score)
            if len(tried) - tried.index(best) > _WORSE:
                break  # settings are sorted: further ones would be worse still
    except (ValueError, RuntimeError) as err:
        raise UserError(f"{method}: {first_line(err)}") from err
    seconds = time.perf_counter() - began
    packages = ("scikit-learn", "imbalanced-learn", "numpy")
    return {
        "classes": list(spec_of(options).classes),
        "counts": list(options.counts),
        VALIDATION: best.found,
        "test_full": measured(best.model, split.test_images, split.test_labels),
        "chosen": best.setting,
        "seconds": round(seconds, 2),
        "versions": {
            **{name: version(name) for name in packages},
            "python": platform.python_version(),
        },
        "date": date.today().isoformat(),
    }

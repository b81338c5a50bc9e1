"""What people use without this package: a sampler and a common classifier.

They see the same splits as the methods of `METHODS`: tables, or the features of a
pretrained network. Every part is at its defaults, but for the number of iterations of
GAMO, which is that of the comparison, and for settings that validation samples choose.
"""

from __future__ import annotations

import platform
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import VALIDATION, Options
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError, first_line
from gamo_tf.evaluation.metrics import CHOSEN_BY, confusion, summarise

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis


class Sampler(NamedTuple):
    """What comes before a classifier.

    Attributes:
      title: for people; "": nothing.
      code: that makes it, in Python.
      make: from a seed and a number of iterations; None: nothing is sampled.
      knows_names: it takes columns of names as they are. Others get a column for each
        category, and may make rows between categories.
      needs_names: it has nothing to do without such columns.
    """

    title: str = ""
    code: str = ""
    make: Callable | None = None
    knows_names: bool = False
    needs_names: bool = False


class Peer(NamedTuple):
    """A classifier behind a sampler.

    Attributes:
      sampler: a row of `_SAMPLERS`.
      model: what the classifier is, for people.
      model_code: that makes it, in Python.
      make: the classifier, from a seed and one of `settings`.
      settings: that are tried; validation samples choose the one that is tested.
    """

    sampler: Sampler
    model: str
    model_code: str
    make: Callable
    settings: tuple[float | None, ...] = (None,)

    @property
    def title(self) -> str:
        """For people."""
        word = self.sampler.title
        return f"{word} + {self.model}" if word else self.model

    def code(self, names: bool) -> str:
        """The Python that makes it.

        Args:
          names: whether there are columns of names.
        """
        one_hot = "(OneHotEncoder(handle_unknown='ignore'), NAMES)"
        scaled = "StandardScaler()"
        before, behind = scaled, ""
        if names and self.sampler.knows_names:
            # Behind the sampler as well columns are known by their titles.
            before = f"make_column_transformer(({scaled}, NUMBERS), {_AS_THEY_ARE})"
            before += ".set_output(transform='pandas')"
            behind = f"make_column_transformer({one_hot}, remainder='passthrough'), "
        elif names:
            before = f"make_column_transformer({one_hot}, remainder={scaled})"
        return f"make_pipeline({before}, {self.sampler.code}{behind}{self.model_code})"


_AS_THEY_ARE = "remainder='passthrough', verbose_feature_names_out=False"


def _over_sampler(name: str) -> Callable:
    """A sampler of imbalanced-learn, imported when it is needed."""

    def make(seed: int, iterations: int) -> object:
        import imblearn.over_sampling

        kind = getattr(imblearn.over_sampling, name)
        chosen = {"categorical_features": "auto"} if name == "SMOTENC" else {}
        return kind(random_state=seed, **chosen)

    return make


def _gamo(seed: int, iterations: int) -> object:
    from gamo_tf.estimators.oversampler import GAMO

    return GAMO(random_state=seed, iterations=iterations)


def _logistic(seed: int, _: float | None) -> object:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=2000, random_state=seed)


def _boosting(seed: int, _: float | None) -> object:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=seed)


def _balanced_logistic(seed: int, C: float | None) -> object:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(
        C=C, class_weight="balanced", max_iter=1000, random_state=seed
    )


def _lda(seed: int, shrinkage: float | None) -> object:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    # Equal priors: every class counts alike, as in balanced accuracy.
    return _Balanced(LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage))


class _Balanced:
    """A discriminant analysis with equal priors of all classes."""

    def __init__(self, model: LinearDiscriminantAnalysis) -> None:
        self.model = model

    def fit(self, X: np.ndarray, y: np.ndarray) -> _Balanced:
        c = int(y.max()) + 1
        self.model.set_params(priors=np.full(c, 1 / c)).fit(X, y)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.model.predict(X)


def _of_imblearn(title: str, name: str, arguments: str = "", **names: bool) -> Sampler:
    return Sampler(title, f"{name}({arguments}), ", _over_sampler(name), **names)


_NC = "categorical_features=NAMES"
_SAMPLERS: Mapping[str, Sampler] = {
    "": Sampler(),
    "random+": _of_imblearn(
        "random oversampling", "RandomOverSampler", knows_names=True
    ),
    "smote+": _of_imblearn("SMOTE", "SMOTE"),
    "smotenc+": _of_imblearn(
        "SMOTENC", "SMOTENC", _NC, knows_names=True, needs_names=True
    ),
    "borderline-smote+": _of_imblearn("Borderline-SMOTE", "BorderlineSMOTE"),
    "adasyn+": _of_imblearn("ADASYN", "ADASYN"),
    "gamo+": Sampler("GAMO.fit_resample", "GAMO(), ", _gamo, knows_names=True),
}
_MODELS = {
    "logistic": ("logistic regression", "LogisticRegression(max_iter=2000)", _logistic),
    "boosting": ("gradient boosting", "HistGradientBoostingClassifier()", _boosting),
}
PEERS = {
    name + model: Peer(sampler, *_MODELS[model])
    for name, sampler in _SAMPLERS.items()
    for model in _MODELS
} | {
    "balanced-logistic": Peer(
        _SAMPLERS[""],
        "logistic regression, balanced weights, C by validation",
        "LogisticRegressionCV(class_weight='balanced', scoring='balanced_accuracy')",
        _balanced_logistic,
        (1e-4, 1e-3, 1e-2, 1e-1, 1.0),
    ),
    "lda": Peer(
        _SAMPLERS[""],
        "linear discriminant analysis, shrinkage by validation",
        "LinearDiscriminantAnalysis(solver='lsqr', shrinkage='auto')",
        _lda,
        (0.03, 0.1, 0.3, 0.6),
    ),
}
_WORSE = 2  # settings in a row that score lower than the best: no further is tried
# Behind the name of a method: the small network of this package in the place of the
# pretrained one that the comparison has.
FROM_SCRATCH = "-from-scratch"


def row_of(method: str) -> str:
    """The row of `METHODS` or `PEERS` that a method of a comparison is.

    Args:
      method: a row, or one of `METHODS` with `FROM_SCRATCH` behind it.
    """
    return method.removesuffix(FROM_SCRATCH)


def title_of(method: str) -> str:
    """What a method is, for people.

    Args:
      method: a row of `METHODS` or of `PEERS`, also with `FROM_SCRATCH`.
    """
    title = (PEERS if method in PEERS else METHODS)[row_of(method)].title
    return f"{title}, small network from scratch" if method != row_of(method) else title


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
        "classes": list(options.classes),
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

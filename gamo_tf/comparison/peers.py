"""What people use without this package: a sampler and a common classifier.

They see the same splits as the methods of `METHODS`: tables, or the features of a
pretrained network. Every part is at its defaults, but for the number of iterations of
GAMO, which is that of the comparison, and for settings that validation samples choose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gamo_tf.config.methods import METHODS

if TYPE_CHECKING:
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

"""Rows that a fit sets aside, and where it stops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gamo_tf import GAMO, GAMOClassifier
from gamo_tf.estimators.validation import set_aside

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def sizes(counts: tuple[int, ...], fraction: float) -> list[int]:
    labels = np.repeat(range(len(counts)), counts)
    return np.bincount(labels[set_aside(labels, fraction, 0)]).tolist()


def test_rows_of_each_class_are_set_aside():
    assert sizes((50, 20, 10), 0.2) == [10, 4, 2]
    # Two are left of each class, three of the largest.
    assert sizes((20, 3), 0.9) == [17, 1]
    # 46 and 45 would both leave 41.
    assert sizes((46, 45), 0.1) == [5, 5]
    labels = np.repeat([0, 1], (40, 10))
    chosen = set_aside(labels, 0.3, 0)
    np.testing.assert_array_equal(set_aside(labels, 0.3, 0), chosen)
    assert (set_aside(labels, 0.3, 1) != chosen).any()
    with pytest.raises(ValueError, match=r"validation_fraction 0\.01: no row"):
        set_aside(labels, 0.01, 0)


def test_the_fit_ends_and_keeps_the_best(wine):
    X, y = wine
    model = GAMOClassifier(
        "balanced-pairs",
        iterations=100,
        validation_fraction=0.25,
        n_iter_no_change=1,
        random_state=0,
    ).fit(X, y)
    scores = model.validation_scores_
    assert model.n_iter_ < 100 and scores[-1] <= max(scores[:-1])
    labels = np.unique(y, return_inverse=True)[1]
    order = np.argsort(labels, kind="stable")
    aside = order[set_aside(labels[order], 0.25, 0)]
    recalls = [
        (model.predict(X[aside]) == y[aside])[y[aside] == name].mean() for name in "abc"
    ]
    assert np.mean(recalls) == pytest.approx(max(scores))
    # What is combined are rows that were trained on.
    _, parents, _ = model.sample("b", 9, return_parents=True)
    assert not np.isin(parents, aside).any() and (y[parents] == "b").all()


def test_without_validation_rows_nothing_is_watched(wine):
    model = GAMOClassifier("cn", iterations=3, random_state=0).fit(*wine)
    assert model.n_iter_ == 3 and model.validation_scores_ is None


def test_the_oversampler_gives_all_rows_back(wine):
    X, y = wine
    sampler = GAMO(iterations=30, n_iter_no_change=2, random_state=0)
    X_new, _ = sampler.fit_resample(X, y)
    np.testing.assert_array_equal(X_new[: len(X)], X)
    assert len(X_new) == 177 and len(sampler.validation_scores_) >= 2
    found = y[sampler.sample_parents_].ravel()
    assert set(found[sampler.sample_parents_.ravel() >= 0]) == {"b", "c"}


def test_weights_of_rows_are_refused(wine):
    X, y = wine
    with pytest.raises(ValueError, match=r"sample_weight: .* class-weight"):
        GAMOClassifier(iterations=2).fit(X, y, sample_weight=np.ones(len(y)))
    with pytest.raises(TypeError, match="fit has no parameter groups"):
        GAMOClassifier(iterations=2).fit(X, y, groups=y)


def test_samples_of_a_data_frame_are_one():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.integers(20, 60, 25),
            "height": rng.normal(170, 10, 25).astype("float32"),
            "member": rng.random(25) < 0.5,
        },
        index=range(100, 125),
    )
    y = np.repeat(["no", "yes"], (18, 7))
    model = GAMOClassifier("gamo", iterations=2, random_state=0).fit(frame, y)
    samples, parents, _ = model.sample("yes", 6, return_parents=True)
    assert list(samples.columns) == list(frame.columns)
    assert samples.dtypes.tolist() == frame.dtypes.tolist()
    assert samples.index.tolist() == list(range(6))
    heaviest = frame["member"].to_numpy()[parents[:, 0]]
    assert samples["member"].to_numpy().tolist() == heaviest.tolist()
    assert samples["age"].between(*frame["age"][y == "yes"].agg(["min", "max"])).all()

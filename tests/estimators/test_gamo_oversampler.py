"""GAMO: what it promises beyond imbalanced-learn's own checks."""

from __future__ import annotations

import doctest
import random

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import Pipeline
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from gamo_tf import GAMO
from gamo_tf.estimators import oversampler


def test_parents_and_weights_make_the_new_rows(wine):
    X, y = wine
    sampler = GAMO(sampling_strategy={"c": 15}, iterations=3, random_state=1)
    X_new, y_new = sampler.fit_resample(X, y)
    assert len(X_new) == len(X) + 3 and (y_new[-3:] == "c").all()
    np.testing.assert_array_equal(X_new[: len(X)], X)
    parents, weights = sampler.sample_parents_, sampler.sample_weights_
    assert parents.shape == weights.shape == (3, 5) and (y[parents] == "c").all()
    assert (np.diff(weights, axis=1) <= 0).all()
    # A new row is the five heaviest parents, and somewhere within the range of the
    # class what the other seven weigh.
    left = 1 - weights.sum(axis=1, keepdims=True)
    assert (left > -1e-5).all()
    listed = (weights[..., None] * X[parents]).sum(axis=1)
    low = listed + left * X[y == "c"].min(axis=0)
    high = listed + left * X[y == "c"].max(axis=0)
    tolerance = 1e-4 * np.abs(X).max(axis=0)
    assert (X_new[-3:] >= low - tolerance).all()
    assert (X_new[-3:] <= high + tolerance).all()


def test_a_class_smaller_than_the_list_of_parents():
    X = np.random.default_rng(0).normal(size=(23, 4))
    y = np.repeat([0, 1], (20, 3))
    sampler = GAMO(iterations=2, random_state=0)
    sampler.fit_resample(X, y)
    assert (sampler.sample_parents_[:, 3:] == -1).all()
    assert set(sampler.sample_parents_[:, :3].ravel()) == {20, 21, 22}
    np.testing.assert_allclose(sampler.sample_weights_.sum(axis=1), 1, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "sizes"),
    [
        ("auto", (59, 59, 59)),
        ("minority", (59, 40, 59)),
        ("not majority", (59, 59, 59)),
        ("all", (59, 59, 59)),
        ({"b": 41, "c": 20}, (59, 41, 20)),
        (lambda y: {"c": 13}, (59, 40, 13)),
    ],
    ids=["auto", "minority", "not majority", "all", "dict", "callable"],
)
def test_sampling_strategies(strategy, sizes, wine):
    sampler = GAMO(sampling_strategy=strategy, iterations=2, random_state=0)
    _, y = sampler.fit_resample(*wine)
    assert tuple(np.unique(y, return_counts=True)[1]) == sizes


def test_pandas_in_pandas_out(wine):
    X, y = wine
    frame = pd.DataFrame(X, columns=[f"v{k}" for k in range(13)])
    sampler = GAMO(iterations=2, random_state=0)
    X_new, y_new = sampler.fit_resample(frame, pd.Series(y, name="kind"))
    assert list(X_new.columns) == list(frame.columns) and y_new.name == "kind"
    assert len(X_new) == len(y_new) == 177


@pytest.mark.slow
def test_a_sparse_matrix_stays_sparse_and_gets_the_same_rows(wine):
    X, y = wine
    dense, _ = GAMO(iterations=2, random_state=0).fit_resample(X, y)
    found, _ = GAMO(iterations=2, random_state=0).fit_resample(sparse.csr_matrix(X), y)
    assert found.format == "csr"
    np.testing.assert_array_equal(found.toarray(), dense)


@pytest.mark.slow
def test_a_seed_repeats_and_the_callers_random_state_is_left_alone(wine):
    np.random.seed(3)
    random.seed(3)
    expected = np.random.rand(), random.random()
    np.random.seed(3)
    random.seed(3)
    one, _ = GAMO(iterations=3, random_state=5).fit_resample(*wine)
    assert (np.random.rand(), random.random()) == expected
    two, _ = GAMO(iterations=3, random_state=5).fit_resample(*wine)
    np.testing.assert_array_equal(one, two)
    other, _ = GAMO(iterations=3, random_state=6).fit_resample(*wine)
    assert (one != other).any()


@pytest.mark.slow
def test_in_a_pipeline_and_a_grid(wine):
    pipe = Pipeline(
        [
            ("scale", StandardScaler()),
            ("gamo", GAMO(iterations=2, random_state=0)),
            ("model", LogisticRegression()),
        ]
    )
    grid = {"gamo__learning_rate": [1e-4, 1e-3], "model__C": [1.0]}
    search = GridSearchCV(clone(pipe), grid, cv=2, error_score="raise")
    assert search.fit(*wine).best_score_ > 0.8


def test_the_largest_class_cannot_get_more_rows(wine):
    with pytest.raises(ValueError, match="largest class"):
        GAMO(sampling_strategy={"a": 70}, iterations=2).fit_resample(*wine)


def test_classes_of_one_size_stay_as_they_are():
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.repeat([0, 1], 10)
    sampler = GAMO(iterations=2)
    X_new, y_new = sampler.fit_resample(X, y)
    assert len(X_new) == len(y_new) == 20 and sampler.G_ is None
    assert sampler.sample_parents_.shape == sampler.sample_weights_.shape == (0, 5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:generated rows")  # after 20 iterations
def test_docstring_examples():
    assert doctest.testmod(oversampler) == (0, 5)

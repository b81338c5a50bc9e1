"""GAMOClassifier and GAMO: what they promise beyond the ecosystems' own checks."""

import doctest
import random

import keras
import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import Pipeline
from keras import layers
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

import gamo_tf.estimator
import gamo_tf.sampler
from gamo_tf import GAMO, GAMOClassifier

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def wine():
    """Real wines, shuffled; 59, 40 and 12 of the three cultivars."""
    X, y = load_wine(return_X_y=True)
    rows = np.concatenate(
        [np.flatnonzero(y == k)[:n] for k, n in enumerate((59, 40, 12))]
    )
    rows = RNG.permutation(rows)
    return X[rows], np.array(["a", "b", "c"])[y[rows]]


def test_parents_and_weights_make_the_new_rows(wine):
    X, y = wine
    few = GAMO(sampling_strategy={"c": 15}, iterations=30, random_state=1)
    X_new, y_new = few.fit_resample(X, y)
    assert len(X_new) == len(X) + 3 and (y_new[-3:] == "c").all()
    np.testing.assert_array_equal(X_new[: len(X)], X)
    parents, weights = few.sample_parents_, few.sample_weights_
    assert parents.shape == weights.shape == (3, 5) and (y[parents] == "c").all()
    assert (np.diff(weights, axis=1) <= 0).all()
    # The five heaviest and whatever the other seven of the class weigh.
    left = 1 - weights.sum(axis=1, keepdims=True)
    assert (left > -1e-5).all()
    told = (weights[..., None] * X[parents]).sum(axis=1)
    low = told + left * X[y == "c"].min(axis=0)
    high = told + left * X[y == "c"].max(axis=0)
    room = 1e-4 * np.abs(X).max(axis=0)
    assert (X_new[-3:] >= low - room).all() and (X_new[-3:] <= high + room).all()


def test_a_class_smaller_than_the_list_of_parents():
    X = RNG.normal(size=(23, 4))
    y = np.repeat([0, 1], (20, 3))
    sampler = GAMO(iterations=5, random_state=0)
    sampler.fit_resample(X, y)
    assert (sampler.sample_parents_[:, 3:] == -1).all()
    assert set(sampler.sample_parents_[:, :3].ravel()) == {20, 21, 22}
    np.testing.assert_allclose(sampler.sample_weights_.sum(axis=1), 1, atol=1e-5)


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
    ids=str,
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


def test_classifier_learns_and_samples(wine):
    X, y = wine
    model = GAMOClassifier(iterations=120, learning_rate=1e-3, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.9
    assert model.classes_.tolist() == ["a", "b", "c"]
    made, parents, weights = model.sample("c", 7, return_parents=True)
    assert made.shape == (7, 13) and (y[parents] == "c").all()
    np.testing.assert_allclose(model.sample("c", 3), made[:3], rtol=1e-5)
    assert (weights[:, 0] >= weights[:, 1]).all()
    with pytest.raises(ValueError, match="none of the classes b, c"):
        model.sample("a", 1)
    plain = GAMOClassifier("cn", iterations=3).fit(X, y)
    with pytest.raises(ValueError, match="no convex generator"):
        plain.sample("c", 1)


@pytest.mark.parametrize(
    "labels", [[(0, 1), (2, 3)], [None, "x"], [1, "one"], [True, False]], ids=str
)
def test_any_hashable_label(labels):
    X = np.concatenate([RNG.normal(size=(20, 3)), RNG.normal(5, 1, (8, 3))])
    y = [labels[0]] * 20 + [labels[1]] * 8
    model = GAMOClassifier(iterations=60, learning_rate=0.005, random_state=0)
    found = model.fit(X, y).predict(X)
    assert [a == b for a, b in zip(found, y, strict=True)].count(True) > 20
    assert model.sample(labels[1], 2).shape == (2, 3)


@pytest.fixture(scope="module")
def images():
    X, y = load_digits(return_X_y=True)
    rows = np.concatenate([np.flatnonzero(y == k)[:n] for k, n in ((3, 60), (8, 20))])
    return (X[rows] * 15.9).reshape(-1, 8, 8, 1).astype(np.uint8), y[rows]


def test_images(images):
    X, y = images
    model = GAMOClassifier(iterations=30, random_state=0).fit(X, y)
    assert model.predict(X).shape == (80,) and model.sample(8, 2).shape == (2, 512)
    with pytest.raises(ValueError, match="trained on"):
        model.predict(X[:, :4])


def test_own_networks(images):
    X, y = images

    def backbone(shape):
        x = keras.Input(shape)
        h = layers.Conv2D(8, 3, strides=2)(layers.Rescaling(1 / 255)(x))
        h = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(h))
        return keras.Model(x, layers.Dense(20)(h))

    head = keras.Sequential([keras.Input((20,)), layers.Dense(2, activation="softmax")])
    before = head.get_weights()[0].copy()
    model = clone(GAMOClassifier(iterations=20, F=backbone, M=head, random_state=0))
    model.fit(X, y)
    assert model.F_.output_shape == (None, 20) and model.sample(8, 3).shape == (3, 20)
    np.testing.assert_array_equal(head.get_weights()[0], before)  # a copy learns
    assert (model.M_.get_weights()[0] != before).any()
    norm = next(w for w in model.F_.weights if "moving_mean" in w.path)
    assert np.abs(np.asarray(norm)).max() > 0  # F learns in training mode
    wide = keras.Sequential([keras.Input((20,)), layers.Dense(3)])
    with pytest.raises(ValueError, match=r"M: its output is \(None, 3\)"):
        GAMOClassifier(iterations=2, F=backbone, M=wide).fit(X, y)


def test_a_network_of_keras_applications_as_F(images):
    X, y = images
    big = np.repeat(np.repeat(np.repeat(X, 4, 1), 4, 2), 3, 3)
    F = keras.applications.MobileNetV2(
        (32, 32, 3), alpha=0.35, include_top=False, weights=None, pooling="avg"
    )
    model = GAMOClassifier(iterations=1, batch_size=8, F=F, random_state=0)
    assert model.fit(big[:70], y[:70]).predict_proba(big).shape == (80, 2)


BAD = {
    "one class": (RNG.normal(size=(9, 2)), [0] * 9, "one class|1 class"),
    "one sample": (RNG.normal(size=(9, 2)), [0] * 8 + [1], "has 1 sample"),
    "missing": (np.array([[np.nan, 0]] * 9), [0] * 6 + [1] * 3, "NaN"),
    "infinite": (np.array([[np.inf, 0]] * 9), [0] * 6 + [1] * 3, "infinity"),
    "text": (
        np.array([["a", "b"]] * 9),
        [0] * 6 + [1] * 3,
        "could not convert|numeric",
    ),
    "lengths": (RNG.normal(size=(9, 2)), [0, 1], "inconsistent|numbers of samples"),
    "no labels": (RNG.normal(size=(9, 2)), None, "y|label"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("kind", [GAMO, GAMOClassifier])
def test_bad_input(kind, case):
    X, y, told = BAD[case]
    fit = "fit_resample" if kind is GAMO else "fit"
    with pytest.raises(ValueError, match=told):
        getattr(kind(iterations=2), fit)(X, y)


def test_bad_images():
    y = [0] * 6 + [1] * 3
    with pytest.raises(ValueError, match="0 to 255"):
        GAMOClassifier(iterations=2).fit(RNG.random((9, 8, 8, 1)), y)
    with pytest.raises(ValueError, match="9 images and 4 labels"):
        GAMOClassifier(iterations=2).fit(np.zeros((9, 8, 8, 1), np.uint8), y[:4])


def test_the_largest_class_is_not_given_more(wine):
    with pytest.raises(ValueError, match="largest class"):
        GAMO(sampling_strategy={"a": 70}, iterations=2).fit_resample(*wine)


def test_classes_of_one_size_are_told():
    X = np.concatenate([RNG.normal(size=(10, 2)), RNG.normal(5, 1, (10, 2))])
    with pytest.warns(UserWarning, match="nothing to oversample"):
        GAMOClassifier(iterations=2).fit(X, np.repeat([0, 1], 10))
    same, _ = GAMO(iterations=2).fit_resample(X, np.repeat([0, 1], 10))
    assert len(same) == 20


def test_docstring_examples():
    for module, examples in ((gamo_tf.estimator, 7), (gamo_tf.sampler, 5)):
        assert doctest.testmod(module) == (0, examples)

"""GAMOClassifier: what it promises beyond scikit-learn's own checks."""

from __future__ import annotations

import doctest
import pickle

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.base import clone

from gamo_tf import GAMOClassifier
from gamo_tf.config.methods import recommended
from gamo_tf.config.tuned import TUNED, settings_for
from gamo_tf.estimators import classifier, input_checks

# After a few iterations some class is mostly not predicted yet.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def trained(wine) -> GAMOClassifier:
    """After three iterations: it has not learned much, but it has all it needs."""
    return GAMOClassifier("gamo", iterations=3, random_state=0).fit(*wine)


@pytest.mark.slow
def test_it_learns(wine):
    X, y = wine
    model = GAMOClassifier(iterations=120, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.9


def test_probabilities_and_labels(trained, wine):
    X, _ = wine
    assert trained.classes_.tolist() == ["a", "b", "c"]
    p = trained.predict_proba(X)
    assert p.dtype == np.float64 and p.shape == (111, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    assert (trained.predict(X) == np.array(["a", "b", "c"])[p.argmax(axis=1)]).all()


def test_samples_of_a_class_with_their_parents(trained, wine):
    _, y = wine
    samples, parents, weights = trained.sample("c", 7, return_parents=True)
    assert samples.shape == (7, 13) and (y[parents] == "c").all()
    assert (weights[:, 0] >= weights[:, 1]).all()
    assert parents.shape == weights.shape == (7, 5)
    # The k-th sample is the same for every number that is asked for.
    np.testing.assert_allclose(trained.sample("c", 3), samples[:3], rtol=1e-5)


def test_samples_of_what_has_no_generator(trained, wine):
    with pytest.raises(ValueError, match="none of the classes b, c"):
        trained.sample("a", 1)
    with pytest.raises(ValueError, match="none of the classes b, c"):
        trained.sample("d", 1)
    plain = GAMOClassifier("cn", iterations=2).fit(*wine)
    assert plain.G_ is None
    with pytest.raises(ValueError, match="cn generates nothing"):
        plain.sample("c", 1)


def test_a_pickled_classifier_predicts_and_samples_the_same(trained, wine):
    X, _ = wine
    copy = pickle.loads(pickle.dumps(trained))
    np.testing.assert_array_equal(copy.predict_proba(X), trained.predict_proba(X))
    np.testing.assert_array_equal(copy.sample("b", 4), trained.sample("b", 4))


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        ([(2, 3), (0, 1), (2, 3)], [(0, 1), (2, 3)]),
        (["b", "a", "b"], ["a", "b"]),
        ([None, "x", None], [None, "x"]),  # cannot be sorted: as they appear
        ([1, "one", 1], [1, "one"]),
    ],
    ids=str,
)
def test_labels_as_positions_among_the_classes(y, classes):
    found, codes = input_checks.encode(input_checks.label_column(y))
    assert found.tolist() == classes
    assert [classes[k] for k in codes] == y


@pytest.mark.slow
@pytest.mark.parametrize(
    "labels", [[(0, 1), (2, 3)], [None, "x"], [1, "one"], [True, False]], ids=str
)
def test_any_hashable_label(labels):
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(20, 3)), rng.normal(5, 1, (8, 3))])
    y = [labels[0]] * 20 + [labels[1]] * 8
    model = GAMOClassifier("gamo", iterations=15, learning_rate=0.01, random_state=0)
    found = model.fit(X, y).predict(X)
    assert [a == b for a, b in zip(found, y, strict=True)].count(True) > 20
    assert model.sample(labels[1], 2).shape == (2, 3)


@pytest.mark.parametrize(("data", "of_images"), [("wine", False), ("images", True)])
def test_the_recommended_method_is_the_default_with_its_tuned_settings(
    data, of_images, request
):
    X, y = request.getfixturevalue(data)
    model = GAMOClassifier(iterations=1, random_state=0).fit(X, y)
    assert model.method_ == recommended(of_images)
    chosen = GAMOClassifier(model.method_, iterations=1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(chosen.predict_proba(X), model.predict_proba(X))
    rate = settings_for(model.method_, of_images)["learning_rate"]
    same = GAMOClassifier(iterations=1, learning_rate=rate, random_state=0).fit(X, y)
    np.testing.assert_array_equal(same.predict_proba(X), model.predict_proba(X))


def test_the_settings_that_tuning_kept_go_with_a_method(wine):
    X, y = wine
    for method in ("balanced-pairs", "ros"):
        rate = TUNED[method]["learning_rate"]
        loss = TUNED[method].get("loss", "ce")
        found = [
            GAMOClassifier(method, iterations=2, random_state=0, **chosen)
            .fit(X, y)
            .predict_proba(X)
            for chosen in ({}, {"learning_rate": rate, "loss": loss})
        ]
        np.testing.assert_array_equal(*found)


def test_random_pairs_can_be_sampled(wine):
    X, y = wine
    model = GAMOClassifier("balanced-pairs", iterations=1, random_state=0).fit(X, y)
    samples, parents, weights = model.sample("c", 50, return_parents=True)
    assert model.G_ is None and (y[parents[:, :2]] == "c").all()
    assert (parents[:, 0] != parents[:, 1]).all() and (weights[:, 0] >= 0.5).all()
    np.testing.assert_allclose(weights[:, :2].sum(axis=1), 1, rtol=1e-6)
    pairs = X[parents[:, :2]] * weights[:, :2, None]
    np.testing.assert_allclose(samples, pairs.sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(model.sample("c", 3), samples[:3], rtol=1e-12)


def test_images(images):
    X, y = images
    model = GAMOClassifier(iterations=2, random_state=0).fit(X, y)
    assert model.predict(X).shape == (80,) and model.image_shape_ == (8, 8, 1)
    assert model.sample(8, 2).shape == (2, 512)  # features F(x)
    with pytest.raises(ValueError, match="trained on"):
        model.predict(X[:, :4])


@pytest.mark.slow
def test_networks_of_the_user(images):
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
    with pytest.raises(ValueError, match="give F too"):
        GAMOClassifier(iterations=2, M=head).fit(X, y)


@pytest.mark.slow
def test_a_network_of_keras_applications_as_F(images):
    X, y = images
    scaled = np.repeat(np.repeat(np.repeat(X, 4, 1), 4, 2), 3, 3)
    F = keras.applications.MobileNetV2(
        (32, 32, 3), alpha=0.35, include_top=False, weights=None, pooling="avg"
    )
    model = GAMOClassifier(iterations=1, batch_size=8, F=F, random_state=0)
    assert model.fit(scaled[:70], y[:70]).predict_proba(scaled).shape == (80, 2)


def test_classes_of_one_size_train_a_plain_classifier():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(10, 2)), rng.normal(5, 1, (10, 2))])
    with pytest.warns(UserWarning, match="nothing to oversample"):
        model = GAMOClassifier("gamo", iterations=2).fit(X, np.repeat([0, 1], 10))
    assert model.G_ is None and model.method_ == "cn"


@pytest.mark.slow
def test_docstring_examples():
    assert doctest.testmod(classifier) == (0, 8)

"""Estimators whose F is a pretrained network."""

from __future__ import annotations

import pickle

import keras
import numpy as np
import pytest
from imblearn.pipeline import make_pipeline
from keras import layers
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from gamo_tf import GAMO, BackboneFeatures, GAMOClassifier
from gamo_tf.training import feature_stage


def network() -> keras.Model:
    """A small network with batch normalization, of grey images of 8 pixels."""
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 1))
    x = layers.Rescaling(1 / 16)(image)
    for k in range(2):
        x = layers.Conv2D(8, 3, padding="same", name=f"conv{k}")(x)
        x = layers.BatchNormalization(name=f"norm{k}")(x)
        x = layers.MaxPooling2D(2)(layers.ReLU()(x))
    x = layers.Conv2D(24, 3, padding="same", name="last")(x)
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    return keras.Model(image, x)


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("network") / "small.keras"
    network().save(path)
    return str(path)


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray]:
    """Digits 0, 1, 2 with 60, 30 and 12 images."""
    X, y = load_digits(return_X_y=True)
    rows = np.concatenate(
        [np.flatnonzero(y == k)[: 60 // (k * k + 1)] for k in range(3)]
    )
    return X[rows].reshape(-1, 8, 8, 1).astype(np.uint8), y[rows]


def test_a_named_network_is_frozen_and_images_pass_once(file, images, monkeypatch):
    X, y = images
    model = GAMOClassifier(
        "ros", F=file, iterations=400, weight_decay=0.001, random_state=0
    ).fit(X, y)
    assert model.score(X, y) > 0.7 and model.F_.output_shape == (None, 24)
    assert model.F_.input_shape == (None, 8, 8, 1)
    assert [layer.name for layer in model.M_.layers] == ["feature", "class"]
    steps = []
    monkeypatch.setattr(
        feature_stage, "step_of", lambda frozen: lambda images: steps.append(images)
    )
    again = clone(model).fit(X, y)
    assert steps == []
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_a_given_network_stays_as_it_is(images):
    X, y = images
    F = network()
    before = F.get_weights()
    model = GAMOClassifier("logit-adjust", F=F, iterations=60, random_state=0)
    model.fit(X, y)
    for one, two in zip(before, F.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    # Features have root mean square 1 on the training set: F_ is F times a number.
    share = model.F_(X[:9], training=False) / F(X[:9], training=False)
    known = share.numpy()[np.isfinite(share)]
    np.testing.assert_allclose(known, known[0], rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("trains", ["top", "all"])
def test_layers_that_train_move_and_batch_statistics_do_not(images, trains):
    X, y = images
    F = network()
    model = GAMOClassifier(
        *("cn",),
        F=F,
        backbone_trains=trains,
        backbone_rate=0.01,
        iterations=20,
        random_state=0,
    ).fit(X, y)
    pairs = zip(F.weights, model.F_.weights, strict=True)
    moved = {one.path for one, two in pairs if (one.numpy() != two.numpy()).any()}
    assert "last/kernel" in moved and not any("moving" in path for path in moved)
    assert ("conv0/kernel" in moved) == (trains == "all")


def test_a_callable_learns_as_before(images):
    X, y = images
    model = GAMOClassifier(
        "cn", F=lambda shape: network(), iterations=3, random_state=0
    )
    model.fit(X, y)
    assert any(
        (one != two).any()
        for one, two in zip(
            model.F_.get_weights(), network().get_weights(), strict=True
        )
    )


def test_validation_rows_pass_through_the_network_too(file, images):
    X, y = images
    model = GAMOClassifier(
        *("ros",),
        F=file,
        iterations=200,
        weight_decay=0.001,
        validation_fraction=0.2,
        random_state=0,
    ).fit(X, y)
    assert 0.4 < model.validation_scores_.max() <= 1


def test_generated_samples_are_features(file, images):
    X, y = images
    model = GAMOClassifier("gamo", F=file, iterations=20, random_state=0).fit(X, y)
    assert model.sample(2, 4).shape == (4, 24)


def test_a_fitted_classifier_is_pickled(file, images):
    X, y = images
    model = GAMOClassifier("cn", F=file, iterations=20, random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(again.predict_proba(X), model.predict_proba(X), 1e-6)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"F": "EfficientNetV2B"}, "Did you mean EfficientNetV2B0"),
        ({"F": "nowhere.keras"}, r"nowhere\.keras: no such file"),
        ({"F": "MobileNetV3Small", "image_size": 16}, "32 pixels"),
        ({"head": "deep"}, "head"),
        ({"backbone_trains": "top"}, "needs a pretrained network"),
    ],
)
def test_what_does_not_go_together_is_named(images, parameters, words):
    X, y = images
    with pytest.raises(ValueError, match=words):
        GAMOClassifier("cn", iterations=1, **parameters).fit(X, y)


def test_a_table_has_no_pretrained_network(file):
    X = np.random.default_rng(0).normal(size=(30, 4))
    with pytest.raises(ValueError, match="a table"):
        GAMOClassifier(F=file).fit(X, np.repeat([0, 1], [20, 10]))


# ---- the transformer ---------------------------------------------------------------


def test_features_before_an_oversampler_and_a_classifier(file, images):
    X, y = images
    chain = make_pipeline(
        BackboneFeatures(file),
        StandardScaler(),
        GAMO(iterations=20, random_state=0),
        LogisticRegression(max_iter=1000),
    ).fit(X, y)
    assert chain.score(X, y) > 0.9


def test_features_are_those_of_the_network(file, images):
    X, _ = images
    features = BackboneFeatures(file).fit(X)
    expected = keras.models.load_model(file)(X, training=False)
    np.testing.assert_allclose(features.transform(X), expected, rtol=1e-4, atol=1e-5)
    assert list(features.get_feature_names_out()[:2]) == ["backbone0", "backbone1"]
    with pytest.raises(ValueError, match="trained on"):
        features.transform(X[:, :6])
    with pytest.raises(ValueError, match="expected images"):
        BackboneFeatures(file).fit(X[:, :, 0, 0])
    with pytest.raises(ValueError, match="no such feature extractor"):
        BackboneFeatures("ResNet").fit(X)

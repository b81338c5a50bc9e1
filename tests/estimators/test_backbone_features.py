"""BackboneFeatures: images to features, in pipelines."""

from __future__ import annotations

import doctest
import pickle

import keras
import numpy as np
import pytest
from imblearn.pipeline import make_pipeline
from keras import layers
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from gamo_tf import GAMO, BackboneFeatures
from gamo_tf.estimators import backbone_features


def network() -> keras.Model:
    image = keras.Input((8, 8, 1))
    x = layers.Conv2D(8, 3, activation="relu")(layers.Rescaling(1 / 255)(image))
    x = layers.Dropout(0.5)(layers.BatchNormalization()(x))
    return keras.Model(image, layers.GlobalAveragePooling2D()(x))


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("networks") / "features.keras"
    keras.utils.set_random_seed(0)
    network().save(path)
    return str(path)


def test_features_of_images(file, images):
    X, _ = images
    found = BackboneFeatures(file).fit_transform(X)
    assert found.shape == (80, 8) and found.dtype == np.float32
    own = keras.models.load_model(file)(X.astype(np.float32), training=False)
    np.testing.assert_allclose(found, np.asarray(own), rtol=1e-4, atol=1e-5)


def test_it_is_a_transformer(file, images):
    X, _ = images
    model = clone(BackboneFeatures(file))
    with pytest.raises(NotFittedError):
        model.transform(X)
    features = model.fit(X).transform(X)
    assert model.image_shape_ == (8, 8, 1)
    assert list(model.get_feature_names_out()) == [f"backbone{k}" for k in range(8)]
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.transform(X), features)
    frame = model.set_output(transform="pandas").transform(X[:3])
    assert frame.shape == (3, 8) and frame.columns[0] == "backbone0"


def test_a_pipeline_extracts_each_image_once(images, extracted):
    X, y = images
    sampler = GAMO(iterations=3, random_state=0)
    model = make_pipeline(BackboneFeatures(network()), sampler, LogisticRegression())
    assert model.fit(X, y).predict(X).shape == (80,)
    assert (model.named_steps["gamo"].sampling_strategy_) == {8: 40}
    assert np.isfinite(cross_val_score(model, X, y, cv=2)).all()
    assert sum(extracted) == len(np.unique(X, axis=0))


def test_what_is_refused(file, images, wine, tmp_path):
    X, _ = images
    for backbone, rows, message in (
        ("efficientnetv2b0", X, r"^backbone: .*Did you mean EfficientNetV2B0\?"),
        (file, wine[0], r"^X has the shape .* expected images"),
        ("missing.keras", X, "^backbone: missing.keras"),
        ("pixels", X, "^backbone: pixels: has no pretrained weights"),
    ):
        with pytest.raises(ValueError, match=message):
            BackboneFeatures(backbone).fit(rows)
    with pytest.raises(ValueError, match=r"^weights none: .* of its own"):
        BackboneFeatures(file, "none").fit(X)
    with pytest.raises(ValueError, match=r"^image_size 16: Mobile"):
        BackboneFeatures("MobileNetV3Small", image_size=16).fit(X)
    path = tmp_path / "changing.keras"
    network().save(path)
    model = BackboneFeatures(path).fit(X)
    with pytest.raises(ValueError, match=r"images \(4, 8, 1\); trained on"):
        model.transform(X[:, :4])
    network().save(path)
    with pytest.raises(ValueError, match="other weights than in `fit`"):
        model.transform(X)


def test_docstring_examples():
    assert doctest.testmod(backbone_features).failed == 0

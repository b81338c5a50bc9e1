"""GAMOClassifier with a pretrained F: by file, by name and as a model."""

from __future__ import annotations

import pickle

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from gamo_tf import GAMOClassifier
from gamo_tf.cli.run_settings import to_options
from gamo_tf.config.backbones import GIVEN
from gamo_tf.data.feature_store import FeatureStore
from gamo_tf.errors import UserError
from gamo_tf.estimators import kept

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ITERATIONS = 4


def network(side: int | None = 8, channels: int = 1, offset: float = 0.0):
    """Two stages with batch normalization and dropout; 8 features."""
    image = keras.Input((side, side, channels))
    x = layers.Rescaling(1 / 255, offset)(image)
    x = layers.Conv2D(8, 3, padding="same", name="bottom")(x)
    x = layers.ReLU()(layers.BatchNormalization(name="bottom_norm")(x))
    x = layers.AveragePooling2D(2)(x)
    x = layers.Conv2D(8, 3, padding="same", name="top")(x)
    x = layers.Dropout(0.5)(layers.BatchNormalization(name="top_norm")(x))
    return keras.Model(image, layers.GlobalAveragePooling2D()(x))


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return network()


@pytest.fixture(scope="module")
def file(model, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("networks") / "small.keras"
    model.save(path)
    return str(path)


def weights_of(network: keras.Model, part: str) -> dict[str, np.ndarray]:
    """Copies of the weights whose layer has `part` in its name."""
    return {
        w.path: np.array(w)
        for layer in network.layers
        for w in layer.weights
        if part in layer.name
    }


def inner(F: keras.Model, part: str) -> dict[str, np.ndarray]:
    """`weights_of`, of the models within F too."""
    found = weights_of(F, part)
    for layer in F.layers:
        if isinstance(layer, keras.Model):
            found |= inner(layer, part)
    return found


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> list[bool]:
    assert len(a) == len(b) > 0
    return [np.array_equal(x, y) for x, y in zip(a.values(), b.values(), strict=True)]


def fitted(F: object, images: tuple, **settings: object) -> GAMOClassifier:
    usual = {"iterations": ITERATIONS, "random_state": 0, **settings}
    return GAMOClassifier(F=F, **usual).fit(*images)


# ---- frozen ------------------------------------------------------------------------


def test_a_model_is_frozen_and_stays_as_it_is(model, images):
    X, _ = images
    before = [w.copy() for w in model.get_weights()]
    found = fitted(model, images, method="balanced-pairs")
    assert found.F_.output_shape == (None, 8) and found.predict(X).shape == (80,)
    for w, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, old)
    for part in ("bottom", "top"):  # statistics of batch normalization too
        assert all(same(inner(found.F_, part), weights_of(model, part)))
    features = np.asarray(found.F_(X, training=False))
    own = np.asarray(model(X.astype(np.float32), training=False))
    ratio = np.sqrt(np.mean(own**2))
    np.testing.assert_allclose(features * ratio, own, rtol=1e-4, atol=1e-5)
    assert [layer.name for layer in found.M_.layers] == ["feature", "class"]
    assert found.sample(8, 3).shape == (3, 8)


def test_a_file_is_the_same_as_its_model(model, file, images):
    X, _ = images
    by_file, by_model = fitted(file, images), fitted(model, images)
    np.testing.assert_array_equal(by_file.predict_proba(X), by_model.predict_proba(X))


@pytest.mark.parametrize(("method", "seed"), [("auto", 11), ("gamo", 12), ("cn", 13)])
def test_an_image_is_extracted_once(method, seed, images, extracted):
    keras.utils.set_random_seed(seed)
    F = network()
    X, y = images
    first = fitted(F, images, method=method).predict_proba(X)
    assert sum(extracted) == len(np.unique(X, axis=0))
    extracted.clear()
    model = fitted(F, images, method=method, validation_fraction=0.2)
    assert len(model.validation_scores_) and model.predict(X).shape == y.shape
    np.testing.assert_array_equal(
        fitted(F, images, method=method).predict_proba(X), first
    )
    assert extracted and sum(extracted) == 0


def test_networks_of_the_same_weights_share_no_features(model, images):
    X, _ = images
    other = network(offset=-1.0)
    other.set_weights(model.get_weights())
    a, b = fitted(model, images).F_, fitted(other, images).F_
    expected = np.asarray(other(X.astype(np.float32), training=False))
    expected = expected / np.sqrt(np.mean(expected**2))
    assert not np.allclose(np.asarray(a(X)), np.asarray(b(X)), atol=0.01)
    np.testing.assert_allclose(np.asarray(b(X)), expected, rtol=1e-3, atol=1e-4)


def test_a_file_that_changes_is_read_again(images, tmp_path):
    X, _ = images
    path = tmp_path / "changing.keras"
    network().save(path)
    first = fitted(path, images).predict_proba(X)
    network().save(path)
    assert (fitted(path, images).predict_proba(X) != first).any()


def test_images_are_made_to_fit(images):
    X, y = images
    assert fitted(network(12, 3), images).F_.input_shape == (None, 8, 8, 1)
    model = fitted(network(None, 3), images, image_size=16)
    assert model.F_.get_layer("resize").height == 16
    floats = fitted(network(), (X.astype(np.float64), y))
    assert floats.predict(X.astype(np.float32)).shape == (80,)


def head(features: int, classes: int) -> keras.Model:
    x = keras.Input((features,))
    return keras.Model(x, layers.Dense(classes, activation="softmax")(x))


def test_clone_and_pickle_with_an_own_M(model, images):
    X, _ = images
    settings = {"F": model, "M": head, "iterations": ITERATIONS}
    found = clone(GAMOClassifier("balanced-pairs", **settings)).fit(*images)
    copy = pickle.loads(pickle.dumps(found))
    np.testing.assert_allclose(
        copy.predict_proba(X), found.predict_proba(X), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_array_equal(copy.sample(8, 4), found.sample(8, 4))
    with pytest.raises(ValueError, match=r"images \(4, 8, 1\); trained on \(8, 8, 1\)"):
        copy.predict(X[:, :4])


def test_head_and_weight_decay(model, images):
    linear = fitted(model, images, weight_decay=100.0, iterations=60)
    free = fitted(model, images, weight_decay=0, iterations=60)
    sizes = [np.abs(m.M_.get_weights()[0]).mean() for m in (linear, free)]
    assert sizes[0] < sizes[1]
    assert len(fitted(model, images, head="mlp").M_.get_weights()) == 6
    assert len(fitted(None, images, head="linear").M_.get_weights()) == 2


def test_folds_share_the_compiled_training(model, images):
    kept.forget()
    estimator = GAMOClassifier("cn", F=model, iterations=60, random_state=0)
    assert np.isfinite(cross_val_score(estimator, *images, cv=4)).all()
    assert len(kept.names()) == 1
    kept.forget()


# ---- learning ----------------------------------------------------------------------


@pytest.fixture
def short_head(monkeypatch) -> None:
    """The head that fine-tuning begins with is trained a little only."""
    from gamo_tf import prepare

    usual = prepare.behind_backbone
    monkeypatch.setattr(
        prepare,
        "behind_backbone",
        lambda *args: {**usual(*args), "iterations": ITERATIONS},
    )


@pytest.mark.parametrize(("trains", "moved"), [("top", ["top"]), ("all", [""])])
def test_layers_that_learn(trains, moved, model, images, short_head):
    X, _ = images
    settings = {"backbone_trains": trains, "backbone_rate": 0.01, "method": "cn"}
    before = [w.copy() for w in model.get_weights()]
    found = fitted(model, images, **settings)
    for w, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, old)
    kernels = {
        part: not all(same(inner(found.F_, part), weights_of(model, part)))
        for part in ("bottom", "top")
    }
    assert kernels == {"bottom": trains == "all", "top": True}
    for part in ("bottom_norm", "top_norm"):
        statistics = inner(found.F_, part)
        moving = [v for k, v in statistics.items() if "moving" in k]
        own = [v for k, v in weights_of(model, part).items() if "moving" in k]
        np.testing.assert_array_equal(moving, own)
    copy = pickle.loads(pickle.dumps(found))
    np.testing.assert_allclose(
        copy.predict_proba(X), found.predict_proba(X), rtol=1e-4, atol=1e-6
    )


def test_a_callable_learns_in_training_mode(images):
    found = fitted(lambda shape: network(), images, method="cn")
    moving = [v for k, v in weights_of(found.F_, "norm").items() if "mean" in k]
    assert np.abs(moving).max() > 0


# ---- refusals ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"F": "efficientnetv2b0"}, r"F: .*Did you mean EfficientNetV2B0\?"),
        ({"F": "given"}, "F: given: has no pretrained weights"),
        ({"F": "paper"}, "F: paper: has no pretrained weights. Choose one of Mob"),
        ({"F": "net.h5/x"}, "F: .*a network comes as a .keras file"),
        ({"F": "missing.keras"}, "F: missing.keras"),
        ({"F": "MobileNetV3Small", "image_size": 16}, "image_size 16: Mobile.* 32"),
        ({"backbone_trains": "all"}, "backbone_trains: needs a pretrained network"),
        ({"image_size": 32}, "image_size: needs a pretrained network as F"),
        ({"F": network, "backbone_rate": 0.1}, "backbone_rate: needs a pretrained"),
        ({"F": network(), "backbone_weights": "none"}, "backbone_weights: a model has"),
        ({"F": network(8, 3), "method": "cmo"}, "backbone_trains all"),
        ({"F": network(), "backbone_trains": "some"}, "'backbone_trains' parameter"),
        ({"F": network(), "head": "deep"}, "'head' parameter"),
        ({"F": network(), "M": head, "head": "mlp"}, "head: M is given"),
        ({"F": keras.Sequential([layers.Dense(2)])}, "F: no functional model"),
    ],
    # A function has another text in every process.
    ids=lambda value: value if isinstance(value, str) else "settings",
)
def test_what_is_refused(settings, message, images):
    with pytest.raises(ValueError, match=message):
        GAMOClassifier(**settings).fit(*images)


def test_no_flag_names_a_model_of_python():
    with pytest.raises(UserError, match=r"given.*: a network from Python has no name"):
        to_options({"dataset": "digits", "backbone": GIVEN}, None)


def test_files_that_are_none(images, file, tmp_path):
    path = tmp_path / "text.keras"
    path.write_text("no network")
    with pytest.raises(ValueError, match=rf"F: {path}: cannot be read"):
        GAMOClassifier(F=path).fit(*images)
    with pytest.raises(ValueError, match=r"backbone_weights none: .* of its own"):
        GAMOClassifier(F=file, backbone_weights="none").fit(*images)
    with pytest.raises(ValueError, match=rf"backbone_weights: {path}"):
        GAMOClassifier(F=file, backbone_weights=path).fit(*images)


def test_a_table_has_no_pretrained_network(wine, file):
    for F in (file, "EfficientNetV2B0"):
        with pytest.raises(ValueError, match=f"F: {F} takes images; X is a table"):
            GAMOClassifier(F=F).fit(*wine)


def test_a_model_of_vectors_learns(wine):
    X, y = wine
    x = keras.Input((13,))
    F = keras.Model(x, layers.Dense(5)(layers.Rescaling(1e-3)(x)))
    before = F.get_weights()[0].copy()
    found = GAMOClassifier("cn", F=F, iterations=ITERATIONS).fit(X, y)
    assert (found.F_.get_weights()[0] != before).any()
    np.testing.assert_array_equal(F.get_weights()[0], before)


@pytest.mark.slow
def test_a_network_by_its_name(images, monkeypatch):
    """Networks of one architecture share features however Keras numbers the layers."""
    X, y = images
    settings = {"backbone_weights": "none", "image_size": 32}
    found = fitted("MobileNetV3Small", (X[40:], y[40:]), **settings)
    assert found.F_.output_shape == (None, 576)
    asked: list[str] = []
    init = FeatureStore.__init__

    def kept_key(self: FeatureStore, key: str, *args: object) -> None:
        asked.append(key)
        init(self, key, *args)

    monkeypatch.setattr(FeatureStore, "__init__", kept_key)
    F = keras.applications.MobileNetV3Small(
        (32, 32, 3), include_top=False, weights=None
    )
    for _ in range(2):
        twin = keras.applications.MobileNetV3Small(
            (32, 32, 3), include_top=False, weights=None
        )
        twin.set_weights(F.get_weights())
        fitted(twin, (X[40:], y[40:]))
    assert len(set(asked)) == 1

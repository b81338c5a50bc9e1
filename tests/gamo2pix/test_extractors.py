"""Feature extractors: Inception-v3, the reference classifier, and the choice."""

import hashlib
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from gamo2pix import extractors, reference_classifier
from gamo_tf.config.dataset_specs import DATASETS, DatasetSpec
from gamo_tf.data import load
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError

RNG = np.random.default_rng(0)


@pytest.mark.slow
def test_inception_taps_the_first_pool_and_the_end(tmp_path):
    keras.utils.set_random_seed(0)
    shape = (extractors.INCEPTION_SIDE, extractors.INCEPTION_SIDE, 3)
    network = keras.applications.InceptionV3(False, weights=None, input_shape=shape)
    network.save_weights(tmp_path / "w.weights.h5")
    first, last = extractors.inception(tmp_path / "w.weights.h5")
    images = (RNG.random((3, 28, 28, 1)) * 255).astype(np.uint8)
    assert first(images).shape == (3, 64) and last(images).shape == (3, 2048)
    assert "d64" in first.name and last.least == 2048
    content = b"".join(array.tobytes() for array in network.get_weights())
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert first.details["weights_md5"] == digest
    assert first.details["comparable_to_published"] is False
    (tmp_path / "bad.h5").write_text("no weights")
    with pytest.raises(UserError, match=r"bad\.h5"):
        extractors.inception(tmp_path / "bad.h5")


@pytest.mark.slow
def test_reference_classifier_is_trained_once_and_kept(tmp_path, capsys):
    spec = DATASETS["digits"]
    arrays = load.read(spec, tmp_path)
    # A fifth of the updates: digits are learned by then.
    recipe = reference_classifier.Recipe("fifth", epochs=1, updates=300)
    one = reference_classifier.reference(spec, arrays, tmp_path, recipe)
    assert "training the reference" in capsys.readouterr().out
    assert one.details["test_acsa"] > 0.9 and one.details["test_gm"] > 0.9
    features = one.features(arrays.images)
    assert features.shape == (1297, 64)
    p = one.judge(arrays.images[:9])[1]
    assert p.shape == (9, 10) and np.allclose(p.sum(axis=1), 1, atol=1e-5)
    assert np.mean(features**2) == pytest.approx(1, rel=1e-3)
    two = reference_classifier.reference(spec, arrays, tmp_path, recipe)
    np.testing.assert_allclose(two.features(arrays.images[:9]), features[:9], atol=1e-5)
    assert capsys.readouterr().out == "" and one.name == two.name


@pytest.mark.slow
def test_other_images_or_another_recipe_have_their_own_classifier(tmp_path, capsys):
    spec = DATASETS["digits"]
    whole = load.read(spec, tmp_path)
    arrays = whole._replace(images=whole.images[:200], labels=whole.labels[:200])
    recipe = reference_classifier.Recipe("short", epochs=1, updates=1)
    changed = arrays._replace(images=255 - arrays.images)
    (tmp_path / "file").write_text("no folder")
    messages = []
    for each, folder in ((arrays, ""), (arrays, ""), (changed, "file")):
        found = reference_classifier.reference(spec, each, tmp_path / folder, recipe)
        assert found.name == "classifier_digits_short_d64"
        assert np.mean(found.features(each.images) ** 2) == pytest.approx(1, rel=1e-3)
        messages.append(capsys.readouterr().out)
    assert "training the reference" in messages[0] and messages[1] == ""
    assert "training the reference" in messages[2]
    assert "cannot be written" in messages[2]


@pytest.fixture
def own_images() -> tuple[DatasetSpec, Arrays]:
    """The first 40 digits, as a person's own images."""
    spec = replace(DATASETS["digits"], name="mine")
    whole = load.read(DATASETS["digits"], Path())
    few = {"images": whole.images[:40], "labels": whole.labels[:40]}
    return spec, whole._replace(**few)


@pytest.mark.slow
def test_a_reference_classifier_of_own_images_ends_when_it_has_learned(
    own_images, tmp_path, capsys
):
    found = reference_classifier.reference(*own_images, tmp_path)
    assert found.name == "classifier_mine_r2_d64"
    epochs = found.details["epochs"]
    assert 10 < epochs < 1000  # of 1,500
    *before, last = capsys.readouterr().out.splitlines()
    assert f"learned after {epochs} epochs, loss 0.0" in last
    assert "of at most 1500, loss" in before[-1] or len(before) == 1
    again = reference_classifier.reference(*own_images, tmp_path)
    assert again.details["epochs"] == epochs and capsys.readouterr().out == ""


@pytest.mark.slow
def test_a_kept_classifier_of_earlier_versions_does(own_images, tmp_path, capsys):
    old = reference_classifier.Recipe("r1", epochs=1, updates=3)
    one = reference_classifier.reference(*own_images, tmp_path, old)
    assert one.details["epochs"] == 3
    capsys.readouterr()
    two = reference_classifier.reference(*own_images, tmp_path)
    assert two.name == one.name == "classifier_mine_r1_d64"
    assert capsys.readouterr().out == ""


def test_choice_falls_to_the_classifier_with_one_line(capsys, monkeypatch):
    def offline(weights):
        raise UserError("no weights here.")

    monkeypatch.setattr(extractors, "inception", offline)
    reference = partial(SimpleNamespace, name="r", features=None, details={})
    chosen = extractors.choose(None, None, reference)
    assert [x.name for x in chosen] == ["r"]
    told = capsys.readouterr().out
    assert told.count("\n") == 1 and "no weights here" in told
    with pytest.raises(UserError, match="no weights"):
        extractors.choose("inception", None, reference)
    assert extractors.choose("classifier", None, reference)
    assert capsys.readouterr().out == ""


def test_a_model_of_the_users_file(tmp_path):
    """Grey images of another size, and maps whose mean is taken."""
    x = keras.Input((16, 16, 3))
    maps = keras.layers.Rescaling(1 / 255)(keras.layers.AveragePooling2D(8)(x))
    keras.Model(x, maps).save(tmp_path / "mine.keras")
    images = np.full((5, 8, 8, 1), 51, np.uint8)
    images[1:] = 255
    found = extractors.choose(str(tmp_path / "mine.keras"), None, None)[0]
    assert found.name.startswith("mine_d3_")
    features = found(images)
    np.testing.assert_allclose(features, [[0.2] * 3, *[[1.0] * 3] * 4], atol=1e-3)
    v = keras.Input((16,))
    keras.Model(v, keras.layers.Dense(2)(v)).save(tmp_path / "vectors.keras")
    with pytest.raises(UserError, match="expected a model of images"):
        extractors.of_file(tmp_path / "vectors.keras")
    (tmp_path / "bad.keras").write_text("no zip")
    with pytest.raises(UserError, match=r"bad\.keras"):
        extractors.of_file(tmp_path / "bad.keras")

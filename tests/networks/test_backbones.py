"""Pretrained feature extractors: loading, refusals, cutting."""

import json
import subprocess
import sys
import urllib.error
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from gamo_tf.config.backbones import BACKBONES
from gamo_tf.errors import UserError
from gamo_tf.networks.backbones import (
    cut,
    last_map,
    load_backbone,
    mebibytes,
    scaled,
    sha256,
)

ROWS = [name for name, row in BACKBONES.items() if row.pretrained]
SHAPE = (16, 16, 3)
ran = []


def block(x, filters, stride=1):
    x = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def plain(size=None, channels=3):
    """Maps of 8 x 8 and 4 x 4 of an image of 16 x 16; pooled features."""
    image = keras.Input((size, size, channels))
    x = layers.Rescaling(1 / 255)(image)
    x = block(layers.Dropout(0.5)(block(x, 4, 2)), 6, 2)
    return keras.Model(image, layers.GlobalAveragePooling2D()(x))


def residual(size=None):
    """The same sizes; blocks that widen, with ways around them. A map comes out."""
    image = keras.Input((size, size, 3))
    x = block(image, 4, 2)
    x = layers.Add()([x, layers.Conv2D(4, 1)(block(x, 12))])
    x = block(block(x, 12), 6, 2)
    return keras.Model(image, x + block(x, 6))


def nested(size=None):
    """A model in a model, with names twice, and a Normalization that was adapted."""
    image = keras.Input((size, size, 3), name="image")
    norm = layers.Normalization(name="resize")
    norm.adapt(np.arange(48.0).reshape(1, 4, 4, 3))
    inner = keras.Sequential([layers.Conv2D(4, 3, 2, "same", name="resize")])
    x = residual(size)(layers.Conv2D(3, 1)(inner(norm(image))), training=False)
    return keras.Model(image, layers.GlobalAveragePooling2D()(x))


def fixed(size=8):
    image = keras.Input((size, size, 3))
    x = layers.Flatten()(block(image, 4, 2))
    return keras.Model(image, layers.Dense(5)(x))


NETWORKS = {build.__name__: build for build in (plain, residual, nested, fixed)}


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (3, *SHAPE)).astype(np.uint8)


@pytest.fixture
def saved(tmp_path):
    """Save a network; returns the path as a user gives it."""

    def save(network, name="net"):
        # Statistics of BatchNormalization are not those of a new network.
        rng = np.random.default_rng(1)
        for w in network.trainable_weights:
            w.assign(w + rng.normal(size=w.shape, scale=0.1))
        network.save(tmp_path / f"{name}.keras")
        return str(tmp_path / f"{name}.keras")

    return save


def numbers(network, x):
    return np.asarray(network(x, training=False))


def refused(match, *args, **kwargs):
    with pytest.raises(UserError, match=match) as caught:
        load_backbone(*args, **{"shape": SHAPE} | kwargs)
    assert "\n" not in str(caught.value)
    assert any(str(caught.value).startswith(name) for name in args)


# ---- what F computes ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["plain", "residual", "nested"])
def test_a_file_gives_the_features_of_its_network(name, saved, images):
    network = NETWORKS[name]()
    F = load_backbone(saved(network), shape=SHAPE)
    expected = numbers(network, images.astype("float32"))
    if expected.ndim == 4:
        expected = expected.mean((1, 2))
    np.testing.assert_allclose(numbers(F, images), expected, rtol=1e-4, atol=1e-4)
    assert F.name == "F" and F.dtype == "float32"
    assert not any(isinstance(layer, keras.Model) for layer in F.layers)
    names = [layer.name for layer in F.layers]
    assert len(names) == len(set(names)) and "resize" not in names[:1]
    np.testing.assert_array_equal(
        numbers(F, images), numbers(F, images.astype("float32"))
    )


def test_images_are_resized_to_the_size_of_the_network(saved, images):
    network = fixed(8)
    F = load_backbone(saved(network), shape=SHAPE)
    layer = F.get_layer("resize")
    assert (layer.height, layer.interpolation, layer.antialias) == (8, "bicubic", True)
    expected = numbers(network, layer(images.astype("float32")))
    np.testing.assert_allclose(numbers(F, images), expected, rtol=1e-4, atol=1e-4)
    larger = load_backbone(saved(plain()), shape=SHAPE, side=32)
    assert not larger.get_layer("resize").antialias
    assert last_map(larger).output.shape == (None, 8, 8, 6)


def test_statistics_stay_unless_the_caller_trains(saved, images):
    image = keras.Input((None, None, 3))
    inside = block(layers.RandomFlip()(layers.Resizing(12, 12)(image)), 4)
    for network, side in ((plain(), 8), (keras.Model(image, inside), 0)):
        F = load_backbone(saved(network), shape=SHAPE, side=side)
        before = sha256(F)
        np.testing.assert_array_equal(np.asarray(F(images)), numbers(F, images))
        assert sha256(F) == before
        F(images, training=True)
        assert sha256(F) != before


def test_grey_images_are_repeated_to_three_channels(saved, images):
    path = saved(plain())
    grey = images[..., :1]
    F = load_backbone(path, shape=(16, 16, 1))
    colour = load_backbone(path, shape=SHAPE)
    expected = numbers(colour, np.repeat(grey, 3, axis=-1))
    np.testing.assert_array_equal(numbers(F, grey), expected)


def test_features_can_be_scaled_to_a_root_mean_square_of_one(saved, images):
    F = load_backbone(saved(plain()), shape=SHAPE)
    rms = float(np.sqrt(np.square(numbers(F, images)).mean()))
    unit = scaled(F, rms)
    assert unit.name == "F" and unit.layers[-1].name == "unit"
    assert np.square(numbers(unit, images)).mean() == pytest.approx(1, rel=1e-4)
    assert last_map(unit).output.shape == (None, 4, 4, 6)


@pytest.mark.slow
def test_keras_alone_loads_a_saved_f_in_safe_mode(saved, images, tmp_path):
    F = scaled(load_backbone(saved(nested()), shape=SHAPE, side=24), 2.0)
    cut(F, "top")
    before = sha256(F)
    F.save(tmp_path / "F.keras")
    np.savez(tmp_path / "x.npz", x=images, y=numbers(F, images))
    code = (
        "import keras, numpy as np; a = np.load('x.npz'); "
        "F = keras.saving.load_model('F.keras', safe_mode=True, compile=False); "
        "np.testing.assert_allclose(F(a['x']), a['y'], rtol=1e-4, atol=1e-5)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    again = keras.saving.load_model(tmp_path / "F.keras", compile=False)
    assert sha256(F) == sha256(again) == before
    again.weights[-1].assign(again.weights[-1] + 1)
    assert sha256(again) != before


# ---- cutting -----------------------------------------------------------------------


@pytest.mark.parametrize("trains", ["none", "top", "all"])
@pytest.mark.parametrize("name", ["plain", "residual", "nested"])
def test_both_parts_together_are_f(name, trains, saved, images):
    F = load_backbone(saved(NETWORKS[name]()), shape=SHAPE)
    frozen, learned = cut(F, trains)
    assert learned.name == "F"
    between = numbers(frozen, images) if frozen else images
    np.testing.assert_array_equal(numbers(learned, between), numbers(F, images))
    mine = {id(w) for w in learned.weights}
    assert mine <= {id(w) for w in F.weights}
    assert (
        len(mine) == len(F.weights) if trains == "all" else len(mine) < len(F.weights)
    )
    assert bool(mine) == (trains != "none")


def test_the_top_begins_at_the_narrow_end_of_the_stage_before(saved, images):
    F = load_backbone(saved(residual()), shape=SHAPE)
    frozen, learned = cut(F, "top")
    assert frozen.output.shape == (None, 8, 8, 4)
    assert last_map(F).output.shape == (None, 4, 4, 6)
    assert isinstance(frozen.layers[-1], layers.Add)
    kernel = learned.trainable_weights[0]
    before = numbers(F, images)
    kernel.assign(kernel + 1)
    assert np.abs(numbers(F, images) - before).max() > 0  # shared with F


def test_a_network_of_one_stage_learns_as_a_whole(saved, images):
    image = keras.Input(SHAPE)
    x = layers.GlobalMaxPooling2D()(block(layers.Rescaling(1 / 255)(image), 4))
    F = load_backbone(saved(keras.Model(image, x)), shape=SHAPE)
    frozen, learned = cut(F, "top")
    assert not frozen.weights and len(learned.weights) == len(F.weights)


def test_a_network_of_dense_layers_has_no_map(saved):
    image = keras.Input(SHAPE)
    x = layers.Dense(3)(layers.Flatten()(layers.Rescaling(1 / 255)(image)))
    F = load_backbone(saved(keras.Model(image, x)), shape=SHAPE)
    for part in (last_map, lambda F: cut(F, "top")):
        with pytest.raises(UserError, match="no feature map"):
            part(F)


def test_memory_counts_all_outputs_where_f_learns():
    image = keras.Input((8, 8, 3))
    F = keras.Model(image, layers.Flatten()(layers.Conv2D(2, 1)(image)))
    outputs, weights = 8 * 8 * (3 + 2 + 2), 8
    assert mebibytes(F, 10, True) == 4 * (10 * outputs + 4 * weights) / 2**20
    assert mebibytes(F, 10, False) == 4 * (10 * outputs + weights) / 2**20


# ---- weights -----------------------------------------------------------------------


def test_weights_of_the_same_network_are_loaded(saved, images, tmp_path):
    path = saved(plain())
    F = load_backbone(path, shape=SHAPE)
    start = load_backbone(path, "none", shape=SHAPE)
    assert sha256(start) != sha256(F)
    start.save(tmp_path / "start.keras")
    start.save_weights(tmp_path / "start.weights.h5")
    for file in ("start.keras", "start.weights.h5"):
        again = load_backbone(path, str(tmp_path / file), shape=SHAPE)
        assert sha256(again) == sha256(start)


def test_other_weights_are_refused(saved, tmp_path):
    path = saved(plain())
    other = saved(residual(), "other")
    refused(r"other.keras: not the weights of .*expected .* arrays, got", path, other)
    larger = keras.Model((m := plain()).input, block(m.layers[-2].output, 8))
    for network in (residual(), larger, nested()):
        network.save_weights(tmp_path / "o.weights.h5")
        refused(
            r"o\.weights.h5: not the weights of .*: expected 364 weights in 10 arrays, "
            r"got [\d,]+ weights in \d+ arrays",
            path,
            str(tmp_path / "o.weights.h5"),
        )
    (tmp_path / "bad.weights.h5").write_bytes(b"text")
    refused("bad.weights.h5: cannot be read", path, str(tmp_path / "bad.weights.h5"))
    refused("away.keras: no such file", path, str(tmp_path / "away.keras"))
    refused("Imagenet: no such weights. Give imagenet", path, "Imagenet")


# ---- refusals ----------------------------------------------------------------------


def test_what_is_no_keras_file_is_refused(saved, tmp_path):
    good = Path(saved(plain())).read_bytes()
    bad = tmp_path / "bad.keras"
    refused("no such file", str(tmp_path / "away.keras"))
    plain().save(tmp_path / "old.h5")
    whole_h5 = (tmp_path / "old.h5").read_bytes()
    middle = len(good) // 2
    changed = good[:middle] + bytes([good[middle] ^ 255]) + good[middle + 1 :]
    for content in (b"text", b"", whole_h5, good[:middle], changed):
        bad.write_bytes(content)
        refused("not a .keras file|damaged|cannot be read", str(bad))
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("other.txt", "text")
    refused("cannot be read", str(bad))
    refused("no pretrained network", "paper")


def remember(x):
    ran.append(1)
    return x


class Strange(layers.Layer):
    """Of no package that Keras knows."""

    def call(self, x):
        ran.append(1)
        return x


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.Lambda(lambda x: ran.append(1) or x),
        lambda: layers.Lambda(remember),
        lambda: Strange(),
        lambda: layers.Activation(remember),
    ],
    ids=["lambda", "lambda of a function", "class", "activation"],
)
@pytest.mark.filterwarnings("ignore")
def test_code_of_a_stranger_is_never_executed(layer, saved):
    image = keras.Input(SHAPE)
    path = saved(keras.Model(image, layers.Conv2D(2, 3)(layer()(image))))
    ran.clear()
    refused("has a Lambda layer|needs (Strange|remember), which Keras", path)
    assert not ran


def ends(name):
    one, two = keras.Input(SHAPE), keras.Input(SHAPE)
    return {
        "2 inputs": lambda: keras.Model([one, two], layers.Add()([one, two])),
        "2 outputs": lambda: keras.Model(one, [block(one, 2), block(one, 3)]),
        "no image": lambda: keras.Model(x := keras.Input((8,)), layers.Dense(2)(x)),
        "input .16, 16, 4. is no image": lambda: keras.Model(
            x := keras.Input((16, 16, 4)), block(x, 2)
        ),
        "neither a vector": lambda: keras.Model(one, layers.Reshape((16, 48))(one)),
        "no functional model": lambda: keras.Sequential([layers.Conv2D(2, 3)]),
    }[name]()


@pytest.mark.parametrize(
    "match",
    [
        "2 inputs",
        "2 outputs",
        "no image",
        "input .16, 16, 4. is no image",
        "neither a vector",
        "no functional model",
    ],
)
def test_networks_that_are_no_feature_extractor_are_refused(match, saved):
    refused(match, saved(ends(match)))


def test_images_that_do_not_fit_are_refused(saved):
    refused("takes images of 1 channel; these have 3", saved(plain(channels=1)))
    refused("of 3 channels; these have 4", saved(plain()), shape=(8, 8, 4))
    refused("fit images of 16 x 16.*own size is 8 x 8", saved(fixed()), side=16)
    image = keras.Input((None, None, 3))
    deep = keras.Model(image, layers.MaxPooling2D(4)(layers.Conv2D(2, 5)(image)))
    for shape in ((4, 4, 3), (6, 6, 3)):
        refused(r"does not fit images of [46] x [46] pixels", saved(deep), shape=shape)


def test_layers_that_are_larger_than_the_file_are_not_built(saved, tmp_path):
    with zipfile.ZipFile(saved(plain())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    config["config"]["layers"][2]["config"]["filters"] = 10**9
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    refused("larger than the file", str(tmp_path / "bomb.keras"))


# ---- rows of keras.applications ----------------------------------------------------


def without_network(monkeypatch, folder):
    """Keras has an empty cache and no network; what it asks for is in the list."""
    asked = []

    def retrieve(url, path, *_):
        asked.append((url, str(Path(path).parent)))
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(folder))
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", retrieve)
    return asked


@pytest.mark.parametrize(
    "name", [ROWS[0], *(pytest.param(row, marks=pytest.mark.slow) for row in ROWS[1:])]
)
def test_a_failed_download_says_what_goes_where(name, monkeypatch, tmp_path):
    asked = without_network(monkeypatch, tmp_path)
    with pytest.raises(UserError, match=f"{name}: cannot get .*no network") as caught:
        load_backbone(name, shape=(8, 8, 1), side=32)
    [(url, folder)] = asked
    assert BACKBONES[name].source == url
    assert str(caught.value).endswith(f"Put the file from {url} into {folder}.")
    assert folder == str(tmp_path / "models")


def test_images_below_the_least_side_are_refused():
    refused("takes images of 32 pixels a side or more; got 16", ROWS[0], side=16)
    refused("of 3 channels; these have 4", ROWS[0], "none", shape=(8, 8, 4), side=32)


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_rows_are_what_the_table_says(name, tmp_path):
    row = BACKBONES[name]
    F = load_backbone(name, "none", shape=(28, 28, 1), side=64)
    assert F.output.shape == (None, row.features)
    size = F.count_params() * 4 / 2**20
    assert size == pytest.approx(row.mebibytes, abs=0.05)
    assert last_map(F).output.shape == (None, 2, 2, row.features)
    x = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1)).astype(np.uint8)
    frozen, learned = cut(F, "top")
    assert frozen.output.shape[1:3] == (4, 4)
    assert 0.3 < learned.count_params() / F.count_params() < 0.9
    np.testing.assert_array_equal(numbers(learned, numbers(frozen, x)), numbers(F, x))
    F.save(tmp_path / "F.keras")
    again = load_backbone(str(tmp_path / "F.keras"), shape=(28, 28, 1))
    assert sha256(again) == sha256(F)
    np.testing.assert_allclose(numbers(again, x), numbers(F, x), rtol=1e-4, atol=1e-5)
    bare = getattr(keras.applications, row.build)(
        include_top=False, weights=None, input_shape=(64, 64, 3)
    )
    bare.save(tmp_path / "bare.keras")
    F = load_backbone(name, str(tmp_path / "bare.keras"), shape=(64, 64, 3), side=64)
    x = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    expected = numbers(bare, x).mean((1, 2))
    np.testing.assert_allclose(numbers(F, x), expected, rtol=1e-3, atol=1e-5)


def test_a_network_from_images_of_any_size(real_data):
    path = real_data / "backbones" / "efficientnet-lite0.keras"
    if not path.exists():
        pytest.skip(f"{path}: missing")
    F = load_backbone(str(path), shape=(32, 32, 3), side=64)
    assert F.output.shape == (None, 1280)
    assert last_map(F).output.shape == (None, 2, 2, 1280)
    frozen, learned = cut(F, "top")
    assert frozen.output.shape == (None, 4, 4, 112)
    x = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    features = numbers(F, x)
    np.testing.assert_array_equal(numbers(learned, numbers(frozen, x)), features)
    assert features.std(axis=0).max() > 0.01

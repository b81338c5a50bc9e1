"""The recipe with a decoder of all classes: its codes, its networks, its trainings."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from gamo2pix import class_vae, code_networks
from gamo2pix.code_networks import CodeShape
from gamo2pix.code_vae import CodeVae
from gamo2pix.generate import ANCHORS, ImageGenerator
from gamo2pix.options import OLD, PixOptions
from gamo2pix.recipes import RECIPES
from gamo2pix.vae import FeatureDecoder
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.errors import UserError
from gamo_tf.networks.saved import load_network
from gamo_tf.runs.run_directory import RunDirectory
from gamo_tf.stored import write_json

RNG = np.random.default_rng(0)
CODE = CodeShape(6, (2, 2, 3))
SHORT = PixOptions(iterations=4, recipe="shared", shared_iterations=20)
SPEC = DATASETS["digits"]


@pytest.fixture(scope="module")
def generator(untrained) -> ImageGenerator:
    return ImageGenerator(untrained.run, untrained.split, 0, "shared")


def codes(n: int) -> np.ndarray:
    return RNG.normal(size=(n, CODE.width)).astype(np.float32)


def test_a_code_is_the_feature_and_the_last_map_of_f(generator, untrained):
    d, place = generator.code
    F = load_network(untrained.run.model("F"))
    pools = [x.output for x in F.layers if x.name.startswith("pool")]
    images = untrained.split.images[:9]
    maps = keras.Model(F.inputs, pools[-1])([images]).numpy()
    assert place == maps.shape[1:] and generator.code.width == d + math.prod(place)
    assert generator.features.shape == (308, generator.code.width)
    np.testing.assert_allclose(generator.features[:9, :d], F(images), atol=1e-5)
    scaled = generator.features[:9, d:].reshape(maps.shape)
    np.testing.assert_allclose(scaled / scaled.max(), maps / maps.max(), atol=1e-4)
    assert np.std(generator.features[:, d:]) == pytest.approx(1, rel=1e-3)
    # What judges an image is F alone.
    assert generator.extract(images).shape == (9, d)
    plain = ImageGenerator(untrained.run, untrained.split, 0)
    assert plain.code is None and plain.features.shape == (308, d)


def test_anchored_weights_are_convex_and_reach_every_row(generator, untrained):
    n = len(generator.rows[1])
    weights = generator.weights(1, 0, 2000)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    assert (weights >= 0).all() and (weights.max(axis=0) >= 0.45).all()
    # By hand: a share of the way by the first number, an anchor by the third, and one
    # of four rows by the second, as G's weights have them.
    share, at, *places = np.random.default_rng([0, 1, ANCHORS]).random(7, np.float32)
    share, rows = 0.3 + 0.2 * share, [int(place * n) for place in places]
    plain = ImageGenerator(untrained.run, untrained.split, 0).weights(1, 0, 1)[0]
    passed = np.cumsum(plain[rows[1:]]) / plain[rows[1:]].sum() <= at
    expected = np.zeros(n)
    expected[rows[1 + passed.sum()]] = share
    expected[rows[0]] += 1 - share
    np.testing.assert_allclose(weights[0], expected, atol=1e-6)
    assert (np.count_nonzero(weights, axis=1) <= 2).all()
    # The same for every number of samples asked for.
    np.testing.assert_allclose(generator.weights(1, 7, 9), weights[7:9], atol=1e-6)


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (32, 32, 3), (30, 30, 3)])
def test_networks_make_images_of_any_shape(shape):
    head = code_networks.head(CODE, 5, 4)
    mean, log_variance = head(codes(3))
    assert mean.shape == log_variance.shape == (3, 5 + 2 * 2 * 4)
    assert (log_variance.numpy()[:, 5:] == -10).all()
    decoder = code_networks.decoder(5, (2, 2, 4), shape)
    pixels = decoder(9 * RNG.normal(size=(2, 21)).astype(np.float32)).numpy()
    assert pixels.shape == (2, *shape) and pixels.min() >= 0 and pixels.max() <= 255
    critic = code_networks.critic(shape, 3)
    scores = critic([np.zeros((2, *shape), np.float32), np.eye(3, dtype="f4")[:2]])
    assert scores.shape == (2, math.ceil(shape[0] / 4) * math.ceil(shape[1] / 4))


def test_the_spatial_code_of_a_mixture_is_the_mixture_of_spatial_codes():
    head = code_networks.head(CODE, 5, 4)
    one, two = codes(2)
    both = np.stack([one, two, 0.3 * one + 0.7 * two])
    first, second, mixed = head(both)[0].numpy()[:, 5:]
    np.testing.assert_allclose(mixed, 0.3 * first + 0.7 * second, atol=1e-5)


def make(counts: tuple[int, ...], **changes: object) -> tuple[CodeVae, tuple]:
    options = PixOptions(recipe="shared", batch_size=8, **changes)
    vae = CodeVae(options, CODE, (8, 8, 1), counts, 60)
    images = RNG.integers(0, 256, (sum(counts), 8, 8, 1), np.uint8)
    return vae, (tf.constant(codes(sum(counts))), tf.constant(images))


@pytest.mark.slow
def test_each_loss_moves_its_own_player():
    vae, data = make((5, 0, 3))
    before = {
        name: [v.numpy().copy() for v in variables]
        for name, variables in vae.players.items()
    }
    found = vae.epoch(*data, steps=3)
    assert tuple(found) == vae.loss_names
    assert all(math.isfinite(value) for value in found.values())
    for name, variables in vae.players.items():
        pairs = zip(before[name], variables, strict=True)
        still = [v.path for a, v in pairs if np.array_equal(a, v.numpy())]
        # Within its margins the hinge loss pushes this one up as much as down.
        assert all("score/bias" in path for path in still)
    assert int(vae.optimizers["critic"].iterations) == 3
    assert float(vae.optimizers["critic"].learning_rate) == pytest.approx(4e-4)
    vae.epoch(*data, steps=2)
    assert vae.minibatches.experimental_get_tracing_count() == 1


@pytest.mark.slow
def test_it_learns_to_decode():
    vae, (x, images) = make((5, 0, 3))
    error = []
    for _ in range(3):
        vae.epoch(x, images, steps=60)
        decoded = FeatureDecoder(vae.head, vae.decoder)(x.numpy(), None)
        error.append(np.abs(decoded.astype(float) - images.numpy()).mean())
    assert error[-1] < 0.7 * error[0]


@pytest.mark.slow
def test_a_class_begins_where_all_classes_have_ended(generator, tmp_path, capsys):
    shared, folder = RunDirectory(tmp_path / ".shared"), RunDirectory(tmp_path / "7")
    class_vae.train_shared(shared, SHORT, generator)
    assert "all classes: VAE on 308 images" in capsys.readouterr().out
    class_vae.train(folder, SPEC, 7, SHORT, generator, shared=shared)
    said = capsys.readouterr().out
    assert "class 7 (7): VAE on 10 images" in said and "4/4" in said
    for name in ("head", "decoder", "critic"):
        one, two = (load_network(x.model(name)) for x in (shared, folder))
        pairs = list(zip(one.get_weights(), two.get_weights(), strict=True))
        moved = max(np.abs(a - b).max() for a, b in pairs)
        assert 0 < moved < 0.02  # four steps of Adam
    class_vae.train_shared(shared, SHORT, generator)
    assert "trained already" in capsys.readouterr().out
    # Unless another length is asked for, what there is does.
    class_vae.train_shared(shared, PixOptions(recipe="shared"), generator)
    assert "trained already" in capsys.readouterr().out
    other = PixOptions(recipe="shared", shared_iterations=21)
    with pytest.raises(UserError, match=r"was begun with shared_iterations 20\."):
        class_vae.train_shared(shared, other, generator)


@pytest.mark.slow
def test_a_class_of_an_older_version_is_of_the_papers_recipe(untrained, tmp_path):
    generator = ImageGenerator(untrained.run, untrained.split, 0)
    folder, options = RunDirectory(tmp_path / "7"), PixOptions(iterations=4)
    class_vae.train(folder, SPEC, 7, options, generator)
    path = folder.path / "options.json"
    kept = json.loads(path.read_text())
    write_json(path, {k: v for k, v in kept.items() if k not in (*OLD, "digest")})
    class_vae.train(folder, SPEC, 7, options, generator)  # there is nothing to do
    changed = PixOptions(iterations=4, recipe="shared")
    with pytest.raises(UserError, match="was begun with recipe paper"):
        class_vae.train(folder, SPEC, 7, changed, generator)


def test_the_length_of_the_shared_training_follows_that_of_a_class():
    usual = RECIPES["shared"].shared
    for iterations, wanted in ((None, usual), (50, usual // 2), (900, usual)):
        options = PixOptions(iterations, recipe="shared")
        assert options.shared_length(300) == wanted
    assert PixOptions(1, recipe="shared").shared_length(300) == usual // 100
    assert PixOptions(recipe="shared", shared_iterations=7).shared_length(9) == 7


def test_trainings_on_few_images_are_shorter():
    """In proportion below 300 images of all classes, and below 40 of one; at least a
    quarter. Published sets have more."""
    options = PixOptions(recipe="shared")
    assert [options.shared_length(n) for n in (9000, 300, 150, 184, 75, 20)] == [
        *(800, 800, 400, 490, 200, 200)
    ]
    assert [options.length(n) for n in (2000, 40, 39, 20, 10, 2)] == [
        *(100, 100, 97, 50, 25, 25)
    ]
    for name in ("mnist", "fashion-mnist", "cifar10"):
        counts = DATASETS[name].counts
        assert options.shared_length(sum(counts)) == 800
        assert options.length(min(counts)) == 100
    chosen = PixOptions(50, recipe="shared")
    assert chosen.length(2) == 50 and chosen.shared_length(150) == 200


def test_every_recipe_has_a_title_and_a_source():
    for recipe in RECIPES.values():
        assert recipe.title and recipe.source
        assert bool(recipe.spatial) == bool(recipe.shared) == bool(recipe.adversarial)

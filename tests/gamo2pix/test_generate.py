"""Images of a run: the rows they combine, their random streams, other methods."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from gamo2pix import figures, train
from gamo2pix.generate import ImageGenerator, generator_for
from gamo2pix.options import PixOptions
from gamo2pix.vae import FeatureDecoder, Vae
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import resolve
from gamo_tf.errors import UserError
from gamo_tf.methods.build import build
from gamo_tf.networks.saved import load_network, save_network
from gamo_tf.runs.run import Run
from gamo_tf.runs.run_directory import RunDirectory

SPEC = DATASETS["digits"]


@pytest.fixture(scope="module")
def generator(untrained) -> ImageGenerator:
    return ImageGenerator(untrained.run, untrained.split, 0)


@pytest.fixture(scope="module")
def decoder() -> FeatureDecoder:
    vae = Vae(PixOptions(), 512, SPEC.shape, 10)
    return FeatureDecoder(vae.head, vae.decoder)


def test_convex_features_are_tied_to_the_runs_own_rows(generator, untrained):
    run, split = untrained
    z = generator.normal(7, 0, 6, run.options.latent)
    weights = generator.sampler.weights(7, z)
    rows = generator.rows[7]
    assert list(generator.rows) == list(range(1, 10))
    assert (split.labels[rows] == 7).all() and weights.shape == (6, 10)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-5)
    # G's own samples are the same combinations.
    samples, _ = generator.sampler.generate(z, np.full(6, 7))
    combined = generator.sampler.combine(7, weights)
    np.testing.assert_allclose(combined, samples, atol=1e-5)
    F = load_network(run.model("F"))
    features = np.asarray(F(split.images[rows]))
    one_each = np.eye(10, dtype=np.float32)
    np.testing.assert_allclose(
        generator.sampler.combine(7, one_each), features, atol=1e-5
    )
    random = generator.random_weights(7, 100, 1.0)
    np.testing.assert_allclose(random.sum(1), 1, rtol=1e-5)


def test_random_streams_are_those_of_published_scores(generator, decoder):
    def stream(use: int, n: int, width: int) -> np.ndarray:
        rng = np.random.default_rng([0, 7, use])
        return rng.standard_normal((n, width), np.float32)

    found = generator.generate(7, decoder, 0, 12)
    weights = generator.sampler.weights(7, stream(0, 12, 100))
    np.testing.assert_array_equal(found.weights, weights)
    features = generator.sampler.combine(7, weights)
    images = decoder(features, stream(1, 12, decoder.latent))
    np.testing.assert_array_equal(found.images, images)
    rng = np.random.default_rng([0, 7, 9])
    np.testing.assert_array_equal(
        generator.random_weights(7, 5, 0.1),
        rng.dirichlet(np.full(10, 0.1), 5).astype(np.float32),
    )


def test_a_sample_is_the_same_for_every_number_asked_for(generator, decoder):
    whole = generator.generate(9, decoder, 0, 30)
    piece = generator.generate(9, decoder, 20, 23)
    np.testing.assert_allclose(piece.weights, whole.weights[20:23], atol=1e-6)
    difference = piece.images.astype(int) - whole.images[20:23]
    assert np.abs(difference).max() <= 1  # the order of sums differs
    assert np.any(whole.images != generator.generate(8, decoder, 0, 30).images)


def test_every_picture_of_a_class_is_drawn(generator, decoder, tmp_path):
    directory = RunDirectory(tmp_path / "7")
    figures.draw(directory, SPEC, 7, generator, decoder)
    names = {"generated", "reconstructions", "interpolation", "parents"}
    assert {path.name for path in directory.path.iterdir()} == {
        f"{name}.png" for name in names
    }


def test_a_flat_run_makes_images_without_a_vae(flat_run, tmp_path, capsys):
    split, spec = flat_run.split, DATASETS["mnist"]
    run = Run(shutil.copytree(flat_run.run.path, tmp_path / "run"))
    generator = ImageGenerator(run, split, 0)
    labels = list(run.options.class_counts.minority)
    decoders = train.train_classes(run, spec, labels, PixOptions(), generator)
    assert "a flat run" in capsys.readouterr().out
    assert decoders == dict.fromkeys(range(1, 10))
    assert not list(run.pix.rglob("*.keras"))
    pictures = {path.name for path in (run.pix / "9").iterdir()}
    assert pictures == {"generated.png", "interpolation.png", "parents.png"}
    found = generator.generate(9, None, 0, 4)
    # Features are pixels: an image is the convex combination of real images.
    real = split.images[split.labels == 9].astype(float)
    expected = np.tensordot(found.weights, real, axes=1)
    np.testing.assert_allclose(found.images, expected, atol=0.51)
    images = generator_for(run, split)(9, 4).images
    np.testing.assert_array_equal(images, found.images)


# ---- other methods ----------------------------------------------------------------


def run_of(tmp_path, method: str) -> SimpleNamespace:
    """A run as far as `generator_for` looks at it."""
    options = resolve({"dataset": "mnist", "method": method})
    return SimpleNamespace(
        options=options,
        path=tmp_path,
        fed=tmp_path / "fed.npz",
        model=lambda name: tmp_path / f"{name}.keras",
        check_network=lambda name: None,
    )


def test_a_free_generator_on_pixels_gives_its_samples(tmp_path, flat_run):
    run = run_of(tmp_path, "cg")
    networks = build(run.options, DATASETS["mnist"]).networks
    save_network(run.model("G"), networks["G"])
    found = generator_for(run, flat_run.split)(3, 4)
    assert found.images.shape == (4, 28, 28, 1) and found.images.dtype == np.uint8
    assert found.weights is None and len(np.unique(found.images)) > 10


def test_a_method_that_oversamples_gives_what_it_added(tmp_path, flat_run):
    run, split = run_of(tmp_path, "smote"), flat_run.split
    added = np.arange(5 * 784).reshape(5, 28, 28, 1).astype(np.uint8)
    np.savez(
        run.fed,
        images=np.concatenate([split.images, added]),
        labels=np.concatenate([split.labels, [3, 4, 3, 4, 3]]),
        seconds=0.0,
    )
    images = generator_for(run, split)
    np.testing.assert_array_equal(images(3, 2).images, added[[0, 2]])
    np.testing.assert_array_equal(images(4, 9).images, added[[1, 3]])
    assert images(3, 2).weights is None


@pytest.mark.parametrize("method", ["cn", "convex-random"])
def test_a_method_without_images_is_told(tmp_path, flat_run, method):
    with pytest.raises(UserError, match=f"{method} generates no images"):
        generator_for(run_of(tmp_path, method), flat_run.split)

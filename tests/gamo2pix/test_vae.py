"""The VAE of a class: its losses by hand, its networks, its training in a folder."""

import json
import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from gamo2pix import class_vae, losses, networks
from gamo2pix.generate import ImageGenerator
from gamo2pix.options import PixOptions
from gamo2pix.vae import FeatureDecoder, Vae
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.errors import UserError, speaking_to
from gamo_tf.networks.saved import load_network
from gamo_tf.runs.run_directory import RunDirectory

RNG = np.random.default_rng(0)


def test_kl_and_sampling_both_read_a_log_variance():
    mean, log_variance = tf.constant([[0.0, 1.0]]), tf.constant([[-4.0, 0.0]])
    # 1/2 (s^2 + m^2 - 1 - log s^2): 1/2 (e^-4 + 0 - 1 + 4) and 1/2 (1 + 1 - 1 - 0)
    expected = 0.5 * (math.exp(-4) + 3) + 0.5
    assert losses.kl(mean, log_variance).numpy() == pytest.approx([expected], rel=1e-6)
    z = losses.sample(mean, log_variance, tf.ones([1, 2]))
    assert z.numpy()[0] == pytest.approx([math.exp(-2), 2.0])


def test_reconstruction_is_a_gaussian_of_the_best_variance():
    target = tf.constant([0.0, 0.0], shape=[2, 1, 1, 1])
    decoded = tf.constant([0.1, 0.3], shape=[2, 1, 1, 1])
    variance = (0.01 + 0.09) / 2
    expected = [
        0.5 * (e / variance + math.log(2 * math.pi * variance)) for e in (0.01, 0.09)
    ]
    assert losses.reconstruction(target, decoded).numpy() == pytest.approx(expected)
    # A perfect image costs what the rounding of its pixels costs, not -infinity.
    exact = losses.reconstruction(target, target).numpy()
    assert exact == pytest.approx([0.5 * math.log(2 * math.pi / 255**2 / 12)] * 2)


@pytest.mark.parametrize(
    ("shape", "doublings"),
    [
        ((8, 8, 1), 1),
        ((28, 28, 1), 2),
        ((32, 32, 3), 2),
        ((64, 64, 3), 3),
        ((30, 50, 3), 3),
    ],
)
def test_decoder_makes_images_of_any_shape(shape, doublings):
    decoder = networks.decoder(4, shape)
    pixels = decoder(9 * RNG.normal(size=(2, 4)).astype(np.float32)).numpy()
    assert pixels.shape == (2, *shape)
    assert pixels.min() >= 0 and pixels.max() <= 255
    assert sum("double" in layer.name for layer in decoder.layers) == doublings


@pytest.mark.slow
def test_vae_learns_and_its_loop_is_traced_once():
    images = (RNG.random((12, 8, 8, 1)) * 255).astype(np.uint8)
    features = tf.constant(np.eye(12, dtype=np.float32))
    vae = Vae(PixOptions(), 12, (8, 8, 1), len(images))
    before = [v.numpy().copy() for v in vae.players["VAE"]]
    errors = []
    for steps in (60, 59, 61):
        found = vae.epoch(features, tf.constant(images), steps=steps)
        assert tuple(found) == vae.loss_names == ("reconstruction", "KL")
        decoded = FeatureDecoder(vae.head, vae.decoder)(features.numpy(), None)
        errors.append(np.abs(decoded.astype(float) - images).mean())
    assert errors[-1] < 0.5 * errors[0]
    after = vae.players["VAE"]
    assert all(np.any(a != b.numpy()) for a, b in zip(before, after, strict=True))
    assert vae.minibatches.experimental_get_tracing_count() == 1


def test_length_follows_the_class_unless_it_is_chosen():
    found = [PixOptions().length(n) for n in (5, 40, 500, 1000, 2000, 9000)]
    assert found == [500, 500, 1000, 2000, 4000, 4000]  # 64 passes of n / 32
    assert PixOptions(iterations=7).length(2000) == 7
    with pytest.raises(UserError, match=r"^iterations 0: expected"):
        PixOptions(iterations=0)
    with speaking_to("gamo"), pytest.raises(UserError, match=r"^--seed -1: expected"):
        PixOptions(seed=-1)


def test_checkpoints_have_the_names_that_old_runs_have(tmp_path):
    one, two = (Vae(PixOptions(seed=k), 12, (8, 8, 1), 12) for k in (1, 2))
    path = one.checkpoint().write(tmp_path / "state")
    state = tf.train.Checkpoint(
        head=two.head,
        decoder=two.decoder,
        optimizer=two.optimizers["VAE"],
        random=two.random,
    )
    state.read(path).assert_consumed()
    pairs = zip(one.players["VAE"], two.players["VAE"], strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)
    np.testing.assert_array_equal(one.random.state, two.random.state)


# ---- training in a folder --------------------------------------------------------


@pytest.fixture(scope="module")
def train(untrained, tmp_path_factory):
    """``train(name, iterations)``: the VAE of class 7 in a folder of that name."""
    generator = ImageGenerator(untrained.run, untrained.split, 0)
    folder = tmp_path_factory.mktemp("classes")

    def run(name: str, iterations: int, retrain: bool = False) -> RunDirectory:
        directory = RunDirectory(folder / name)
        options = PixOptions(iterations=iterations)
        spec = DATASETS["digits"]
        class_vae.train(directory, spec, 7, options, generator, retrain)
        return directory

    return run


@pytest.fixture(scope="module")
def whole(train) -> RunDirectory:
    """A class that was trained without a stop. Not to be changed."""
    return train("whole", 23)


def evaluated(directory: RunDirectory) -> list[int]:
    return pd.read_csv(directory.metrics)["iteration"].tolist()


def test_a_class_is_looked_at_ten_times_and_at_its_end(whole):
    assert evaluated(whole) == [*range(2, 23, 2), 23]
    assert [int(path.name) for path in whole.checkpoints()] == [20, 22, 23]
    results = whole.read_results()
    assert results["class"] == "7" and results["images"] == 10
    assert {"reconstruction", "KL", "iteration", "seconds"} <= set(results)
    assert whole.picture("generated.png").is_file()


class Struck(Exception):
    """The end of a process, as far as a test can have it."""


@pytest.mark.slow
@pytest.mark.parametrize("n", [2, 12, 22])
def test_a_class_goes_on_from_any_checkpoint(train, whole, monkeypatch, capsys, n):
    save = RunDirectory.save_checkpoint

    def strike(self, iteration, state, history):
        save(self, iteration, state, history)
        if iteration == n:
            raise Struck

    with monkeypatch.context() as patched:
        patched.setattr(RunDirectory, "save_checkpoint", strike)
        with pytest.raises(Struck):
            train(f"struck{n}", 23)
    capsys.readouterr()
    struck = train(f"struck{n}", 23)
    assert f"VAE on 10 images, from {n}" in capsys.readouterr().out
    assert evaluated(struck) == evaluated(whole)
    seconds = pd.read_csv(struck.metrics)["seconds"]
    assert all(a < b for a, b in pairwise(seconds))
    for name in ("head", "decoder"):
        pairs = zip(
            load_network(whole.model(name)).get_weights(),
            load_network(struck.model(name)).get_weights(),
            strict=True,
        )
        for one, two in pairs:
            np.testing.assert_allclose(one, two, atol=1e-5)


@pytest.mark.slow
def test_a_finished_class_is_kept_unless_settings_differ(train, capsys):
    directory = train("kept", 2)
    before = directory.model("decoder").read_bytes()
    train("kept", 2)
    assert "trained already; retrain trains it anew" in capsys.readouterr().out
    assert directory.model("decoder").read_bytes() == before
    with pytest.raises(UserError, match=r"iterations 2\. Give the same, or retrain\."):
        train("kept", 3)
    train("kept", 3, retrain=True)
    options = json.loads((directory.path / "options.json").read_text())
    assert options["iterations"] == 3 and evaluated(directory)[-1] == 3


def test_a_vae_that_is_not_trained_yet_is_told(tmp_path):
    with pytest.raises(UserError, match=r"head\.keras: missing"):
        FeatureDecoder.load(RunDirectory(tmp_path))

"""Numbers of half the width in F, and which passes XLA compiles."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from gamo_tf.config.options import Options, resolve, spec_of
from gamo_tf.errors import UserError
from gamo_tf.methods.build import Networks, build
from gamo_tf.networks.feature_extractor import feature_extractor, in_precision
from gamo_tf.networks.saved import load_network
from gamo_tf.training import replicas
from gamo_tf.training.feature_trainer import FeatureTrainer
from gamo_tf.training.optimizer import minimize

HALVES = ("mixed_bfloat16", "mixed_float16")


def options(**chosen: object) -> Options:
    return resolve({"dataset": "digits", "iterations": 60, **chosen})


def images_and_labels() -> tuple[tf.Tensor, tf.Tensor]:
    counts = options().counts
    y = np.repeat(np.arange(len(counts)), counts)
    noise = np.random.default_rng(0).integers(0, 60, (len(y), 8, 8, 1))
    x = (noise + 12 * y[:, None, None, None]).astype(np.uint8)
    return tf.constant(x), tf.constant(y, tf.int32)


def trained(**chosen: object) -> tuple[FeatureTrainer, dict[str, float]]:
    """A trainer after two epochs, and its losses."""
    trainer = build(options(**chosen), spec_of(options(**chosen)))
    data = images_and_labels()
    for _ in range(2):
        losses = trainer.epoch(*data, steps=trainer.steps_per_epoch)
    return trainer, losses


@pytest.mark.parametrize("precision", HALVES)
def test_only_layers_of_f_calculate_in_it(precision):
    chosen = options(precision=precision)
    trainer = build(chosen, spec_of(chosen))
    for network in trainer.networks.values():
        assert {weight.dtype for weight in network.trainable_weights} == {"float32"}
        assert network.name == "G" or network.output.dtype == "float32"
    half = precision.removeprefix("mixed_")
    for layer in trainer.F.layers:
        inner = layer.name not in ("image", "scale", "single")
        assert layer.compute_dtype == (half if inner else "float32"), layer.name
    others = [trainer.networks[name] for name in "MDG"]
    assert {x.compute_dtype for net in others for x in net.layers} == {"float32"}


@pytest.mark.slow
@pytest.mark.parametrize("method", ["cn", "gamo", "gamo-balanced"])
def test_losses_are_those_of_single_precision(method):
    slow = {"method": method, "learning_rate": 2e-4}  # differences grow with it
    _, single = trained(**slow)
    for precision in HALVES:
        trainer, losses = trained(**slow, precision=precision)
        assert losses == pytest.approx(single, rel=0.03)
        assert losses != single
        assert trainer.features(images_and_labels()[0]).dtype == tf.float32


def test_gradients_that_half_precision_rounds_to_zero_survive_their_scale():
    def step(scale: float) -> float:
        weight = keras.Variable([0.0])

        def loss() -> tf.Tensor:
            # On its way back to the weight the gradient, 1e-9, is a half's.
            half = tf.cast(weight.value, tf.float16)
            return tf.reduce_sum(1e-9 * tf.cast(half, tf.float32))

        sgd = keras.optimizers.SGD(1.0)
        sgd.build([weight])
        assert minimize([(sgd, [weight])], loss, scale=scale) == 0.0
        return float(weight.numpy()[0])

    assert step(1.0) == 0.0
    assert step(1024.0) == pytest.approx(-1e-9, rel=0.05)


def test_a_trainer_scales_its_loss_in_half_precision_only():
    scales = {
        precision: build(chosen, spec_of(chosen)).loss_scale
        for precision in ("float32", *HALVES)
        for chosen in [options(precision=precision, method="cn")]
    }
    assert scales == {"float32": 1.0, "mixed_bfloat16": 1.0, "mixed_float16": 1024.0}


def test_a_saved_f_keeps_it_and_can_be_had_in_precision(tmp_path):
    chosen = options(precision="mixed_bfloat16", method="cn")
    F = build(chosen, spec_of(chosen)).F
    F.save(tmp_path / "F.keras")
    images = images_and_labels()[0]
    loaded = load_network(tmp_path / "F.keras")
    np.testing.assert_array_equal(loaded(images), F(images))
    single = in_precision(F)
    assert {layer.compute_dtype for layer in single.layers} == {"float32"}
    np.testing.assert_allclose(single(images), F(images), atol=0.02)
    assert np.abs(single(images) - F(images)).max() > 0


def test_an_f_that_it_cannot_reach_has_no_use_for_it():
    table = {"data": "t.csv", "shape": (3,), "classes": ("a", "b"), "counts": (9, 5)}
    for chosen in ({"dataset": "mnist"}, {"dataset": "t", "label": "y", **table}):
        with pytest.raises(UserError, match="precision: F has no layers that learn"):
            resolve({"precision": "mixed_bfloat16", **chosen})
    chosen = options(precision="mixed_bfloat16", method="cn")
    own = Networks(F=feature_extractor(spec_of(chosen)))
    with pytest.raises(UserError, match="precision mixed_bfloat16: the F that was"):
        build(chosen, spec_of(chosen), networks=own)


# ---- XLA ---------------------------------------------------------------------------


@pytest.fixture
def compiled_by_xla(monkeypatch):
    """``compiled_by_xla(**chosen)``: the passes that a trainer has XLA compile, among
    those that it compiles."""
    real = tf.function

    def call(**chosen: object) -> dict[str, bool]:
        found = {}

        def spy(function=None, **flags):
            if function is not None and "jit_compile" in flags:
                found[function.__func__.__name__] = flags["jit_compile"]
            return real(function, **flags) if function else real(**flags)

        monkeypatch.setattr(tf, "function", spy)
        build(options(**chosen), spec_of(options(**chosen)))
        monkeypatch.setattr(tf, "function", real)
        return {name.removeprefix("tf___"): xla for name, xla in found.items()}

    return call


def test_xla_compiles_what_pays_or_what_is_asked(compiled_by_xla):
    passes = ("feature_pass", "game_pass")
    assert compiled_by_xla(iterations=40) == {}
    assert compiled_by_xla() == dict.fromkeys(passes, False)
    assert compiled_by_xla(jit="on", iterations=40) == dict.fromkeys(passes, True)
    assert compiled_by_xla(jit="off", iterations=5000) == dict.fromkeys(passes, False)
    long = compiled_by_xla(iterations=5000)
    assert long["game_pass"]
    assert long["feature_pass"] == bool(tf.config.list_physical_devices("GPU"))


@pytest.mark.slow
def test_xla_trains_what_plain_graphs_train():
    (one, with_xla), (other, without) = (
        trained(jit=jit, method="gamo") for jit in ("on", "off")
    )
    assert with_xla == pytest.approx(without, rel=0.01)
    for mine, theirs in zip(one.F.weights, other.F.weights, strict=True):
        # A weight has moved by some 0.006; Adam blows rounding up.
        np.testing.assert_allclose(mine, theirs, atol=1e-3)


def test_several_devices_have_no_xla_and_say_so():
    with replicas.using(tf.distribute.MirroredStrategy(["/cpu:0"])):
        chosen = options(jit="on", method="cn")
        with pytest.raises(UserError, match="jit on: not with strategy"):
            build(chosen, spec_of(chosen))

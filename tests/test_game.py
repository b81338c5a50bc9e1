"""Algorithm 1: who moves, who does not, what is drawn, how often it is traced."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import resolve
from gamo_tf.data import load
from gamo_tf.data.splits import draw_split
from gamo_tf.methods.build import build, oversample

SPEC = DATASETS["digits"]
OPTIONS = resolve({"dataset": "digits"})


@pytest.fixture(scope="module")
def data():
    arrays = load.read(SPEC, Path())
    split = draw_split(arrays, SPEC, SPEC.counts, 25, 0)
    return tf.constant(split.images), tf.constant(split.labels, tf.int32)


@pytest.fixture(scope="module")
def game():
    return build(OPTIONS, SPEC)


def moved(game, step) -> set[str]:
    """Names of the players whose trainable variables `step` changes."""
    before = {n: [v.numpy() for v in player] for n, player in game.players.items()}
    step()
    return {
        name
        for name, player in game.players.items()
        if any(
            not np.array_equal(a, v.numpy())
            for a, v in zip(before[name], player, strict=True)
        )
    }


def test_only_the_named_players_move(game, data):
    images, labels = data
    x, y = images[:32], labels[:32]
    features = game.features(images)
    points = game.class_points(features)
    steps = {
        "lines 3-4": ({"F"}, lambda: game.feature_step(x, y)),
        "lines 7, 9": ({"M", "D"}, lambda: game.real_step(features[:32], y)),
        "lines 8-11": ({"M", "D"}, lambda: game.generated_step(points)),
        "lines 12-15": ({"G"}, lambda: game.generator_step(points)),
        "program's way": ({"G"}, lambda: game.per_class_generator_step(points)),
    }
    plain = build(replace(OPTIONS, method="cn"), SPEC)
    assert moved(
        plain, lambda: plain.classifier_step(images, labels, tf.range(32), plain.loss)
    ) == {"F", "M"}
    for name, (who, step) in steps.items():
        assert moved(game, step) == who, name


@pytest.mark.slow
def test_an_epoch_leaves_the_features_of_the_rows_it_played_on(data):
    images, _ = data
    game = build(OPTIONS, SPEC)
    first = game.training_features(images)  # of a game that has not begun
    np.testing.assert_array_equal(first, game.features(images))
    game.epoch(*data, steps=3)
    assert game.training_features(images) is game.newest
    np.testing.assert_array_equal(game.newest, game.features(images))
    assert not np.array_equal(first, game.newest)
    shifted = build(replace(OPTIONS, augment=True), SPEC)
    shifted.epoch(*data, steps=3)  # its features are of shifted images
    assert shifted.newest is None


def test_generated_labels_follow_line_10(game):
    drawn = np.zeros(10)
    for _ in range(300):
        slots, chosen = game.assign_labels()
        assert len(set(chosen.numpy())) == game.b
        drawn += np.bincount(np.asarray(slots)[chosen.numpy()], minlength=10)
    counts = np.array(SPEC.counts)
    expected = (counts.max() - counts) / (counts.max() - counts).sum()
    np.testing.assert_allclose(drawn / drawn.sum(), expected, atol=0.004)


def test_classes_as_large_as_the_largest_are_not_oversampled():
    counts = (20, 9, 20, *[5] * 7)
    game = build(replace(OPTIONS, counts=counts), SPEC)
    assert game.minority.tolist() == [1, 3, 4, 5, 6, 7, 8, 9]
    slots, chosen = game.assign_labels()
    assert not {0, 2} & set(np.asarray(slots)[chosen.numpy()])


def test_epoch_order_is_a_permutation_that_wraps(game, data):
    order = game.order(data[1]).numpy()
    n = len(data[1])
    assert order.shape == (game.steps_per_epoch, game.b)
    assert set(order.ravel()[:n]) == set(range(n))
    assert not np.array_equal(order, game.order(data[1]).numpy())


@pytest.mark.slow
def test_compiled_functions_trace_once(data):
    game = build(OPTIONS, SPEC)
    for steps in (game.steps_per_epoch, game.steps_per_epoch, 3):
        losses = game.epoch(*data, steps=steps)
        assert tuple(losses) == game.loss_names
        assert np.isfinite(list(losses.values())).all()
    passes = ("feature_pass", "augmented_features", "game_pass")
    for name in (*passes, "class_points", "order"):
        assert getattr(game, name).experimental_get_tracing_count() == 1, name


def test_equation_weighting_is_c_pc_minus_one():
    game = build(replace(OPTIONS, weighting="equation"), SPEC)
    assert game.generated_mass == pytest.approx(10 * 100 / 308 - 1)
    assert build(OPTIONS, SPEC).generated_mass == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"loss": "ce", "label_noise": 0.1, "weighting": "equation"},
    ],
    ids=str,
)
def test_each_way_to_play_learns(change, data):
    learns(build(replace(OPTIONS, **change), SPEC), data)


@pytest.mark.slow
def test_the_programs_way_to_play_learns(data):
    # Too few iterations to be compiled, which takes half a minute here.
    options = replace(OPTIONS, generator_update="per-class", iterations=8)
    learns(build(options, SPEC), data, steps=2, epochs=4)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_each_method_learns(method, data):
    options = resolve({"dataset": "digits", "method": method, "iterations": 150})
    split = SimpleNamespace(images=data[0].numpy(), labels=data[1].numpy())
    images, labels, _ = oversample(options, SPEC, split, None)
    game = build(options, SPEC, len(images))
    assert set(game.players) == set(METHODS[method].players)
    learns(game, (tf.constant(images), tf.constant(labels, tf.int32)))


def learns(game, data, steps: int = 10, epochs: int = 8) -> None:
    first, *_, last = (game.epoch(*data, steps=steps) for _ in range(epochs))
    assert last["M_real"] < first["M_real"]
    assert tuple(last) == game.loss_names
    assert np.isfinite(list(last.values())).all()

"""Balanced GAMO: what it changes of the game, by hand and by invariant."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import resolve
from gamo_tf.data import load
from gamo_tf.data.splits import draw_split
from gamo_tf.evaluation.game_watch import coverage
from gamo_tf.inference.convex_sampler import ConvexSampler, standard_normal
from gamo_tf.methods.build import build
from gamo_tf.networks.anchored_generator import AnchoredCTMU, AnchoredIGU, uniform
from gamo_tf.networks.convex_generator import ClassPoints, convex_generator
from gamo_tf.networks.saved import load_network, save_network

SPEC = DATASETS["digits"]
COUNTS = ClassCounts((9, 4, 6, 3))


def game(method: str = "gamo-balanced", **chosen):
    known = {"dataset": "digits", "method": method, "iterations": 8, **chosen}
    return build(resolve(known), SPEC)


@pytest.fixture(scope="module")
def data():
    split = draw_split(load.read(SPEC, Path()), SPEC, SPEC.counts, 25, 0)
    return tf.constant(split.images), tf.constant(split.labels, tf.int32)


@pytest.fixture(scope="module")
def G():
    return convex_generator(COUNTS, 5, 7, (AnchoredCTMU, AnchoredIGU))


@pytest.fixture(scope="module")
def points():
    return tf.random.stateless_normal([13, 7], [1, 2])


def test_anchored_samples_are_convex_combinations_of_their_class(G, points):
    labels = np.tile([1, 2, 3], 30).astype(np.int32)
    z = tf.random.stateless_normal([90, 5], [3, 4])
    samples, weights = (
        value.numpy() for value in G([z, tf.constant(labels), points], training=False)
    )
    owner = np.repeat([1, 2, 3], [4, 6, 3])
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    assert (weights[labels[:, None] != owner[None]] == 0).all()
    np.testing.assert_allclose(samples, weights @ points.numpy(), atol=1e-5)


def test_the_anchor_and_its_weight_follow_from_z(G, points):
    z = np.zeros((3, 5), np.float32)
    z[:, 0] = [-9, 0.1, 9]  # the first, the third of six, and the last point of class 2
    z[:, -1] = -9  # s = 0: the sample is the anchor
    inputs = [tf.constant(z), tf.constant([2, 2, 2]), points]
    _, weights = G(inputs, training=False)
    expected = np.zeros((3, 13))
    expected[[0, 1, 2], [4, 7, 9]] = 1
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    values = uniform(tf.random.stateless_normal([20000], [5, 6])).numpy()
    assert values.min() >= 0 and values.max() < 1
    np.testing.assert_allclose(
        np.quantile(values, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.02
    )


def test_every_way_through_the_anchored_igus_agrees(G, points):
    igu, ctmu = G.get_layer("IGU"), G.get_layer("cTMU")
    z = tf.random.stateless_normal([6, 5], [7, 8])
    labels = tf.constant([1, 1, 1, 2, 3, 3])
    t = ctmu([z, tf.one_hot(labels, 4)], training=False)
    classes = [ClassPoints(x, tf.transpose(x)) for x in tf.split(points, igu.sizes)]
    dense, weights = igu([t, labels, points])
    np.testing.assert_allclose(igu.stratified(t, classes, [3, 1, 2]), dense, atol=1e-5)
    np.testing.assert_allclose(
        igu.one_class(t[4:], classes[2], 2), dense[4:], atol=1e-5
    )
    np.testing.assert_allclose(igu.weights_of(t[:3], 0), weights[:3, :4], atol=1e-6)


def test_samples_cover_a_class_however_g_has_collapsed(G, points):
    igu = G.get_layer("IGU")
    before = igu.bias.numpy()
    igu.bias.assign([50, 0, 0, 0, 50, 0, 0, 0, 0, 0, 50, 0, 0])  # one partner for all
    labels = np.repeat(range(4), COUNTS.sizes)
    features = np.concatenate([np.zeros((9, 7)), points.numpy()]).astype(np.float32)
    sampler = ConvexSampler(G, features, labels)
    found = coverage(sampler.weights(2, standard_normal([0, 1], 2000, 5)))
    igu.bias.assign(before)
    # Half of the weight is even over 6 points, the other half on one of them.
    even = np.full(6, 0.5 / 6)
    even[0] += 0.5
    expected = np.exp(-np.sum(even * np.log(even)))
    assert found.share == 1
    assert found.over_latents == pytest.approx(expected, abs=0.1)
    assert found.per_sample < 2


def test_an_anchored_generator_survives_a_file_in_safe_mode(G, points, tmp_path):
    save_network(tmp_path / "G.keras", G)
    again = load_network(tmp_path / "G.keras")
    inputs = [tf.ones([2, 5]), tf.constant([1, 3]), points]
    for one, two in zip(G(inputs), again(inputs), strict=True):
        np.testing.assert_array_equal(one, two)


# ---- the game ----------------------------------------------------------------------


def test_m_is_adjusted_by_the_prior_and_g_is_against_what_it_predicts():
    balanced = game(tau=0.5)
    p = np.array([[0.7, 0.2, *[0.0125] * 8]], np.float32)
    one_hot = np.eye(10, dtype=np.float32)[[1]]
    logits = np.log(p) + 0.5 * np.log(np.array(SPEC.counts) / 308)
    expected = -(logits[0, 1] - np.log(np.exp(logits).sum()))
    assert float(balanced.m_loss(one_hot, p)) == pytest.approx(expected, rel=1e-5)
    found = balanced.against_m(one_hot, 1 - one_hot, p)
    assert float(found) == pytest.approx(np.log(0.2), rel=1e-5)


def test_f_and_m_move_together_and_nobody_else(data):
    balanced = game()
    before = {k: v.get_weights() for k, v in balanced.networks.items()}
    images, labels = data
    balanced.representation_step(images[:32], labels[:32])
    moved = {
        name
        for name, network in balanced.networks.items()
        if any(
            (a != b).any()
            for a, b in zip(before[name], network.get_weights(), strict=True)
        )
    }
    assert moved == {"F", "M"}


def test_the_game_sees_the_features_that_were_just_computed(data):
    balanced = game(learning_rate=1e-30)  # F stays where it is
    images, labels = data
    order = balanced.order(labels)
    _, seen = balanced.representation_pass(images, labels, order, tf.constant(10))
    np.testing.assert_allclose(seen, balanced.features(images), atol=1e-5)


def test_the_game_is_played_half_as_often_as_f_is_updated(data):
    balanced = game()
    losses = balanced.epoch(*data, steps=5)
    assert tuple(losses) == balanced.loss_names
    assert balanced.f_updates == 5
    assert int(balanced.optimizers["M"].iterations) == 5 + 2 * 3
    assert int(balanced.optimizers["G"].iterations) == 2 * 3  # against M, against D
    for method in ("balanced-pairs", "balanced-smote", "balanced-repeats"):
        control = game(method)
        control.epoch(*data, steps=2)
        assert int(control.optimizers["M"].iterations) == 2 + 2


def test_f_and_m_end_as_their_averages(data):
    balanced = game("gamo-balanced-no-d", ema=0.5)
    balanced.epoch(*data, steps=4)
    balanced.finish()
    for name in "FM":
        average = balanced.averages[name].network.get_weights()
        for a, b in zip(average, balanced.networks[name].get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_it_learns_digits(data):
    balanced = game(iterations=60, learning_rate=1e-3)
    first = balanced.epoch(*data, steps=10)
    for _ in range(5):
        last = balanced.epoch(*data, steps=10)
    assert last["F"] < 0.5 * first["F"]
    assert last["M_generated"] < first["M_generated"]
    assert np.isfinite(list(last.values())).all()

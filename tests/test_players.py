"""Losses, networks, G, Adam and the average, by hand and by invariant."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gamo_tf import convex, losses, networks
from gamo_tf.averaging import Average
from gamo_tf.optimizers import FusedAdam
from gamo_tf.specs import DATASETS

COUNTS = (9, 4, 6, 3)


@pytest.fixture(scope="module")
def G():
    keras.utils.set_random_seed(1)
    return convex.generator(COUNTS, 5, 7)


@pytest.fixture(scope="module")
def points():
    return tf.constant(np.random.default_rng(0).normal(size=(13, 7)), tf.float32)


def test_losses_by_hand():
    target, output = tf.constant([[1.0, 0.0]]), tf.constant([[0.75, 0.25]])
    assert float(losses.least_squares(target, output)) == pytest.approx(0.0625)
    assert float(losses.cross_entropy(target, output)) == pytest.approx(-np.log(0.75))
    assert float(losses.cross_entropy(target, 1 - target)) < 20  # finite
    targets = losses.class_targets(tf.constant([2]), 3)
    assert targets.own.numpy().tolist() == [[0, 0, 1]]
    assert targets.complement.numpy().tolist() == [[1, 1, 0]]


def test_weight_counts_by_hand():
    fashion = networks.feature_extractor(DATASETS["fashion-mnist"])
    dense = 7 * 7 * 32 * 512 + 512
    assert fashion.count_params() == 832 + (25 * 32 * 32 + 32) + dense
    assert networks.feature_extractor(DATASETS["mnist"]).count_params() == 0
    m = networks.classifier(784, 10)
    assert m.count_params() == 785 * 256 + 257 * 128 + 129 * 10
    d = networks.discriminator(784, 10)
    assert d.count_params() == 795 * 256 + 257 * 128 + 129
    g = convex.generator(DATASETS["mnist"].counts, 100, 784)
    mapping = 111 * 256 + 4 * 256 + 257 * 64 + 4 * 64
    assert g.count_params() == mapping + 65 * 5000


def test_f_scales_pixels_to_minus_one_and_one():
    f = networks.feature_extractor(DATASETS["mnist"])
    black = f(np.zeros((1, 28, 28, 1), np.uint8)).numpy()
    white = f(np.full((1, 28, 28, 1), 255, np.uint8)).numpy()
    assert black.min() == black.max() == -1 and white.min() == white.max() == 1


def test_samples_are_convex_combinations_of_their_own_class(G, points):
    labels = np.array([1, 2, 3] * 20)
    z = np.random.default_rng(1).normal(size=(60, 5)).astype("float32") * 9
    inputs = [tf.constant(z), tf.constant(labels, tf.int32), points]
    samples, weights = (x.numpy() for x in G(inputs, training=False))
    owner = np.repeat([1, 2, 3], [4, 6, 3])
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    assert (weights[labels[:, None] != owner[None]] == 0).all()
    np.testing.assert_allclose(samples, weights @ points.numpy(), atol=1e-5)
    for label in (1, 2, 3):  # inside the hull: no coordinate leaves its range
        own, mine = points.numpy()[owner == label], samples[labels == label]
        assert (mine <= own.max(0) + 1e-5).all() and (mine >= own.min(0) - 1e-5).all()


def test_every_way_through_the_igus_agrees(G, points):
    t = tf.random.stateless_normal([6, 64], [3, 4])
    igu = G.get_layer("IGU")
    parts = [convex.Points(x, tf.transpose(x)) for x in tf.split(points, igu.sizes)]
    dense, _ = igu([t, tf.constant([1, 1, 1, 2, 3, 3]), points])
    rows = igu.stratified(t, parts, [3, 1, 2])
    np.testing.assert_allclose(rows, dense, atol=1e-5)
    last = igu.one_class(t[4:], parts[2], 2)
    np.testing.assert_allclose(last, dense[4:], atol=1e-5)


def test_generator_survives_a_file_in_safe_mode(G, points, tmp_path):
    G.save(tmp_path / "G.keras")
    again = keras.saving.load_model(tmp_path / "G.keras", safe_mode=True)
    inputs = [tf.ones([2, 5]), tf.constant([1, 3]), points]
    for one, two in zip(G(inputs), again(inputs), strict=True):
        np.testing.assert_array_equal(one, two)
    assert again.get_layer("IGU").get_config()["counts"] == [[1, 4], [2, 6], [3, 3]]


def test_fused_adam_is_keras_adam():
    values = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    moved = []
    for kind in (FusedAdam, keras.optimizers.Adam):
        optimizer, variable = kind(0.1, beta_1=0.5), keras.Variable(values)
        optimizer.build([variable])
        for k in range(4):
            optimizer.apply_gradients([(tf.constant(values) * (k - 1.5), variable)])
        moved.append(variable.numpy())
    np.testing.assert_allclose(*moved, rtol=1e-5)


def test_average_starts_short_and_lengthens():
    keras.utils.set_random_seed(0)
    player = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    average = Average(player, 0.15)
    expected = player.get_weights()[0].item()
    for t, value in enumerate((1.0, 2.0, 3.0)):
        player.set_weights([np.full((1, 1), value), np.zeros(1)])
        average.update()
        decay = min(0.15, (1 + t) / (10 + t))
        expected = decay * expected + (1 - decay) * value
    assert average.network.get_weights()[0].item() == pytest.approx(expected)

"""F, M, D and G: sizes, scales, and the invariants of the convex generator."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.errors import UserError
from gamo_tf.networks.classifier import (
    DividePrior,
    classifier,
    divide_prior,
    tau_normalise,
)
from gamo_tf.networks.convex_generator import combine, convex_generator
from gamo_tf.networks.discriminator import discriminator
from gamo_tf.networks.feature_extractor import (
    feature_extractor,
    standardiser,
    to_pixels,
    to_uint8,
)
from gamo_tf.networks.saved import load_network, save_network
from gamo_tf.training.optimizer import FusedAdam

COUNTS = ClassCounts((9, 4, 6, 3))


@pytest.fixture(scope="module")
def G():
    keras.utils.set_random_seed(1)
    return convex_generator(COUNTS, 5, 7)


@pytest.fixture(scope="module")
def points():
    return tf.constant(np.random.default_rng(0).normal(size=(13, 7)), tf.float32)


def test_weight_counts_by_hand():
    fashion = feature_extractor(DATASETS["fashion-mnist"])
    dense = 7 * 7 * 32 * 512 + 512
    assert fashion.count_params() == 832 + (25 * 32 * 32 + 32) + dense
    assert feature_extractor(DATASETS["mnist"]).count_params() == 0
    m = classifier(784, 10)
    assert m.count_params() == 785 * 256 + 257 * 128 + 129 * 10
    d = discriminator(784, 10)
    assert d.count_params() == 795 * 256 + 257 * 128 + 129
    g = convex_generator(ClassCounts(DATASETS["mnist"].counts), 100, 784)
    mapping = 111 * 256 + 4 * 256 + 257 * 64 + 4 * 64
    assert g.count_params() == mapping + 65 * 5000


def test_f_scales_pixels_to_minus_one_and_one():
    f = feature_extractor(DATASETS["mnist"])
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
        real, mine = points.numpy()[owner == label], samples[labels == label]
        assert (mine <= real.max(0) + 1e-5).all() and (mine >= real.min(0) - 1e-5).all()


def test_every_way_through_the_igus_agrees(G, points):
    t = tf.random.stateless_normal([6, 64], [3, 4])
    igu = G.get_layer("IGU")
    classes = tf.split(points, igu.sizes)
    dense, _ = igu([t, tf.constant([1, 1, 1, 2, 3, 3]), points])
    rows = igu.stratified(t, classes, [3, 1, 2])
    np.testing.assert_allclose(rows, dense, atol=1e-5)
    last = igu.one_class(t[4:], classes[2], 2)
    np.testing.assert_allclose(last, dense[4:], atol=1e-5)


def gradient_of_a_combination(weights, points, pull):
    with tf.GradientTape() as tape:
        tape.watch([weights, points])
        value = tf.reduce_sum(pull * combine(weights, points))
    return tape.gradient(value, [weights, points])


@pytest.mark.parametrize("xla", [False, True])
def test_gradient_of_a_combination_is_that_of_the_product(points, xla):
    weights = tf.random.stateless_uniform([3, 13], [5, 6])
    pull = tf.random.stateless_normal([3, 7], [7, 8])
    gradient = tf.function(gradient_of_a_combination, jit_compile=xla)
    found, to_points = gradient(weights, points, pull)
    np.testing.assert_allclose(found, pull.numpy() @ points.numpy().T, rtol=1e-5)
    assert to_points is None


def test_xla_keeps_the_points_on_the_left_where_they_are_read_in_order(points):
    def gradient(weights, pull):
        return gradient_of_a_combination(weights, points, pull)[0]

    rows = tf.ones([3, 13]), tf.ones([3, 7])
    text = tf.function(gradient, jit_compile=True).experimental_get_compiler_ir(*rows)
    lines = text(stage="optimized_hlo").splitlines()
    (product,) = [line for line in lines if " dot(" in line]
    assert "f32[13,3]" in product  # and not f32[3,13]


def test_generator_survives_a_file_in_safe_mode(G, points, tmp_path):
    save_network(tmp_path / "G.keras", G)
    again = load_network(tmp_path / "G.keras")
    inputs = [tf.ones([2, 5]), tf.constant([1, 3]), points]
    for one, two in zip(G(inputs), again(inputs), strict=True):
        np.testing.assert_array_equal(one, two)
    assert again.get_layer("IGU").get_config()["counts"] == [[1, 4], [2, 6], [3, 3]]


def test_dividing_by_the_prior_is_post_hoc_logit_adjustment():
    M = classifier(4, 3)
    x = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    counts = ClassCounts((6, 3, 1))
    p, odds = M(x).numpy(), divide_prior(M, counts, 1.0)(x).numpy()
    np.testing.assert_allclose(odds.sum(1), 1, rtol=1e-5)
    expected = np.argmax(np.log(p) - np.log(counts.prior), axis=1)
    assert (odds.argmax(1) == expected).all()
    assert (p.argmax(1) != expected).any()
    half = divide_prior(M, counts, 0.5)(x).numpy()
    expected = np.argmax(np.log(p) - 0.5 * np.log(counts.prior), axis=1)
    assert (half.argmax(1) == expected).all()


def test_tau_normalisation_shares_the_weights_of_the_head(tmp_path):
    M = classifier(4, 3)
    x = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    normalised = tau_normalise(M, ClassCounts((6, 3, 1)), 0.5)
    for _ in range(2):
        w = M.layers[-1].kernel.numpy()
        h = keras.Model(M.input, M.layers[-1].input)(x).numpy()
        logits = h @ (w / np.sqrt(np.linalg.norm(w, axis=0)))
        expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        np.testing.assert_allclose(normalised(x), expected, rtol=1e-4)
        M.layers[-1].kernel.assign(w * np.array([5.0, 1.0, 2.0]))  # M goes on learning
    save_network(tmp_path / "M.keras", normalised)
    again = load_network(tmp_path / "M.keras")
    np.testing.assert_allclose(again(x), normalised(x), rtol=1e-6)
    with pytest.raises(UserError, match="no Dense"):
        tau_normalise(
            divide_prior(M, ClassCounts((6, 3, 1)), 1.0), ClassCounts((1,)), 1
        )


def test_cosine_head_sees_directions_only():
    M = classifier(4, 3, scale=30.0)
    layer = M.get_layer("cosine")
    x = np.random.default_rng(0).normal(size=(5, 128)).astype(np.float32)
    w = layer.kernel.numpy()
    cos = (x @ w) / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(w, axis=0)
    np.testing.assert_allclose(layer(x), 30 * cos, rtol=1e-4, atol=1e-4)


def test_a_network_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"D\.keras: missing.* has no D"):
        load_network(tmp_path / "D.keras")


def test_what_is_added_to_keras_keeps_its_package_name():
    # Files of earlier versions name their layers so.
    known = keras.saving.get_custom_objects()
    for name in ("CTMU", "IGU", "Cosine", "DividePrior", "TauNormalised"):
        assert f"gamo>{name}" in known
    assert known["gamo>FusedAdam"] is FusedAdam
    assert DividePrior([0.5, 0.5]).get_config()["prior"] == [0.5, 0.5]


def test_pixels_come_back_as_they_went_in():
    F = feature_extractor(DATASETS["mnist"])
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28, 1), np.uint8)
    np.testing.assert_array_equal(to_pixels(F(images).numpy(), (28, 28, 1)), images)
    assert to_uint8(np.array([-3.0, 0.6, 254.5, 400.0])).tolist() == [0, 1, 254, 255]


@pytest.mark.parametrize("constant", [0.0, 7.5])
def test_a_column_of_one_value_is_not_divided_by_zero(constant):
    vectors = np.random.default_rng(0).normal(3, 2, (50, 3)).astype(np.float32)
    vectors[:, 1] = constant
    scaled = standardiser(vectors)(vectors).numpy()
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.var(0), [1, 0, 1], atol=1e-4)


def test_images_of_64_pixels_have_four_blocks():
    F = feature_extractor(DATASETS["celeba-small"])
    assert [F.get_layer(f"pool{k}").output.shape[1] for k in range(4)] == [32, 16, 8, 4]
    assert F.output_shape == (None, 512)


def test_vectors_have_another_f():
    from dataclasses import replace

    with pytest.raises(ValueError, match="standardiser"):
        feature_extractor(replace(DATASETS["digits"], shape=(5,), conv=()))

"""The sampler of G: streams, parents, weights, and that all its ways agree."""

import keras
import numpy as np
import pytest

from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.inference.convex_sampler import (
    LISTED_PARENTS,
    ConvexSampler,
    RandomPairs,
    heaviest,
    standard_normal,
)
from gamo_tf.networks.convex_generator import convex_generator

COUNTS = ClassCounts((30, 12, 30, 3))


@pytest.fixture(scope="module")
def sampler():
    keras.utils.set_random_seed(0)
    G = convex_generator(COUNTS, 5, 7)
    labels = np.repeat(np.arange(4), COUNTS.sizes)
    points = np.random.default_rng(0).normal(size=(75, 7)).astype(np.float32)
    return ConvexSampler(G, points, labels)


def test_rows_and_columns_belong_together(sampler):
    assert list(sampler.rows) == [1, 3]
    assert sampler.rows[3].tolist() == [72, 73, 74]
    assert sampler.minority_rows[sampler.columns[3]].tolist() == [72, 73, 74]


def test_samples_are_what_their_weights_say(sampler):
    z = standard_normal([7, 1], 20, 5)
    weights = sampler.weights(1, z)
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-5)
    values, whole = sampler.generate(z, np.full(20, 1))
    np.testing.assert_allclose(sampler.combine(1, weights), values, atol=1e-5)
    found = sampler.sample({1: 20}, 7)  # the same stream, by the class's own IGU
    np.testing.assert_allclose(found.values, values, atol=1e-5)
    top = heaviest(whole, LISTED_PARENTS)
    np.testing.assert_array_equal(found.parents, sampler.minority_rows[top])
    np.testing.assert_allclose(
        found.weights, np.take_along_axis(whole, top, axis=1), atol=1e-6
    )


@pytest.mark.parametrize("n", [1, 499, 500, 501, 1200])
def test_a_sample_is_the_same_whatever_number_is_asked_for(sampler, n):
    long, short = sampler.sample({1: 1300}, 3), sampler.sample({3: 2, 1: n}, 3)
    np.testing.assert_array_equal(long.parents[:n], short.parents[2:])
    np.testing.assert_array_equal(long.weights[:n], short.weights[2:])
    np.testing.assert_allclose(long.values[:n], short.values[2:], rtol=1e-5)


def test_a_class_of_three_has_three_parents(sampler):
    found = sampler.sample({3: 4}, 0)
    assert (found.parents[:, 3:] == -1).all() and (found.weights[:, 3:] == 0).all()
    assert set(found.parents[:, :3].ravel()) == {72, 73, 74}
    np.testing.assert_allclose(found.weights.sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize("wanted", [{}, {1: 0}, {1: 0, 3: 0}])
def test_nothing_wanted_is_nothing(sampler, wanted):
    found = sampler.sample(wanted, 0)
    assert found.values.shape == (0, 7) and found.values.dtype == np.float32
    assert found.parents.shape == found.weights.shape == (0, LISTED_PARENTS)
    assert found.labels.shape == (0,)


def test_streams_differ_and_repeat():
    a, b = standard_normal([0, 7], 3, 4), standard_normal([0, 7, 1], 3, 4)
    assert (a != b).any()
    np.testing.assert_array_equal(a, standard_normal([0, 7], 10, 4)[:3])


def test_heaviest_is_stable():
    assert heaviest(np.array([[0.2, 0.4, 0.2, 0.2]]), 3).tolist() == [[1, 0, 2]]


def test_vectors_of_float64_are_combined_without_loss(sampler):
    """A large offset, a constant, and differences that overflow."""
    points = np.zeros((75, 4))
    points[72:, 0] = [1.7e9, 1.7e9 + 1, 1.7e9 + 2]
    points[72:, 1] = 0.1
    points[72:, 2] = [-1.7e308, 1.7e308, 0]
    points[72:, 3] = [1, 2, 4]
    exact = ConvexSampler(sampler.G, points, np.repeat(np.arange(4), COUNTS.sizes))
    weights = np.array([[0.25, 0.25, 0.5], [1, 0, 0], [0, 0, 1]], np.float32)
    expected = [[1.7e9 + 1.25, 0.1, 0, 2.75], [1.7e9, 0.1, -1.7e308, 1]]
    expected += [[1.7e9 + 2, 0.1, 0, 4]]
    assert exact.combine(3, weights).tolist() == expected
    # Weights that sum to 1 but for float32's rounding leave no class.
    found = exact.combine(3, np.full((1, 3), np.float32(1 / 3) * 1.0001))
    others = [0, 1, 3]
    np.testing.assert_allclose(
        found[:, others], [[1.7e9 + 1, 0.1, 7 / 3]], rtol=1e-7, atol=1e-6
    )
    # Some BLAS kernels fuse products and sums: a rounding error of the range stays.
    assert abs(found[0, 2]) < 1e-15 * 1.7e308
    found = exact.sample({3: 50}, 0)
    assert found.values.dtype == np.float64
    assert (found.values >= points[72:].min(axis=0)).all()
    assert (found.values <= points[72:].max(axis=0)).all()


def test_random_pairs_have_two_parents_of_the_class_and_cover_it():
    labels = np.repeat(np.arange(4), COUNTS.sizes)
    points = np.random.default_rng(0).normal(size=(75, 7))
    pairs = RandomPairs(points, labels)
    assert list(pairs.rows) == [1, 3]
    weights = pairs.weights(1, standard_normal([0, 1], 400, pairs.latent))
    assert ((weights > 0).sum(axis=1) == 2).all() and weights.shape == (400, 12)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
    assert (weights.max(axis=1) >= 0.5).all()  # the partner moves it half way at most
    assert (weights.mean(axis=0) > 0.5 / 12).all()  # every row is used
    assert not pairs.logits(3, np.zeros((2, pairs.latent))).any()
    found = pairs.sample({1: 30, 3: 5}, 7)
    assert (labels[found.parents[:30, :2]] == 1).all()
    assert (found.parents[:, 2:] == -1).all() and not found.weights[:, 2:].any()
    np.testing.assert_array_equal(pairs.sample({1: 9}, 7).values, found.values[:9])

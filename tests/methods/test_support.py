"""Some points of each class a pass, in the place of all."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import resolve
from gamo_tf.data import load
from gamo_tf.data.splits import draw_split
from gamo_tf.errors import UserError
from gamo_tf.methods.build import build
from gamo_tf.training.feature_sampler import LatentBatch

SPEC = DATASETS["digits"]
SIZES = SPEC.counts[1:]  # of the minority classes


def game(**chosen):
    return build(resolve({"dataset": "digits", "iterations": 8, **chosen}), SPEC)


@pytest.fixture(scope="module")
def data():
    split = draw_split(load.read(SPEC, Path()), SPEC, SPEC.counts, 25, 0)
    return tf.constant(split.images), tf.constant(split.labels, tf.int32)


def test_samples_are_combinations_of_the_points_of_the_pass(data):
    trainer = game(support=6)
    features = trainer.features(data[0])
    points = trainer.class_points(features)
    rows = [20] * len(SIZES)
    labels = np.repeat(range(1, 10), 20)
    latents = LatentBatch(
        tf.random.stateless_normal([180, 100], [1, 2]), tf.one_hot(labels, 10), rows
    )
    samples = trainer.sampler.sample(latents, points, training=False).numpy()
    for n, mine, class_points in zip(SIZES, np.split(samples, 9), points, strict=True):
        k = min(6, n)
        assert class_points.rows.shape[0] == k
        assert (class_points.place is None) == (n <= 6)
        # A convex combination of k points lies in their span, which is k - 1 wide.
        real = class_points.rows.numpy()
        base, around = real[0], (real[1:] - real[0]).T
        solved, *_ = np.linalg.lstsq(around, (mine - base).T, rcond=None)
        np.testing.assert_allclose(around @ solved, (mine - base).T, atol=1e-4)
        assert (solved > -1e-3).all() and (solved.sum(0) < 1 + 1e-3).all()


def test_points_are_drawn_anew_and_are_those_of_their_columns(data):
    trainer = game(support=6)
    features = trainer.features(data[0])
    first, second = (trainer.class_points(features)[0] for _ in range(2))
    assert len(set(first.place.numpy())) == 6
    assert set(first.place.numpy()) != set(second.place.numpy())
    start = SPEC.counts[0]
    own = features.numpy()[start + first.place.numpy()]
    np.testing.assert_array_equal(first.rows, own)


def test_g_learns_in_the_columns_of_the_pass_alone(data):
    trainer = game(support=6)
    points = trainer.class_points(trainer.features(data[0]))
    kernel = trainer.G.get_layer("IGU").kernel
    before = kernel.numpy()
    trainer.generator_step(points)
    moved = (kernel.numpy() != before).any(axis=0)
    expected, start = np.zeros(len(moved), bool), 0
    for n, class_points in zip(SIZES, points, strict=True):
        place = range(n) if class_points.place is None else class_points.place.numpy()
        expected[start + np.array(place)] = True
        start += n
    np.testing.assert_array_equal(moved, expected)


def test_a_support_of_all_points_changes_nothing(data):
    losses = []
    for support in (0, 60):  # the largest minority class has 60 rows
        losses.append(game(support=support).epoch(*data, steps=3))
    assert losses[0] == losses[1]


def test_a_support_needs_an_igu():
    with pytest.raises(UserError, match="support: smote-features has no IGU"):
        game(method="smote-features", support=5)
    with pytest.raises(UserError, match="support: gamo-balanced combines the newest"):
        game(method="gamo-balanced", support=5)

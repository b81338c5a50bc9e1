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


def columns_by_class(trainer):
    """The columns of each class that learn, from 0 on in each class."""
    columns = trainer.sampler.working.columns.numpy()
    starts = np.cumsum([0, *SIZES])[:-1]
    parts = np.split(columns, np.cumsum([min(6, n) for n in SIZES])[:-1])
    return [part - start for part, start in zip(parts, starts, strict=True)]


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
        assert class_points.shape[0] == min(6, n)
        # A convex combination of k points lies in their span, which is k - 1 wide.
        real = class_points.numpy()
        base, around = real[0], (real[1:] - real[0]).T
        solved, *_ = np.linalg.lstsq(around, (mine - base).T, rcond=None)
        np.testing.assert_allclose(around @ solved, (mine - base).T, atol=1e-4)
        assert (solved > -1e-3).all() and (solved.sum(0) < 1 + 1e-3).all()


def test_points_are_drawn_anew_and_are_those_of_their_columns(data):
    trainer = game(support=6)
    features = trainer.features(data[0]).numpy()
    drawn = []
    for _ in range(2):
        points = trainer.class_points(features)
        start = SPEC.counts[0]
        for n, mine, place in zip(
            SIZES, points, columns_by_class(trainer), strict=True
        ):
            assert len(set(place)) == min(6, n)
            np.testing.assert_array_equal(mine, features[start + place])
            start += n
        drawn.append(set(columns_by_class(trainer)[0]))
    assert drawn[0] != drawn[1]


def test_g_learns_in_the_columns_of_the_pass_alone(data):
    trainer = game(support=6)
    igu = trainer.G.get_layer("IGU")
    for _ in range(2):
        before = igu.kernel.numpy(), igu.bias.numpy()
        trainer.epoch(*data, steps=1)
        for old, new in zip(
            before, (igu.kernel.numpy(), igu.bias.numpy()), strict=True
        ):
            moved = np.flatnonzero((new != old).reshape(-1, old.shape[-1]).any(axis=0))
            assert set(moved) == set(trainer.sampler.working.columns.numpy())


def test_adam_goes_on_where_it_was_for_a_column(data):
    trainer = game(support=6)
    working, optimizer = trainer.sampler.working, trainer.optimizers["G"]
    trainer.epoch(*data, steps=2)
    first = set(working.columns.numpy())
    kept = [slot.numpy() for slot in working.slots]
    assert all((values[..., sorted(first)] != 0).any() for values in kept)
    others = sorted(set(range(sum(SIZES))) - first)
    assert all((values[..., others] == 0).all() for values in kept)
    trainer.class_points(trainer.features(data[0]))
    now = working.columns.numpy()
    kinds = (working.igu.kernel, working.igu.bias)
    loaded = [slot for kind in kinds for slot in optimizer.slots(kind)]
    for slot, values in zip(loaded, kept, strict=True):
        np.testing.assert_array_equal(slot, values[..., now])
    np.testing.assert_array_equal(
        working.igu.kernel, trainer.G.get_layer("IGU").kernel.numpy()[:, now]
    )


def test_a_training_goes_on_from_its_checkpoint(data, tmp_path):
    whole = game(support=6)
    for _ in range(2):
        losses = whole.epoch(*data, steps=2)
    begun, resumed = game(support=6), game(support=6)
    begun.epoch(*data, steps=2)
    path = begun.checkpoint().save(str(tmp_path / "state"))
    resumed.checkpoint().restore(path).assert_consumed()
    assert resumed.epoch(*data, steps=2) == losses
    for mine, theirs in zip(resumed.G.weights, whole.G.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_batch_a_class_works_on_the_points_of_the_pass_too(data):
    trainer = game(support=6, generator_update="per-class")
    before = trainer.G.get_layer("IGU").kernel.numpy()
    trainer.epoch(*data, steps=1)
    moved = trainer.G.get_layer("IGU").kernel.numpy() != before
    assert moved.any(axis=0).sum() == len(trainer.sampler.working.columns.numpy())


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

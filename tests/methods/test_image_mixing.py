"""Mixed minibatches and translated images, by hand and by invariant."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import resolve
from gamo_tf.data import load
from gamo_tf.data.splits import draw_split
from gamo_tf.methods.build import build
from gamo_tf.training.augmentation import shift_and_mirror


def trainer(method: str, **chosen):
    known = {"dataset": "digits", "method": method, "iterations": 50, **chosen}
    return build(resolve(known), DATASETS["digits"])


def digits():
    spec = DATASETS["digits"]
    split = draw_split(load.read(spec, Path()), spec, spec.counts, 25, 0)
    return tf.constant(split.images), tf.constant(split.labels, tf.int32)


def test_remix_gives_the_smaller_class_its_label():
    remix = trainer("remix")  # classes of 100, 60, 40, ... 5 rows
    labels, others = tf.constant([0, 0, 9, 9, 0]), tf.constant([9, 9, 0, 0, 1])
    for share, expected in ((0.4, [0, 0, 0.4, 0.4, 0.4]), (0.6, [0.6, 0.6, 1, 1, 0.6])):
        found = remix.target_share(labels, others, tf.constant(share))
        np.testing.assert_allclose(found.numpy().ravel(), expected, rtol=1e-6)


def test_pasted_rectangles_have_a_uniform_area_and_are_there_half_of_the_time():
    cmo = trainer("cmo")
    found = np.array([cmo.rectangle(32, 32).numpy() for _ in range(600)])
    area = found.mean(axis=(1, 2))
    assert 0.4 < (area == 0).mean() < 0.6  # also those that are too small to be seen
    for mask in found[area > 0][:20]:
        rows, columns = np.flatnonzero(mask.max(1)), np.flatnonzero(mask.max(0))
        assert mask.sum() == len(rows) * len(columns)  # one whole rectangle
        assert (np.diff(rows) == 1).all() and (np.diff(columns) == 1).all()


def test_pasted_images_come_from_every_class_alike():
    cmo = trainer("cmo")
    rows = cmo.balanced_rows([200_000]).numpy()
    labels = np.repeat(range(10), DATASETS["digits"].counts)
    sums = np.bincount(labels[rows], minlength=10) / len(rows)
    np.testing.assert_allclose(sums, 0.1, atol=0.003)  # more than four deviations
    uses = (
        np.bincount(rows, minlength=308) * np.array(DATASETS["digits"].counts)[labels]
    )
    np.testing.assert_allclose(
        uses / len(rows), 0.1, atol=0.05
    )  # rows of a class alike


def test_the_target_of_a_pasted_minibatch_is_mixed_by_area():
    cmo = trainer("cmo")
    images, labels = digits()
    rectangle = np.zeros((8, 8), np.float32)
    rectangle[:4] = 1
    cmo.rectangle = lambda height, width: tf.constant(rectangle)
    seen = {}

    def loss(target, output):
        seen["target"] = target.numpy()
        return tf.reduce_sum(output)

    cmo.batch_loss(loss, *cmo.minibatch(images, labels, tf.range(32)))
    own = seen["target"][:, 0]  # the first 32 rows are of class 0
    assert set(np.round(own, 6)) <= {0.5, 1.0}
    np.testing.assert_allclose(seen["target"].sum(1), 1, rtol=1e-6)


def test_augmentation_moves_and_mirrors_and_nothing_else():
    random = tf.random.Generator.from_seed(0)
    image = np.arange(100, dtype=np.uint8).reshape(1, 10, 10, 1)
    images = tf.constant(np.repeat(image, 300, axis=0))
    possible = set()
    for turn in (1, -1):
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                y = np.clip(np.arange(10) + dy, 0, 9)
                x = np.clip(np.arange(10) + dx, 0, 9)[::turn]
                possible.add(image[0, y][:, x].tobytes())
    for mirror, count in ((True, 18), (False, 9)):
        moved = shift_and_mirror(random, images, mirror)
        assert moved.dtype == tf.uint8
        found = {one.tobytes() for one in moved.numpy()}
        assert found <= possible and len(found) == count


def test_augmentation_leaves_the_random_state_alone_where_it_is_off():
    plain, images = trainer("cn"), tf.zeros([4, 8, 8, 1])
    before = plain.random.state.numpy()
    assert plain.augmented(images) is images
    np.testing.assert_array_equal(plain.random.state.numpy(), before)
    vectors = tf.zeros([4, 8])
    assert trainer("cn", augment=True).augmented(vectors) is vectors


# ---- M2m ---------------------------------------------------------------------------


def test_m2m_takes_from_larger_classes_only():
    m2m = trainer("m2m")
    taken, sizes = m2m.taken.numpy(), np.array(DATASETS["digits"].counts)
    larger = sizes[:, None] > sizes[None]
    assert ((taken > 0) == larger).all()
    assert taken[0, 9] == pytest.approx(1 - 0.999**95, rel=1e-4)
    np.testing.assert_allclose(m2m.kept, sizes / 100)


def test_m2m_changes_rows_that_the_fixed_classifier_is_sure_of():
    m2m = trainer("m2m")
    images, labels = digits()
    rows = np.array([0] * 4 + list(range(280, 308)))  # class 0, and the smallest
    x, y = tf.cast(tf.gather(images, rows), tf.float32), tf.gather(labels, rows)
    for sure in (0.0, 1.0):
        m2m._fixed_probability = lambda x, y, sure=sure: (
            tf.fill([32], sure) + 0 * (tf.reduce_sum(x, axis=[1, 2, 3]))
        )
        made = m2m.translated(x, y).numpy()
        changed = (made != x.numpy()).any(axis=(1, 2, 3))
        # The only larger rows are the four of class 0, which have none above them.
        assert not changed[:4].any()
        assert (made >= 0).all() and (made <= 255).all()
        if not sure:
            assert not changed.any()
    m2m.taken = tf.ones_like(m2m.taken)
    assert (m2m.translated(x, y).numpy() != x.numpy()).any(axis=(1, 2, 3))[4:].any()


@pytest.mark.slow
def test_m2m_fixes_its_classifier_at_the_switch():
    m2m, data = trainer("m2m"), digits()
    assert m2m.parts == (40,)
    for _ in range(4):
        m2m.epoch(*data, steps=10)
    before = m2m.F.get_weights()[0]
    m2m.epoch(*data, steps=10)
    np.testing.assert_array_equal(m2m.fixed["F"].get_weights()[0], before)
    assert (m2m.F.get_weights()[0] != before).any()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["m2m", "cmo", "remix"])
def test_they_train_where_f_only_flattens_and_xla_compiles_the_pass(method):
    spec = DATASETS["mnist"]
    counts = (40, 30, 20, 10, 10, 10, 10, 10, 10, 10)
    known = {"dataset": "mnist", "method": method, "iterations": 50, "counts": counts}
    flat = build(resolve({**known, "augment": True}), spec)
    assert not flat.learns_features and flat.xla
    rng = np.random.default_rng(0)
    images = tf.constant(rng.integers(0, 256, (160, 28, 28, 1), np.uint8))
    labels = tf.constant(np.repeat(range(10), counts), tf.int32)
    for _ in range(10):  # the late part begins after 40
        losses = flat.epoch(images, labels, steps=5)
    assert flat.late and np.isfinite(list(losses.values())).all()

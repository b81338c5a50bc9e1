"""The seeded imbalanced subset of a dataset."""

from pathlib import Path

import numpy as np
import pytest

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data.readers import digits
from gamo_tf.data.splits import draw_split, profile_counts
from gamo_tf.errors import UserError, speaking_to

SPEC = DATASETS["digits"]


@pytest.fixture(scope="module")
def arrays():
    return digits.read(SPEC, Path())


def test_a_split_is_seeded_and_without_replacement(arrays):
    one = draw_split(arrays, SPEC, SPEC.counts, SPEC.test_per_class, 3)
    two = draw_split(arrays, SPEC, SPEC.counts, SPEC.test_per_class, 3)
    other = draw_split(arrays, SPEC, SPEC.counts, SPEC.test_per_class, 4)
    np.testing.assert_array_equal(one.train_index, two.train_index)
    assert not np.array_equal(one.train_index, other.train_index)
    assert len(set(one.train_index)) == sum(SPEC.counts)
    assert np.bincount(one.labels).tolist() == list(SPEC.counts)
    np.testing.assert_array_equal(one.images, arrays.images[one.train_index])
    protocol = one.test_labels[one.protocol_index]
    assert np.bincount(protocol).tolist() == [25] * 10


def test_no_number_of_test_images_takes_them_all(arrays):
    split = draw_split(arrays, SPEC, SPEC.counts, 0, 3)
    assert sorted(split.protocol_index) == list(range(len(arrays.test_labels)))


def test_the_same_rows_as_ever(arrays):
    """Published results stand on these rows: a seed must go on to mean them."""
    split = draw_split(arrays, SPEC, SPEC.counts, SPEC.test_per_class, 0)
    assert split.train_index[-5:].tolist() == [19, 329, 384, 455, 895]
    assert split.protocol_index[-5:].tolist() == [486, 487, 490, 494, 496]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((10,) * 10, "no minority class"),
        ((100, 60, 40, 30, 24, 18, 14, 10, 7, 1), "class 9 .* needs 2 or more"),
        ((9999, 60, 40, 30, 24, 18, 14, 10, 7, 5), "9999 images .* asked for"),
        ((5, 4), "2 numbers given, 10 classes"),
    ],
)
def test_bad_counts_are_refused(counts, message, arrays):
    with pytest.raises(UserError, match=message):
        draw_split(arrays, SPEC, counts, 25, 0)


def test_messages_name_settings_as_the_caller_writes_them(arrays):
    with pytest.raises(UserError, match=r"^test_per_class: 60 images"):
        draw_split(arrays, SPEC, SPEC.counts, 60, 0)
    with speaking_to("gamo"), pytest.raises(UserError, match=r"^--test-per-class: 60"):
        draw_split(arrays, SPEC, SPEC.counts, 60, 0)


def test_profiles():
    assert profile_counts(100, 4, 10, "step") == (100, 100, 10, 10)
    assert profile_counts(100, 3, 100, "exponential") == (100, 10, 1)
    with pytest.raises(
        UserError, match=r"imbalance_ratio 0.5: expected 1 to 1000000000"
    ):
        profile_counts(100, 3, 0.5, "step")

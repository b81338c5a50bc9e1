"""The seeded imbalanced subset of a dataset."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data.readers import digits
from gamo_tf.data.splits import Arrays, draw_split, profile_counts
from gamo_tf.errors import UserError, speaking_to

SPEC = DATASETS["digits"]
# Of the rows that seed 0 draws of digits, as they were before there was validation.
BEFORE = "917b09265b40df992b9ccb92bc96fd80b5fba1f2fceb60e388e8efe9d063559c"
# The same with the validation rows, by their number a class.
AFTER = {
    0: BEFORE,
    25: "7a4d038f55b688c4c6eb90b1fb0af335cfc1a50ad102b7d40350f302a3a6535a",
}


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


def fingerprint(*arrays: np.ndarray) -> str:
    return hashlib.sha256(
        b"".join(a.astype("<i8").tobytes() for a in arrays)
    ).hexdigest()


def test_validation_leaves_every_other_draw_as_it_was(arrays):
    """The hash was taken before there were validation rows."""
    for per_class in (0, 25):
        split = draw_split(arrays, SPEC, SPEC.counts, SPEC.test_per_class, 0, per_class)
        rows = (split.train_index, split.protocol_index)
        assert fingerprint(*rows) == BEFORE
        assert fingerprint(*rows, split.validation_index) == AFTER[per_class]
        assert len(split.validation_labels) == 10 * per_class


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(2, 40), min_size=2, max_size=6),
    data=st.data(),
    per_class=st.integers(0, 50),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_row_is_in_two_sets(sizes, data, per_class, seed):
    counts = tuple(data.draw(st.integers(2, n)) for n in sizes)
    assume(len(set(counts)) > 1)
    names = tuple(map(str, range(len(sizes))))
    spec = replace(SPEC, classes=names, counts=counts)
    order = np.random.default_rng(seed).permutation(sum(sizes))
    labels = np.repeat(np.arange(len(sizes)), sizes)[order].astype(np.uint8)
    images = np.arange(len(labels))[:, None]  # an image is its own name
    tests = -1 - np.arange(len(sizes))
    arrays = Arrays(images, labels, tests[:, None], np.arange(len(sizes)))
    split = draw_split(arrays, spec, counts, 1, seed, per_class)
    drawn = np.concatenate([split.train_index, split.validation_index])
    assert len(np.unique(drawn)) == len(drawn)
    np.testing.assert_array_equal(split.validation_images[:, 0], split.validation_index)
    assert not np.isin(split.validation_images, split.test_images).any()
    np.testing.assert_array_equal(
        split.validation_labels, labels[split.validation_index]
    )
    found = np.bincount(split.validation_labels, minlength=len(sizes))
    left = np.subtract(sizes, counts)
    assert found.tolist() == np.minimum(left, per_class).tolist()
    # Sorted by label and position, so that a memory map is read forwards.
    np.testing.assert_array_equal(
        split.validation_index,
        split.validation_index[
            np.lexsort((split.validation_index, split.validation_labels))
        ],
    )


def test_rows_of_a_user_that_are_set_aside_are_taken_as_they_are(arrays):
    own = Arrays(*arrays[:4], arrays.images[:7] + 1, arrays.labels[:7])
    split = draw_split(own, SPEC, SPEC.counts, 25, 0, 0)
    np.testing.assert_array_equal(split.validation_images, own.validation_images)
    assert split.validation_index.tolist() == list(range(7))
    assert split.train_index[-5:].tolist() == [19, 329, 384, 455, 895]


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

import gzip
import struct

import numpy as np
import pytest

from gamo_tf import datasets
from gamo_tf.datasets import cifar, idx
from gamo_tf.errors import UserError
from gamo_tf.specs import DATASETS


def write_idx(path, array):
    head = struct.pack(">I", 0x0800 + array.ndim)
    head += struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes()))


def test_idx_round_trip_and_damage(tmp_path):
    path = tmp_path / "x.gz"
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    write_idx(path, array)
    np.testing.assert_array_equal(idx.parse(path, 3), array)
    with pytest.raises(UserError, match="not an idx1"):
        idx.parse(path, 1)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match="whole gzip"):
        idx.parse(path, 3)


def test_cifar_records_are_channels_first(tmp_path):
    path = tmp_path / "b.bin"
    pixels = np.arange(3072, dtype=np.int64).astype(np.uint8)
    path.write_bytes(bytes([7]) + pixels.tobytes())
    images, labels = cifar.parse(path, DATASETS["cifar10"])
    assert labels.tolist() == [7]
    np.testing.assert_array_equal(
        images[0].transpose(2, 0, 1), pixels.reshape(3, 32, 32)
    )
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="no whole number"):
        cifar.parse(path, DATASETS["cifar10"])


def test_split_is_seeded_and_without_replacement(tmp_path):
    spec = DATASETS["digits"]
    arrays = datasets.read(spec, tmp_path)
    one = datasets.draw(arrays, spec, spec.counts, spec.test_per_class, 3)
    two = datasets.draw(arrays, spec, spec.counts, spec.test_per_class, 3)
    other = datasets.draw(arrays, spec, spec.counts, spec.test_per_class, 4)
    np.testing.assert_array_equal(one.train_index, two.train_index)
    assert not np.array_equal(one.train_index, other.train_index)
    assert len(set(one.train_index)) == sum(spec.counts)
    assert np.bincount(one.labels).tolist() == list(spec.counts)
    protocol = one.test_labels[one.protocol_index]
    assert np.bincount(protocol).tolist() == [25] * 10


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((10,) * 10, "no minority class"),
        ((100, 60, 40, 30, 24, 18, 14, 10, 7, 1), "needs 2 or more"),
        ((9999, 60, 40, 30, 24, 18, 14, 10, 7, 5), "asked for"),
        ((5, 4), "2 numbers given, 10 classes"),
    ],
)
def test_bad_counts_are_refused(counts, message, tmp_path):
    spec = DATASETS["digits"]
    with pytest.raises(UserError, match=message):
        datasets.draw(datasets.read(spec, tmp_path), spec, counts, 25, 0)


def test_profiles():
    assert datasets.profile_counts(100, 4, 10, "step") == (100, 100, 10, 10)
    assert datasets.profile_counts(100, 3, 100, "exponential") == (100, 10, 1)

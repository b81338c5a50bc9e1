"""MNIST and Fashion-MNIST: idx files."""

import gzip
import struct

import numpy as np
import pytest

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data.readers import idx
from gamo_tf.errors import UserError

RNG = np.random.default_rng(0)


def write(path, array: np.ndarray) -> None:
    head = struct.pack(">I", 0x0800 + array.ndim)
    head += struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes()))


def test_round_trip_and_damage(tmp_path):
    path = tmp_path / "x.gz"
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    write(path, array)
    np.testing.assert_array_equal(idx.parse(path, 3), array)
    with pytest.raises(UserError, match="not an idx1"):
        idx.parse(path, 1)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match="whole gzip"):
        idx.parse(path, 3)


def test_the_four_files(tmp_path):
    folder = tmp_path / "mnist"
    folder.mkdir()
    images, labels = RNG.integers(0, 256, (6, 28, 28), np.uint8), np.arange(6)
    write(folder / "train-images-idx3-ubyte.gz", images)
    write(folder / "train-labels-idx1-ubyte.gz", labels.astype(np.uint8))
    write(folder / "t10k-images-idx3-ubyte.gz", images[:2])
    write(folder / "t10k-labels-idx1-ubyte.gz", labels[:2].astype(np.uint8))
    arrays = idx.read(DATASETS["mnist"], tmp_path)
    np.testing.assert_array_equal(arrays.images, images[..., None])
    assert arrays.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert arrays.test_images.shape == (2, 28, 28, 1)
    write(folder / "t10k-labels-idx1-ubyte.gz", labels[:3].astype(np.uint8))
    with pytest.raises(UserError, match="expected as many labels as"):
        idx.read(DATASETS["mnist"], tmp_path)
    write(folder / "t10k-labels-idx1-ubyte.gz", np.array([3, 10], np.uint8))
    with pytest.raises(UserError, match="label 10 found, 0 to 9 expected"):
        idx.read(DATASETS["mnist"], tmp_path)

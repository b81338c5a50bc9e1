"""MNIST and Fashion-MNIST: idx files."""

import gzip
import os
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


# ---- hostile files -----------------------------------------------------------------


def announce(path, shape, data: bytes) -> None:
    head = struct.pack(">I", 0x0800 + len(shape))
    head += struct.pack(f">{len(shape)}I", *shape)
    path.write_bytes(gzip.compress(head + data))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((70_001, 28, 28), "at most 70000 rows of"),
        ((4_000_000_000, 28, 28), "at most 70000 rows of"),
        ((2, 4_000_000_000, 28), "at most 70000 rows of"),
        ((2, 28, 29), "shape (2, 28, 29) announced"),
        ((2, 28, 28), "1568 bytes of data announced for shape (2, 28, 28), more"),
        ((70_000, 28, 28), "found. Fetch it again"),
    ],
)
def test_no_more_is_unpacked_than_is_expected(shape, message, tmp_path, monkeypatch):
    path = tmp_path / "x.gz"
    announce(path, shape, bytes(2**22))
    most = 70_000 * 28 * 28 + 1
    read = gzip.GzipFile.read

    def bounded(file, size=-1):
        assert 0 <= size <= most
        return read(file, size)

    monkeypatch.setattr(gzip.GzipFile, "read", bounded)
    with pytest.raises(UserError) as caught:
        idx.parse(path, 3, (28, 28))
    assert message in caught.value.message
    assert caught.value.message.startswith(f"{path}: ")


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.gz")
    for path in (tmp_path / "pipe.gz", tmp_path):
        with pytest.raises(UserError, match="not a regular file"):
            idx.parse(path, 1)
    folder = tmp_path / "mnist"
    folder.mkdir()
    os.mkfifo(folder / "train-images-idx3-ubyte.gz")
    with pytest.raises(UserError, match=r"idx3-ubyte.gz: not a regular file"):
        idx.read(DATASETS["mnist"], tmp_path)


def test_random_damage(tmp_path):
    path = tmp_path / "x.gz"
    array = RNG.integers(0, 256, (4, 5, 6), np.uint8)
    write(path, array)
    whole = path.read_bytes()
    for _ in range(400):
        data = bytearray(whole[: RNG.integers(len(whole) + 1)])
        for place in RNG.integers(0, max(len(data), 1), 2)[: len(data)]:
            data[place] = RNG.integers(256)
        path.write_bytes(data)
        try:
            found = idx.parse(path, 3, (5, 6))
        except UserError as err:
            assert str(path) in err.message and "\n" not in str(err)
        else:  # the checksum of gzip does not cover its own header
            np.testing.assert_array_equal(found, array)

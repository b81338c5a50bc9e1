"""SVHN: MATLAB files, in which 10 stands for the digit 0."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csr_matrix

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data.readers import svhn
from gamo_tf.errors import UserError

SPEC = DATASETS["svhn"]
RNG = np.random.default_rng(0)


def write(path: Path, labels: np.ndarray) -> np.ndarray:
    path.parent.mkdir(exist_ok=True)
    X = RNG.integers(0, 256, (32, 32, 3, len(labels)), np.uint8)
    savemat(path, {"X": X, "y": labels[:, None].astype(np.uint8)})
    return X


def test_label_ten_is_the_digit_zero(tmp_path):
    labels = np.array([10, 1, 9, 10, 2])
    X = write(tmp_path / "svhn" / "train_32x32.mat", labels)
    write(tmp_path / "svhn" / "test_32x32.mat", labels[:3])
    arrays = svhn.read(SPEC, tmp_path)
    assert arrays.labels.tolist() == [0, 1, 9, 0, 2]
    assert arrays.test_labels.tolist() == [0, 1, 9]
    np.testing.assert_array_equal(arrays.images[3], X[..., 3])
    assert arrays.images.shape == (5, 32, 32, 3) and len(arrays.test_images) == 3
    assert arrays.labels.dtype == np.uint8


X = np.zeros((32, 32, 3, 2), np.uint8)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no matrix at all", "cannot be read"),
        ({"X": np.zeros((32, 32, 3, 4), np.uint8), "y": np.ones(3)}, "as many labels"),
        ({"X": X, "y": np.array([1, 11])}, "1 to 10"),
        ({"X": X, "y": np.array([0, 1])}, "1 to 10"),
        ({"X": X, "y": np.array([1, 1.5])}, "no whole numbers"),
        ({"X": X, "y": np.array([1, np.nan])}, "no whole numbers"),
        ({"X": X, "y": np.array([1, np.inf])}, "labels 1.0 to inf"),
        ({"X": X, "y": np.array([1, 2 + 1j])}, r"no whole numbers \(complex128\)"),
        ({"X": X, "y": np.array(["a", "b"])}, "y char"),
        ({"X": X, "y": np.array([True, True])}, "y logical"),
        ({"X": X, "y": np.array([1, "b"], object)}, "y cell"),
        ({"X": X, "y": csr_matrix([[1, 2]])}, "y sparse"),
        ({"X": X + 1j, "y": np.ones(2)}, "X double"),
        ({"X": X.astype(float), "y": np.ones(2)}, "X double"),
        ({"X": X.astype(np.int8), "y": np.ones(2)}, "X int8"),
        ({"X": X.astype(bool), "y": np.ones(2)}, "X logical"),
        ({"X": X[..., 0], "y": np.ones(1)}, "found X uint8 .32, 32, 3."),
        ({"X": X.transpose(3, 0, 1, 2), "y": np.ones(2)}, "found X uint8 .2, 32"),
        ({"X": X}, "expected X and y once each"),
        ({"y": np.ones(2)}, "expected X and y once each"),
        ({}, "expected X and y once each"),
    ],
)
def test_damaged_files(content, message, tmp_path):
    path = tmp_path / "train_32x32.mat"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        savemat(path, content)
    with pytest.raises(UserError, match=message):
        svhn.parse(path, SPEC)


# ---- hostile files -----------------------------------------------------------------


def test_nothing_is_read_before_the_headers_are_right(tmp_path, monkeypatch):
    path = tmp_path / "train_32x32.mat"
    monkeypatch.setattr("scipy.io.loadmat", None)  # not called
    monkeypatch.setattr(svhn, "_MOST_IMAGES", 5)
    savemat(path, {"X": np.zeros((32, 32, 3, 6), np.uint8), "y": np.ones(6)})
    with pytest.raises(UserError, match="n up to 5"):
        svhn.parse(path, SPEC)
    path.unlink()
    os.mkfifo(path)
    for odd in (path, tmp_path):
        with pytest.raises(UserError, match="not a regular file"):
            svhn.parse(odd, SPEC)


def test_more_bytes_than_the_shape_says(tmp_path, monkeypatch):
    path = tmp_path / "train_32x32.mat"
    savemat(path, {"X": X, "y": np.ones(2)}, do_compression=True)
    whole = path.read_bytes()
    size = struct.unpack("<I", whole[132:136])[0]
    packed = zlib.compress(zlib.decompress(whole[136 : 136 + size]) + bytes(2**22))
    head = whole[:132] + struct.pack("<I", len(packed))
    path.write_bytes(head + packed + whole[136 + size :])
    monkeypatch.setattr("scipy.io.loadmat", None)  # not called
    with pytest.raises(UserError, match="X is larger than it says"):
        svhn.parse(path, SPEC)


@pytest.mark.parametrize("packed", [True, False])
def test_random_damage(packed, tmp_path):
    path = tmp_path / "train_32x32.mat"
    pixels = RNG.integers(0, 256, X.shape, np.uint8)
    savemat(path, {"X": pixels, "y": np.array([1, 10])}, do_compression=packed)
    whole = path.read_bytes()
    for k in range(200):
        data = bytearray(whole[: RNG.integers(len(whole) + 1)] if k % 2 else whole)
        # Most of them where the headers are.
        for place in RNG.integers(0, max(min(len(data), 400), 1), 2)[: len(data)]:
            data[place] = RNG.integers(256)
        path.write_bytes(data)
        try:
            images, labels = svhn.parse(path, SPEC)
        except UserError as err:
            assert str(path) in err.message and "\n" not in str(err)
        else:
            assert images.shape[1:] == SPEC.shape and labels.shape == images.shape[:1]

"""SVHN: MATLAB files, in which 10 stands for the digit 0."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no matrix at all", "cannot be read"),
        ({"X": np.zeros((32, 32, 3, 4), np.uint8), "y": np.ones(3)}, "as many labels"),
        ({"X": np.zeros((32, 32, 3, 2), np.uint8), "y": np.array([1, 11])}, "1 to 10"),
    ],
    ids=["text", "lengths", "label"],
)
def test_damaged_files(content, message, tmp_path):
    path = tmp_path / "train_32x32.mat"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        savemat(path, content)
    with pytest.raises(UserError, match=message):
        svhn.parse(path, SPEC)

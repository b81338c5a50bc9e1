"""The pool of a large dataset, which is decoded once."""

import json
from dataclasses import replace

import numpy as np
import pytest

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data import decoded_pool
from gamo_tf.errors import UserError

COUNTS = (300, 4)
SPEC = replace(
    DATASETS["svhn"],
    shape=(1, 2, 3),
    classes=("x", "y"),
    counts=COUNTS,
    test_per_class=2,
)
KEYS = [[f"x{k}" for k in range(700)], [f"y{k}" for k in range(20)]]
# A tenth of each class is kept for testing; twice the counts are for training.
TRAINING, TESTING = [600, 8], [70, 2]


def image_of(key: str) -> np.ndarray:
    """An image that says which key it is of."""
    return np.full((1, 2, 3), (ord(key[0]), *divmod(int(key[1:]), 256)), np.uint8)


def key_of(image: np.ndarray) -> str:
    letter, high, low = (int(v) for v in image[0, 0])
    return f"{chr(letter)}{256 * high + low}"


def make(data_dir, decode=image_of, origin="a"):
    return decoded_pool.pool(SPEC, data_dir, KEYS, decode, {"from": origin}, "keys")


def never(key: str):
    raise AssertionError("decoded again")


def test_which_images_are_in_it(tmp_path):
    assert decoded_pool.known(SPEC, tmp_path) is None
    arrays = make(tmp_path)
    assert isinstance(arrays.images, np.memmap)
    assert np.bincount(arrays.labels).tolist() == TRAINING
    assert np.bincount(arrays.test_labels).tolist() == TESTING
    train, test = (
        [key_of(image) for image in images]
        for images in (arrays.images, arrays.test_images)
    )
    assert len(set(train + test)) == sum(TRAINING + TESTING)
    for keys, labels in ((train, arrays.labels), (test, arrays.test_labels)):
        assert [key[0] for key in keys] == ["xy"[label] for label in labels]
    found = decoded_pool.known(SPEC, tmp_path)
    assert found["images"] == 680 and found["from"] == "a"


def test_it_is_decoded_once_and_anew_for_another_origin(tmp_path):
    arrays = make(tmp_path)
    np.testing.assert_array_equal(make(tmp_path, never).images, arrays.images)
    with pytest.raises(UserError, match="decoded again"):
        make(tmp_path, never, origin="b")


def test_decoding_that_was_broken_off_continues(tmp_path):
    whole = make(tmp_path / "whole")
    keys = [key_of(image) for image in (*whole.images, *whole.test_images)]
    damaged, data_dir = keys[550], tmp_path / "broken"

    def power_cut(key: str) -> np.ndarray:
        if key == damaged:
            raise ValueError("power cut")
        return image_of(key)

    with pytest.raises(UserError, match=f"{damaged} cannot be read .power cut"):
        make(data_dir, power_cut)
    folder = data_dir / "prepared"
    # Nothing looks finished.
    assert {p.name for p in folder.iterdir()} == {".part-svhn.npy", ".part-svhn.json"}
    assert decoded_pool.known(SPEC, data_dir) is None
    done = json.loads((folder / ".part-svhn.json").read_text())["done"]
    assert 0 < done <= 550
    decoded = []

    def noted(key: str) -> np.ndarray:
        decoded.append(key)
        return image_of(key)

    arrays = make(data_dir, noted)
    assert sorted(decoded) == sorted(keys[done:])
    np.testing.assert_array_equal(arrays.images, whole.images)
    np.testing.assert_array_equal(arrays.test_images, whole.test_images)
    assert {p.name for p in folder.iterdir()} == {"svhn.npy", "svhn.json"}


def test_too_few_images_and_a_folder_that_cannot_be_written(tmp_path):
    spec = replace(SPEC, counts=(640, 4))
    with pytest.raises(UserError, match="class x has 700 keys; 640 are trained on"):
        decoded_pool.pool(spec, tmp_path, KEYS, image_of, {}, "keys")
    (tmp_path / "prepared").write_text("a file in the folder's place")
    with pytest.raises(UserError, match="give a data_dir that can be written to"):
        make(tmp_path)

"""The store of features: found by content, appended, and safe from kills."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gamo_tf.data import feature_store
from gamo_tf.data.feature_store import FeatureStore, default_store_dir, digests
from gamo_tf.errors import UserError


class Extract:
    """Two features of an image, its first pixel and its sum; counts images."""

    def __init__(self, dies_after: int = 10**6) -> None:
        self.seen, self.dies_after = 0, dies_after

    def __call__(self, images: np.ndarray) -> np.ndarray:
        if self.seen >= self.dies_after:
            raise KeyboardInterrupt
        self.seen += len(images)
        values = images.reshape(len(images), -1).astype(np.float32)
        return np.stack([values[:, 0], values.sum(axis=1)], axis=1)


def some(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 4, 4, 3), np.uint8)


def store(folder: Path, key: str = "weights") -> FeatureStore:
    return FeatureStore(key, (2,), folder)


def test_features_come_in_the_order_of_the_images_and_equal_images_share_them(tmp_path):
    images, extract = some(20), Extract()
    mixed = images[[3, 3, 0, 19, 3]]
    np.testing.assert_array_equal(
        store(tmp_path).features(mixed, extract), Extract()(mixed)
    )
    assert extract.seen == 3
    again = store(tmp_path)
    assert len(again.unknown(images)) == 17
    np.testing.assert_array_equal(again.features(images, extract), Extract()(images))
    assert extract.seen == 20
    np.testing.assert_array_equal(
        store(tmp_path).features(images[::-1], Extract(dies_after=0)),
        Extract()(images)[::-1],
    )


def test_two_networks_share_nothing(tmp_path):
    extract = Extract()
    store(tmp_path).features(some(5), extract)
    store(tmp_path, "other weights").features(some(5), extract)
    assert extract.seen == 10


def test_a_kill_keeps_what_was_complete(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_store, "_PART", 4)
    images, told = some(10), []
    with pytest.raises(KeyboardInterrupt):
        store(tmp_path).features(images, Extract(dies_after=8), told.append)
    assert told == [4, 4]
    extract = Extract()
    found = store(tmp_path).features(images, extract)
    assert extract.seen == 2
    np.testing.assert_array_equal(found, Extract()(images))


@pytest.mark.parametrize("name", ["digests.bin", "features.bin"])
@pytest.mark.parametrize("cut", [1, 9, 30])
def test_a_record_that_is_not_complete_is_extracted_again(tmp_path, name, cut):
    images = some(6)
    store(tmp_path).features(images, Extract())
    path = store(tmp_path).path / name
    path.write_bytes(path.read_bytes()[:-cut])
    extract = Extract()
    found = store(tmp_path).features(images, extract)
    assert 0 < extract.seen < 6
    np.testing.assert_array_equal(found, Extract()(images))
    np.testing.assert_array_equal(
        store(tmp_path).features(images, Extract(dies_after=0)), found
    )


def test_maps_keep_their_shape_and_no_image_is_no_features(tmp_path):
    kept = FeatureStore("maps", (2, 2, 1), tmp_path)
    images = some(3)
    found = kept.features(images, lambda x: x[:, :2, :2, :1].astype(np.float32))
    np.testing.assert_array_equal(found, images[:, :2, :2, :1])
    assert kept.features(images[:0], Extract()).shape == (0, 2, 2, 1)


def test_features_that_are_no_numbers_are_refused_and_not_kept(tmp_path):
    def extract(images: np.ndarray) -> np.ndarray:
        return np.full((len(images), 2), np.nan, np.float32)

    with pytest.raises(UserError, match="not finite"):
        store(tmp_path).features(some(2), extract)
    assert len(store(tmp_path).unknown(some(2))) == 2


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file.*GAMO_CACHE_DIR"):
        store(tmp_path / "file")


def test_the_environment_names_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("GAMO_CACHE_DIR", str(tmp_path))
    assert default_store_dir() == tmp_path
    monkeypatch.delenv("GAMO_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_store_dir() == tmp_path / "gamo"


def test_digests_differ_by_one_pixel():
    images = some(2)
    images[1] = images[0]
    images[1, 0, 0, 0] ^= 1
    one, two = digests(images)
    assert (one != two).any()

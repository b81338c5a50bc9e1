"""LSUN: databases of JPEG and WebP files."""

import hashlib
import io
import os
import struct
from dataclasses import replace
from pathlib import Path

import lmdb
import numpy as np
import pytest
from PIL import Image

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data.readers import lsun
from gamo_tf.errors import UserError

SIZES = {
    "classroom": 40,
    "church_outdoor": 24,
    "conference_room": 22,
    "dining_room": 21,
    "tower": 20,
}
# The dataset's row, with class sizes that a test can make.
SPEC = replace(DATASETS["lsun-small"], counts=(20, 9, 5, 3, 2), test_per_class=2)


@pytest.fixture
def data_dir(tmp_path) -> Path:
    """Plain images, red by category, with a white frame around the central patch."""
    for label, (name, n) in enumerate(SIZES.items()):
        path = tmp_path / "lsun" / f"{name}_train_lmdb"
        path.mkdir(parents=True)
        with (
            lmdb.open(str(path), map_size=2**26) as database,
            database.begin(write=True) as change,
        ):
            for k in range(n):
                image = Image.new("RGB", (300, 256), "white")
                image.paste((40 * label, k, 0), (38, 16, 262, 240))
                content = io.BytesIO()
                image.save(content, "WEBP" if k % 3 == 0 else "JPEG", quality=75)
                key = hashlib.sha1(f"{name}{k}".encode()).hexdigest().encode()
                change.put(key, content.getvalue())
    return tmp_path


def test_jpeg_and_webp_are_cut_to_the_patch(data_dir):
    arrays = lsun.read(SPEC, data_dir)
    images, labels = arrays.images, arrays.labels
    assert np.bincount(labels).tolist() == [36, 18, 10, 6, 4]
    assert np.bincount(arrays.test_labels).tolist() == [4, 2, 2, 2, 2]
    red = images[:, 5:-5, 5:-5, 0].astype(int)
    assert np.abs(red - 40 * labels[:, None, None]).max() < 12
    assert images[:, 2:-2, 2:-2].max() < 200  # nothing of the white frame
    np.testing.assert_array_equal(lsun.read(SPEC, data_dir).images, images)


def test_damaged_and_missing(data_dir):
    path = data_dir / "lsun" / "tower_train_lmdb" / "data.mdb"
    path.write_bytes(b"x" * 9000)
    with pytest.raises(UserError, match=r"tower_train_lmdb: cannot be read"):
        lsun.read(SPEC, data_dir)
    path.unlink()
    with pytest.raises(UserError, match=r"unpacked: tower_train_lmdb.zip \(12.0 GB\)"):
        lsun.check(SPEC, data_dir)


def test_a_database_that_was_cut_off(data_dir):
    path = data_dir / "lsun" / "tower_train_lmdb" / "data.mdb"
    whole = path.read_bytes()
    for size in (0, 1, 100, 4096, 4200, 8192, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match=r"tower_train_lmdb: cannot be read") as e:
            lsun.read(SPEC, data_dir)
        assert e.value.message.endswith("Fetch it again.")
    path.write_bytes(whole)
    lsun.read(SPEC, data_dir)


def test_pages_that_say_something_else(data_dir):
    path = data_dir / "lsun" / "tower_train_lmdb" / "data.mdb"
    whole = bytearray(path.read_bytes())
    for place, value in (
        (16, struct.pack("<I", 7)),  # the magic number
        (20, struct.pack("<I", 2)),  # the version
        (40, struct.pack("<I", 0)),  # the size of a page
        (40, struct.pack("<I", 4097)),
        (4096 + 16, bytes(4)),  # of the second page
        (136, struct.pack("<QQ", 2**40, 2**40)),  # the last page, and the state
        (4096 + 136, struct.pack("<QQ", 2**40, 2**40)),
    ):
        changed = bytearray(whole)
        changed[place : place + len(value)] = value
        path.write_bytes(changed)
        with pytest.raises(UserError, match=r"tower_train_lmdb: cannot be read"):
            lsun.read(SPEC, data_dir)


def test_a_value_that_is_no_image(data_dir):
    folder = data_dir / "lsun" / "tower_train_lmdb"
    with lmdb.open(str(folder)) as database, database.begin(write=True) as change:
        for key in [bytes(k) for k in change.cursor().iternext(values=False)]:
            change.put(key, b"%!PS-Adobe-3.0 EPSF-3.0")
    with pytest.raises(UserError, match=r"cannot identify"):
        lsun.read(SPEC, data_dir)


def test_a_database_that_is_a_pipe(data_dir):
    path = data_dir / "lsun" / "tower_train_lmdb" / "data.mdb"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=r"unpacked: tower_train_lmdb.zip"):
        lsun.read(SPEC, data_dir)

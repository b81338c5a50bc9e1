"""Rows in a file without a name: the same training, and nothing in memory twice."""

import errno
import json
import os

import numpy as np
import pytest
from PIL import Image

from gamo_tf.data import mapped_rows, row_sets, user_data
from gamo_tf.data.mapped_rows import keep, take, zeros
from gamo_tf.errors import UserError


@pytest.fixture
def small_is_large(monkeypatch):
    monkeypatch.setattr(mapped_rows, "LARGE", 1)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name, n in (("a", 40), ("b", 12)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for k in range(n):
            pixels = rng.integers(0, 256, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{k:02}.png")
    return tmp_path / "photos"


def read(folder, skip_bad=False) -> user_data.UserData:
    return user_data.from_image_folder(
        folder, 16, False, None, 0.2, 0, skip_bad, validation_split=0.2
    )


def test_rows_that_follow_one_another_are_not_copied():
    values = np.arange(20).reshape(10, 2)
    assert np.shares_memory(take(values, np.arange(3, 7)), values)
    assert take(values, np.arange(3, 7)).tolist() == values[3:7].tolist()
    for index in ([3, 5], [4, 3], [2, 2], []):
        index = np.array(index, int)
        assert take(values, index).tolist() == values[index].tolist()
        assert not np.shares_memory(take(values, index), values)


def test_small_arrays_stay_in_memory_and_large_ones_do_not(monkeypatch, tmp_path):
    assert not isinstance(zeros((3, 4)), np.memmap)
    monkeypatch.setattr(mapped_rows, "LARGE", 12)
    monkeypatch.setattr(mapped_rows.tempfile, "tempdir", str(tmp_path))
    found = zeros((3, 4))
    assert isinstance(found, np.memmap) and not found.any()
    found[1] = 7
    assert found.sum() == 28
    assert not list(tmp_path.iterdir())  # the file has no name


def test_a_full_disk_is_said_before_anything_is_decoded(small_is_large, monkeypatch):
    def full(*args: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(
        UserError, match=r"no room .* \(No space left on device\).*TMPDIR"
    ):
        zeros((3, 4))


def test_rows_that_are_left_out_close_up(small_is_large, monkeypatch):
    monkeypatch.setattr(mapped_rows, "_BLOCK", 3)
    good = np.random.default_rng(0).random(20) < 0.6
    values = zeros((20, 2))
    values[:] = np.arange(40).reshape(20, 2)
    expected = values[good].tolist()
    kept = keep(values, good)
    assert kept.tolist() == expected and np.shares_memory(kept, values)
    assert keep(np.arange(20), good).tolist() == np.flatnonzero(good).tolist()


def test_sets_of_a_folder_are_views_of_one_map(folder, monkeypatch):
    plain = read(folder)
    monkeypatch.setattr(mapped_rows, "LARGE", 1)
    mapped = read(folder)
    assert plain.rows.equals(mapped.rows)
    for one, other in zip(plain.arrays, mapped.arrays, strict=True):
        assert np.array_equal(one, other)
    assert isinstance(mapped.arrays.images, np.memmap)
    again = row_sets.arrays(mapped.rows, mapped.arrays.images.base)
    assert np.shares_memory(again.test_images, mapped.arrays.test_images)


def test_bad_files_of_a_large_folder_are_left_out(folder, small_is_large):
    (folder / "a" / "03.png").write_bytes(b"no image")
    found = read(folder, skip_bad=True)
    assert len(found.rows) == 51 and "03.png" in found.skipped[0]
    sources = found.rows[found.rows["set"] == "train"]["source"]
    first = np.asarray(Image.open(sources.iloc[0]))
    assert np.array_equal(found.arrays.images[0], first)


@pytest.mark.slow
def test_a_run_on_a_map_is_the_run_in_memory(folder, tmp_path, monkeypatch):
    from gamo_tf import train
    from gamo_tf.config.options import resolve
    from gamo_tf.networks.batched import tensor_of

    found = []
    for size in (mapped_rows.LARGE, 1):
        monkeypatch.setattr(mapped_rows, "LARGE", size)
        data = read(folder)
        tensor = tensor_of(data.arrays.images)
        assert np.shares_memory(np.asarray(tensor), data.arrays.images) == (size == 1)
        options = resolve(
            {**data.settings, "iterations": 4, "seed": 0, "evaluate_every": 2}
        )
        run = train.run(options, tmp_path, tmp_path / "runs", data)
        found.append(json.loads((run.path / "results.json").read_text()))
    for name in ("test", "train", "validation"):
        assert found[0][name] == found[1][name]
    assert found[0]["validation"]["confusion"]

"""A user's images and tables: split, listed, and read again from the list."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gamo_tf.config.options import resolve, spec_of
from gamo_tf.data import image_folder, user_data
from gamo_tf.errors import UserError


def images(folder, size=16, gray=True, test_folder=None, split=0.2, skip_bad=False):
    return user_data.from_image_folder(
        folder, size, gray, test_folder, split, 0, skip_bad
    )


def assert_equal(one, two):
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_names_for_run_folders():
    assert user_data.slug("My Digits (2)") == "my-digits-2"
    assert user_data.slug("数据") == "own"


# ---- images ------------------------------------------------------------------------


def test_a_folder_of_images(image_root, image_sizes):
    found = images(image_root)
    options = resolve(found.settings)
    assert options.dataset == "my-digits" and options.data == str(image_root.resolve())
    assert options.classes == tuple(image_sizes) and options.shape == (16, 16, 1)
    assert options.counts == (48, 11, 7)  # 20% of each class are kept for testing
    assert spec_of(options).conv == (32, 32)
    rows = found.rows
    assert rows["source"].nunique() == sum(image_sizes.values())
    assert rows[rows["set"] == "test"].groupby("label").size().tolist() == [12, 3, 2]
    for label, name in enumerate(image_sizes):
        paths = rows[rows["label"] == label]["source"]
        assert {Path(p).parent for p in paths} == {(image_root / name).resolve()}
    train = rows[rows["set"] == "train"]
    pixels = image_folder.load(train["source"].iloc[3], 16, gray=True)
    np.testing.assert_array_equal(found.arrays.images[3], pixels)
    np.testing.assert_array_equal(found.arrays.labels, train["label"])
    assert found.arrays.labels.dtype == np.int64


def test_the_same_files_again_whatever_was_added(image_root, tmp_path):
    folder = tmp_path / "d"
    shutil.copytree(image_root, folder)
    found = images(folder, gray=False)
    options = resolve(found.settings)
    shutil.copy(folder / "one" / "000.png", folder / "one" / "new.png")
    # Through a file, as a run keeps them.
    found.rows.to_csv(tmp_path / "rows.csv", index=False)
    rows = pd.read_csv(tmp_path / "rows.csv")
    assert_equal(user_data.reload(options, rows), found.arrays)
    Path(rows["source"][0]).unlink()
    with pytest.raises(UserError, match="put them back"):
        user_data.reload(options, rows)


def test_a_test_folder_is_the_test_set(image_root, image_sizes, tmp_path):
    test_folder = tmp_path / "test"
    shutil.copytree(image_root / "one", test_folder / "one")
    found = images(image_root, test_folder=test_folder)
    assert found.settings["counts"] == tuple(image_sizes.values())
    assert found.arrays.test_labels.tolist() == [1] * image_sizes["one"]
    assert found.settings["test_data"] == str(test_folder.resolve())
    assert found.settings["test_split"] == 0


def test_files_that_cannot_be_read(image_root, image_sizes, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(image_root, folder)
    (folder / "one" / "notes.txt").write_text("no image")
    with pytest.raises(UserError, match=r"1 file\(s\) cannot be read") as caught:
        images(folder)
    assert "notes.txt" in str(caught.value) and "skip_bad" in str(caught.value)
    found = images(folder, skip_bad=True)
    assert len(found.skipped) == 1 and len(found.rows) == sum(image_sizes.values())
    assert len(found.arrays.images) + len(found.arrays.test_images) == len(found.rows)
    for path in (folder / "three").iterdir():
        path.write_bytes(b"broken")
    with pytest.raises(UserError, match=r"class three: 0 sample\(s\)"):
        images(folder, skip_bad=True)


def test_nothing_is_opened_where_only_settings_are_asked_for(image_root):
    found = images(image_root)
    rows = found.rows.assign(source="nowhere")
    settings = {"dataset": "d"}
    again = user_data.from_files(
        settings, ("eight", "one", "three"), 16, True, rows, decode=False
    )
    for name in ("classes", "shape", "counts", "test_per_class"):
        assert again.settings[name] == found.settings[name]
    assert again.arrays.images.shape == (66, 0)
    assert settings == {"dataset": "d"}  # the caller's are left as they are


def test_shares_that_cannot_be_kept_for_testing(image_root):
    for share in (0, 1, 2):
        with pytest.raises(UserError, match=f"test_split {share}: expected above 0"):
            images(image_root, split=share)
    with pytest.raises(UserError, match="no sample to test on: give a larger"):
        images(image_root, split=0.001)


# ---- tables ------------------------------------------------------------------------


def test_a_table(cells, tmp_path):
    path = tmp_path / "Cells.csv"
    cells.to_csv(path, index=False)
    found = user_data.from_feature_table(path, "kind", 0.2, 0)
    options = resolve(found.settings)
    assert options.dataset == "cells" and options.label == "kind"
    assert options.counts == (286, 16) and options.shape == (30,)
    assert found.arrays.images.dtype == np.float32
    train = found.rows[found.rows["set"] == "train"]
    X = cells.drop(columns="kind").to_numpy(np.float32)
    np.testing.assert_array_equal(found.arrays.images, X[train["source"]])
    kinds = np.array(options.classes)[found.arrays.labels]
    assert (kinds == cells["kind"].to_numpy()[train["source"]]).all()
    assert_equal(user_data.reload(options, found.rows), found.arrays)
    cells.head(200).to_csv(path, index=False)
    with pytest.raises(UserError, match="not the file the run was begun with"):
        user_data.reload(options, found.rows)


def test_a_class_of_one_row(tmp_path):
    frame = pd.DataFrame({"a": np.arange(40.0), "y": [1] * 39 + [0]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UserError, match=r"class 0: 1 sample\(s\)"):
        user_data.from_feature_table(tmp_path / "t.csv", "y", 0.2, 0)

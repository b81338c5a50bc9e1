"""A user's images and tables: split, listed, and read again from the list."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gamo_tf.config.options import resolve, spec_of
from gamo_tf.data import image_folder, user_data
from gamo_tf.data.splits import draw_split
from gamo_tf.errors import UserError, printable
from gamo_tf.stored import digest


def images(
    folder, size=16, gray=True, test_folder=None, split=0.2, skip_bad=False, aside=0.0
):
    return user_data.from_image_folder(
        folder, size, gray, test_folder, split, 0, skip_bad, aside
    )


def sizes(rows, name):
    return rows[rows["set"] == name].groupby("label").size().tolist()


def assert_equal(one, two):
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_names_for_run_folders():
    assert user_data.slug("My Digits (2)") == "my-digits-2"
    assert user_data.slug("数据") == "own"
    long = user_data.slug("Holiday photos " + "x" * 240)
    assert long.startswith("holiday-photos-xxx") and len(long) == 100
    assert long == user_data.slug("Holiday photos " + "x" * 240)
    assert long != user_data.slug("Holiday photos " + "x" * 239)


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


def test_files_with_several_pages_are_told(image_root, tmp_path):
    for part in ("train", "test"):
        shutil.copytree(image_root, tmp_path / part)
        first = Image.new("L", (16, 16), 9)
        path = tmp_path / part / "one" / "pages.tif"
        first.save(path, save_all=True, append_images=[first])
    data = user_data.from_image_folder(
        tmp_path / "train", 16, True, tmp_path / "test", 0.0, 0, False
    )
    notes = [note for note in data.notes if "several pages" in note]
    starts = [f"{tmp_path}/{part}: 1 file(s)" for part in ("train", "test")]
    assert [note.split(" have")[0] for note in notes] == starts


def test_the_same_files_again_whatever_was_added(image_root, tmp_path):
    folder = tmp_path / "d"
    shutil.copytree(image_root, folder)
    found = images(folder, gray=False)
    options = resolve(found.settings)
    shutil.copy(folder / "one" / "000.png", folder / "one" / "new.png")
    # Through a file, as a run keeps them.
    found.rows.to_csv(tmp_path / "rows.csv", index=False)
    rows = pd.read_csv(tmp_path / "rows.csv")
    again = user_data.reload(options, rows, found.identity)
    assert_equal(again, found.arrays)
    Path(rows["source"][0]).unlink()
    with pytest.raises(UserError, match="put them back"):
        user_data.reload(options, rows, found.identity)


def test_images_that_were_replaced_are_refused_by_name(image_root, tmp_path):
    folder = tmp_path / "d"
    shutil.copytree(image_root, folder)
    found = images(folder)
    options, rows = resolve(found.settings), found.rows
    assert found.identity == {"kind": "images"}
    places = [Path(p) for p in rows["source"]]
    assert rows["digest"].tolist() == [digest(p.read_bytes()) for p in places]
    for place in places[2:14]:
        place.write_bytes(places[20].read_bytes())
    with pytest.raises(UserError) as caught:
        user_data.reload(options, rows, found.identity)
    assert caught.value.message == (
        f"{places[2]}: is not the image that the run was begun with; 12 of "
        f"{len(rows)} file(s) differ. Put them back."
    )
    assert caught.value.details[0] == f"  {places[2]}"
    assert len(caught.value.details) == 11
    # A run of an older version cannot be compared.
    older = user_data.reload(options, rows.drop(columns="digest"), {})
    assert older.images.shape == found.arrays.images.shape
    # The same picture in other bytes is another file too.
    shutil.copytree(image_root, folder, dirs_exist_ok=True)
    user_data.reload(options, rows, found.identity)
    with open(places[5], "ab") as file:
        file.write(b"\0")
    with pytest.raises(UserError, match="1 of 83 file"):
        user_data.reload(options, rows, found.identity)


def test_a_share_is_set_aside_for_validation(image_root, tmp_path):
    plain, found = images(image_root), images(image_root, aside=0.25)
    rows, arrays = found.rows, found.arrays
    assert found.settings["validation_split"] == 0.25
    assert plain.settings["validation_split"] == 0 and not len(sizes(plain.rows, "v"))
    # 20% and 25% of 60, 14 and 9 images; what is tested on is what it was.
    assert sizes(rows, "test") == [12, 3, 2]
    assert sizes(rows, "validation") == [15, 4, 2]
    assert found.settings["counts"] == (33, 7, 5)
    assert rows["source"].is_unique and len(rows) == len(plain.rows)
    for name in ("source", "label"):
        tested = [r[r["set"] == "test"][name].tolist() for r in (plain.rows, rows)]
        assert tested[0] == tested[1]
    validation = rows[rows["set"] == "validation"]
    np.testing.assert_array_equal(arrays.validation_labels, validation["label"])
    pixels = image_folder.load(validation["source"].iloc[16], 16, gray=True)
    np.testing.assert_array_equal(arrays.validation_images[16], pixels)
    split = draw_split(arrays, spec_of(resolve(found.settings)), (33, 7, 5), 0, 0)
    train = rows[rows["set"] == "train"]
    np.testing.assert_array_equal(split.images, arrays.images)
    np.testing.assert_array_equal(split.labels, train["label"])
    np.testing.assert_array_equal(split.validation_images, arrays.validation_images)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    kept = pd.read_csv(tmp_path / "rows.csv")
    again = user_data.reload(resolve(found.settings), kept, found.identity)
    assert_equal(again, arrays)


def test_validation_beside_a_test_folder_and_in_small_classes(image_root, tmp_path):
    test_folder = tmp_path / "test"
    shutil.copytree(image_root / "one", test_folder / "one")
    found = images(image_root, test_folder=test_folder, aside=0.9)
    assert found.settings["counts"] == (6, 2, 2)  # two are left, whatever the share
    assert sizes(found.rows, "validation") == [54, 12, 7]
    assert found.settings["test_split"] == 0
    assert any("test images are byte for byte" in note for note in found.notes)


def test_validation_images_that_are_trained_on_are_told(image_root, tmp_path):
    folder = tmp_path / "d"
    shutil.copytree(image_root, folder)
    for k in range(40):
        shutil.copy(folder / "three" / "000.png", folder / "three" / f"x{k}.png")
    words = "validation images are byte for byte training images"
    assert len([n for n in images(folder, aside=0.3).notes if words in n]) == 1


def test_shares_that_cannot_be_set_aside(image_root):
    for share in (-0.1, 1, np.nan):
        with pytest.raises(
            UserError, match=r"validation_split .*expected 0 to below 1"
        ):
            images(image_root, aside=share)
    with pytest.raises(UserError, match=r"test_split 0\.5 and validation_split 0\.5"):
        images(image_root, split=0.5, aside=0.5)
    with pytest.raises(UserError, match=r"validation_split 0\.001: no sample"):
        images(image_root, aside=0.001)


def test_test_images_that_are_trained_on_are_told(image_root, tmp_path):
    assert images(image_root).notes == []
    folder, test_folder = tmp_path / "d", tmp_path / "test"
    shutil.copytree(image_root, folder)
    shutil.copytree(image_root / "one", test_folder / "three")  # in another class
    (test_folder / "one").mkdir()
    Image.new("L", (9, 9)).save(test_folder / "one" / "new.png")
    (test_folder / "one" / "linked").symlink_to(folder / "eight")
    (test_folder / "loose.png").write_bytes(b"")
    beside, note = images(folder, test_folder=test_folder).notes
    assert beside.startswith(f"{test_folder}: 1 image file(s) beside")
    assert note == (
        "74 of 75 test images are byte for byte training images, such as "
        f"{test_folder}/one/linked/000.png and {folder}/eight/000.png"
    )


def test_names_that_are_no_text(image_root, tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9\n$1")
    shutil.copytree(image_root, folder)
    odd = folder / "one" / os.fsdecode(b"\xe9\r\n$.png")
    (folder / "one" / "000.png").rename(odd)
    found = images(folder)
    assert str(odd) in found.rows["source"].tolist()
    again = user_data.reload(resolve(found.settings), found.rows, found.identity)
    assert_equal(again, found.arrays)
    odd.write_bytes(b"broken")
    with pytest.raises(UserError) as caught:
        images(folder)
    line = printable(caught.value.message)
    assert "\n" not in line and line.isascii()


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
    assert found.arrays.images.dtype == np.float64
    train = found.rows[found.rows["set"] == "train"]
    X = cells.drop(columns="kind").to_numpy(np.float64)
    np.testing.assert_array_equal(found.arrays.images, X[train["source"]])
    kinds = np.array(options.classes)[found.arrays.labels]
    assert (kinds == cells["kind"].to_numpy()[train["source"]]).all()
    assert_equal(user_data.reload(options, found.rows, found.identity), found.arrays)
    cells.head(200).to_csv(path, index=False)
    with pytest.raises(UserError, match="200 rows; the run was begun with 377"):
        user_data.reload(options, found.rows, found.identity)


@pytest.mark.parametrize("seed", range(3))
def test_a_table_with_validation_rows(seed, cells, tmp_path):
    path = tmp_path / "cells.csv"
    cells.to_csv(path, index=False)
    plain = user_data.from_feature_table(path, "kind", 0.2, seed)
    found = user_data.from_feature_table(path, "kind", 0.2, seed, 0.3)
    options = resolve(found.settings)
    assert options.validation_split == 0.3 and options.counts == (179, 10)
    rows, X = found.rows, cells.drop(columns="kind").to_numpy(np.float64)
    assert sorted(rows["source"]) == list(range(len(cells)))
    assert sizes(rows, "validation") == [107, 6]
    tested = [r[r["set"] == "test"]["source"].tolist() for r in (plain.rows, rows)]
    assert tested[0] == tested[1]
    validation = rows[rows["set"] == "validation"]["source"]
    np.testing.assert_array_equal(found.arrays.validation_images, X[validation])
    assert_equal(user_data.reload(options, rows, found.identity), found.arrays)


def test_a_class_of_one_row(tmp_path):
    frame = pd.DataFrame({"a": np.arange(40.0), "y": [1] * 39 + [0]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UserError, match=r"class 0: 1 sample\(s\)"):
        user_data.from_feature_table(tmp_path / "t.csv", "y", 0.2, 0)

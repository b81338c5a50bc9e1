"""A user's images, from the command line."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import train_gamo
import train_gamo2pix
from gamo_tf.config.options import spec_of
from gamo_tf.data import image_folder
from gamo_tf.runs.run import Run


def test_a_folder_of_images_trains_with_its_class_sizes(
    images_run, image_root, image_sizes
):
    run = Run.open(images_run)
    options, results = run.options, run.read_results()
    assert results["classes"] == list(image_sizes) and options.shape == (16, 16, 1)
    assert options.counts == (48, 11, 7)  # 20% of each class are kept for testing
    assert spec_of(options).conv == (32, 32)
    rows = run.rows()
    assert rows["source"].nunique() == sum(image_sizes.values())
    assert rows[rows["set"] == "test"].groupby("label").size().tolist() == [12, 3, 2]
    for label, name in enumerate(image_sizes):
        files = rows[rows["label"] == label]["source"]
        assert {Path(p).parent for p in files} == {(image_root / name).resolve()}
    assert np.sum(results["test"]["confusion"]) == 17


def test_the_same_rows_again(images_run, tmp_path):
    run = Run.open(images_run)
    split = run.load_split(run.arrays(tmp_path))
    rows = run.rows()
    row = rows[rows["set"] == "train"].iloc[3]
    expected = image_folder.load(row["source"], 16, gray=True)
    np.testing.assert_array_equal(split.images[3], expected)
    assert split.labels[3] == row["label"]


@pytest.mark.slow
def test_a_balanced_folder_names_the_users_files(
    images_run, image_sizes, quick_reference, tmp_path
):
    copy, folder = tmp_path / "run", tmp_path / "balanced"
    shutil.copytree(images_run, copy)
    run = Run.open(copy)
    quick_reference(spec_of(run.options), run.arrays(tmp_path), tmp_path)
    flags = ["--class", "all", "--run", str(copy), "--iterations", "5", "--anyway"]
    flags += ["--shared-iterations", "5"]
    flags += ["--fid-features", "classifier", "--data-dir", str(tmp_path)]
    assert train_gamo2pix.main([*flags, "--save-balanced", str(folder)]) == 0
    sheet = pd.read_csv(folder / "manifest.csv")
    folders = [p for p in (folder / "train").iterdir() if p.is_dir()]
    sizes = {p.name: len(list(p.iterdir())) for p in folders}
    assert sizes == dict.fromkeys(image_sizes, 48)
    for file, source in sheet[sheet["synthetic"] == 0][["file", "source"]].to_numpy():
        assert (folder / file).read_bytes() == Path(source).read_bytes()
    rows = run.rows()
    assert len(list((folder / "test").rglob("real-*"))) == (rows["set"] == "test").sum()
    generated = sheet[(sheet["synthetic"] == 1) & (sheet["name"] == "three")]
    parents = generated["parent_1_source"]
    assert len(generated) == 41 and {Path(p).parent.name for p in parents} == {"three"}
    real = sheet[sheet["synthetic"] == 0].set_index("file")["source"]
    one = generated.iloc[0]
    assert real[one["parent_1"]] == one["parent_1_source"]
    assert Path(one["parent_1_source"]).is_file()


@pytest.mark.slow
def test_replaced_images_are_refused_and_odd_names_work(image_root, tmp_path, capsys):
    copy = tmp_path / os.fsdecode(b"d\xe9")
    shutil.copytree(image_root, copy)
    odd = copy / "one" / os.fsdecode(b'\xe9\r\n$",.png')
    (copy / "one" / "000.png").rename(odd)
    (copy / "three").rename(copy / "under_$5_to_$10")
    flags = ["--image-folder", str(copy), "--image-size", "16", "--iterations", "4"]
    assert train_gamo.main([*flags, "--runs-dir", str(tmp_path / "r")]) == 0
    (path,) = (tmp_path / "r").glob("0*")
    assert str(odd) in Run.open(path).rows()["source"].tolist()
    (path / "results.json").unlink()
    assert train_gamo.main(["--resume", str(path)]) == 0
    (path / "results.json").unlink()
    shutil.copy(copy / "eight" / "000.png", odd)
    capsys.readouterr()
    assert train_gamo.main(["--resume", str(path)]) == 2
    error = capsys.readouterr().err
    assert "is not the image that the run was begun with; 1 of 83 file(s)" in error


@pytest.mark.slow
def test_resume_reads_the_same_files(image_root, tmp_path, capsys):
    copy = tmp_path / "d"
    shutil.copytree(image_root, copy)
    flags = ["--image-folder", str(copy), "--image-size", "16", "--iterations", "6"]
    assert train_gamo.main([*flags, "--runs-dir", str(tmp_path / "r")]) == 0
    run = Run.open(tmp_path / "r" / "00000-d-balanced-pairs-ce")
    (run.path / "results.json").unlink()
    shutil.copy(copy / "one" / "000.png", copy / "one" / "new.png")
    assert train_gamo.main(["--resume", str(run.path)]) == 0  # a new file is no matter
    assert not any("new.png" in path for path in run.rows()["source"])
    capsys.readouterr()
    assert train_gamo.main(["--resume", str(run.path), *flags[:2]]) == 2
    assert "--image-folder: cannot be changed" in capsys.readouterr().err
    (run.path / "results.json").unlink()
    Path(run.rows()["source"][0]).unlink()
    assert train_gamo.main(["--resume", str(run.path)]) == 2
    assert "put them back" in capsys.readouterr().err


# ---- bad input ---------------------------------------------------------------------


@pytest.fixture
def refused(tmp_path, capsys):
    """Runs train_gamo.py, which must refuse; what it said."""

    def run(*flags: object) -> str:
        where = ["--runs-dir", str(tmp_path / "r"), "--image-size", "16"]
        assert train_gamo.main([*map(str, flags), *where]) == 2
        assert not (tmp_path / "r").exists()
        return capsys.readouterr().err

    return run


def test_folders_without_classes_or_images(refused, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "0 class folder(s) found" in refused("--image-folder", empty)
    (empty / "a").mkdir()
    (empty / "b").mkdir()
    assert "no image in this class folder" in refused("--image-folder", empty)


def test_files_that_cannot_be_read(refused, image_root, image_sizes, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(image_root, copy)
    (copy / "one" / "notes.txt").write_text("no image")
    error = refused("--image-folder", copy)
    assert "1 file(s) cannot be read" in error
    assert "notes.txt" in error and "--skip-bad" in error
    flags = ["--image-folder", str(copy), "--image-size", "16", "--skip-bad"]
    assert train_gamo.main([*flags, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("left out: ") and shown.count("left out") == 1
    for path in (copy / "three").iterdir():
        path.write_bytes(b"broken")
    error = refused("--image-folder", copy, "--skip-bad")
    assert "class three: 0 sample(s)" in error


def test_a_wrong_level_is_refused(refused, image_root, tmp_path):
    for part in ("train", "test"):
        shutil.copytree(image_root, tmp_path / "d" / part)
    error = refused("--image-folder", tmp_path / "d")
    right = f"--image-folder {tmp_path}/d/train --test-folder {tmp_path}/d/test"
    assert f"Give {right}." in error and error.count("\n") == 1


def test_what_a_person_should_know_is_told_before_training(
    image_root, tmp_path, capsys
):
    folder = tmp_path / "d"
    shutil.copytree(image_root, folder)
    shutil.copytree(image_root / "one", tmp_path / "test" / "one")
    (folder / "loose.png").write_bytes(b"")
    (folder / "gone").symlink_to("nowhere")
    (folder / "one" / ".ipynb_checkpoints").mkdir()
    (folder / "one" / ".ipynb_checkpoints" / "000.png").write_bytes(b"hidden")
    flags = ["--image-folder", str(folder), "--test-folder", str(tmp_path / "test")]
    assert train_gamo.main([*flags, "--image-size", "16", "--dry-run"]) == 0
    shown = [x for x in capsys.readouterr().out.splitlines() if x.startswith("note: ")]
    assert len(shown) == 3
    assert "gone: a link that leads nowhere" in shown[0]
    assert "1 image file(s) beside the class folders" in shown[1]
    assert "14 of 14 test images are byte for byte training images" in shown[2]


def test_test_images_that_do_not_fit(refused, image_root, tmp_path):
    odd = tmp_path / "odd"
    shutil.copytree(image_root / "one", odd / "seven")
    error = refused("--image-folder", image_root, "--test-folder", odd)
    assert "--test-folder" in error and "seven: no such class in training" in error
    error = refused("--image-folder", image_root, "--test-split", "2")
    assert "--test-split 2: expected above 0 and below 1" in error
    flags = ["--test-folder", odd, "--test-split", "0.5"]
    assert "give one of them" in refused("--image-folder", image_root, *flags)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dataset", "digits", "--image-folder", "x"], "give one of them"),
        (["--dataset", "digits", "--label", "y"], "goes with"),
        (["--dataset", "sun397", "--color", "gray"], "goes with"),
        (["--features", "x.csv"], "needs --label"),
        (["--features", "x.csv", "--label", "y"], "no such file"),
        (["--features", __file__, "--label", "y"], ".npz, .csv, .parquet"),
        (["--features", "x.csv", "--label", "y", "--color", "gray"], "does not go"),
        (["--image-folder", "nowhere"], "no such folder"),
        (["--image-folder", "x", "--image-size", "4"], "expected 8 to 512"),
        (["--image-folder", "x", "--save-balanced", "y"], "does not go"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_flags_that_do_not_go_together(flags, message, capsys):
    assert train_gamo.main(flags) == 2
    assert message in capsys.readouterr().err


def test_the_data_decides_the_class_sizes(image_root, capsys):
    flags = ["--image-folder", str(image_root), "--image-size", "16", "--dry-run"]
    for more in (["--counts", "9,5,2"], ["--imbalance-ratio", "9"]):
        assert train_gamo.main([*flags, *more]) == 2
        expected = f"{more[0]}: does not go with --image-folder."
        assert expected in capsys.readouterr().err

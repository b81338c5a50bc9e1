"""The user's own images, from the command line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_digits

import predict
import train_gamo
import train_gamo2pix
from gamo_tf.datasets import own, own_images
from gamo_tf.options import spec_of
from gamo_tf.runs import Run

SIZES = {"eight": 60, "one": 14, "three": 9}
DIGIT = {"eight": 8, "one": 1, "three": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Real digits as a user has them: sizes, formats and modes mixed."""
    root = tmp_path_factory.mktemp("own") / "My Digits"
    images, labels = load_digits(return_X_y=True)
    for name, n in SIZES.items():
        (root / name).mkdir(parents=True)
        for k, row in enumerate(images[labels == DIGIT[name]][:n]):
            image = Image.fromarray((row * 15.9).astype(np.uint8).reshape(8, 8))
            image = image.resize((16 + k % 3, 20), Image.Resampling.NEAREST)
            kind = ("png", "jpg", "bmp", "gif", "webp")[k % 5]
            image.save(root / name / f"{k:03d}.{kind}")
    (root / "one" / "Thumbs.db").write_bytes(b"left by a file manager")
    return root


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory) -> Run:
    runs = tmp_path_factory.mktemp("runs")
    flags = ["--image-folder", str(folder), "--image-size", "16", "--color", "gray"]
    assert train_gamo.main([*flags, "--iterations", "40", "--runs-dir", str(runs)]) == 0
    return Run(runs / "00000-my-digits-gamo-ls")


def test_a_folder_of_images_trains_with_its_own_class_sizes(trained, folder):
    options, results = trained.options, trained.read_results()
    assert results["classes"] == list(SIZES) and options.shape == (16, 16, 1)
    assert options.counts == (48, 11, 7)  # 20% of each class are kept for testing
    assert spec_of(options).conv == (32, 32)
    rows = trained.rows()
    assert rows["source"].nunique() == sum(SIZES.values())
    assert rows[rows["set"] == "test"].groupby("label").size().tolist() == [12, 3, 2]
    for label, name in enumerate(SIZES):
        mine = rows[rows["label"] == label]["source"]
        assert {Path(p).parent for p in mine} == {(folder / name).resolve()}
    assert np.sum(results["test"]["confusion"]) == 17


def test_the_same_rows_again(trained):
    split = trained.load_split(trained.arrays(Path()))
    rows = trained.rows()
    first = rows[rows["set"] == "train"].iloc[3]
    expected = own_images.load(first["source"], 16, gray=True)
    np.testing.assert_array_equal(split.images[3], expected)
    assert split.labels[3] == first["label"]


def test_balanced_folder_of_own_images_names_the_files(trained, folder, tmp_path):
    flags = ["--class", "all", "--run", str(trained.path), "--iterations", "5"]
    flags += ["--fid-features", "classifier", "--data-dir", str(tmp_path)]
    assert train_gamo2pix.main([*flags, "--save-balanced", str(tmp_path / "b")]) == 0
    sheet = pd.read_csv(tmp_path / "b" / "manifest.csv")
    sizes = {
        p.name: len(list(p.iterdir())) for p in (tmp_path / "b" / "train").iterdir()
    }
    assert sizes == dict.fromkeys(SIZES, 48)
    made = sheet[(sheet["synthetic"] == 1) & (sheet["name"] == "three")]
    assert len(made) == 41 and set(
        made["parent_1_source"].map(lambda p: Path(p).parent.name)
    ) == {"three"}
    real = sheet[sheet["synthetic"] == 0].set_index("file")["source"]
    one = made.iloc[0]
    assert real[one["parent_1"]] == one["parent_1_source"]
    assert Path(one["parent_1_source"]).is_file()


def test_predict_and_export_agree(trained, folder, tmp_path, capsys, monkeypatch):
    files = sorted(str(p) for p in (folder / "eight").iterdir())
    out = tmp_path / "p.csv"
    asked = ["--run", str(trained.path), str(folder / "eight"), "--all-probabilities"]
    assert predict.main([*asked, "--out", str(out)]) == 0
    sheet = pd.read_csv(out)
    assert sheet["file"].tolist() == files
    np.testing.assert_allclose(sheet[list(SIZES)].sum(axis=1), 1, atol=1e-4)
    best = sheet[list(SIZES)].idxmax(axis=1)
    assert (best == sheet["label"]).all()

    monkeypatch.setattr("sys.stdin", iter(f"{f}\n" for f in files[:3]))
    assert predict.main(["--run", str(trained.path), "-"]) == 0
    assert capsys.readouterr().out.count("\n") == 4

    place = tmp_path / "export"
    assert predict.main(["--run", str(trained.path), "--export", str(place)]) == 0
    code = (
        "import sys, json, zipfile, keras, numpy as np\n"
        "model = keras.saving.load_model(sys.argv[1] + '/model.keras')\n"
        "told = zipfile.ZipFile(sys.argv[1] + '/model.keras').read('metadata.json')\n"
        "x = np.load(sys.argv[1] + '/x.npy')\n"
        "print(json.dumps([json.loads(told)['classes'], model(x).numpy().tolist()]))\n"
    )
    x = np.stack([own_images.load(f, 16, gray=True) for f in files[:3]])
    np.save(place / "x.npy", x)
    done = subprocess.run(  # in another folder: without this package
        [sys.executable, "-c", code, str(place)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    classes, p = json.loads(done.stdout.splitlines()[-1])
    assert classes == list(SIZES)
    np.testing.assert_allclose(p, sheet[list(SIZES)][:3], atol=1e-4)
    served = tf.saved_model.load(str(place / "saved_model"))
    found = served.signatures["serving_default"](tf.constant(x, tf.float32))
    assert [v.decode() for v in found["label"].numpy()] == sheet["label"][:3].tolist()
    assert predict.main(["--run", str(trained.path), "--export", str(place)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_an_unreadable_file_is_told_and_the_others_are_predicted(
    trained, folder, tmp_path, capsys
):
    (tmp_path / "no.png").write_bytes(b"nothing")
    good = str(folder / "one" / "000.png")
    assert (
        predict.main(["--run", str(trained.path), str(tmp_path / "no.png"), good]) == 2
    )
    caught = capsys.readouterr()
    assert "no.png: cannot identify" in caught.err and good in caught.out


def test_resume_reads_the_same_files(folder, tmp_path, capsys):
    copy = tmp_path / "d"
    shutil.copytree(folder, copy)
    flags = ["--image-folder", str(copy), "--image-size", "16", "--iterations", "6"]
    assert train_gamo.main([*flags, "--runs-dir", str(tmp_path / "r")]) == 0
    run = Run(tmp_path / "r" / "00000-d-gamo-ls")
    (run.path / "results.json").unlink()
    shutil.copy(copy / "one" / "000.png", copy / "one" / "new.png")
    assert train_gamo.main(["--resume", str(run.path)]) == 0  # a new file is no matter
    assert not any("new.png" in s for s in run.rows()["source"])
    capsys.readouterr()
    assert train_gamo.main(["--resume", str(run.path), *flags[:2]]) == 2
    assert "--image-folder: cannot be changed" in capsys.readouterr().err
    (run.path / "results.json").unlink()
    Path(run.rows()["source"][0]).unlink()
    capsys.readouterr()
    assert train_gamo.main(["--resume", str(run.path)]) == 2
    assert "put them back" in capsys.readouterr().err


def test_what_becomes_of_odd_images(tmp_path):
    def back(image: Image.Image, name: str = "x.png", gray: bool = False):
        image.save(tmp_path / name)
        return own_images.load(tmp_path / name, 8, gray)

    deep = Image.fromarray(np.full((8, 8), 257 * 200, np.uint16))
    assert (back(deep, gray=True) == 200).all()
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert (back(clear) == 255).all()  # transparent: white
    palette = Image.new("P", (8, 8), 3)
    palette.putpalette([0] * 9 + [10, 20, 30])
    assert (back(palette)[0, 0] == (10, 20, 30)).all()
    ink = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert (np.abs(back(ink, "x.tif")[0, 0].astype(int) - (255, 0, 0)) < 3).all()
    turned = np.zeros((4, 8), np.uint8)
    turned[:, 2:6] = 255  # the central square
    assert back(Image.fromarray(turned), gray=True).mean() > 240
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    half = np.zeros((8, 8), np.uint8)
    half[:4] = 255
    Image.fromarray(half).save(tmp_path / "e.png", exif=exif)
    assert own_images.load(tmp_path / "e.png", 8, True)[:, 4:].mean() > 250
    Image.fromarray(np.zeros((8, 8), np.float32)).save(tmp_path / "f.tif")
    with pytest.raises(ValueError, match="floating-point"):
        own_images.load(tmp_path / "f.tif", 8, True)


def test_describe(folder, tmp_path, capsys):
    flags = ["--image-folder", str(folder), "--image-size", "16", "--describe"]
    assert (
        train_gamo.main([*flags, "--iterations", "20", "--runs-dir", str(tmp_path)])
        == 0
    )
    told = capsys.readouterr().out
    assert (
        "66 training rows of 16 x 16 x 3 pixels, 3 classes, imbalance ratio 6.9" in told
    )
    assert "MiB of memory" in told and "00000" not in "".join(
        map(str, tmp_path.iterdir())
    )
    assert np.asarray(Image.open(tmp_path / "describe-my-digits.png")).std() > 10
    # 41 of the 78 samples that are lacking are of class three: 20 x 32 x 41 / 78.
    line = next(text for text in told.splitlines() if text.startswith("three"))
    assert line.split()[3:5] == ["41", "336"]


# ---- bad input -----------------------------------------------------------------


def test_bad_folders(folder, tmp_path, capsys):
    def told(*flags: str) -> str:
        runs = ["--runs-dir", str(tmp_path / "r"), "--image-size", "16"]
        assert train_gamo.main([*flags, *runs]) == 2
        assert not (tmp_path / "r").exists()
        return capsys.readouterr().err

    empty = tmp_path / "empty"
    empty.mkdir()
    assert "0 class folder(s) found" in told("--image-folder", str(empty))
    (empty / "a").mkdir()
    (empty / "b").mkdir()
    assert "no image in this class folder" in told("--image-folder", str(empty))
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "one" / "notes.txt").write_text("no image")
    err = told("--image-folder", str(copy))
    assert (
        "1 file(s) cannot be read" in err and "notes.txt" in err and "--skip-bad" in err
    )
    found = own.images(copy, 16, False, None, 0.2, 0, True)
    assert len(found.skipped) == 1 and len(found.rows) == sum(SIZES.values())
    for path in (copy / "three").iterdir():
        path.write_bytes(b"broken")
    assert "class three: 0 sample(s)" in told("--image-folder", str(copy), "--skip-bad")
    odd = tmp_path / "odd"
    shutil.copytree(folder / "one", odd / "seven")
    err = told("--image-folder", str(folder), "--test-folder", str(odd))
    assert "seven: no such class in training" in err
    assert "above 0 and below 1" in told(
        "--image-folder", str(folder), "--test-split", "2"
    )


def test_a_test_folder_is_the_test_set(folder, tmp_path):
    held = tmp_path / "held"
    shutil.copytree(folder / "one", held / "one")
    found = own.images(folder, 16, True, held, 0.2, 0, False)
    assert found.settings["counts"] == tuple(SIZES.values())
    assert found.arrays[3].tolist() == [1] * SIZES["one"]
    assert found.settings["test_data"] == str(held.resolve())


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--dataset", "digits", "--image-folder", "x"], "give one of them"),
        (["--dataset", "digits", "--label", "y"], "goes with"),
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
def test_flags_that_do_not_go_together(flags, told, capsys):
    assert train_gamo.main(flags) == 2
    assert told in capsys.readouterr().err


def test_predict_bad_input(trained, tmp_path, capsys):
    assert predict.main(["--run", str(trained.path)]) == 2
    assert "nothing to do" in capsys.readouterr().err
    assert predict.main(["--run", str(tmp_path), "x.png"]) == 2
    assert "not a run folder" in capsys.readouterr().err
    assert predict.main(["--runs-dir", str(tmp_path), "x.png"]) == 2
    assert "no finished run" in capsys.readouterr().err


def test_exported_layers_are_keras_s_own(trained):
    from gamo_tf import export

    whole = export.model(trained, spec_of(trained.options))
    names = {type(layer).__module__.split(".")[0] for layer in whole.layers}
    assert names == {"keras"} and whole.input_shape == (None, None, None, 1)
    assert isinstance(whole, keras.Model)

"""Classes of new files, and one model to take elsewhere."""

import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image

import predict
from gamo_tf.data import image_folder

# Reads the exported model with Keras alone; prints classes and probabilities.
ELSEWHERE = """
import sys, json, zipfile, keras, numpy as np
file = sys.argv[1] + "/model.keras"
metadata = json.loads(zipfile.ZipFile(file).read("metadata.json"))
p = keras.saving.load_model(file)(np.load(sys.argv[1] + "/x.npy")).numpy()
assert "gamo_tf" not in sys.modules
print(json.dumps([metadata["classes"], p.tolist()]))
"""


@pytest.fixture(scope="module")
def probabilities(images_run, image_root, tmp_path_factory) -> pd.DataFrame:
    """What predict.py says of the folder "eight", with all probabilities."""
    out = tmp_path_factory.mktemp("predicted") / "p.csv"
    flags = ["--run", str(images_run), "--all-probabilities", "--out", str(out)]
    assert predict.main([*flags, str(image_root / "eight")]) == 0
    return pd.read_csv(out)


def test_a_folder_becomes_a_table(probabilities, image_root, image_sizes):
    files = sorted(str(p) for p in (image_root / "eight").iterdir())
    assert probabilities["file"].tolist() == files
    by_class = probabilities[list(image_sizes)]
    np.testing.assert_allclose(by_class.sum(axis=1), 1, atol=1e-4)
    assert (by_class.idxmax(axis=1) == probabilities["label"]).all()
    best = by_class.max(axis=1)
    np.testing.assert_allclose(best, probabilities["probability"], atol=1e-6)


def test_a_list_on_standard_input(probabilities, images_run, capsys, monkeypatch):
    lines = "".join(f"{file}\n" for file in probabilities["file"][:3])
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    assert predict.main(["--run", str(images_run), "-"]) == 0
    sheet = pd.read_csv(io.StringIO(capsys.readouterr().out))
    pd.testing.assert_frame_equal(sheet, probabilities[list(sheet.columns)][:3])


@pytest.mark.slow
def test_an_exported_model_predicts_the_same_without_this_package(
    probabilities, images_run, image_sizes, tmp_path, capsys
):
    folder = tmp_path / "export"
    assert predict.main(["--run", str(images_run), "--export", str(folder)]) == 0
    assert "saved_model/" in capsys.readouterr().err
    files = probabilities["file"][:3]
    x = np.stack([image_folder.load(file, 16, gray=True) for file in files])
    np.save(folder / "x.npy", x)
    done = subprocess.run(  # in another folder, where this package is not found
        [sys.executable, "-c", ELSEWHERE, str(folder)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    classes, p = json.loads(done.stdout.splitlines()[-1])
    assert classes == list(image_sizes)
    expected = probabilities[list(image_sizes)][:3]
    np.testing.assert_allclose(p, expected, atol=1e-4)
    served = tf.saved_model.load(str(folder / "saved_model"))
    found = served.signatures["serving_default"](tf.constant(x, tf.float32))
    labels = [label.decode() for label in found["label"].numpy()]
    assert labels == probabilities["label"][:3].tolist()
    assert predict.main(["--run", str(images_run), "--export", str(folder)]) == 2
    assert "--export" in (error := capsys.readouterr().err)
    assert "is there already" in error


def test_an_unreadable_file_is_reported_and_the_others_are_predicted(
    images_run, image_root, tmp_path, capsys
):
    bad, good = tmp_path / "no.png", str(image_root / "one" / "000.png")
    bad.write_bytes(b"nothing")
    assert predict.main(["--run", str(images_run), str(bad), good]) == 2
    caught = capsys.readouterr()
    assert caught.err.startswith(f"predict.py: {bad}: cannot identify")
    assert good in caught.out and str(bad) not in caught.out


def test_bad_input(images_run, tmp_path, capsys):
    def refused(*flags: object) -> str:
        assert predict.main([*map(str, flags)]) == 2
        return capsys.readouterr().err

    assert "nothing to do" in refused("--run", images_run)
    assert "not a run folder" in refused("--run", tmp_path, "x.png")
    assert "no finished run" in refused("--runs-dir", tmp_path, "x.png")
    half = tmp_path / "00000-half-gamo-ls"
    half.mkdir()
    (half / "options.json").write_bytes((images_run / "options.json").read_bytes())
    assert "not finished" in refused("--run", half, "x.png")


# ---- folders and names of all kinds ------------------------------------------------


def test_a_folder_is_read_as_in_training(
    probabilities, images_run, image_root, tmp_path, capsys
):
    folder = tmp_path / "new"
    shutil.copytree(image_root / "eight", folder / "deep")
    for name in ("Thumbs.db", "deep/desktop.ini", "@eaDir/x.png", "deep/.hid/x.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"no image")
    (folder / "linked").symlink_to(image_root / "one")
    (folder / "round").symlink_to(folder)
    assert predict.main(["--run", str(images_run), str(folder)]) == 0
    sheet = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert len(sheet) == 60 + 14
    linked = sheet["file"].str.startswith(f"{folder}/linked/")
    assert sheet[~linked]["label"].tolist() == probabilities["label"].tolist()


def test_what_is_no_file_is_listed(images_run, image_root, tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to("nowhere")
    (tmp_path / "new\nline.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0")
    good = str(image_root / "one" / "000.png")
    arguments = [str(tmp_path), good, "x" * 300]
    assert predict.main(["--run", str(images_run), *arguments]) == 2
    caught = capsys.readouterr()
    assert caught.err.splitlines() == [
        f"predict.py: {tmp_path}/gone.png: no such file.",
        f"predict.py: {tmp_path}/new\\nline.png: cannot identify the format of an "
        "image in it",
        f"predict.py: {tmp_path}/pipe.png: not a regular file.",
        f"predict.py: {'x' * 300}: cannot be read (File name too long).",
    ]
    assert len(caught.out.splitlines()) == 2 and good in caught.out


def test_names_that_are_no_text(images_run, image_root, tmp_path, monkeypatch):
    odd = [b"caf\xe9.png", b"a\nb.png", b"$x$, \ry.png", " \u0142 .png".encode()]
    for name in odd:
        shutil.copy(image_root / "one" / "000.png", tmp_path / os.fsdecode(name))
    flags = ["--run", str(images_run)]
    out = tmp_path / "out" / "p.csv"
    out.parent.mkdir()
    assert predict.main([*flags, "--out", str(out), str(tmp_path)]) == 0
    data = out.read_bytes()
    assert all(os.fsencode(tmp_path) + b"/" + name in data for name in odd)
    # A pipe in UTF-8 gets the same bytes; a console without such letters, escapes.
    listed = b"\0".join(os.fsencode(tmp_path) + b"/" + name for name in odd)
    for encoding in ("utf-8", "cp1252"):
        given, shown = (io.BytesIO(content) for content in (listed, b""))
        for name, stream in (("stdin", given), ("stdout", shown)):
            text = io.TextIOWrapper(stream, encoding=encoding)
            monkeypatch.setattr(sys, name, text)
        assert predict.main([*flags, "-"]) == 0
        if encoding == "utf-8":
            assert sorted(shown.getvalue().split(b"\n")) == sorted(data.split(b"\n"))
        else:
            assert b"\\u0142" in shown.getvalue()


# ---- outputs that are inputs --------------------------------------------------------


def test_predictions_replace_no_input_and_no_other_file(
    images_run, image_root, tmp_path, capsys
):
    folder = tmp_path / "my photos"
    shutil.copytree(image_root / "one", folder / "one")
    photo = folder / "one" / "000.png"
    (tmp_path / "link.png").symlink_to(photo)
    os.link(photo, tmp_path / "hard.png")
    (tmp_path / "other.csv").write_text("id,age\n1,60\n")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    for files, out, why in (
        ([photo], photo, "is an input"),
        ([photo], tmp_path / "link.png", "is an input"),
        ([tmp_path / "link.png"], tmp_path / "hard.png", "is an input"),
        ([folder], photo, "is an input"),
        ([photo], folder, "holds the input"),
        ([folder / "one"], folder / "one", "holds the input"),
        ([photo], tmp_path / "other.csv", "is there already, and holds no predictions"),
        ([photo], images_run / "results.json", "holds no predictions"),
        ([photo], tmp_path / "new" / "p.csv", "there is no folder"),
        ([photo], tmp_path, "holds the input"),
    ):
        flags = ["--run", images_run, "--out", out, *files]
        assert predict.main([*map(str, flags)]) == 2
        error = capsys.readouterr().err
        assert error.startswith("predict.py: --out ") and why in error, error
        assert error.count("\n") == 1
    for target, why in (
        (folder, "is an input"),
        (folder / "model", "lies in the input"),
        (tmp_path, "holds the input"),
        (images_run, "is there already"),
    ):
        flags = ["--run", images_run, "--export", target, folder]
        assert predict.main([*map(str, flags)]) == 2
        error = capsys.readouterr().err
        assert f"--export '{target}'" in error or f"--export {target}" in error
        assert why in error and error.count("\n") == 1
    assert {p: p.read_bytes() for p in before} == before


def test_earlier_predictions_are_replaced_and_are_no_input(
    images_run, image_root, tmp_path, capsys
):
    folder = tmp_path / "new"
    shutil.copytree(image_root / "one", folder)
    out = folder / "p.csv"
    for _ in range(2):  # the second call finds the file of the first in the folder
        flags = ["--run", str(images_run), "--out", str(out), str(folder)]
        assert predict.main(flags) == 0, capsys.readouterr().err
        assert len(pd.read_csv(out)) == 14
    assert b"\r" not in out.read_bytes()
    assert (
        predict.main([*flags[:2], "--out", "/dev/null", str(folder / "000.png")]) == 0
    )
    assert not os.path.isfile("/dev/null")
    capsys.readouterr()
    assert predict.main([*flags[:2], "--out", "-", str(folder / "000.png")]) == 0
    assert capsys.readouterr().out.startswith("file,label,probability\n")


def test_a_run_is_named_by_its_number(images_run, image_root, capsys):
    file = str(image_root / "one" / "000.png")
    number = str(int(images_run.name[:5]))
    flags = ["--runs-dir", str(images_run.parent), "--run", number, file]
    assert predict.main(flags) == 0, capsys.readouterr().err


def test_folders_of_this_program_are_passed_over(
    images_run, image_root, tmp_path, capsys
):
    shutil.copytree(image_root / "three", tmp_path / "three")
    (tmp_path / "runs").symlink_to(images_run.parent)
    assert predict.main(["--run", str(images_run), str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "/runs: a folder with a run of this program; it is left out" in shown.err
    assert len(shown.out.splitlines()) == 1 + 9


def test_files_with_several_pages_are_told(images_run, tmp_path, capsys):
    first, other = (Image.new("L", (16, 16), value) for value in (9, 200))
    for name in ("a.tif", "b.gif"):
        first.save(tmp_path / name, save_all=True, append_images=[other])
    assert predict.main(["--run", str(images_run), str(tmp_path)]) == 0
    error = capsys.readouterr().err
    assert error.count("note: 2 file(s) have several pages or frames, such as") == 1

"""Classes of new files, and one model to take elsewhere."""

import io
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

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

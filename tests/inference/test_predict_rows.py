"""Predictions of a finished run for new images and tables."""

from __future__ import annotations

import shutil
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from gamo_tf.config.options import spec_of
from gamo_tf.errors import UserError
from gamo_tf.inference import export
from gamo_tf.inference.predict import predict_rows
from gamo_tf.networks.saved import load_network, save_network
from gamo_tf.runs.run import Run
from gamo_tf.runs.run_directory import RunDirectory

pytestmark = pytest.mark.slow

CLASSES = ["eight", "one", "three"]


def test_a_line_for_every_image(image_run, image_root):
    files = sorted(str(p) for p in (image_root / "eight").iterdir())
    header, lines, unreadable, notes = predict_rows(image_run, files, True)
    assert not notes
    assert header == ["file", "label", "probability", *CLASSES] and not unreadable
    sheet = pd.DataFrame(lines, columns=header)
    assert sheet["file"].tolist() == files
    p = sheet[CLASSES].astype(float)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-4)
    assert (p.idxmax(axis=1) == sheet["label"]).all()
    assert (p.max(axis=1) == sheet["probability"].astype(float)).all()

    short = predict_rows(image_run, files[:3], False)
    assert short.header == header[:3] and short.lines == [x[:3] for x in lines[:3]]


def test_an_unreadable_image_is_listed_and_the_others_are_predicted(
    image_run, image_root, tmp_path
):
    bad, good = tmp_path / "no.png", image_root / "one" / "000.png"
    bad.write_bytes(b"nothing")
    found = predict_rows(image_run, [str(bad), str(good)], False)
    assert [line[0] for line in found.lines] == [str(good)]
    assert "cannot identify" in found.unreadable[str(bad)]
    assert predict_rows(image_run, [str(bad)], False).lines == []


def test_tables(table_run, cells, tmp_path):
    run = table_run(".csv")
    bare = cells.drop(columns="kind").head(4)
    bare[bare.columns[::-1]].to_csv(tmp_path / "new.csv", index=False)
    bare.iloc[:, :3].to_csv(tmp_path / "few.csv", index=False)
    new, few = str(tmp_path / "new.csv"), str(tmp_path / "few.csv")
    header, lines, unreadable, _ = predict_rows(run, [few, new], True)
    assert [line[0] for line in lines] == [f"{new}:{k}" for k in range(4)]
    assert "lacks the columns" in unreadable[few]
    # The columns were in another order: they are found by their names.
    F, M = load_network(run.model("F")), load_network(run.model("M"))
    expected = M(F(bare.to_numpy())).numpy()
    found = [[float(x) for x in line[3:]] for line in lines]
    assert header[3:] == ["benign", "malignant"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_tables_of_a_run_whose_own_table_is_another_now(table_run, cells, tmp_path):
    """The columns that count are those of the run, not of today's file."""
    run = shutil.copytree(table_run(".csv").path, tmp_path / "00000-run")
    bare = cells.drop(columns="kind").head(3)
    bare.to_csv(tmp_path / "new.csv", index=False)
    new = str(tmp_path / "new.csv")
    expected = predict_rows(table_run(".csv"), [new], True).lines
    path = Path(table_run(".csv").options.data)
    kept = path.read_bytes()
    try:
        path.write_text("other,columns,kind\n1,2,a\n")
        assert predict_rows(Run(run), [new], True).lines == expected
    finally:
        path.write_bytes(kept)
    # A run of an earlier version: columns count as they stand.
    (run / "data.json").unlink()
    assert predict_rows(Run(run), [new], True).lines == expected
    bare.assign(more=1).to_csv(new, index=False)
    found = predict_rows(Run(run), [new], True)
    assert not found.lines and "31 columns; trained on 30" in found.unreadable[new]


def test_probabilities_that_are_no_numbers_are_an_error(table_run, cells, tmp_path):
    run = Run(shutil.copytree(table_run(".csv").path, tmp_path / "00000-run"))
    M = load_network(run.model("M"))
    M.set_weights([w * np.nan for w in M.get_weights()])
    save_network(run.model("M"), M)
    run.write_results(run.read_results())  # with the digest of this file
    cells.head(4).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(UserError, match="of 4 of 4 rows are no numbers") as caught:
        predict_rows(run, [str(tmp_path / "new.csv")], False)
    assert str(run.path) in caught.value.message and "learning_rate" in str(caught)


def test_an_F_of_an_earlier_version_still_predicts(table_run, cells, tmp_path):
    run = Run(shutil.copytree(table_run(".csv").path, tmp_path / "00000-run"))
    cells.head(4).to_csv(tmp_path / "new.csv", index=False)
    files = [str(tmp_path / "new.csv")]
    expected = predict_rows(run, files, True).lines
    rows = run.load_split(run.arrays(Path())).images
    x = keras.Input((30,), name="vector")
    scale = keras.layers.Normalization(
        mean=rows.mean(0).tolist(), variance=rows.var(0).tolist(), name="scale"
    )
    save_network(run.model("F"), keras.Model(x, scale(x), name="F"))
    results = run.read_results()
    del results["network_digests"]  # earlier versions kept none
    RunDirectory.write_results(run, results)
    found = predict_rows(run, files, True).lines
    a, b = (np.array([x[2:] for x in lines], float) for lines in (found, expected))
    np.testing.assert_allclose(a, b, atol=1e-5)
    whole = export.model(run, spec_of(run.options))
    assert whole.inputs[0].dtype == "float32"


def test_the_model_standardises_vectors_itself(table_run):
    run = table_run(".csv")
    split = run.load_split(run.arrays(Path()))
    scaled = load_network(run.model("F"))(split.images).numpy()
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(scaled.std(0), 1, atol=1e-3)


def test_a_run_without_networks(image_run, image_root, tmp_path):
    (tmp_path / "options.json").write_text(
        (image_run.path / "options.json").read_text(encoding="utf-8"), encoding="utf-8"
    )
    file = str(image_root / "one" / "000.png")
    with pytest.raises(UserError, match=r"F\.keras: missing"):
        predict_rows(Run(tmp_path), [file], False)

"""Table 5 and the figures of images, from short real trainings."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.errors import UserError
from reproduction import image_experiments as experiments
from reproduction import table5
from reproduction.tables import TableRequest

FID = {"digits": {"gamo2pix": (0.75, 0.03), "cdcgan": (5.57, 0.03)}}


@pytest.fixture
def make(digits_reference, tmp_path):
    """``make(table, datasets, methods=())``: on short runs below `tmp_path`."""
    digits_reference(tmp_path / "runs")

    def call(table: str, *datasets: str, methods: tuple[str, ...] = ()) -> int:
        request = TableRequest(
            table, tmp_path, 1, updates=40, datasets=datasets, methods=methods
        )
        return experiments.make(
            request,
            fid_features="classifier",
            inception_weights=None,
            runs_dir=tmp_path / "runs",
            out=tmp_path,
            quick=True,
            command=f"reproduce {table}",
            published=FID,
        )

    return call


@pytest.mark.slow
def test_table5_and_the_figures_of_images(make, tmp_path, capsys, monkeypatch):
    # Two smaller classes, 1 and 7, so that there are two VAEs to train.
    counts = (60, 40, 60, 60, 60, 60, 60, 10, 60, 60)
    monkeypatch.setitem(DATASETS, "digits", replace(DATASETS["digits"], counts=counts))
    assert make("table5", "digits", "celeba-small") == 1
    assert "celeba-small: missing in" in capsys.readouterr().out
    sheet = pd.read_csv(tmp_path / "table5.csv")
    assert set(sheet["source"]) == set(table5.TITLES)
    rival = sheet[sheet["source"] == "cdcgan"].iloc[0]
    scores = next((tmp_path / "runs").glob("*-digits-cdcgan-ls/scores.json"))
    results = json.loads((scores.parent / "results.json").read_text())
    assert 0 < results["extra_seconds"] < results["seconds"]  # the GAN's training
    rows = json.loads(scores.read_text())["rows"]
    assert len(rows) == 2 and all(row["single_parent"] != 0 for row in rows)
    mean = np.mean([row["frechet"] for row in rows])
    assert rival["frechet"] == pytest.approx(mean) and rival["paper_fid"] == 5.57
    text = (tmp_path / "table5.md").read_text()
    assert "0.75±0.03" in text and "unseen real images" in text
    assert (
        "`reproduce table5`" in text
        and "digits, 40 updates of M, recipe shared, cDCGAN of 20 turns" in text
    )

    assert make("table5") == 0  # the datasets of `published`
    assert "digits, seed 0: known from" in capsys.readouterr().out
    assert make("figure5", "digits") == 0
    assert make("figure4", "digits", methods=("smote",)) == 0
    for name in ("figure5-digits", "figure4"):
        assert np.asarray(Image.open(tmp_path / f"{name}.png")).std() > 10


@pytest.mark.slow
def test_a_run_that_makes_no_images_is_told(make, capsys):
    assert make("figure4", "digits", methods=("cn",)) == 1
    assert "cn generates no images" in capsys.readouterr().out


def test_a_table_without_any_dataset_is_told(make, capsys):
    with pytest.raises(UserError, match="no dataset of it could be scored"):
        make("table5", "celeba-small")
    assert "celeba-small: missing in" in capsys.readouterr().out


def test_page_shows_the_rows_that_were_asked_for(tmp_path, capsys):
    sheet = table5.Sheet(tmp_path / "scores.csv")

    def row(name: str, kid: float) -> dict:
        keys = ("frechet", "recall", "copies", "frechet_floor", "kid_floor")
        scores = dict.fromkeys(keys, 0.5)
        return {"label": 1, "features": "f", "source": name, "kid": kid, **scores}

    for seed, kid in ((0, 1.0), (1, 2.0), (2, 9.0)):
        key = table5.Key("digits", seed, 40, 20, "paper", 20)
        assert key not in sheet
        sheet.add(key, [row("gamo", kid), row("cdcgan", 3.0)])
        assert key in sheet and key in table5.Sheet(sheet.path)
    sheet.add(table5.Key("digits", 0, 80, 20, "paper", 40), [row("gamo", 7.0)])
    table5.write(sheet, {"digits": 40}, 20, 2, FID, tmp_path, "command")
    lines = pd.read_csv(tmp_path / "table5.csv").set_index("source")
    assert lines["seeds"].tolist() == [2, 2] and lines["kid"].tolist() == [1.5, 3.0]
    assert lines.loc["gamo", "kid_sd"] == pytest.approx(np.std([1, 2], ddof=1))
    text = (tmp_path / "table5.md").read_text()
    assert "| GAMO2pix | 2 | 0.75±0.03 | 0.500±0.000 | 1.500±0.707 |" in text
    assert "| unseen real images |  |  | 0.500 | 0.500 |  |  |" in text
    assert "80 updates" not in text

    sheet.add(table5.Key("digits", 0, 40, 20, "shared", 20), [row("gamo", 8.0)])
    table5.write(sheet, {"digits": 40}, 20, 2, FID, tmp_path, "command")
    text = (tmp_path / "table5.md").read_text()
    assert text.index("recipe shared") < text.index("recipe paper")

"""The paper's figures and Table 5, from short real trainings; Theorem 1."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import reproduce
from gamo2pix import generated
from gamo2pix import paper as images
from gamo_tf import networks, paper, theorem, toys
from gamo_tf.options import resolve
from gamo_tf.specs import DATASETS


def test_theorem_by_hand_on_two_classes():
    # P = (1/4, 3/4) on two points; the minority's generated mass is 1/2.
    A = theorem.measures(
        np.array([0.25, 0.75]),
        np.array([[1.0, 0.0], [0.0, 1.0]]),
        np.array([[0.0, 1.0], [0.5, 0.5]]),
    )
    np.testing.assert_allclose(A, [[0.25, 0.5], [0.0, 0.75]])
    np.testing.assert_allclose(theorem.optimum(A), [[1, 0.4], [0, 0.6]])
    # Each of the two classes: 0.5 log 0.4 + 0.75 log 0.6.
    expected = 2 * (0.5 * np.log(0.4) + 0.75 * np.log(0.6))
    assert theorem.value(A, theorem.optimum(A)) == pytest.approx(expected)
    gap = theorem.value(A, theorem.optimum(A)) - 2 * theorem.divergence(A)
    assert gap == pytest.approx(-(2**2) * 0.75 * np.log(2))


def test_theorem_page_says_whether_it_holds(tmp_path, monkeypatch):
    assert reproduce.main(["theorem1", "--out", str(tmp_path)]) == 0
    assert "| 8 |" in (tmp_path / "theorem1.md").read_text()
    monkeypatch.setattr(theorem, "optimum", lambda A: np.full_like(A, 0.25))
    assert reproduce.main(["theorem1", "--out", str(tmp_path)]) == 2


@pytest.mark.parametrize("name", ["figure1", "figure2"])
def test_toy_figures(name, tmp_path):
    assert reproduce.main([name, "--quick", "--out", str(tmp_path)]) == 0
    picture = np.asarray(Image.open(tmp_path / f"{name}.png"))
    assert picture.shape[1] == 1600 and picture.std() > 10
    told = json.loads((tmp_path / f"{name}.json").read_text())
    if name == "figure1":
        assert len(told["recall"]) == 4
    else:
        assert [m["updates_of_M"] for m in told["moments"]] == [0, 68, 204, 680]


def test_toy_samples_stay_in_the_hull_of_the_minority():
    points = toys.line((100, 10), 3)
    made = toys.Trial("gamo-no-d", points, 40).finish().generated(50)
    own = points.x[points.y == 1]
    assert (made >= own.min() - 1e-6).all() and (made <= own.max() + 1e-6).all()


@pytest.fixture
def digits(monkeypatch, tmp_path):
    monkeypatch.setattr(reproduce, "QUICK_UPDATES", 40)
    monkeypatch.setattr(images, "FIGURE4", {"cgan": "cGAN", "smote": "SMOTE"})
    monkeypatch.setitem(reproduce._DRAWN, "figure4", ("digits",))
    for name in ("table5", "figure5"):
        monkeypatch.setitem(reproduce._DRAWN, name, ("digits", "celeba-small"))
    told = {"gamo2pix": (0.75, 0.03), "cdcgan": (5.57, 0.03)}
    monkeypatch.setattr(paper, "FID", {"digits": told})
    monkeypatch.setattr(images, "FID", {"digits": told})
    flags = ["--quick", "--fid-features", "classifier", "--data-dir", str(tmp_path)]
    return [*flags, "--runs-dir", str(tmp_path / "runs"), "--out", str(tmp_path)]


def test_table5_and_the_figures_of_images(digits, tmp_path, capsys):
    assert (
        reproduce.main(["table5", *digits, "--datasets", "digits", "celeba-small"]) == 2
    )
    told = capsys.readouterr().out
    assert "celeba-small: missing in" in told
    sheet = pd.read_csv(tmp_path / "table5.csv")
    assert set(sheet["source"]) == set(images._TITLES)
    rival = sheet[sheet["source"] == "cdcgan"].iloc[0]
    scores = next((tmp_path / "runs").glob("*-digits-cdcgan-ls/scores.json"))
    results = json.loads((scores.parent / "results.json").read_text())
    assert 0 < results["extra_seconds"] < results["seconds"]  # the GAN's training
    rows = json.loads(scores.read_text())["rows"]
    assert len(rows) == 9 and all(row["single_parent"] != 0 for row in rows)
    mean = np.mean([row["frechet"] for row in rows])
    assert rival["frechet"] == pytest.approx(mean) and rival["paper_fid"] == 5.57
    text = (tmp_path / "table5.md").read_text()
    assert "0.75±0.03" in text and "unseen real images" in text

    assert reproduce.main(["table5", *digits]) == 0
    assert "digits, seed 0: known from" in capsys.readouterr().out
    assert reproduce.main(["figure5", *digits, "--datasets", "digits"]) == 0
    assert reproduce.main(["figure4", *digits, "--datasets", "digits"]) == 0
    for name in ("figure5-digits", "figure4"):
        assert np.asarray(Image.open(tmp_path / f"{name}.png")).std() > 10


def test_a_run_that_makes_no_images_is_told(digits, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(images, "FIGURE4", {"cn": "plain"})
    assert reproduce.main(["figure4", *digits, "--datasets", "digits"]) == 2
    assert "cn generates no images" in capsys.readouterr().out


def test_images_of_a_free_generator_on_pixels():
    spec = replace(DATASETS["digits"], conv=())
    run = SimpleNamespace(
        options=resolve({"dataset": "digits", "method": "cg"}),
        load_model={
            "F": networks.feature_extractor(spec),
            "G": networks.free_generator(100, 64, 10),
        }.get,
    )
    split = SimpleNamespace(images=np.zeros((5, 8, 8, 1), np.uint8))
    made = generated.images(run, split)(3, 4)
    assert made.images.shape == (4, 8, 8, 1) and made.images.dtype == np.uint8
    assert made.weights is None and len(np.unique(made.images)) > 10

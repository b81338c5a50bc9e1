"""train_gamo2pix.py as a user meets it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import train_gamo
import train_gamo2pix
from gamo2pix import balanced, extractors
from gamo2pix.synthesis import Synthesis
from gamo2pix.vae import Decode
from gamo_tf import datasets
from gamo_tf.runs import Run
from gamo_tf.specs import DATASETS

ROOT = Path(__file__).resolve().parent.parent
SPEC = DATASETS["digits"]
SHORT = ["--iterations", "40", "--fid-features", "classifier"]


def cli(*args, code: str = "") -> subprocess.CompletedProcess:
    script = f"import sys, train_gamo2pix\n{code}\nsys.exit(train_gamo2pix.main())"
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, args)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of runs with one short GAMO run, and a data folder."""
    folder = tmp_path_factory.mktemp("pix")
    flags = ["--dataset", "digits", "--iterations", "30", "--deterministic"]
    assert train_gamo.main([*flags, "--runs-dir", str(folder / "runs")]) == 0
    return folder


def where(place) -> list[str]:
    return ["--runs-dir", str(place / "runs"), "--data-dir", str(place / "data")]


@pytest.fixture(scope="module")
def finished(place):
    """All classes, saved and evaluated, in a process of its own."""
    flags = ["--class", "all", *SHORT, "--save-balanced", "--evaluate", *where(place)]
    done = cli(*flags)
    assert done.returncode == 0, done.stderr
    return place / "runs" / "00000-digits-gamo-ls", done.stdout


def test_all_classes_leave_pictures_scores_and_networks(finished):
    run, shown = finished
    for k in range(1, 10):
        folder = run / "gamo2pix" / str(k)
        assert {p.name for p in (folder / "models").iterdir()} == {
            "head.keras",
            "decoder.keras",
        }
        for name in ("generated", "reconstructions", "interpolation", "parents"):
            assert np.asarray(Image.open(folder / f"{name}.png")).std() > 5
        rows = pd.read_csv(folder / "metrics.csv")
        assert rows["iteration"].iloc[-1] == 40 and {"KL", "reconstruction"} <= set(
            rows
        )
        tags = set()
        for name in ("train", "test"):
            events = EventAccumulator(str(folder / "tensorboard" / name))
            events.Reload()
            tags |= {*events.Tags()["tensors"], *events.Tags()["images"]}
        assert {"KL", "reconstruction", "generated"} <= tags
    assert not (run / "gamo2pix" / "0").exists()
    kept = json.loads((run / "gamo2pix" / "scores.json").read_text())
    rows = pd.read_csv(run / "gamo2pix" / "scores.csv")
    assert len(rows) == len(kept["rows"]) == 27
    assert set(rows["source"]) == {"gamo", "dirichlet-uniform", "dirichlet-sparse"}
    assert set(rows["features"]) == {"classifier_digits_r1_d64"}
    mine = rows[rows["source"] == "gamo"]
    assert mine["n_real"].tolist() == [60, 40, 30, 24, 18, 14, 10, 7, 5]
    assert (rows["n_fake"] == 50).all()
    mean = next(m for m in kept["means"] if m["source"] == "gamo")
    assert mean["kid"] == pytest.approx(mine["kid"].mean())
    assert "floor" in shown and "mean, gamo" in shown
    assert not list(run.rglob(".part*"))


def load(run: Path):
    made = Run.open(run)
    split = made.load_split(datasets.read(SPEC, Path()))
    return made, split, Synthesis(made, split, 0)


def test_convex_features_are_tied_to_the_runs_own_rows(finished):
    made, split, synthesis = load(finished[0])
    z = synthesis.latents(7, 6, made.options.latent, 0)
    weights = synthesis.weights(7, z)
    rows = synthesis.rows[7]
    assert (split.labels[rows] == 7).all() and weights.shape == (6, 10)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-5)
    # G's own samples are the same combinations.
    labels = tf.fill([6], 7)
    samples = synthesis.G([tf.constant(z), labels, synthesis.points])[0]
    np.testing.assert_allclose(synthesis.combine(7, weights), samples, atol=1e-5)
    F = made.load_model("F")
    own = np.asarray(F(split.images[rows]))
    np.testing.assert_allclose(synthesis.combine(7, np.eye(10)), own, atol=1e-5)
    random = synthesis.random_weights(7, 100, 1.0)
    np.testing.assert_allclose(random.sum(1), 1, rtol=1e-5)


def test_balanced_folder_is_what_the_manifest_says(finished):
    run = finished[0]
    made, split, synthesis = load(run)
    folder = run / "balanced"
    sheet = pd.read_csv(folder / "manifest.csv", dtype={"name": str})
    assert sheet.groupby("label").size().tolist() == [100] * 10
    assert len(list(folder.rglob("*.png"))) == len(sheet) == 1000
    real, fake = sheet[sheet["synthetic"] == 0], sheet[sheet["synthetic"] == 1]
    for row, image, label in zip(
        split.train_index, split.images, split.labels, strict=True
    ):
        path = folder / f"train/{label}/real-{row:06d}.png"
        np.testing.assert_array_equal(np.asarray(Image.open(path)), image[..., 0])
    assert sorted(real["row"]) == sorted(split.train_index)
    assert fake["parent_1_weight"].between(0.2 / 60, 1).all()
    known = set(sheet["file"])
    for k in range(1, 6):  # the rarest class has five parents
        parents = fake.dropna(subset=[f"parent_{k}"])
        assert set(parents[f"parent_{k}"]) <= known
        rows = parents[f"parent_{k}_row"].astype(int)
        labels = dict(zip(split.train_index, split.labels, strict=True))
        assert [labels[r] for r in rows] == parents["label"].tolist()
    # The seed makes the same image again, in any chunk.
    pix = made.pix_class("9")
    vae = Decode(pix.load_model("head"), pix.load_model("decoder"))
    again = synthesis.make(9, vae, 20, 23)
    for k, image in enumerate(again.images):
        file = f"train/9/gamo-{20 + k:06d}.png"
        kept = np.asarray(Image.open(folder / file))
        assert np.abs(kept.astype(int) - image[..., 0]).max() <= 1  # float order
        told = sheet.set_index("file").loc[file]
        assert told["parent_1_weight"] == pytest.approx(again.weights[k].max(), 1e-3)
    card = json.loads((folder / "dataset.json").read_text())
    assert card["generated"]["9"] == 95 and card["real"]["0"] == 100
    assert "CC BY" in card["licence"] and card["scores"] and card["versions"]
    images, labels = balanced.load(folder, SPEC)
    assert (
        images.shape == (1000, 8, 8, 1) and np.bincount(labels).tolist() == [100] * 10
    )


def test_evaluate_prints_both_on_the_full_test_set(finished):
    run, shown = finished
    found = json.loads((run / "gamo2pix" / "evaluation.json").read_text())
    for word, images in (("imbalanced originals", 308), ("balanced folder", 1000)):
        assert found[word]["images"] == images and found[word]["updates"] == 60
        assert np.sum(found[word]["confusion"]) == 500
        assert f"{found[word]['acsa']:.3f}" in shown


def test_a_second_time_nothing_is_trained_or_overwritten(finished, place, capsys):
    run = finished[0]
    before = (run / "balanced" / "manifest.csv").stat().st_mtime_ns
    flags = ["--class", "all", *SHORT, "--save-balanced", *where(place)]
    assert train_gamo2pix.main(flags) == 2
    assert "--force" in capsys.readouterr().err
    assert (run / "balanced" / "manifest.csv").stat().st_mtime_ns == before
    assert train_gamo2pix.main([*flags, "--force", "--per-class", "30"]) == 0
    assert "trained already" in capsys.readouterr().out
    sheet = pd.read_csv(run / "balanced" / "manifest.csv")
    assert sheet.groupby("label").size().tolist() == [100, 60, 40] + [30] * 7
    other = ["--class", "7", "--iterations", "41", *where(place)]
    assert train_gamo2pix.main(other) == 2
    assert "iterations 40" in capsys.readouterr().err
    (place / "mine").mkdir()
    mine = ["--save-balanced", str(place / "mine"), "--force"]
    assert train_gamo2pix.main(["--class", "all", *SHORT, *mine, *where(place)]) == 2
    assert "not one of ours" in capsys.readouterr().err


KILL = """
import os, signal
from gamo_tf.folder import Folder
save = Folder.save_checkpoint
def save_then_die(self, iteration, *rest):
    save(self, iteration, *rest)
    if iteration == 20:
        os.kill(os.getpid(), signal.SIG{how})
Folder.save_checkpoint = save_then_die
"""


@pytest.mark.parametrize(("how", "code"), [("KILL", -signal.SIGKILL), ("INT", 130)])
def test_a_stopped_vae_goes_on_bit_for_bit(finished, place, how, code):
    run = finished[0]
    kept = {
        name: Run.open(run).pix_class("7").load_model(name).get_weights()
        for name in ("head", "decoder")
    }
    flags = ["--class", "7", *SHORT, *where(place)]
    died = cli(*flags, "--retrain", code=KILL.format(how=how))
    assert died.returncode == code, died.stderr
    folder = Run.open(run).pix_class("7")
    assert not folder.finished
    again = cli(*flags)
    assert again.returncode == 0, again.stderr
    assert "from 20" in again.stdout
    assert len(pd.read_csv(folder.path / "scores.csv")) == 3  # of this class alone
    for name, arrays in kept.items():
        for one, two in zip(arrays, folder.load_model(name).get_weights(), strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--class", "12"], "0 0, 1 1"),
        (["--class", "0"], "needs no generation"),
        (["--class", "7", "--iterations", "0"], "--iterations 0"),
        (["--class", "7", "--seed", "-1"], "--seed -1"),
        (["--class", "7", "--run", "README.md"], "not a run folder"),
        (["--class", "7", "--runs-dir", "nowhere"], "no finished run"),
        (["--class", "7", "--save-balanced"], "needs --class all"),
        (["--class", "all", "--per-class", "9"], "needs --save-balanced"),
        (["--class", "7", "--inception-weights", "no.h5"], "no such file"),
        (["--class", "7", "--fid-features", "vgg"], "invalid choice"),
        ([], "--class"),
    ],
    ids=" ".join,
)
def test_bad_input_is_told_in_one_line(place, flags, told, capsys):
    try:
        code = train_gamo2pix.main([*where(place), *flags])
    except SystemExit as stop:
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2 and told in error and "Traceback" not in error


def test_runs_that_cannot_be_used_are_told(tmp_path, capsys):
    flags = ["--dataset", "digits", "--iterations", "3", "--runs-dir", str(tmp_path)]
    assert train_gamo.main([*flags, "--method", "cn"]) == 0
    assert train_gamo2pix.main(["--class", "7", "--runs-dir", str(tmp_path)]) == 2
    assert "no finished run with a generator" in capsys.readouterr().err
    run = tmp_path / "00000-digits-cn-ls"
    assert train_gamo2pix.main(["--class", "7", "--run", str(run)]) == 2
    assert "no convex generator" in capsys.readouterr().err
    (run / "results.json").unlink()
    assert train_gamo2pix.main(["--class", "7", "--run", str(run)]) == 2
    assert "--resume" in capsys.readouterr().err


def test_help_answers_without_tensorflow():
    code = "import sys, train_gamo2pix\ntry: train_gamo2pix.main(['--help'])\n"
    code += "except SystemExit: pass\nassert 'tensorflow' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and "--save-balanced" in done.stdout


def test_flat_run_makes_images_without_a_vae(tmp_path, capsys, monkeypatch):
    data = os.environ.get("GAMO_DATA_DIR")
    if not data:
        pytest.skip("mnist: GAMO_DATA_DIR is not set")
    train = extractors._train_reference  # on all 60,000 it takes minutes
    monkeypatch.setattr(extractors, "_RECIPE_UPDATES", 50)
    monkeypatch.setattr(
        extractors, "_train_reference", lambda x, y, c: train(x[:2000], y[:2000], c)
    )
    # The reference classifier is kept beside the data.
    (tmp_path / "mnist").symlink_to(Path(data).resolve() / "mnist")
    counts = "60,40,20,15,12,10,9,8,7,6"
    base = ["--data-dir", str(tmp_path), "--runs-dir", str(tmp_path / "runs")]
    flags = ["--dataset", "mnist", "--counts", counts, "--iterations", "20"]
    assert train_gamo.main([*flags, *base]) == 0
    flags = ["--class", "all", "--fid-features", "classifier", "--save-balanced"]
    assert train_gamo2pix.main([*flags, *base]) == 0
    assert "a flat run" in capsys.readouterr().out
    run = tmp_path / "runs" / "00000-mnist-gamo-ls"
    assert not list((run / "gamo2pix").rglob("*.keras"))
    assert (run / "gamo2pix" / "9" / "generated.png").is_file()
    assert len(list((run / "balanced" / "train" / "9").iterdir())) == 60
    assert (run / "gamo2pix" / "scores.csv").is_file()

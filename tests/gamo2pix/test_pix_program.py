"""The program of GAMO2pix as a user meets it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import gamo_tf.cli.train
from gamo2pix import cli as program
from gamo2pix import reference_classifier, request, verdict
from gamo_tf.cli.program import started_by
from gamo_tf.config.options import resolve, spec_of
from gamo_tf.errors import UserError
from gamo_tf.runs.run import Run
from gamo_tf.runs.run_directory import RunDirectory

SHORT = ("--recipe", "paper", "--iterations", "40", "--fid-features", "classifier")
RUN = "00000-digits-gamo-ls"
COUNTS = (60, 40, 60, 60, 60, 60, 60, 10, 60, 60)  # two smaller classes: 1 and 7


class Place(NamedTuple):
    """A folder of runs with one of them."""

    folder: Path

    @property
    def run(self) -> Path:
        return self.folder / "runs" / RUN

    @property
    def flags(self) -> list[str]:
        runs_dir = str(self.folder / "runs")
        return ["--runs-dir", runs_dir, "--data-dir", str(self.folder / "data")]


class Finished(NamedTuple):
    place: Place
    stdout: str


@pytest.fixture(scope="module")
def finished(cli, digits_reference, tmp_path_factory) -> Finished:
    """All classes of a short run of GAMO, scored, saved and evaluated, in processes of
    their own. Not to be changed."""
    place = Place(tmp_path_factory.mktemp("pix"))
    digits_reference(place.folder / "runs")
    short = ["--dataset", "digits", "--iterations", "30", "--deterministic"]
    short += ["--counts", ",".join(map(str, COUNTS))]
    done = cli("train_gamo", *short, *place.flags)
    assert done.returncode == 0, done.stderr
    flags = ["--class", "all", *SHORT, "--save-balanced", "--anyway", "--parents"]
    flags += ["--evaluate", "--seeds", "2", "--updates", "12", *place.flags]
    done = cli("train_gamo2pix", *flags)
    assert done.returncode == 0, done.stderr
    return Finished(place, done.stdout)


@pytest.fixture
def copy(finished, tmp_path) -> Place:
    """The same, to be changed."""
    shutil.copytree(finished.place.folder, tmp_path / "copy")
    return Place(tmp_path / "copy")


@pytest.mark.slow
def test_all_classes_leave_pictures_scores_and_networks(finished):
    run = finished.place.run
    for k in (1, 7):
        folder = run / "gamo2pix" / str(k)
        assert {p.name for p in (folder / "models").iterdir()} == {
            "head.keras",
            "decoder.keras",
        }
        for name in ("generated", "reconstructions", "interpolation", "parents"):
            assert np.asarray(Image.open(folder / f"{name}.png")).std() > 5
        rows = pd.read_csv(folder / "metrics.csv")
        assert rows["iteration"].tolist() == list(range(4, 41, 4))
        assert {"KL", "reconstruction"} <= set(rows)
        events = EventAccumulator(str(folder / "tensorboard" / "train"))
        events.Reload()
        assert {"KL", "reconstruction", "generated"} <= set(events.Tags()["tensors"])
    assert not (run / "gamo2pix" / "0").exists()
    kept = json.loads((run / "gamo2pix" / "scores.json").read_text())
    rows = pd.read_csv(run / "gamo2pix" / "scores.csv")
    assert len(rows) == len(kept["rows"]) == 6
    assert set(rows["source"]) == {"gamo", "dirichlet-uniform", "dirichlet-sparse"}
    assert set(rows["features"]) == {"classifier_digits_r1_d64"}
    gamo = rows[rows["source"] == "gamo"]
    assert gamo["n_real"].tolist() == [40, 10]
    assert (rows["n_fake"] == 50).all()
    mean = next(m for m in kept["means"] if m["source"] == "gamo")
    assert mean["kid"] == pytest.approx(gamo["kid"].mean())
    assert "floor" in finished.stdout and "mean, generated" in finished.stdout
    assert not list(run.rglob(".part*"))
    sheet = pd.read_csv(run / "balanced" / "manifest.csv")
    assert sheet.groupby("label").size().tolist() == [60] * 10
    card = json.loads((run / "balanced" / "dataset.json").read_text())
    assert len(card["scores"]) == 6 and card["gamo2pix_options"]["iterations"] == 40


@pytest.mark.slow
def test_evaluate_prints_both_on_the_full_test_set(finished):
    found = json.loads((finished.place.run / "gamo2pix/evaluation.json").read_text())
    lines = pd.DataFrame(found["trainings"])
    assert set(lines["updates"]) == {12} and set(lines["seed"]) == {0, 1}
    sizes = lines.groupby("trained_on")["images"].first()
    assert sizes["originals"] == sizes["originals, repeated"] == 530
    assert sizes["balanced folder"] == 600
    for _, rows in lines.groupby("trained_on"):
        assert len(rows) == 2 and f"{rows['acsa'].mean():.3f}" in finished.stdout
    last = f"2 of 2: ACSA {lines['acsa'].iloc[-1]:.3f}, GM {lines['gm'].iloc[-1]:.3f}"
    assert f"{lines['trained_on'].iloc[-1]}, {last}" in finished.stdout


@pytest.mark.slow
def test_a_second_time_nothing_is_trained_or_overwritten(copy, capsys):
    manifest = copy.run / "balanced" / "manifest.csv"
    before = manifest.stat().st_mtime_ns
    flags = ["--class", "all", *SHORT, "--save-balanced", *copy.flags]
    assert program.main(flags) == 2
    assert "--force" in capsys.readouterr().err
    assert manifest.stat().st_mtime_ns == before
    unscored = ["--class", "all", *SHORT[:4], "--no-score", *copy.flags]
    unscored += ["--save-balanced", "--force", "--per-class", "30"]
    assert program.main(unscored) == 0
    said = capsys.readouterr().out
    assert "trained already; --retrain trains it anew" in said
    assert "features:" not in said
    card = json.loads((copy.run / "balanced" / "dataset.json").read_text())
    assert card["scores"] == []
    sheet = pd.read_csv(manifest)
    assert sheet.groupby("label").size().tolist() == [*COUNTS[:7], 30, 60, 60]
    other = ["--class", "7", *SHORT[:2], "--iterations", "41", *copy.flags]
    assert program.main([*other, "--fid-features", "classifier"]) == 2
    assert "iterations 40" in capsys.readouterr().err
    (copy.folder / "mine").mkdir()
    mine = ["--save-balanced", str(copy.folder / "mine"), "--force"]
    assert program.main(["--class", "all", *SHORT, *mine, *copy.flags]) == 2
    assert "not one of ours" in capsys.readouterr().err


@pytest.mark.slow
def test_classes_that_pass_are_written_when_others_do_not(copy, capsys, monkeypatch):
    said = {
        "1": verdict.Verdict(verdict.REFUSE, ["bad"]),
        "7": verdict.Verdict(verdict.UNKNOWN, ["11 images"]),
    }
    monkeypatch.setattr(verdict, "of_classes", lambda scores, images: said)
    folder = copy.run / "balanced"
    flags = ["--class", "all", *SHORT, "--save-balanced", "--force", *copy.flags]

    def sizes() -> list[int]:
        sheet = pd.read_csv(folder / "manifest.csv")
        return sheet.groupby("label").size().tolist()

    assert program.main(flags) == program.UNBALANCED == 3
    assert sizes() == [60, 40, *[60] * 8]
    told = capsys.readouterr().out
    assert "1: do not use: bad\n7: cannot be judged: 11 images\n" in told
    assert "note: no generated images of 1, since the verdict is 'do not use'" in told
    assert "--ignore-verdict adds them" in told
    card = json.loads((folder / "dataset.json").read_text())
    assert card["without_generated_images"] == {"1": "do not use: bad"}
    assert card["generated"]["1"] == 0 and card["generated"]["7"] == 50
    assert card["verdicts"]["7"] == "cannot be judged: 11 images"
    assert program.main([*flags, "--ignore-verdict"]) == 0
    assert sizes() == [60] * 10
    card = json.loads((folder / "dataset.json").read_text())
    assert card["without_generated_images"] == {}


@pytest.mark.slow
@pytest.mark.parametrize(("how", "code"), [("KILL", -signal.SIGKILL), ("INT", 130)])
def test_a_stopped_vae_goes_on_bit_for_bit(
    copy, cli, kill_after_checkpoint, weights, how, code
):
    folder = Run(copy.run).pix_class("7")
    whole = {name: weights(folder.path, name) for name in ("head", "decoder")}
    flags = ["--class", "7", *SHORT, *copy.flags]
    died = cli(
        "train_gamo2pix", *flags, "--retrain", code=kill_after_checkpoint(how, 20)
    )
    assert died.returncode == code, died.stderr
    if how == "INT":
        message = "stopped at iteration 20 and saved. Go on with: the same command"
        assert message in died.stderr
    # What was trained before stands until the new one is finished.
    assert folder.finished and not RunDirectory(folder.path.parent / ".new-7").finished
    again = cli("train_gamo2pix", *flags)
    assert again.returncode == 0, again.stderr
    assert "from 20" in again.stdout
    assert not (folder.path.parent / ".new-7").exists()
    assert len(pd.read_csv(folder.path / "scores.csv")) == 3  # of this class alone
    for name, arrays in whole.items():
        for one, two in zip(arrays, weights(folder.path, name), strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.slow
def test_flat_run_makes_images_without_a_vae(real_data, tmp_path, capsys, monkeypatch):
    reference = reference_classifier.reference

    def short(spec, arrays, runs_dir):  # on all 60,000 images it takes minutes
        few = arrays._replace(images=arrays.images[:2000], labels=arrays.labels[:2000])
        recipe = reference_classifier.Recipe("short", epochs=1, updates=50)
        return reference(spec, few, runs_dir, recipe)

    monkeypatch.setattr(reference_classifier, "reference", short)
    base = ["--data-dir", str(real_data), "--runs-dir", str(tmp_path / "runs")]
    counts = "60,40,20,15,12,10,9,8,7,6"
    flags = ["--dataset", "mnist", "--counts", counts, "--iterations", "20"]
    assert gamo_tf.cli.train.main([*flags, *base]) == 0
    flags = ["--class", "9", "--fid-features", "classifier"]
    assert program.main([*flags, *base]) == 0
    assert "a flat run" in capsys.readouterr().out
    run = tmp_path / "runs" / "00000-mnist-gamo-ls"
    assert not list((run / "gamo2pix").rglob("*.keras"))
    assert (run / "gamo2pix" / "9" / "generated.png").is_file()
    assert (run / "gamo2pix" / "9" / "scores.csv").is_file()


# ---- wrong input -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--class", "12"], "0 0, 1 1"),
        (["--class", "0"], "needs no generation"),
        (["--class", "7", "--iterations", "0"], "--iterations 0"),
        (["--class", "7", "--seed", "-1"], "--seed -1"),
        (["--class", "7", "--recipe", "papr"], "Did you mean paper?"),
        (
            ["--class", "7", "--recipe", "paper", "--shared-iterations", "9"],
            "--shared-iterations: paper has no shared decoder",
        ),
        (["--class", "7", "--run", "README.md"], "not a run folder"),
        (["--class", "7", "--runs-dir", "nowhere"], "no finished run"),
        (["--class", "7", "--save-balanced"], "needs --class all"),
        (["--class", "all", "--evaluate"], "--class all --save-balanced too"),
        (["--class", "all", "--per-class", "9"], "needs --save-balanced"),
        (["--class", "all", "--save-balanced", "--per-class", "0"], "--per-class 0"),
        (["--class", "7", "--inception-weights", "no.h5"], "no such file"),
        (
            ["--class", "7", "--fid-features", "vgg"],
            "expected inception, classifier",
        ),
        (["--class", "7", "--fid-features", "no.keras"], "no.keras: no such file"),
        (["--class", "all", "--max-copy", "0.5"], "--max-copy: needs --save-balanced"),
        (["--class", "all", "--ignore-verdict"], "verdict: needs --save-balanced"),
        (["--class", "all", "--anyway"], "--ignore-verdict: needs --save-balanced"),
        (["--class", "12", "--dry-run"], "0 0, 1 1"),
        (["--class", "0", "--dry-run"], "needs no generation"),
        (["--class", "all", "--evaluate", "--dry-run"], "--save-balanced too"),
        (["--class", "all", "--seeds", "3"], "--seeds: needs --evaluate"),
        (["--class", "all", "--updates", "9"], "--updates: needs --evaluate"),
        (
            ["--class", "all", "--save-balanced", "--min-confidence", "2"],
            "--min-confidence 2: expected 0 to 1",
        ),
        (
            ["--class", "all", "--save-balanced", "--originals", "copy"],
            "--originals copy: digits is a published dataset",
        ),
        (
            ["--class", "7", "--no-score", "--fid-features", "classifier"],
            "--no-score: then --fid-features has no meaning",
        ),
        ([], "--class"),
    ],
    ids=" ".join,
)
def test_bad_input_is_told_in_one_line(untrained, flags, message, capsys):
    runs_dir = ["--runs-dir", str(untrained.run.path.parent)]
    try:
        code = program.main([*runs_dir, *flags])
    except SystemExit as stop:
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2 and message in error and "Traceback" not in error
    assert error.splitlines()[-1].startswith("train_gamo2pix.py: ")
    assert not untrained.run.pix.exists()


def test_of_a_wrong_class_the_closest_name_is_told(tmp_path):
    run = Run.create(tmp_path, resolve({"dataset": "fashion-mnist"}))
    spec = spec_of(run.options)
    with pytest.raises(UserError, match=r"9 ankle-boot\. Did you mean sneaker\?"):
        request.pick("sneeker", spec, run)


def test_runs_that_cannot_be_used_are_told(write_run, digits_split, tmp_path, capsys):
    options = resolve({"dataset": "digits", "method": "cn", "iterations": 3})
    run = write_run(tmp_path, options, digits_split)
    flags = ["--class", "7", "--runs-dir", str(tmp_path)]
    assert program.main(flags) == 2
    error = capsys.readouterr().err
    assert "no finished run with images and a generator" in error
    assert "python train_gamo.py --image-folder FOLDER --method gamo" in error
    flags = ["--class", "7", "--run", str(run.path)]
    assert program.main(flags) == 2
    assert "cn generates nothing" in capsys.readouterr().err
    (run.path / "results.json").unlink()
    with started_by("gamo"):
        assert program.main(flags) == 2
    error = capsys.readouterr().err
    assert error.startswith("gamo pix: ")
    assert f" train --resume {run.path}" in error


def test_dry_run_shows_the_settings_and_does_nothing(untrained, capsys):
    runs_dir = str(untrained.run.path.parent)
    flags = ["--class", "7", "--runs-dir", runs_dir, "--seed", "3", "--dry-run"]
    assert program.main(flags) == 0
    first, _, shown = capsys.readouterr().out.partition("\n")
    assert first == f"the newest finished GAMO run that fits: {untrained.run.path}"
    settings = json.loads(shown)
    assert settings["run"] == str(untrained.run.path) and settings["seed"] == 3
    assert not untrained.run.pix.exists()


@pytest.mark.slow
def test_help_answers_without_tensorflow():
    root = Path(__file__).resolve().parents[2]
    code = "import sys, train_gamo2pix\ntry: train_gamo2pix.main(['--help'])\n"
    code += "except SystemExit: pass\nassert 'tensorflow' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr
    assert "--save-balanced" in done.stdout and "--anyway" not in done.stdout
    assert "exit status:\n  0 " in done.stdout
    assert "train_gamo2pix.py --class all" in done.stdout

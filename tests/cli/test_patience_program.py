"""`--patience` and `--best`: where a run stops, and which networks it keeps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import train_gamo
from gamo_tf.evaluation.monitor import GameMonitor
from gamo_tf.networks.saved import load_network
from gamo_tf.runs.metric_logger import MetricLogger
from gamo_tf.runs.run import Run

FLAGS = ["--dataset", "digits", "--method", "cn", "--deterministic"]
FLAGS += ["--iterations", "60", "--evaluate-every", "10", "--checkpoint-every", "10"]
SCORES = (0.3, 0.5, 0.4, 0.45, 0.9, 0.9)


@pytest.fixture
def scored(monkeypatch) -> None:
    """The validation ACSA of each evaluation, in the place of what was found."""

    def score(self) -> float:
        return SCORES[len(self.history) - 1]

    monkeypatch.setattr(GameMonitor, "score", score)


def trained(flags: list[str], folder: Path) -> Run:
    assert train_gamo.main([*flags, "--runs-dir", str(folder)]) == 0
    return Run.open(next(folder.glob("0*")))


def weights(run: Run) -> list[np.ndarray]:
    return [w for name in "FM" for w in load_network(run.model(name)).get_weights()]


@pytest.mark.slow
def test_a_killed_run_stops_where_the_other_did(scored, tmp_path, monkeypatch, capsys):
    whole = trained([*FLAGS, "--patience", "2", "--best"], tmp_path / "whole")
    results = whole.read_results()
    assert (results["stopped_at"], results["kept"], results["m_updates"]) == (
        40,
        20,
        40,
    )
    said = "stopped at iteration 40 of 60; the networks are those of iteration 20"
    assert said in capsys.readouterr().out

    def kill(self, iteration: int, evaluated: bool) -> None:
        if iteration == 40:
            raise KeyboardInterrupt

    place = tmp_path / "killed"
    with monkeypatch.context() as patch:
        patch.setattr(MetricLogger, "progress", kill)
        flags = [*FLAGS, "--patience", "2", "--best", "--runs-dir", str(place)]
        assert train_gamo.main(flags) == 130
    (path,) = place.glob("0*")
    assert train_gamo.main(["--resume", str(path)]) == 0
    again = Run.open(path)
    for one, two in zip(weights(whole), weights(again), strict=True):
        np.testing.assert_array_equal(one, two)
    for name in ("test", "validation", "train", "stopped_at", "kept"):
        assert again.read_results()[name] == results[name]
    # What is measured at the end are the networks that were kept.
    short = [*FLAGS[:-5], "20", *FLAGS[-4:]]
    assert short[short.index("--iterations") + 1] == "20"
    alone = trained(short, tmp_path / "short")
    # Repeats are bit for bit. Another command is so on most machines only: with
    # AVX-512, oneDNN may sum in another order.
    for one, two in zip(weights(whole), weights(alone), strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_patience_alone_keeps_the_last_networks(scored, tmp_path):
    results = trained([*FLAGS, "--patience", "1"], tmp_path).read_results()
    assert (results["stopped_at"], results["kept"]) == (30, 30)


@pytest.mark.slow
def test_a_table_of_the_user(tmp_path, capsys):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "c"])
    frame["kind"] = ["x"] * 45 + ["y"] * 15
    frame.to_csv(tmp_path / "own.csv", index=False)
    own = ["--features", str(tmp_path / "own.csv"), "--label", "kind"]
    flags = [*own, "--iterations", "12", "--evaluate-every", "3", "--best"]
    place = ["--runs-dir", str(tmp_path / "runs")]
    assert train_gamo.main([*flags, *place]) == 2
    said = capsys.readouterr().err
    assert "--best: needs validation rows. Set some aside by --validation-split" in said
    assert not (tmp_path / "runs").exists()
    run = trained([*flags, "--validation-split", "0.3"], tmp_path / "runs")
    history = pd.read_csv(run.metrics)
    best = history["validation_acsa"].idxmax()
    results = run.read_results()
    assert results["kept"] == history["iteration"][best]
    assert results["validation"]["acsa"] == history["validation_acsa"][best]


def test_a_published_set_without_validation_rows(capsys):
    flags = ["--dataset", "digits", "--validation-per-class", "0", "--dry-run"]
    assert train_gamo.main([*flags, "--patience", "3"]) == 2
    said = capsys.readouterr().err
    assert "--patience: needs validation rows" in said
    assert "--validation-per-class" in said
    assert train_gamo.main(flags) == 0
    shown = capsys.readouterr().out
    settings = json.loads(shown[: shown.rindex("}") + 1])
    assert settings["patience"] == 0 and settings["best"] is False

"""Runs that end early, and going on with them."""

import numpy as np
import pandas as pd
import pytest

import train_gamo
from gamo_tf.runs.run import Run

INTERRUPT = """
import os, signal
from gamo_tf.runs.metric_logger import MetricLogger
progress = MetricLogger.progress
def interrupt(self, iteration, evaluated):
    progress(self, iteration, evaluated)
    if iteration == 10:
        os.kill(os.getpid(), signal.SIGINT)
MetricLogger.progress = interrupt
"""
# Every weight of M becomes NaN behind the training's back.
BREAK_M = "[w.assign(w * float('nan')) for w in state.networks['M'].weights]"


@pytest.mark.slow
def test_resumed_after_a_kill_it_ends_bit_for_bit_as_never_stopped(
    digits_run, short_run, cli, kill_after_checkpoint, weights, tmp_path
):
    code = kill_after_checkpoint("KILL", n=20)
    died = cli("train_gamo", *short_run, "--runs-dir", tmp_path, code=code)
    assert died.returncode == -9, died.stderr
    run = tmp_path / "00000-digits-gamo-ls"
    assert not Run.open(run).finished
    again = cli("train_gamo", "--resume", run)
    assert again.returncode == 0, again.stderr
    assert "resumed after iteration 20" in again.stdout
    for name in ("F", "M", "D", "G", "F_ema", "M_ema"):
        pairs = zip(weights(digits_run.path, name), weights(run, name), strict=True)
        for one, two in pairs:
            np.testing.assert_array_equal(one, two, err_msg=name)
    one, two = (Run.open(p).read_results() for p in (digits_run.path, run))
    for key in ("test", "test_full", "validation", "train", "ema"):
        assert one[key] == two[key]
    assert pd.read_csv(run / "metrics.csv")["iteration"].tolist() == [20, 40]


@pytest.mark.slow
def test_ctrl_c_saves_and_says_how_to_resume(cli, tmp_path):
    flags = ["--dataset", "digits", "--method", "cn", "--iterations", "40"]
    stopped = cli("train_gamo", *flags, "--runs-dir", tmp_path, code=INTERRUPT)
    run = tmp_path / "00000-digits-cn-ls"
    assert stopped.returncode == 130, stopped.stderr
    assert f"train_gamo.py --resume {run}" in stopped.stderr
    assert not (run / "results.json").exists()
    assert train_gamo.main(["--resume", str(run)]) == 0
    assert Run.open(run).read_results()["method"] == "cn"


@pytest.mark.slow
def test_nan_stops_the_run_and_names_the_last_good_checkpoint(
    short_run, cli, kill_after_checkpoint, tmp_path
):
    code = kill_after_checkpoint(BREAK_M, n=20)
    bad = cli("train_gamo", *short_run, "--runs-dir", tmp_path, code=code)
    run = tmp_path / "00000-digits-gamo-ls"
    assert bad.returncode == 2, bad.stderr
    assert "NaN" in bad.stderr and str(run / "checkpoints" / "0000020") in bad.stderr
    assert "Traceback" not in bad.stderr
    assert not Run.open(run).finished
    assert [p.name for p in Run.open(run).checkpoints()] == ["0000010", "0000020"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--seed", "7"], "--seed 7"),
        (["--image-folder", "x"], "--image-folder: cannot be changed"),
        (["--imbalance-ratio", "9"], "--imbalance-ratio: cannot be changed"),
        (["--describe"], "give one of them"),
        ([], "finished already"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_resume_refuses_other_settings_and_finished_runs(
    flags, message, digits_run, capsys
):
    assert train_gamo.main(["--resume", str(digits_run.path), *flags]) == 2
    assert message in capsys.readouterr().err


def test_resume_takes_settings_that_the_run_has(digits_run, capsys):
    flags = ["--resume", str(digits_run.path), "--seed", "0", "--dataset", "digits"]
    assert train_gamo.main([*flags, "--dry-run"]) == 0
    assert '"iterations": 40' in capsys.readouterr().out

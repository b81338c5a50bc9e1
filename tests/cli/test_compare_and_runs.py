"""Finished runs side by side."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gamo_tf
from gamo_tf.cli import compare
from gamo_tf.cli.run_table import table
from gamo_tf.errors import UserError
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.runs.run import Run


def test_compare_sets_runs_side_by_side(digits_run, capsys):
    path = str(digits_run.path)
    assert compare.main([path, path]) == 0
    shown = capsys.readouterr().out
    assert "recall 9 (of 5)" in shown and "tensorboard --logdir" in shown
    results = Run(digits_run.path).read_results()
    for metric in METRICS:
        for name in ("test", "test_full", "validation", "train"):
            for kind, found in (("", results), (" (EMA)", results["ema"])):
                value = f"{found[name][metric.name]:.3f}"
                assert f"{name} {metric.title}{kind}" in shown and value in shown


def test_compare_with_a_run_of_an_earlier_version(digits_run, tmp_path):
    """It has no validation set."""
    run, older = Run(digits_run.path), Run(tmp_path / "00000-digits-gamo-ls")
    older.path.mkdir()
    results = run.read_results()
    for found in (results, results["ema"]):
        del found["validation"]
    older.write_results(results)
    shown = {
        line.rsplit(maxsplit=2)[0]: line for line in table([older, run]).splitlines()
    }
    for title in ("validation GM", "validation GM (EMA)"):
        assert shown[title].split()[-2] == "-" and "." in shown[title].split()[-1]
    assert "validation" not in table([older])


def test_compare_takes_the_two_newest(digits_run, tmp_path, capsys):
    for number in range(3):
        shutil.copytree(digits_run.path, tmp_path / f"{number:05d}-digits-gamo-ls")
    assert compare.main(["--runs-dir", str(tmp_path)]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.split() == ["00001-digits-gamo-ls", "00002-digits-gamo-ls"]


def test_compare_bad_input(digits_run, tmp_path, capsys):
    assert compare.main(["--runs-dir", "nowhere"]) == 2
    assert "no finished run" in capsys.readouterr().err
    half = tmp_path / "00000-digits-gamo-ls"
    half.mkdir()
    shutil.copy(digits_run.path / "options.json", half)
    assert compare.main([str(half)]) == 2
    assert "not finished" in capsys.readouterr().err
    results = Run(digits_run.path).read_results()
    Run(half).write_results({**results, "classes": ["zero", *results["classes"][1:]]})
    with pytest.raises(UserError, match="different classes"):
        table([Run(digits_run.path), Run(half)])


def test_compare_as_a_module(digits_run):
    root = Path(gamo_tf.__file__).parent.parent
    command = [sys.executable, "-m", "gamo_tf.compare", str(digits_run.path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0 and "m_updates" in done.stdout

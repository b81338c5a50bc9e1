"""Runs for the tables, each trained in a process of its own."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gamo_tf.config.options import Options, resolve
from gamo_tf.errors import UserError, speaking_to
from gamo_tf.grids.result_store import ResultStore
from gamo_tf.runs.run import Run
from reproduction import runner
from reproduction.tables import TableRequest


@pytest.mark.slow
def test_a_run_has_exactly_the_options_and_is_made_once(tmp_path, capfd):
    options = resolve(
        {
            "dataset": "digits",
            "method": "cn",
            "seed": 4,
            "iterations": 4,
            "batch_size": 16,
            "learning_rate": 1e-3,
            "counts": (9, 8, 8, 8, 8, 8, 8, 8, 8, 2),
        }
    )
    run = runner.train(options, tmp_path, tmp_path)
    assert run.path == tmp_path / "00000-digits-cn-ls"
    assert run.finished and run.options == options
    assert "finished" in capfd.readouterr().out
    changed = (run.path / "results.json").stat().st_mtime_ns
    assert runner.train(options, tmp_path, tmp_path) == run
    assert (run.path / "results.json").stat().st_mtime_ns == changed
    assert runner.find(tmp_path, resolve({"dataset": "digits"})) is None


@pytest.mark.slow
def test_a_run_that_was_killed_is_gone_on_with(
    cli, kill_after_checkpoint, short_run, digits_run, tmp_path
):
    code = kill_after_checkpoint("KILL")
    killed = cli("train_gamo", *short_run, "--runs-dir", tmp_path, code=code)
    assert killed.returncode == -signal.SIGKILL
    options = Run(digits_run.path).options
    begun = runner.find(tmp_path, options)
    assert begun and not begun.finished
    run = runner.train(options, tmp_path, tmp_path)
    assert run == begun and run.finished and len(list(tmp_path.glob("0*"))) == 1
    # The same as a run that nothing has stopped.
    whole = Run(digits_run.path).read_results()
    results = run.read_results()
    for name in ("test", "test_full", "train"):
        assert (
            results[name] == whole[name] and results["ema"][name] == whole["ema"][name]
        )


@pytest.mark.slow
def test_what_the_training_could_not_do_is_said_in_the_callers_words(tmp_path):
    options = resolve({"dataset": "digits", "learning_rate": 1e30, "iterations": 20})
    with (
        speaking_to("gamo"),
        pytest.raises(UserError, match=r"NaN or infinite.* smaller --learning-rate"),
    ):
        runner.train(options, tmp_path, tmp_path)


def when(ready: Callable[[], bool], signum: int) -> None:
    """Send the signal to the process of the training as soon as it is ready."""

    others = set(multiprocessing.active_children())  # of other tests

    def watch() -> None:
        until = time.monotonic() + 300
        while time.monotonic() < until:
            found = [*set(multiprocessing.active_children()) - others]
            if found and ready():
                os.kill(found[0].pid, signum)
                return
            time.sleep(0.01)

    threading.Thread(target=watch, daemon=True).start()


@pytest.mark.slow
def test_a_training_that_dies_is_named_with_its_exit_code(tmp_path):
    when(lambda: True, signal.SIGKILL)
    with pytest.raises(UserError, match="exit code -9"):
        runner.train(resolve({"dataset": "digits"}), tmp_path, tmp_path)


@pytest.mark.slow
def test_ctrl_c_in_the_training_stops_the_caller_and_saves(tmp_path):
    chosen = {"dataset": "digits", "method": "cn", "iterations": 400}
    options = resolve({**chosen, "checkpoint_every": 20, "evaluate_every": 400})
    when(lambda: any(tmp_path.glob("*/checkpoints/*0")), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        runner.train(options, tmp_path, tmp_path)
    run = runner.find(tmp_path, options)
    assert run and not run.finished and run.checkpoints()
    assert runner.train(options, tmp_path, tmp_path) == run and run.finished


@pytest.fixture
def scenes(tmp_path) -> Path:
    """Images of fifty categories whose sizes have the paper's ratio."""
    sizes = {"/a/largest": 199 + 20, "/b/smallest": 14 + 20}
    sizes |= {f"/c/place{k}": 35 for k in range(48)}
    root = tmp_path / "sun397"
    for name, n in sizes.items():
        folder = root.joinpath("SUN397", *name.split("/"))
        folder.mkdir(parents=True)
        for k in range(n):
            Image.new("RGB", (8, 8), (k, 0, 0)).save(folder / f"{k}.jpg")
    (root / "ClassName.txt").write_text("\n".join(sizes) + "\n")
    return tmp_path


@pytest.mark.slow
def test_classes_that_follow_from_the_seed_are_drawn_for_the_run(scenes):
    request = TableRequest("table4", scenes, 1, updates=2)
    options = request.options("sun397", "cn", "ls", 0)
    run = runner.train(options, scenes / "runs", scenes)
    assert run.finished and run.options == options
    rows = run.rows()
    assert np.bincount(rows.loc[rows["set"] == "train", "label"]).tolist() == list(
        options.counts
    )


def refuse(options: Options, runs_dir: Path, data_dir: Path) -> Run:
    raise UserError(f"{options.dataset}: the file is missing")


def test_a_failure_is_said_once_and_the_rest_is_run(
    toy_table, digits_run, tmp_path, capsys
):
    finished = Run(digits_run.path)
    asked = []

    def train(options: Options, runs_dir: Path, data_dir: Path) -> Run:
        asked.append((options.method, options.seed))
        if options.method == "gamo":
            refuse(options, runs_dir, data_dir)
        return finished

    absent = {("celeba-small", "ls", "test"): toy_table["digits", "ls", "test"]}
    flat = {("mnist", "ls", "test"): {"dos": toy_table["digits", "ls", "test"]["cn"]}}
    request = TableRequest(
        "table2", tmp_path, 2, 40, published={**absent, **flat, **toy_table}
    )
    store = ResultStore(tmp_path / "runs.jsonl")
    with speaking_to("scripts"):
        failed = runner.run_missing(request, tmp_path / "runs", store, train)
    assert asked == [("cn", 0), ("gamo", 0), ("cn", 1)]
    assert set(failed) == {("celeba-small", ""), ("mnist", "dos"), ("digits", "gamo")}
    printed = capsys.readouterr().out
    assert printed.count("celeba-small") == 1 and "list_attr_celeba.txt" in printed
    assert "mnist, dos: --method dos: mnist is trained on its pixels" in printed
    assert "digits, gamo: the file is missing" in printed
    assert len(store) == 1


def test_known_results_are_not_run_again(toy_table, store_of, tmp_path, capsys):
    request = TableRequest("table2", tmp_path, 2, 40, published=toy_table)
    store = store_of({request.options(*run): (0.5, None) for run in request.runs()})
    with speaking_to("scripts"):
        assert runner.run_missing(request, tmp_path, store, refuse) == {}
    printed = capsys.readouterr().out
    assert f"4 of 4 runs are known from {store.path}; to repeat them" in printed
    assert "another --out" in printed

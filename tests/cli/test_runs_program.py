"""`gamo runs`: which runs there are, one in words, and removing some."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

import gamo_tf.inference.predict as inference
import predict
import train_gamo
from gamo_tf.cli import runs, show_run
from gamo_tf.config.options import resolve
from gamo_tf.errors import command, speaking_to
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.runs import run_list
from gamo_tf.runs.run import Run


@pytest.fixture
def begin(tmp_path, perfect_results):
    """``begin(finished, **settings)``: a run on digits that nobody has trained."""

    def make(finished: bool, **settings: object) -> Run:
        options = resolve({"dataset": "digits", **settings})
        run = Run.create(tmp_path / "runs", options)
        if finished:
            run.write_results(perfect_results(options))
        return run

    return make


def scripts(program: str, *arguments: object) -> str:
    """A command as who started a script is told it."""
    with speaking_to("scripts"):
        return command(program, *arguments)


@pytest.fixture
def gamo_runs(tmp_path, capsys):
    """``gamo_runs(*words)``: exit code, standard output and standard error."""

    def call(*words: object) -> tuple[int, str, str]:
        flags = ["--runs-dir", str(tmp_path / "runs")]
        code = runs.main([*map(str, words), *flags])
        return code, *capsys.readouterr()

    return call


@pytest.mark.parametrize("words", [(), ("list",)])
def test_all_runs_are_listed_the_newest_last(words, begin, gamo_runs):
    finished = begin(True, seed=7, iterations=40)
    half = begin(False, method="cn", iterations=40)
    (half.path / "checkpoints" / "0000030").mkdir()
    bare = begin(False, method="ros", loss="ce", iterations=40)
    code, shown, _ = gamo_runs(*words)
    header, *lines = shown.splitlines()
    assert code == 0
    for word in ("run", "dataset", "method", "loss", "seed", "state", "size"):
        assert word in header.split()
    assert all(metric.title in header for metric in METRICS)
    cells = lines[0].split()
    begun = [finished.path.name, "digits", "gamo", "ls", "7", "40", "finished"]
    assert cells[: len(begun) + len(METRICS)] == begun + ["1.000"] * len(METRICS)
    assert lines[0].endswith("2026-11-28") and "MiB" in lines[0]
    assert lines[1].startswith(half.path.name) and "30 of 40  unfinished" in lines[1]
    assert "ce     0     0 of 40  unfinished" in lines[2] and lines[2].endswith("no")
    assert lines[-1] == f"go on with: {scripts('train', '--resume', bare.path)}"


def test_averages_have_columns_where_a_run_has_some(begin, perfect_results, gamo_runs):
    run = begin(False, ema=0.9)
    found = perfect_results(run.options)
    run.write_results({**found, "ema": {"decay": 0.9, **found}})
    begin(True)
    header, first, second, *_ = gamo_runs()[1].splitlines()
    assert all(f"{metric.title} (EMA)" in header for metric in METRICS)
    assert first.split().count("1.000") == 2 * second.split().count("1.000") == 4


def test_damaged_runs_do_not_stop_the_list(begin, tmp_path, gamo_runs):
    whole, settings, results = begin(True), begin(True), begin(True)
    (settings.path / "options.json").write_text("{")
    (results.path / "results.json").write_text('{"dataset": 3}')
    pipe = begin(False)
    (pipe.path / "options.json").unlink()
    os.mkfifo(pipe.path / "options.json")
    (tmp_path / "runs" / "00009-digits-cn-ls").mkdir()
    (tmp_path / "runs" / "describe-digits.png").touch()
    (tmp_path / "runs" / "reproduce").mkdir()
    code, shown, _ = gamo_runs("list")
    table, why = shown.split("\n\n")
    states = [line.split()[0:8] for line in table.splitlines()[1:]]
    assert code == 0 and [("damaged" in cells) for cells in states] == [
        False,
        *(True for _ in range(4)),
    ]
    assert states[0][0] == whole.path.name
    assert [line.split(": ")[:2] for line in why.splitlines()] == [
        ["damaged", f"{settings.path}/options.json"],
        ["damaged", f"{results.path}/results.json"],
        ["damaged", f"{pipe.path}/options.json"],
        ["damaged", f"{tmp_path}/runs/00009-digits-cn-ls/options.json"],
    ]


def test_where_there_is_no_run(gamo_runs):
    code, _, error = gamo_runs()
    assert code == 2
    assert "no finished run" in error and error.startswith("gamo runs: ")


def test_one_run_in_words(begin, gamo_runs):
    run = begin(True, ema=0.999, seed=3, validation_per_class=0, counts=(9,) * 9 + (3,))
    code, shown, _ = gamo_runs("show", run.path.name)
    assert code == 0 and shown.startswith(f"{run.path}: finished, ")
    assert "gamo (GAMO, Algorithm 1), loss ls, seed 3" in shown
    assert "ema 0.999 (default 0)" in shown
    assert "validation-per-class 0 (default 25)" in shown
    assert "counts 9,9,9,9,9,9,9,9,9,3 (default 100,60," in shown
    assert "latent" not in shown and "evaluate-every" not in shown
    assert "test             ACSA 1.000" in shown and "curves.png" in shown
    assert scripts("predict", "--run", run.path, "IMAGES") in shown
    assert scripts("pix", "--run", run.path, "--class", "all") in shown


def test_an_unfinished_and_a_damaged_run_in_words(begin, gamo_runs):
    half = begin(False, method="cn")
    (half.path / "checkpoints" / "0000030").mkdir()
    (half.path / "split.npz").touch()
    (half.path / "curves.png").touch()
    shown = gamo_runs("show", half.path)[1]
    assert "unfinished, at iteration 30" in shown and "the defaults" in shown
    assert f"go on with       {scripts('train', '--resume', half.path)}" in shown
    assert f"{half.path}/curves.png" in shown and "confusion.png" not in shown
    (half.path / "split.npz").unlink()
    assert "stopped before it had begun" in gamo_runs("show", half.path)[1]
    (half.path / "results.json").write_text("[]")
    shown = gamo_runs("show", half.path)[1]
    assert f"damage           {half.path}/results.json: expected" in shown


def test_what_differs_of_a_run_on_own_data(tmp_path):
    options = resolve(
        {
            **{"dataset": "mine", "data": "/d/mine", "shape": (8, 8, 1)},
            **{"classes": ("a", "b"), "counts": (9, 3), "test_split": 0.2},
            **{"method": "cn", "latent": 50},
        }
    )
    assert show_run.differing(options) == ["latent 50 (default 100)"]
    shown = show_run.show(Run.create(tmp_path, options))
    assert "data             data /d/mine" in shown and "test-split 0.2" in shown


def test_runs_side_by_side(begin, gamo_runs):
    first, second, third = (begin(True, seed=seed) for seed in range(3))
    heads = gamo_runs("compare")[1].splitlines()[0].split()
    assert heads == [second.path.name, third.path.name]
    code, shown, _ = gamo_runs("compare", first.path.name, third.path)
    heads = shown.splitlines()[0].split()
    assert code == 0 and heads == [first.path.name, third.path.name]
    assert "recall 9 (of 5)" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lst"], "lst: no such command; there are list, show, compare, rm. Did you"),
        (["show"], "show: expected one RUN."),
        (["rm"], "rm: expected one RUN or more."),
        (["list", "x"], "list: takes no names; x is one."),
        (["list", "--yes"], "--yes: goes with rm."),
        (["show", "00000-digits-gamo-l"], "Did you mean 00000-digits-gamo-ls?"),
        (["show", ""], "there is no such run"),
    ],
)
def test_wrong_words(words, message, begin, gamo_runs):
    begin(False)
    code, _, error = gamo_runs(*words)
    assert code == 2 and message in error and error.count("\n") == 1


# ---- the newest ---------------------------------------------------------------------


def test_resume_newest_is_the_newest_unfinished_run(begin, tmp_path, capsys):
    flags = ["--resume", "newest", "--runs-dir", str(tmp_path / "runs"), "--dry-run"]
    assert train_gamo.main(flags) == 2
    error = capsys.readouterr().err
    assert "--resume newest: no unfinished run in" in error and error.count("\n") == 1
    begin(True)
    older, wanted = begin(False, seed=5), begin(False, seed=6)
    for run in (older, wanted):
        (run.path / "split.npz").touch()
    begin(True)
    begin(False)  # was stopped before it had rows
    damaged = begin(False)
    (damaged.path / "options.json").write_text("{")
    assert train_gamo.main(flags) == 0
    caught = capsys.readouterr()
    assert f"the newest unfinished run: {wanted.path}\n" in caught.err
    assert f"left out: {damaged.path}/options.json" in caught.err
    assert json.loads(caught.out)["seed"] == 6


@pytest.mark.parametrize("named", [[], ["--run", "newest"]])
def test_predict_says_which_run_it_uses(named, begin, tmp_path, capsys, monkeypatch):
    begin(True)
    run = begin(True)
    begin(False)
    found = inference.Predictions(["file"], [["x.png"]], {}, [])
    monkeypatch.setattr(inference, "predict_rows", lambda *_: found)
    flags = ["x.png", "--runs-dir", str(tmp_path / "runs"), *named]
    assert predict.main(flags) == 0
    caught = capsys.readouterr()
    assert caught.err == f"the newest finished run that fits: {run.path}\n"
    assert caught.out.split() == ["file", "x.png"]


# ---- removing -----------------------------------------------------------------------


def test_runs_are_removed_and_nothing_else(begin, gamo_runs, tmp_path):
    first, second, third = (begin(True) for _ in range(3))
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.txt").write_text("mine")
    (first.path / "samples" / "link").symlink_to(outside)
    (second.path / "options.json").write_text("{")  # damaged, but a run
    names = [first.path.name, second.path, first.path.name]
    code, shown, error = gamo_runs("rm", *names, "--yes")
    assert code == 0, error
    assert f"{second.path}: damaged" in shown and shown.count("removed: ") == 2
    assert os.listdir(tmp_path / "runs") == [third.path.name]
    assert (outside / "kept.txt").read_text() == "mine"


def test_what_is_no_run_is_not_removed(begin, gamo_runs, tmp_path):
    run = begin(True)
    photos = tmp_path / "runs" / "00001-photos"
    photos.mkdir()
    (photos / "one.png").touch()
    link = tmp_path / "runs" / "00002-digits-gamo-ls"
    link.symlink_to(run.path)
    for path, why in ((photos, "is no run"), (link, "is a link"), ("..", "is no run")):
        code, _, error = gamo_runs("rm", run.path, path, "--yes")
        assert code == 2 and why in error and "nothing is removed" in error
    assert run.finished and link.exists() and (photos / "one.png").exists()


@pytest.mark.parametrize("part", ["", "gamo2pix"])
def test_a_run_that_is_worked_on_is_not_removed(part, begin, gamo_runs):
    other, run = begin(True), begin(True)
    (run.path / "gamo2pix").mkdir()
    with Run(run.path / part).lock():
        code, _, error = gamo_runs("rm", other.path, run.path, "--yes")
    assert code == 2 and "another process is at work on it" in error
    assert other.finished and run.finished
    assert gamo_runs("rm", run.path, "--yes")[0] == 0 and not run.path.exists()


@pytest.mark.parametrize(("answer", "there"), [("y\n", 0), ("no\n", 1), ("", 1)])
def test_a_person_is_asked(answer, there, begin, gamo_runs, monkeypatch):
    run = begin(True)
    terminal = io.StringIO(answer)
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", terminal)
    code, shown, _ = gamo_runs("rm", run.path)
    assert code == 0 and run.path.exists() == bool(there)
    assert "remove 1 run(s) for good?" in shown
    assert ("nothing was removed" in shown) == bool(there)


def test_nobody_can_be_asked_without_a_terminal(begin, gamo_runs, monkeypatch):
    run = begin(True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    code, _, error = gamo_runs("rm", run.path)
    assert code == 2 and "--yes: is needed" in error and run.finished


def test_half_a_run_is_taken_for_none_and_goes_with_the_next(
    begin, gamo_runs, monkeypatch
):
    first, second, third = (begin(True) for _ in range(3))

    def die(path: Path) -> None:
        if path.exists():
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run_list, "remove", die)
        # Killed as soon as the folder has its new name.
        assert gamo_runs("rm", first.path, "--yes")[0] == 130
    left = [path.name for path in first.path.parent.iterdir()]
    assert sorted(left)[1:] == [second.path.name, third.path.name] and len(left) == 3
    assert run_list.folders(first.path.parent) == [second.path, third.path]
    assert gamo_runs("rm", second.path, "--yes")[0] == 0
    assert os.listdir(third.path.parent) == [third.path.name]

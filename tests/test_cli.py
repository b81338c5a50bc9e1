"""train_gamo.py as a user meets it."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import train_gamo
from gamo_tf import compare
from gamo_tf.runs import Run

ROOT = Path(__file__).resolve().parent.parent
SHORT = ["--dataset", "digits", "--iterations", "40", "--checkpoint-every", "10"]
COUNTS = "40,20,10,8,6,5,4,4,3,3"


def cli(*args, code: str = "", cwd=ROOT) -> subprocess.CompletedProcess:
    """The command in a process of its own, after `code` has been run in it."""
    script = f"import sys, train_gamo\n{code}\nsys.exit(train_gamo.main())"
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, args)],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def weights(run: Path, name: str) -> list[np.ndarray]:
    return Run.open(run).load_model(name).get_weights()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A short GAMO run and all it left."""
    folder = tmp_path_factory.mktemp("runs")
    flags = [*SHORT, "--deterministic", "--ema", "0.9", "--evaluate-every", "20"]
    done = cli(*flags, "--runs-dir", folder)
    assert done.returncode == 0, done.stderr
    return folder / "00000-digits-gamo-ls", done


def test_a_run_leaves_what_the_interface_fixes(finished):
    run, done = finished
    results = json.loads((run / "results.json").read_text())
    for key in (
        "dataset",
        "method",
        "loss",
        "seed",
        "iterations",
        "seconds",
        "classes",
    ):
        assert key in results
    for source in (results, results["ema"]):
        for name, total in (("test", 250), ("test_full", 500), ("train", 308)):
            summary = source[name]
            matrix = np.array(summary["confusion"])
            assert matrix.sum() == total
            recall = np.diag(matrix) / matrix.sum(1)
            assert summary["recall"] == pytest.approx(recall.tolist())
            assert summary["acsa"] == pytest.approx(recall.mean())
            assert summary["gm"] == pytest.approx(np.prod(recall) ** 0.1)
    assert sorted(p.name for p in (run / "models").iterdir()) == [
        f"{n}.keras" for n in ("D", "F", "F_ema", "G", "M", "M_ema")
    ]
    rows = pd.read_csv(run / "metrics.csv")
    assert rows["iteration"].tolist() == [20, 40]
    assert rows["test_acsa"].iloc[-1] == pytest.approx(results["test"]["acsa"])
    assert rows["parents_1"].between(1, 60).all()
    pictures = ["curves.png", "confusion.png", "samples/0000020.png"]
    for name in (*pictures, "samples/0000040.png"):
        assert np.asarray(Image.open(run / name)).std() > 5  # not blank
    assert not list(run.rglob(".part*"))
    assert "tensorboard --logdir" in done.stdout and "ACSA" in done.stdout
    assert [p.name for p in Run.open(run).checkpoints()][-1] == "0000040"
    assert len(Run.open(run).checkpoints()) == 3


def test_tensorboard_has_what_is_watched(finished):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tags = {}
    for name in ("train", "test", "test_full", "test_ema"):
        events = EventAccumulator(str(finished[0] / "tensorboard" / name))
        events.Reload()
        tags[name] = {*events.Tags()["tensors"], *events.Tags()["images"]}
    for name in ("train", "test", "test_full", "test_ema"):
        assert {"ACSA", "GM", "recall/0", "recall/9"} <= tags[name]
    losses = ("F", "M_real", "M_generated", "D_real", "D_generated", "G_vs_M", "G_vs_D")
    assert {f"loss/{n}" for n in losses} <= tags["train"]
    assert {f"effective_parents/{n}" for n in range(1, 10)} <= tags["train"]
    assert {"samples", "confusion"} <= tags["test"]


def test_exported_networks_give_the_reported_metrics(finished):
    from gamo_tf import datasets, metrics
    from gamo_tf.specs import DATASETS

    run = Run.open(finished[0])
    split = run.load_split(datasets.read(DATASETS["digits"], Path()))
    F, M = run.load_model("F"), run.load_model("M")
    guess = np.argmax(M(F(split.test_images)), axis=1)
    matrix = metrics.confusion(split.test_labels, guess, 10)
    assert matrix.tolist() == run.read_results()["test_full"]["confusion"]


KILL = """
import os, signal
from gamo_tf.runs import Run
save = Run.save_checkpoint
def save_then_die(self, iteration, *rest):
    save(self, iteration, *rest)
    if iteration == 20:
        {how}
Run.save_checkpoint = save_then_die
"""


def test_resume_after_kill_ends_bit_for_bit_like_never_stopped(finished, tmp_path):
    flags = [*SHORT, "--deterministic", "--ema", "0.9", "--evaluate-every", "20"]
    how = "os.kill(os.getpid(), signal.SIGKILL)"
    died = cli(*flags, "--runs-dir", tmp_path, code=KILL.format(how=how))
    assert died.returncode == -9
    run = tmp_path / "00000-digits-gamo-ls"
    assert not Run.open(run).finished
    again = cli("--resume", run)
    assert again.returncode == 0, again.stderr
    assert "resumed after iteration 20" in again.stdout
    for name in ("F", "M", "D", "G", "F_ema", "M_ema"):
        for one, two in zip(
            weights(finished[0], name), weights(run, name), strict=True
        ):
            np.testing.assert_array_equal(one, two, err_msg=name)
    keys = ("test", "test_full", "train", "ema")
    one, two = (Run.open(p).read_results() for p in (finished[0], run))
    assert [one[k] for k in keys] == [two[k] for k in keys]
    assert pd.read_csv(run / "metrics.csv")["iteration"].tolist() == [20, 40]


def test_ctrl_c_saves_and_says_how_to_resume(tmp_path):
    code = """
import os, signal
from gamo_tf.watch import Watch
progress = Watch.progress
def interrupt(self, iteration, evaluated):
    progress(self, iteration, evaluated)
    if iteration == 10:
        os.kill(os.getpid(), signal.SIGINT)
Watch.progress = interrupt
"""
    flags = ["--dataset", "digits", "--method", "cn", "--iterations", "40"]
    stopped = cli(*flags, "--runs-dir", tmp_path, code=code)
    run = tmp_path / "00000-digits-cn-ls"
    assert stopped.returncode == 130
    assert f"--resume {run}" in stopped.stderr
    assert not (run / "results.json").exists()
    assert train_gamo.main(["--resume", str(run)]) == 0
    assert Run.open(run).read_results()["method"] == "cn"


def test_nan_stops_the_run_and_names_the_last_good_checkpoint(tmp_path):
    how = "import numpy as np; GAME.M.set_weights("
    how += "[w * np.nan for w in GAME.M.get_weights()])"
    code = KILL.format(how=how).replace("import os", "import gamo_tf.train as t, os", 1)
    code += """
build = t.build
def keep(*args):
    global GAME
    GAME = build(*args)
    return GAME
t.build = keep
"""
    # `exec`d at top level, so GAME is a global of the script.
    bad = cli(*SHORT, "--runs-dir", tmp_path, code=code)
    run = tmp_path / "00000-digits-gamo-ls"
    assert bad.returncode == 2
    assert "NaN" in bad.stderr and str(run / "checkpoints" / "0000020") in bad.stderr
    assert "Traceback" not in bad.stderr
    assert not Run.open(run).finished
    assert [p.name for p in Run.open(run).checkpoints()] == ["0000010", "0000020"]


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--dataset", "cifar11"], "invalid choice"),
        (["--iterations", "5"], "--dataset is needed"),
        (["--dataset", "digits", "--iterations", "0"], "--iterations 0"),
        (["--dataset", "digits", "--batch-size", "1"], "--batch-size 1"),
        (["--dataset", "digits", "--ema", "1"], "--ema 1"),
        (["--dataset", "digits", "--label-noise", "-1"], "--label-noise"),
        (["--dataset", "digits", "--learning-rate", "0"], "--learning-rate 0"),
        (["--dataset", "digits", "--counts", "9,9"], "2 numbers given"),
        (["--dataset", "digits", "--counts", "a,b"], "list of counts"),
        (["--dataset", "digits", "--counts", ",".join(["9"] * 10)], "no minority"),
        (["--dataset", "digits", "--counts", COUNTS[:-1] + "1"], "2 or more"),
        (["--dataset", "digits", "--counts", "900," + COUNTS[3:]], "asked for"),
        (["--dataset", "digits", "--test-per-class", "51"], "asked for"),
        (["--dataset", "digits", "--test-per-class", "0"], "'all'"),
        (["--dataset", "digits", "--imbalance-ratio", "0.5"], "1 or more"),
        (["--dataset", "digits", "--profile", "step"], "needs --imbalance-ratio"),
        (["--resume", "README.md"], "not a run folder"),
        (["--wrong"], ""),
    ],
    ids=" ".join,
)
def test_bad_input_is_told_in_one_line_and_exits_2(flags, told, tmp_path, capsys):
    try:
        code = train_gamo.main([*flags, "--runs-dir", str(tmp_path / "r")])
    except SystemExit as stop:
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2 and told in error and "Traceback" not in error
    assert not (tmp_path / "r").exists()


def test_other_imbalance_and_the_whole_test_set(tmp_path):
    flags = ["--dataset", "digits", "--imbalance-ratio", "20", "--iterations", "3"]
    where = ["--runs-dir", str(tmp_path), "--test-per-class", "all"]
    assert train_gamo.main([*flags, *where]) == 0
    results = Run.open(tmp_path / "00000-digits-gamo-ls").read_results()
    assert results["counts"][0] == 100 and results["counts"][9] == 5
    assert results["test"] == results["test_full"]
    assert np.sum(results["test"]["confusion"]) == 500


def test_bad_files_are_told(tmp_path, capsys):
    (tmp_path / "cifar-10-batches-bin").mkdir()
    flags = ["--dataset", "cifar10", "--data-dir", str(tmp_path)]
    assert train_gamo.main([*flags, "--runs-dir", str(tmp_path / "r")]) == 2
    assert "data_batch_1.bin" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    flags = [*SHORT, "--runs-dir", str(tmp_path / "file" / "r")]
    assert train_gamo.main(flags) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_missing_file_without_network_names_url_and_place(
    tmp_path, capsys, monkeypatch
):
    def offline(*args, **kwargs):
        raise OSError("no route")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    flags = ["--dataset", "mnist", "--data-dir", str(tmp_path / "d")]
    assert train_gamo.main([*flags, "--runs-dir", str(tmp_path / "r")]) == 2
    error = capsys.readouterr().err
    assert "https://" in error and "train-images-idx3-ubyte.gz" in error
    assert str(tmp_path / "d" / "mnist") in error


def test_resume_refuses_other_settings_and_finished_runs(finished, capsys):
    run = str(finished[0])
    assert train_gamo.main(["--resume", run, "--seed", "7"]) == 2
    assert "--seed 7" in capsys.readouterr().err
    assert train_gamo.main(["--resume", run]) == 2
    assert "finished already" in capsys.readouterr().err


def test_dry_run_shows_settings_and_writes_nothing(tmp_path, capsys):
    flags = [
        "--dataset",
        "fashion-mnist",
        "--imbalance-ratio",
        "10",
        "--profile",
        "step",
    ]
    where = ["--runs-dir", str(tmp_path / "r"), "--dry-run"]
    assert train_gamo.main([*flags, *where]) == 0
    shown = capsys.readouterr().out
    settings = json.loads(shown[: shown.rindex("}") + 1])
    assert settings["counts"] == [4000] * 5 + [400] * 5
    assert settings["iterations"] == 25_000
    assert not (tmp_path / "r").exists()


def test_help_and_wrong_flags_do_not_import_tensorflow():
    code = "import sys, train_gamo\ntry: train_gamo.main(sys.argv[1:])\n"
    code += "except SystemExit: pass\nassert 'tensorflow' not in sys.modules\n"
    code += "assert 'keras' not in sys.modules"
    for flags in (["--help"], ["--wrong"], ["--dataset", "digits", "--dry-run"]):
        command = [sys.executable, "-c", code, *flags]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_compare_sets_runs_side_by_side(finished, capsys):
    assert compare.main([str(finished[0]), str(finished[0])]) == 0
    shown = capsys.readouterr().out
    assert "test ACSA (EMA)" in shown and "recall 9 (of 5)" in shown
    assert compare.main(["--runs-dir", "nowhere"]) == 2


@pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist", "cifar10"])
def test_real_sets_train(dataset, tmp_path):
    folder = os.environ.get("GAMO_DATA_DIR")
    if not folder:
        pytest.skip(f"{dataset}: GAMO_DATA_DIR is not set")
    done = cli("--dataset", dataset, "--iterations", "3", "--data-dir", folder,
               "--runs-dir", tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = Run.open(tmp_path / f"00000-{dataset}-gamo-ls").read_results()
    assert np.sum(results["test"]["confusion"]) == 1000

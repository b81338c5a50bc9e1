"""Training from the command line: what a run leaves, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import train_gamo
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options
from gamo_tf.evaluation.metrics import METRICS, TITLES
from gamo_tf.networks.saved import load_network
from gamo_tf.runs.run import Run

SHORT = ["--dataset", "digits", "--iterations", "40"]
COUNTS = "40,20,10,8,6,5,4,4,3,3"


def shown_settings(shown: str) -> dict:
    """The settings that --dry-run shows."""
    return json.loads(shown[: shown.rindex("}") + 1])


# ---- what a run leaves -------------------------------------------------------------


def test_a_run_leaves_what_the_interface_fixes(digits_run):
    run = digits_run.path
    results = json.loads((run / "results.json").read_text())
    keys = ["dataset", "method", "loss", "seed", "iterations", "seconds", "classes"]
    assert set(keys) <= set(results)
    for found in (results, results["ema"]):
        totals = {"test": 250, "test_full": 500, "validation": 250, "train": 308}
        assert [name for name in found if name in totals] == list(totals)
        for name, total in totals.items():
            summary = found[name]
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
    for metric in METRICS:
        last = rows[f"validation_{metric.name}"].iloc[-1]
        assert last == pytest.approx(results["validation"][metric.name])
    # No test row is looked at before the end.
    assert not [column for column in rows if "test" in column]
    (watched,) = [x for x in digits_run.stdout.splitlines() if "iteration     40" in x]
    assert "validation ACSA" in watched and "test" not in watched
    assert rows["parents_1"].between(1, 60).all()
    pictures = ["curves.png", "confusion.png", "samples/0000020.png"]
    for name in (*pictures, "samples/0000040.png"):
        assert np.asarray(Image.open(run / name)).std() > 5  # not blank
    assert not list(run.rglob(".part*"))
    assert "tensorboard --logdir" in digits_run.stdout and "ACSA" in digits_run.stdout
    kept = [p.name for p in Run.open(run).checkpoints()]
    assert kept == ["0000020", "0000030", "0000040"]


def test_tensorboard_has_what_is_watched(digits_run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tags = {}
    for name in ("train", "validation", "train_ema", "validation_ema", "game", "test"):
        events = EventAccumulator(str(digits_run.path / "tensorboard" / name))
        events.Reload()
        tags[name] = {*events.Tags()["tensors"], *events.Tags()["images"]}
    measured = {f"digits metrics/{title}" for title in TITLES.values()}
    measured |= {"digits recall/0", "digits recall/9"}
    for name in ("train", "validation", "train_ema", "validation_ema"):
        assert measured <= tags[name]
    losses = ("F", "M_real", "M_generated", "D_real", "D_generated", "G_vs_M", "G_vs_D")
    assert {f"digits loss/{n}" for n in losses} <= tags["train"]
    parents = {f"digits parents_per_sample/{n}" for n in range(1, 10)}
    assert parents <= tags["game"] and "digits samples" in tags["train"]
    assert "digits confusion" in tags["validation"]
    assert "digits final/test_full GM, EMA" in tags["test"]  # once, at the end
    listed = digits_run.path.parent / "tensorboard" / "00000 gamo test"
    assert listed.resolve() == digits_run.path / "tensorboard" / "test"


def test_saved_networks_give_the_reported_metrics(digits_run, tmp_path):
    from gamo_tf.evaluation import metrics

    run = Run.open(digits_run.path)
    split = run.load_split(run.arrays(tmp_path))
    F, M = load_network(run.model("F")), load_network(run.model("M"))
    guess = np.argmax(M(F(split.test_images)), axis=1)
    matrix = metrics.confusion(split.test_labels, guess, 10)
    assert matrix.tolist() == run.read_results()["test_full"]["confusion"]


@pytest.mark.slow
def test_other_imbalance_and_the_whole_test_set(tmp_path):
    flags = ["--dataset", "digits", "--imbalance-ratio", "20", "--iterations", "3"]
    where = ["--runs-dir", str(tmp_path), "--test-per-class", "all"]
    assert train_gamo.main([*flags, *where]) == 0
    results = Run.open(tmp_path / "00000-digits-gamo-ls").read_results()
    assert results["counts"][0] == 100 and results["counts"][9] == 5
    assert results["test"] == results["test_full"]
    assert np.sum(results["test"]["confusion"]) == 500


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dataset", "method"),
    [("mnist", "gamo"), ("cifar10", "cn")],
)
def test_published_sets_train(dataset, method, real_data, cli, tmp_path):
    flags = ["--dataset", dataset, "--method", method, "--iterations", 3]
    flags += ["--data-dir", real_data]
    done = cli("train_gamo", *flags, "--runs-dir", tmp_path)
    assert done.returncode == 0, done.stderr
    results = Run.open(tmp_path / f"00000-{dataset}-{method}-ls").read_results()
    assert np.sum(results["test"]["confusion"]) == 1000


# ---- nothing is trained ------------------------------------------------------------


def test_dry_run_shows_settings_and_writes_nothing(tmp_path, capsys):
    flags = ["--dataset", "fashion-mnist", "--imbalance-ratio", "10"]
    flags += ["--profile", "step", "--runs-dir", str(tmp_path / "r"), "--dry-run"]
    assert train_gamo.main(flags) == 0
    settings = shown_settings(capsys.readouterr().out)
    assert settings["counts"] == [4000] * 5 + [400] * 5
    assert settings["iterations"] == 25_000
    assert not (tmp_path / "r").exists()


def test_class_order_is_an_option_where_the_files_number_otherwise(capsys):
    flags = ["--dataset", "svhn", "--dry-run"]
    assert train_gamo.main(flags) == 0
    assert shown_settings(capsys.readouterr().out)["counts"][0] == 4500
    assert train_gamo.main([*flags, "--class-order", "file"]) == 0
    counts = shown_settings(capsys.readouterr().out)["counts"]
    assert counts == [80, 4500, 2000, 1000, 800, 600, 500, 400, 250, 150]
    mine = ["--counts", "9,8,7,6,5,4,3,3,3,2", "--class-order", "file"]
    assert train_gamo.main([*flags, *mine]) == 0
    counts = shown_settings(capsys.readouterr().out)["counts"]
    assert counts == [2, 9, 8, 7, 6, 5, 4, 3, 3, 3]
    assert train_gamo.main(["--dataset", "digits", "--class-order", "file"]) == 2
    assert "goes with --dataset svhn" in capsys.readouterr().err


def test_help_is_short_and_names_the_defaults(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        train_gamo.main(["--help"])
    shown = capsys.readouterr().out
    lines = [line.strip() for line in shown.splitlines()]
    assert len(lines) <= 80 and max(map(len, lines)) < 80  # two screens
    words = " ".join(lines)
    assert "python -m gamo_tf methods" in words and "vector-scaling" not in words
    assert "--latent" not in words and "--help-all" in words  # few need it
    with pytest.raises(SystemExit):
        train_gamo.main(["--help-all"])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    for name in ("latent", "learning_rate", "batch_size", "ema", "tau", "support"):
        (line,) = (x for x in lines if x.startswith(f"--{name.replace('_', '-')} "))
        assert line.endswith(f"default {getattr(Options, name):g}")
    assert f"default {METHODS['gamo-balanced'].defaults['sampling']}" in words


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dataset", "cifar11"], "invalid choice 'cifar11'; there are digits, mn"),
        (["--dataset", "mnsit"], "Did you mean mnist?"),
        (["--method", "gmao"], "gamo_tf methods lists them. Did you mean gamo?"),
        (["--iterations", "5"], "--dataset is needed"),
        (["--dataset", "digits", "--iterations", "0"], "--iterations 0"),
        (["--dataset", "digits", "--batch-size", "1"], "--batch-size 1"),
        (["--dataset", "digits", "--ema", "1"], "--ema 1"),
        (["--dataset", "digits", "--label-noise", "-1"], "--label-noise"),
        (["--dataset", "digits", "--learning-rate", "0"], "--learning-rate 0"),
        (["--dataset", "digits", "--learning-rate", "inf"], "expected 1e-30 to"),
        (["--dataset", "digits", "--learning-rate", "nan"], "expected 1e-30 to"),
        (["--dataset", "digits", "--seed", "4294967296"], "expected 0 to 4294967295."),
        (["--dataset", "digits", "--seed", "-1"], "expected 0 to 4294967295."),
        (["--dataset", "digits", "--seed", "1" + "0" * 400], "--seed 10**400"),
        (["--dataset", "digits", "--latent", "1000000000"], "expected 1 to 4096."),
        (["--dataset", "digits", "--batch-size", "1000000"], "expected 2 to 8192"),
        (["--dataset", "digits", "--ema", "nan"], "--ema nan: expected 0 to below 1"),
        (["--dataset", "digits", "--label-noise", "nan"], "--label-noise nan"),
        (["--dataset", "digits", "--evaluate-every", "0"], "--evaluate-every 0"),
        (["--dataset", "digits", "--imbalance-ratio", "nan"], "--imbalance-ratio nan"),
        (["--dataset", "digits", "--imbalance-ratio", "inf"], "--imbalance-ratio inf"),
        (["--dataset", "mnist", "--counts", "9" * 30 + ",9" * 9], "10**30 of class 0"),
        (["--image-folder", "/none", "--seed", "-1"], "--seed -1: expected 0 to"),
        (["--image-folder", "/none", "--image-size", "7"], "expected 8 to 512."),
        (["--image-folder", "/none", "--test-split", "nan"], "above 0 and below 1."),
        (["--features", "/none", "--label", "x", "--test-split", "1"], "below 1."),
        (["--image-folder", "/none", "--validation-split", "1"], "0 to below 1; 0 is"),
        (["--dataset", "digits", "--validation-split", "0.2"], "goes with --image-fo"),
        (["--dataset", "sun397", "--validation-split", "0.2"], "goes with --image-fo"),
        (["--dataset", "digits", "--validation-per-class", "-1"], "0 is none"),
        (["--dataset", "digits", "--counts", "9,9"], "2 numbers given"),
        (["--dataset", "digits", "--counts", "a,b"], "list of counts"),
        (["--dataset", "digits", "--counts", ",".join(["9"] * 10)], "no minority"),
        (["--dataset", "digits", "--counts", COUNTS[:-1] + "1"], "2 or more"),
        (["--dataset", "digits", "--counts", "900," + COUNTS[3:]], "asked for"),
        (["--dataset", "digits", "--test-per-class", "51"], "asked for"),
        (["--dataset", "digits", "--test-per-class", "0"], "'all'"),
        (["--dataset", "digits", "--imbalance-ratio", "0.5"], "1 to 1000000000"),
        (["--dataset", "digits", "--profile", "step"], "needs --imbalance-ratio"),
        (["--resume", "README.md"], "not a run folder"),
        (["--wrong"], ""),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else "",
)
def test_bad_input_is_reported_in_one_line_and_exits_2(
    flags, message, tmp_path, capsys
):
    try:
        code = train_gamo.main([*flags, "--runs-dir", str(tmp_path / "r")])
    except SystemExit as stop:
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2 and message in error and "Traceback" not in error
    assert not (tmp_path / "r").exists()


def test_bad_files_are_reported(tmp_path, capsys):
    (tmp_path / "cifar-10-batches-bin").mkdir()
    flags = ["--dataset", "cifar10", "--data-dir", str(tmp_path)]
    assert train_gamo.main([*flags, "--runs-dir", str(tmp_path / "r")]) == 2
    assert "data_batch_1.bin" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    flags = [*SHORT, "--runs-dir", str(tmp_path / "file" / "r")]
    assert train_gamo.main(flags) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_missing_file_without_network_names_url_and_place(tmp_path, capsys, offline):
    flags = ["--dataset", "mnist", "--data-dir", str(tmp_path / "d")]
    assert train_gamo.main([*flags, "--runs-dir", str(tmp_path / "r")]) == 2
    error = capsys.readouterr().err
    assert "https://" in error and "train-images-idx3-ubyte.gz" in error
    assert str(tmp_path / "d" / "mnist") in error


@pytest.mark.parametrize("dataset", ["celeba-small", "sun397"])
def test_files_to_be_fetched_are_reported_with_place_and_terms(
    dataset, tmp_path, capsys
):
    assert train_gamo.main(["--dataset", dataset, "--data-dir", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert str(tmp_path) in error and "https://" in error and "research" in error

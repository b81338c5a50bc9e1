"""`gamo compare` on data: from a table or a dataset to the answer."""

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gamo_tf.cli.describe import Cost
from gamo_tf.comparison import plan, program, schedule
from gamo_tf.comparison.job import Job
from gamo_tf.config.tuned import RECIPE, TUNED
from gamo_tf.errors import UserError, speaking_to
from gamo_tf.files import locked
from gamo_tf.stored import write_json


def blobs(path: Path, sizes: dict[str, int], apart: float) -> Path:
    """A table of one Gaussian for each class, whose means are so far apart."""
    rng = np.random.default_rng(0)
    rows = []
    for k, (name, n) in enumerate(sizes.items()):
        X = rng.standard_normal((n, 4)) + apart * k
        rows.append(pd.DataFrame(X, columns=list("abcd")).assign(kind=name))
    pd.concat(rows).to_csv(path, index=False)
    return path


def asked(table: Path, out: Path, *more: str) -> list[str]:
    common = ["--features", str(table), "--label", "kind", "--out", str(out)]
    return [*common, "--iterations", "20", "--jobs", "1", *more]


def answered(out: Path) -> dict:
    return json.loads((out / "answer.json").read_text())


@pytest.fixture
def measured(monkeypatch):
    """A comparison that is not measured before it begins, which takes a process."""

    def costs(options, threads) -> dict[str, Cost]:
        return dict.fromkeys(options, Cost(2.0, 0.004, 0.1, 100, 500))

    monkeypatch.setattr(plan, "costs", costs)


LOGISTIC = ("--methods", "logistic", "random+logistic", "smote+logistic")


@pytest.mark.slow
def test_the_sentence_is_right_where_the_truth_is_known(tmp_path, measured, capsys):
    # Classes that overlap, 40 : 1: a plain classifier hardly ever finds the small one.
    must = blobs(tmp_path / "must.csv", {"no": 4000, "yes": 100}, 0.8)
    more = ("--seeds", "8", *LOGISTIC)
    assert program.main(asked(must, tmp_path / "must", *more)) == 0
    found = answered(tmp_path / "must")
    assert found["use"] in ("random+logistic", "smote+logistic")
    assert found["sentences"][0].startswith(f"Use {found['use']}")
    # Two ways to oversample are alike, and both are far from the plain one.
    by_method = {line["method"]: line for line in found["leaderboard"]}
    other = {"random+logistic", "smote+logistic"} - {found["use"]}
    assert by_method[other.pop()]["chosen_is"] == "no difference shown"
    assert by_method["logistic"]["chosen_is"] == "ahead"
    assert "make_pipeline(StandardScaler(), " in found["train"]
    # Classes far apart: everything finds all of them, and nothing can help.
    cannot = blobs(tmp_path / "cannot.csv", {"no": 300, "yes": 30}, 8.0)
    assert program.main(asked(cannot, tmp_path / "cannot", *LOGISTIC)) == 0
    found = answered(tmp_path / "cannot")
    assert found["use"] == "logistic"
    assert found["sentences"][0].startswith("Nothing here is shown to help")
    assert "written:" in capsys.readouterr().out


@pytest.mark.slow
def test_stopped_and_begun_again_it_says_the_same(tmp_path, measured, capsys):
    table = blobs(tmp_path / "t.csv", {"no": 200, "yes": 40}, 1.0)
    end = ("--methods", "logistic", "smote+logistic", "--seeds", "3")
    out = tmp_path / "out"
    assert program.main(asked(table, out, *end)) == 0
    first = answered(out)
    # As after a kill: one record is gone, another training had hardly begun.
    shutil.rmtree(out / "jobs" / "logistic-1")
    (out / "jobs" / "smote+logistic-2" / "record.json").unlink()
    assert program.main(asked(table, out, *end, "--known")) == 0
    assert answered(out)["missing"] == 2
    capsys.readouterr()
    assert program.main(asked(table, out, *end)) == 0
    assert "\n2 trainings of 20 updates of M, 1 at a time" in capsys.readouterr().out
    again = answered(out)
    assert program.main(asked(table, out, *end)) == 0
    said = capsys.readouterr().out
    assert "all 6 trainings are done" in said and "measuring" not in said
    for known in (first, again):
        for line in known["leaderboard"]:
            del line["seconds"], line["mebibytes"]
    assert again["leaderboard"] == first["leaderboard"]
    # More seeds are added to it; other data is not.
    assert program.main(asked(table, out, *end[:3], "--seeds", "4")) == 0
    assert {line["seeds"] for line in answered(out)["leaderboard"]} == {4}
    capsys.readouterr()
    other = blobs(tmp_path / "other.csv", {"no": 100, "yes": 40}, 1.0)
    assert program.main(asked(other, out, *end)) == 2
    assert "holds a comparison with --features" in capsys.readouterr().err


@pytest.mark.slow
def test_a_training_is_gone_on_with_and_a_busy_one_waited_for(tmp_path):
    data = ["--dataset", "digits", "--iterations", "60", "--seeds", "1"]
    end = ["--methods", "cn", "logit-adjust", "--jobs", "1"]
    out = tmp_path / "out"
    busy = out / "jobs" / "cn-0"
    busy.mkdir(parents=True)
    flags = {"dataset": "digits", "ema": RECIPE["ema"], "augment": True}
    plan.Plan(flags, ["cn"], 1, 60, tmp_path / "made", 1, Path("data")).save()
    shutil.copy(tmp_path / "made" / "comparison.json", out)
    released = threading.Event()

    def hold() -> None:
        with locked(busy):
            released.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()

    def release() -> None:
        while not (out / "jobs" / "logit-adjust-0" / "record.json").exists():
            released.wait(0.1)
        released.set()

    threading.Thread(target=release).start()
    assert program.main([*data, *end, "--out", str(out)]) == 0
    holder.join()
    found = answered(out)
    assert found["missing"] == 0
    assert {line["method"] for line in found["leaderboard"]} == {"cn", "logit-adjust"}
    assert "--augment" in found["train"] and "--ema 0.999" in found["train"]
    (run,) = (out / "jobs" / "cn-0" / "runs").glob("00000-*")
    assert (run / "results.json").is_file()
    assert "finished" not in (out / "answer.txt").read_text()


def test_bad_input(tmp_path, capsys):
    table = blobs(tmp_path / "t.csv", {"no": 40, "yes": 10}, 1.0)
    out = ["--out", str(tmp_path / "out")]
    for arguments, why in {
        ("--seeds", "3"): "--out: goes with --dataset",
        ("--dataset", "digits", "--seed", "1"): "--seed: of compare it is --seeds",
        ("--dataset", "digits", "--method", "cn"): "of compare it is --methods",
        ("--dataset", "digits", "--seeds", "0"): "--seeds 0: expected 1 or more",
        ("--dataset", "digits", "--budget", "soon"): "--budget soon: expected such as",
        ("--dataset", "digits", "--methods", "boosting"): "boosting: needs --features",
        ("--dataset", "digits", "somewhere"): "runs are compared without data",
        ("--dataset", "digits", "--known"): "no training of the comparison is known",
    }.items():
        assert program.main([*arguments, *out]) == 2, arguments
        assert why in capsys.readouterr().err, arguments
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    assert program.main(asked(table, tmp_path / "full", *LOGISTIC)) == 2
    assert "is no comparison, and not empty" in capsys.readouterr().err
    none = asked(table, tmp_path / "out", "--validation-split", "0", *LOGISTIC)
    assert program.main(none) == 2
    assert "methods are chosen by validation rows" in capsys.readouterr().err


def test_what_fails_is_not_in_the_way_of_the_others(tmp_path, monkeypatch, capsys):
    some = plan.Plan({}, ["gamo", "cn", "ros"], 2, 100, tmp_path, 1, tmp_path)
    tried = []

    def train(flags, job, data_dir) -> None:
        tried.append((job.method, job.seed))
        if job.method == "gamo":
            raise UserError("diverged")
        if job.method == "cn":
            raise ZeroDivisionError("a bug")
        recorded = {"method": "ros", "seed": job.seed, "seconds": 1.0}
        write_json(job.file, {**recorded, "test_full": {"acsa": 0.5}})

    monkeypatch.setattr(schedule, "train", train)
    failed = schedule.work_off(some)
    assert failed["gamo"] == "diverged" and "ZeroDivisionError: a bug" in failed["cn"]
    assert tried == [("gamo", 0), ("cn", 0), ("ros", 0), ("ros", 1)]
    assert "[2/6] ros, seed 1: balanced accuracy 0.500" in capsys.readouterr().out


def test_durations():
    found = [plan.seconds_of(text) for text in ("90s", "30m", "1h30m", "0.5h")]
    assert found == [90, 1800, 5400, 1800]
    for text in ("", "30", "m", "30 m", "1d", "-5m"):
        with pytest.raises(UserError, match="expected such as 30m"):
            plan.seconds_of(text)


def test_every_method_has_as_many_updates_of_m(tmp_path):
    some = plan.Plan({}, ["cn", "gamo"], 1, 1000, tmp_path, 1, tmp_path)
    assert some.training("cn")["iterations"] == 1000
    assert some.training("gamo")["iterations"] == 500
    assert some.jobs()[1] == Job("gamo", 0, tmp_path / "jobs" / "gamo-0")


def test_lengths_fit_the_time(tmp_path):
    some = plan.Plan({}, ["cn", "gamo"], 5, 40_000, tmp_path, 2, tmp_path)
    cost = dict.fromkeys(some.methods, Cost(2.0, 0.004, 0.1, 100, 500))
    updates = plan.fitting_updates(cost, some, 600)
    shorter = plan.Plan(**{**vars(some), "updates": updates})
    assert 500 < plan.time_left(cost, shorter) <= 600
    assert plan.fitting_updates(cost, some, 1e9) == 40_000
    with pytest.raises(UserError, match="take at least"):
        plan.fitting_updates(cost, some, 10)


def test_images_are_trained_with_what_equal_tuning_found_and_flags_go_first(tmp_path):
    def trained(method: str, **flags: object) -> dict:
        return plan.Plan(flags, [method], 1, 100, tmp_path, 1, tmp_path).training(
            method
        )

    assert TUNED["ros"].items() <= trained("ros", dataset="digits").items()
    assert trained("ros", dataset="digits", loss="ls")["loss"] == "ls"
    assert "loss" not in trained("ros", features=tmp_path / "table.csv")
    assert "learning_rate" not in trained("smote", dataset="digits")


def test_the_command_to_train_says_every_setting(tmp_path):
    flags = {"dataset": "digits", "augment": False}
    wanted = plan.Plan(flags, ["ros"], 1, 100, tmp_path, 1, tmp_path)
    with speaking_to("gamo"):
        words = program.train_command(wanted, "ros", names=False).split()
    assert "--no-augment" in words and "False" not in words
    assert words[words.index("--loss") + 1] == TUNED["ros"]["loss"]


def test_a_comparison_is_not_written_into_its_data(tmp_path, capsys):
    table = blobs(tmp_path / "my data.csv", {"no": 40, "yes": 10}, 0.8)
    photos = tmp_path / "photos"
    (photos / "cat").mkdir(parents=True)
    (tmp_path / "link.csv").symlink_to(table)
    for data, out, why in (
        (["--features", table, "--label", "kind"], table, "is an input"),
        (
            ["--features", table, "--label", "kind"],
            tmp_path / "link.csv",
            "is an input",
        ),
        (["--features", table, "--label", "kind"], tmp_path, "holds the input"),
        (["--image-folder", photos], photos, "is an input"),
        (["--image-folder", photos], photos / "new", "lies in the input"),
    ):
        assert program.main([*map(str, data), "--out", str(out)]) == 2
        error = capsys.readouterr().err
        assert "--out" in error and why in error and error.count("\n") == 1

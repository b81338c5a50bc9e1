"""`gamo compare` on data: from a table or a dataset to the answer."""

import json
import shlex
import shutil
import signal
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gamo_tf.cli import flags as training_flags
from gamo_tf.cli.run_settings import read_user_data
from gamo_tf.cli.trial import Cost
from gamo_tf.comparison import costs, fitting, plan, program, schedule
from gamo_tf.comparison.costs import Costs
from gamo_tf.comparison.job import Job
from gamo_tf.comparison.peers import PEERS
from gamo_tf.config.tuned import RECIPE, TUNED
from gamo_tf.errors import Stopped, UserError, speaking_to
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

    def known(plan, options) -> Costs:
        kinds = {costs.kind_of(method) for method in plan.methods}
        cost = Cost(2.0, 0.004, 0.1, 100, 500, 1.0)
        peers = dict.fromkeys(kinds & set(PEERS), 1.0)
        return Costs(dict.fromkeys(kinds - set(peers), cost), peers, 2.0, 5.0)

    monkeypatch.setattr(costs, "measured", known)


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
    assert by_method[other.pop()]["verdict"] == "no significant difference"
    assert by_method["logistic"]["verdict"] == f"{found['use']} is significantly better"
    assert found["decision"] == "use"
    assert "make_pipeline(StandardScaler(), " in found["train"]
    # Classes far apart: everything finds all of them, and nothing can help.
    cannot = blobs(tmp_path / "cannot.csv", {"no": 300, "yes": 30}, 8.0)
    assert program.main(asked(cannot, tmp_path / "cannot", *LOGISTIC)) == 0
    found = answered(tmp_path / "cannot")
    assert found["use"] == "logistic" and found["decision"] == "keep"
    assert found["sentences"][0].startswith("Keep the plain classifier (logistic)")
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
    assert "\n2 trainings of 20 updates, 1 at a time" in capsys.readouterr().out
    again = answered(out)
    assert program.main(asked(table, out, *end)) == 0
    said = capsys.readouterr().out
    assert f"All 6 trainings in {out} are done" in said and "Measuring" not in said
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
def test_a_training_is_gone_on_with_and_a_busy_one_waited_for(tmp_path, measured):
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
        ("--dataset", "digits", "--seed", "1"): "compare has no --seed: use --seeds",
        ("--dataset", "digits", "--method", "cn"): "no --method: use --methods",
        ("--save-balanced", "t.csv"): "compare has no --save-balanced: use it with",
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
    assert "methods are chosen on validation samples" in capsys.readouterr().err


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


def test_a_training_that_is_stopped_stops_its_worker(tmp_path, monkeypatch):
    some = plan.Plan({}, ["cn", "ros"], 2, 100, tmp_path, 1, tmp_path)
    tried = []

    def train(flags, job, data_dir) -> None:
        tried.append(job.method)
        raise Stopped("saved")

    monkeypatch.setattr(schedule, "train", train)
    with pytest.raises(Stopped):
        schedule.work_off(some)
    assert tried == ["cn"]


def test_durations():
    found = [fitting.seconds_of(text) for text in ("90s", "30m", "1h30m", "0.5h")]
    assert found == [90, 1800, 5400, 1800]
    for text in ("", "30", "m", "30 m", "1d", "-5m"):
        with pytest.raises(UserError, match="expected such as 30m"):
            fitting.seconds_of(text)


def test_every_method_has_as_many_updates_of_m(tmp_path):
    some = plan.Plan({}, ["cn", "gamo"], 1, 1000, tmp_path, 1, tmp_path)
    assert some.training("cn")["iterations"] == 1000
    assert some.training("gamo")["iterations"] == 500
    assert some.jobs()[1] == Job("gamo", 0, tmp_path / "jobs" / "gamo-0")


def planned(tmp_path: Path, method: str, updates: int = 100, **flags) -> plan.Plan:
    return plan.Plan(flags, [method], 1, updates, tmp_path, 1, tmp_path)


def test_methods_train_with_what_tuning_kept_and_flags_go_first(tmp_path):
    def trained(method: str, **flags: object) -> dict:
        return planned(tmp_path, method, **flags).training(method)

    assert TUNED["ros"].items() <= trained("ros", dataset="digits").items()
    assert trained("ros", dataset="digits", loss="ls")["loss"] == "ls"
    # Tables too: otherwise methods would not be compared at equal settings.
    table = trained("ros", features=tmp_path / "table.csv")
    assert TUNED["ros"].items() <= table.items()
    assert "learning_rate" not in trained("smote", dataset="digits")


def test_the_command_trains_in_full_what_was_compared(tmp_path):
    flags = {"dataset": "digits", "augment": False, "counts": (9, 8, 7)}
    with speaking_to("gamo"):
        found = program.training_of(
            planned(tmp_path, "ros", **flags), "ros", False, flags, 4000
        )
        own = {"image_folder": Path("photos"), "image_size": 32, "ema": 0.999}
        photos = program.training_of(
            planned(tmp_path, "gamo", **own, validation_split=0.2),
            *("gamo", False, own, 4000),
        )
        long = program.training_of(
            planned(tmp_path, "gamo", 6000, **own), "gamo", False, own, 4000
        )
    words = found.command.split()
    assert "--no-augment" in words and "False" not in words
    assert words[words.index("--loss") + 1] == TUNED["ros"]["loss"]
    assert words[words.index("--counts") + 1] == "9,8,7"
    assert "--iterations" not in words and "--checkpoint-every" not in words
    assert found.note == "It trains for 4000 updates, the comparison for 100."
    assert "--image-size 32" in photos.command and "--ema 0.999" in photos.command
    assert "--learning-rate 0.001" in photos.command
    assert "--validation-split" not in photos.command
    assert "also trains on the 20% of your samples" in photos.note
    assert "--iterations 3000" in long.command and "as the comparison did" in long.note
    # And `train` understands it.
    words = shlex.split(photos.command)
    arguments = words[words.index("train") + 1 :]
    flags_again = training_flags.parse("train", None, arguments)
    assert flags_again["method"] == "gamo" and flags_again["loss"] == "ce"


def test_a_comparison_of_an_earlier_version_goes_on_as_it_was(tmp_path):
    for flags, kept in (
        ({"features": "/t.csv"}, {}),
        ({"dataset": "digits"}, dict(TUNED["ros"])),
    ):
        folder = tmp_path / next(iter(flags))
        folder.mkdir()
        write_json(folder / plan.FILE, {"flags": flags, "updates": 100})
        begun = plan.Begun.read(folder)
        assert begun.methods == [] and begun.seeds == 0
        again = plan.Plan(flags, ["ros"], 2, 100, folder, 1, tmp_path, begun.settings)
        assert again.settings_for("ros") == {**kept, **flags}
        again.save()
        saved = plan.Begun.read(folder)
        assert saved.methods == ["ros"] and saved.seeds == 2
        assert saved.settings["ros"] == kept


def test_help_has_its_own_flags_first_and_only_what_it_takes():
    text = program.parser().format_help()
    text = text[text.index("\ncomparison:") :]
    assert text.index("--methods") < text.index("--image-folder") < text.index("--tau")
    for flag in ("--method ", "--seed ", "--save-balanced", "--resume", "--patience"):
        assert flag not in text
    assert f"scale to S x S; default {training_flags.IMAGE_SIZE}" in text


@pytest.mark.parametrize(("signum", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_it_and_one_line_says_how_to_continue(
    tmp_path, measured, monkeypatch, capsys, signum, code
):
    def interrupted(chosen) -> dict:
        signal.raise_signal(getattr(signal, signum))
        raise AssertionError("the signal does nothing")

    monkeypatch.setattr(program, "run_all", interrupted)
    table = blobs(tmp_path / "t.csv", {"no": 40, "yes": 10}, 1.0)
    arguments = asked(table, tmp_path / "out", "--methods", "logistic")
    before = signal.getsignal(signal.SIGTERM)
    assert program.main(arguments) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert "stopped. To continue, run: " in line and line.endswith("logistic")
    assert signal.getsignal(signal.SIGTERM) is before
    assert plan.Begun.read(tmp_path / "out").methods == ["logistic"]


@pytest.mark.slow
def test_measurements_are_kept_for_the_next_call(tmp_path, monkeypatch, capsys):
    table = blobs(tmp_path / "t.csv", {"no": 60, "yes": 20}, 1.0)
    flags = {"features": table, "label": "kind", "validation_split": 0.2}
    user_data = read_user_data(flags)
    some = plan.Plan(
        flags, ["cn", "ros", "logistic"], 1, 40, tmp_path / "out", 1, tmp_path
    )
    options = plan.first_options(flags, some.methods, user_data)
    found = costs.measured(some, options)
    assert "Measuring" in capsys.readouterr().out
    assert found.others > 0 and found.starting > 0 and found.peers["logistic"] > 0
    (cost,) = found.kinds.values()  # cn and ros train by the same code
    assert cost.iteration > 0 and cost.compiling > 0
    assert costs.measured(some, options) == found
    assert capsys.readouterr().out == ""
    some.save()  # the folder of measurements is no stranger's
    called = []

    def measure(plan, options, firsts) -> dict:
        called.append(set(firsts))
        fresh = {kind: [1.0] if kind in PEERS else [*cost] for kind in firsts}
        return {**fresh, "others": [1.0], "starting": [1.0]}

    monkeypatch.setattr(costs, "_measure", measure)
    monkeypatch.setattr("os.cpu_count", lambda: 99)  # another machine
    assert costs.measured(some, options).others == 1.0
    assert costs.measured(some, options).others == 1.0
    assert called == [{"methods.classifier:Classifier FM", "logistic"}]
    (tmp_path / "out" / plan.COSTS).write_text("damaged")
    assert costs.measured(some, options).others == 1.0 and len(called) == 2


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

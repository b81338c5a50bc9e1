"""Which rows a training is watched on, and when the test set is looked at."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import train_gamo
from gamo_tf.config.options import MEASURED, resolve
from gamo_tf.errors import UserError
from gamo_tf.evaluation.evaluator import Evaluator
from gamo_tf.runs.metric_logger import MetricLogger
from gamo_tf.runs.run import Run

DIGITS = ["--dataset", "digits", "--method", "cn"]


@pytest.fixture
def looks(monkeypatch) -> list[tuple[str, ...]]:
    """The sets that evaluators are asked for, in the order of the calls."""
    found = []
    evaluate = Evaluator.__call__

    def spy(self, *names):
        found.append(names)
        return evaluate(self, *names)

    monkeypatch.setattr(Evaluator, "__call__", spy)
    return found


@pytest.mark.slow
def test_the_test_set_is_evaluated_once_and_at_the_end(looks, tmp_path, capsys):
    flags = [*DIGITS, "--iterations", "30", "--evaluate-every", "10", "--ema", "0.9"]
    assert train_gamo.main([*flags, "--runs-dir", str(tmp_path)]) == 0
    watched, tested = ("validation", "train"), ("test", "test_full")
    # F and M, and their averages.
    assert looks == [watched] * 6 + [tested] * 2
    shown = capsys.readouterr().out
    assert "no validation set" not in shown and shown.count("validation ACSA") == 3
    run = Run.open(tmp_path / "00000-digits-cn-ls")
    results = run.read_results()
    assert [name for name in results if name in MEASURED] == list(MEASURED)
    assert [name for name in results["ema"] if name in MEASURED] == list(MEASURED)
    split = run.load_split(run.arrays(tmp_path))
    assert results["sets"]["validation"] == "250 images that are not trained on"
    assert not np.isin(split.validation_index, split.train_index).any()


@pytest.mark.slow
def test_without_validation_rows_training_rows_are_watched(looks, tmp_path, capsys):
    flags = [*DIGITS, "--iterations", "3", "--validation-per-class", "0"]
    assert train_gamo.main([*flags, "--runs-dir", str(tmp_path)]) == 0
    assert (
        looks[-1] == ("test", "test_full") and ("test", "test_full") not in looks[:-1]
    )
    shown = capsys.readouterr().out
    assert shown.count("note: no validation set") == 1
    assert "--validation-per-class sets rows aside" in shown
    assert "train ACSA" in shown and "  validation" not in shown
    results = Run.open(tmp_path / "00000-digits-cn-ls").read_results()
    assert "validation" not in results and "validation" not in results["sets"]


def own_flags(kind: str, image_root: Path, cells: pd.DataFrame, place: Path) -> list:
    if kind == "images":
        shutil.copytree(image_root, place / "own")
        return ["--image-folder", str(place / "own"), "--image-size", "8"]
    cells.to_csv(place / "own.csv", index=False)
    return ["--features", str(place / "own.csv"), "--label", "kind"]


def stop(self, iteration, evaluated):
    raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["images", "table"])
def test_a_share_of_own_data_is_watched_and_found_again(
    kind, image_root, cells, tmp_path, capsys, monkeypatch
):
    flags = own_flags(kind, image_root, cells, tmp_path)
    flags += ["--validation-split", "0.25", "--iterations", "4"]
    flags += ["--runs-dir", str(tmp_path / "r")]
    with monkeypatch.context() as patch:
        patch.setattr(MetricLogger, "progress", stop)
        assert train_gamo.main(flags) == 130
    path = next((tmp_path / "r").glob("00000-own-*"))
    run = Run.open(path)
    begun = run.load_split(run.arrays(tmp_path))
    rows = run.rows()
    shares = rows.groupby(["label", "set"]).size().unstack()
    expected = {
        "images": [[12, 33, 15], [3, 7, 4], [2, 5, 2]],
        "table": [[71, 197, 89], [4, 11, 5]],
    }[kind]
    assert shares[["test", "train", "validation"]].to_numpy().tolist() == expected
    assert run.options.counts == tuple(line[1] for line in expected)
    # Which file, or line, each row is.
    train = rows[rows["set"] == "train"]
    assert run.row_sources().tolist() == train["source"].tolist()
    np.testing.assert_array_equal(begun.labels, train["label"])
    capsys.readouterr()
    assert train_gamo.main(["--resume", str(path), "--validation-split", "0.5"]) == 2
    assert "was begun with 0.25" in capsys.readouterr().err
    assert train_gamo.main(["--resume", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "validation ACSA" in shown and "no validation set" not in shown
    results = run.read_results()
    for name, column in (("test", 0), ("train", 1), ("validation", 2)):
        totals = np.sum(results[name]["confusion"], axis=1)
        assert totals.tolist() == [line[column] for line in expected]
    again = run.load_split(run.arrays(tmp_path))
    np.testing.assert_array_equal(again.validation_images, begun.validation_images)


@pytest.mark.slow
def test_own_data_without_a_share_is_told_of_the_flag(cells, tmp_path, capsys):
    flags = own_flags("table", tmp_path, cells, tmp_path)
    flags += ["--iterations", "2", "--method", "cn", "--runs-dir", str(tmp_path / "r")]
    assert train_gamo.main(flags) == 0
    shown = capsys.readouterr().out
    assert "A new run with --validation-split sets rows aside" in shown


def test_flags_and_settings(tmp_path, capsys, cells):
    for flags, rows in ((["mnist"], 400), (["cifar10"], 400), (["digits"], 25)):
        assert train_gamo.main(["--dataset", *flags, "--dry-run"]) == 0
        shown = capsys.readouterr().out
        settings = json.loads(shown[: shown.rindex("}") + 1])
        assert settings["validation_per_class"] == rows
        assert settings["validation_split"] == 0
    more = ["--validation-per-class", "7", "--dry-run"]
    assert train_gamo.main(["--dataset", "digits", *more]) == 0
    assert '"validation_per_class": 7' in capsys.readouterr().out
    flags = own_flags("table", tmp_path, cells, tmp_path)
    assert train_gamo.main([*flags, *more]) == 2
    said = capsys.readouterr().err
    assert "--validation-per-class: does not go with --features" in said


def test_each_kind_of_data_has_its_way():
    with pytest.raises(
        UserError, match="digits has its validation rows by validation_p"
    ):
        resolve({"dataset": "digits", "validation_split": 0.2})
    own = {"dataset": "own", "data": "/x", "shape": (3,), "classes": ("a", "b")}
    own |= {"counts": (9, 3)}
    assert resolve(own).validation_per_class == 0
    with pytest.raises(UserError, match=r"own has its validation rows by validation_s"):
        resolve({**own, "validation_per_class": 5})

"""What a run leaves while it is watched, and pictures of it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import MEASURED, resolve
from gamo_tf.data import load
from gamo_tf.data.splits import draw_split
from gamo_tf.evaluation import metrics, plots
from gamo_tf.evaluation.evaluator import DeviceSplit
from gamo_tf.evaluation.fixed_latents import FixedLatents, mixed
from gamo_tf.evaluation.monitor import GameMonitor
from gamo_tf.methods.build import build
from gamo_tf.runs.metric_logger import MetricLogger
from gamo_tf.runs.run import Run
from gamo_tf.runs.run_directory import RunDirectory

SPEC = DATASETS["digits"]


@pytest.fixture(scope="module")
def rows():
    arrays = load.read(SPEC, Path())
    return DeviceSplit.of(draw_split(arrays, SPEC, SPEC.counts, 25, 0, 20))


@pytest.fixture(scope="module")
def monitor(tmp_path_factory, rows):
    """Of an untrained GAMO that has been looked at once."""
    options = resolve({"dataset": "digits", "iterations": 20, "ema": 0.9})
    run = Run.create(tmp_path_factory.mktemp("runs"), options)
    trainer = build(options, SPEC)
    monitor = GameMonitor(run, SPEC, trainer, rows)
    monitor.begin(0, [])
    monitor.evaluate(10, 1.5, {"F": 0.5, "M_real": 0.25})
    return monitor


def test_a_row_of_metrics_has_all_that_was_measured(monitor):
    row = pd.read_csv(monitor.run.metrics).iloc[0]
    for prefix, sets in (("", monitor.raw), ("ema_", monitor.ema)):
        for name, summary in sets.items():
            for metric in metrics.METRICS:
                assert row[f"{prefix}{name}_{metric.name}"] == pytest.approx(
                    summary[metric.name]
                )
    recall = [row[f"validation_recall_{c}"] for c in SPEC.classes]
    assert recall == pytest.approx(monitor.raw["validation"]["recall"])
    assert list(monitor.raw) == list(monitor.ema) == ["validation", "train"]
    assert not [column for column in row.index if "test" in column]
    assert row["iteration"] == 10 and row["seconds"] == 1.5 and row["loss_F"] == 0.5
    # An untrained G weighs its parents almost alike.
    for label, n in enumerate(SPEC.counts[1:], 1):
        assert 1 <= row[f"parents_{label}"] <= n + 1e-3
        assert row[f"parents_{label}"] <= row[f"parents_over_latents_{label}"] + 1e-3
        assert 0 <= row[f"outside_hull_{label}"] <= 1
    assert sum(row[f"prior_{c}"] for c in SPEC.classes) == pytest.approx(1)


def events(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def tags(folder: Path) -> set[str]:
    return set(events(folder).Tags()["tensors"])


def test_tensorboard_shows_each_set_as_a_run_of_its_own(monitor):
    folder = monitor.run.tensorboard
    measured = {"digits metrics/ACSA", "digits metrics/GM", "digits recall/7"}
    for group in ("validation", "train", "validation_ema", "train_ema"):
        assert measured <= tags(folder / group), group
    train = tags(folder / "train")
    assert {"digits loss/F", "digits loss/M_real", "digits samples"} <= train
    found = tags(folder / "validation")
    assert {"digits confusion", "digits prior/7", "settings"} <= found
    game = tags(folder / "game")
    assert {"digits parents_per_sample/1", "digits d_accuracy/1"} <= game
    assert {"digits weights/9", "digits coverage/9"} <= game
    assert not list(folder.glob("test*"))


def test_a_card_has_the_settings(monitor):
    (card,) = events(monitor.run.tensorboard / "validation").Tensors("settings")
    text = card.tensor_proto.string_val[0].decode()
    assert "| method | gamo |" in text and "| ema | 0.9 |" in text
    assert "| run | 00000-digits-gamo-ls |" in text
    assert text.count("| setting | value |") == 1


def test_runs_are_listed_by_short_names(monitor, rows):
    beside = monitor.run.path.parent / "tensorboard"
    links = {link.name: link for link in beside.iterdir()}
    assert "00000 gamo validation" in links and "00000 gamo game" in links
    for link in links.values():
        assert link.is_symlink() and link.resolve().parent == monitor.run.tensorboard
    # The links of a run that was deleted go when another one is listed.
    (beside / "00009 gone test").symlink_to("../00009-digits-gone-ls/tensorboard/test")
    other = Run.create(monitor.run.path.parent, monitor.trainer.options)
    GameMonitor(other, SPEC, monitor.trainer, rows).begin(0, [])
    listed = {link.name for link in beside.iterdir()}
    assert "00009 gone test" not in listed
    assert listed == {*links, "00001 gamo validation"}


def test_own_data_and_other_sets_have_charts_of_their_own(tmp_path, rows):
    options = resolve({"dataset": "digits", "method": "cn"})
    own = replace(options, data="/my/\udce9|digits\n")
    trainer = build(options, SPEC)
    trainer.options = own
    monitor = GameMonitor(Run.create(tmp_path, options), SPEC, trainer, rows)
    monitor.begin(0, [])
    monitor.evaluate(10, 1.5, {"F": 0.5})
    monitor.test()
    found = tags(monitor.run.tensorboard / "validation")
    assert "digits (own data) metrics/ACSA" in found
    assert not {name for name in found if name.startswith("digits metrics")}


def test_mixed_pixels_are_those_of_the_parents():
    images = np.array([0, 100, 200], np.uint8).reshape(3, 1, 1, 1)
    weights = np.array([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]], np.float32)
    found = mixed(images, np.array([0, 2, 1]), weights)
    assert found.dtype == np.uint8 and found.ravel().tolist() == [100, 125]


def test_pictures_lie_where_people_look(monitor):
    for path in ("curves.png", "confusion.png", "samples/0000010.png"):
        assert (monitor.run.path / path).stat().st_size > 2000, path


def test_the_fixed_latents_name_the_rows_they_are_made_of(monitor, rows):
    features = monitor.trainer.features(rows.train).numpy()
    found = monitor.fixed.look(features, rows.split.labels)
    np.testing.assert_allclose(
        found.values, found.weights @ features[found.rows], atol=1e-4
    )
    labels = rows.split.labels[found.rows]
    outside = labels[None] != found.labels[:, None]
    assert (found.weights[outside] == 0).all()


def test_of_many_classes_there_are_fewer_latents():
    def latents(c: int) -> FixedLatents:
        counts = SimpleNamespace(minority=tuple(range(1, c)))
        options = SimpleNamespace(class_counts=counts, latent=2, seed=0)
        return FixedLatents(SimpleNamespace(options=options))

    assert len(latents(10).labels) == 9 * 16 and len(latents(200).labels) == 199 * 16
    many = latents(1000).labels
    assert np.bincount(many)[1:].tolist() == [4] * 999


@pytest.mark.slow
def test_pictures_are_drawn_a_few_times_in_a_run(rows, tmp_path):
    options = resolve(
        {"dataset": "digits", "method": "gamo", "iterations": 90, "evaluate_every": 10}
    )
    run = Run.create(tmp_path, options)
    monitor = GameMonitor(run, SPEC, build(options, SPEC), rows)
    monitor.begin(0, [])
    for iteration in range(10, 90, 10):
        monitor.evaluate(iteration, 1.0, {"F": 0.5})
    drawn = sorted(int(path.stem) for path in (run.path / "samples").iterdir())
    assert drawn == [10, 40, 70]
    sheet = pd.read_csv(run.metrics)
    assert sheet["validation_acsa"].notna().all()
    watched = sheet["iteration"][sheet["parents_3"].notna()]
    assert watched.tolist() == drawn
    before = run.picture("curves.png").read_bytes()
    monitor.test()  # of a run that stopped early
    assert run.picture("curves.png").read_bytes() != before


def test_test_rows_are_looked_at_in_the_end_and_drawn_then(rows, tmp_path, monkeypatch):
    options = resolve({"dataset": "digits", "method": "cn", "ema": 0.9})
    run = Run.create(tmp_path, options)
    titles = []
    draw = plots.confusion_matrix
    monkeypatch.setattr(
        plots, "confusion_matrix", lambda *args: titles.append(args[2]) or draw(*args)
    )
    monitor = GameMonitor(run, SPEC, build(options, SPEC), rows)
    monitor.begin(0, [])
    monitor.test()  # of a run that was killed after its last checkpoint
    assert list(monitor.raw) == list(monitor.ema) == list(MEASURED)
    assert not run.metrics.exists() and not run.picture("curves.png").exists()
    monitor.evaluate(10, 1.5, {"F": 0.5})
    watched = {name: monitor.raw[name] for name in ("validation", "train")}
    monitor.test()
    assert {name: monitor.raw[name] for name in watched} == watched
    final = events(run.tensorboard / "test")
    assert "_hparams_/session_start_info" in final.Tags()["tensors"]  # sorts runs
    for name, found in (
        ("test_full ACSA", monitor.raw),
        ("test_full ACSA, EMA", monitor.ema),
    ):
        *_, last = final.Tensors(f"digits final/{name}")
        value = tf.make_ndarray(last.tensor_proto)
        assert value == pytest.approx(found["test_full"]["acsa"]) and value > 0
    assert [title.split(", ")[1] for title in titles] == [
        "test rows",
        "validation rows",
        "test rows",
    ]
    assert not [column for column in pd.read_csv(run.metrics) if "test" in column]


def test_a_run_of_an_earlier_version_goes_on_with_the_columns_of_today(
    rows, tmp_path, capsys
):
    """Its history has columns of the test set, and it has no validation rows."""
    old_options = {"validation_per_class": 0, "iterations": 20}
    options = resolve({"dataset": "digits", "method": "cn", **old_options})
    run = Run.create(tmp_path, options)
    none = replace(rows.split, validation_labels=np.zeros(0, int))
    monitor = GameMonitor(run, SPEC, build(options, SPEC), DeviceSplit.of(none))
    old = {"iteration": 10, "seconds": 1.0}
    for name in ("test", "test_full", "train"):
        old |= {f"{name}_acsa": 0.25, f"{name}_gm": 0.2, f"{name}_recall_0": 0.5}
    monitor.begin(10, [old])
    monitor.progress(15, True)
    assert "train ACSA 0.250  GM 0.200" in capsys.readouterr().out
    monitor.evaluate(20, 2.0, {"F": 0.5})
    monitor.progress(20, True)
    shown = capsys.readouterr().out
    assert "train ACSA" in shown and "test" not in shown
    sheet = pd.read_csv(run.metrics)
    assert sheet["train_acsa"].notna().all() and "loss_F" in sheet
    assert sheet["test_acsa"].isna().tolist() == [False, True]
    assert run.picture("curves.png").exists()


def test_a_logger_takes_any_pair_and_leaves_holes_for_nan(tmp_path):
    directory = RunDirectory(tmp_path)
    directory.make()
    logger = MetricLogger(directory, 10, lambda row: "", {"kappa": "Kappa"})
    logger.begin(0, [])
    logger.log(5, 0.1, [("test/kappa", 0.5), ("test/recall/a", float("nan"))])
    logger.log(10, 0.2, [("test/kappa", 0.6), ("test/recall/a", 1.0)])
    logger.flush()
    sheet = pd.read_csv(directory.metrics)
    assert sheet["test_kappa"].tolist() == [0.5, 0.6]
    assert sheet["test_recall_a"].isna().tolist() == [True, False]
    found = events(directory.tensorboard / "test")
    assert len(found.Tensors("metrics/Kappa")) == 2
    assert len(found.Tensors("recall/a")) == 1
    assert not (tmp_path.parent / "tensorboard").exists()  # it has no short name


def test_a_game_without_validation_rows_is_watched_too(tmp_path):
    split = draw_split(load.read(SPEC, Path()), SPEC, SPEC.counts, 25, 0)
    options = resolve({"dataset": "digits", "iterations": 20})
    monitor = GameMonitor(
        Run.create(tmp_path, options), SPEC, build(options, SPEC), DeviceSplit.of(split)
    )
    monitor.begin(0, [])
    monitor.evaluate(10, 1.5, {"F": 0.5})
    row = pd.read_csv(monitor.run.metrics).iloc[0]
    assert row["parents_over_latents_9"] >= 1 and "train_acsa" in row
    assert not [name for name in row.index if "validation" in name or "hull" in name]

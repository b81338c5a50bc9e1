"""Folders of runs: numbers, checkpoints, rows that stay the same, old versions."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import Options, resolve
from gamo_tf.data import load
from gamo_tf.data.splits import draw_split
from gamo_tf.errors import UserError, speaking_to
from gamo_tf.runs.run import Run, finished_runs
from gamo_tf.runs.run_directory import KEEP, RunDirectory

SPEC = DATASETS["digits"]


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path, resolve({"dataset": "digits"}))


def test_runs_are_numbered_after_the_largest(tmp_path, run):
    (tmp_path / "notes").mkdir()
    (tmp_path / "00041-something-else").mkdir()
    second = Run.create(tmp_path, run.options)
    assert run.path.name == "00000-digits-gamo-ls"
    assert second.path.name == "00042-digits-gamo-ls"
    assert Run.open(second.path).options == run.options


def test_only_the_newest_checkpoints_stay_and_the_newest_is_read(run):
    value = tf.Variable(0)
    state = tf.train.Checkpoint(value=value)
    assert run.restore(state) == (0, [])
    for k in range(1, KEEP + 3):
        value.assign(k)
        run.save_checkpoint(10 * k, state, [{"iteration": 10 * k}])
    assert [int(p.name) for p in run.checkpoints()] == [30, 40, 50]
    value.assign(-1)
    assert run.restore(state) == (50, [{"iteration": 50}])
    assert int(value) == 5


@pytest.mark.parametrize("spoiled", ["state.index", "history.json"])
def test_a_bad_checkpoint_is_named_with_the_way_out(run, spoiled):
    state = tf.train.Checkpoint(value=tf.Variable(0))
    path = run.save_checkpoint(10, state, [])
    (path / spoiled).write_bytes(b"not what it was")
    with pytest.raises(UserError, match=r"0000010: cannot be read.*Remove that folder"):
        run.restore(state)


def test_a_run_keeps_its_rows(run):
    arrays = load.read(SPEC, Path())
    split = draw_split(arrays, SPEC, SPEC.counts, 25, 3)
    run.save_split(split)
    again = run.load_split(arrays)
    np.testing.assert_array_equal(again.images, split.images)
    np.testing.assert_array_equal(again.protocol_index, split.protocol_index)
    moved = arrays._replace(labels=np.roll(arrays.labels, 1))
    with pytest.raises(UserError, match=r"labels differ.*data_dir"):
        run.load_split(moved)
    fewer = arrays._replace(images=arrays.images[:50], labels=arrays.labels[:50])
    with (
        speaking_to("scripts"),
        pytest.raises(UserError, match=r"labels differ.*--data-dir"),
    ):
        run.load_split(fewer)


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"dataset": "digits"}'])
def test_settings_that_cannot_be_read_are_named(run, content):
    (run.path / "options.json").write_text(content)
    with pytest.raises(UserError, match=r"options\.json"):
        _ = run.options


def test_settings_of_an_earlier_version_have_defaults(run):
    values = run.options.to_json()
    for name in ("ema", "deterministic", "data", "patches", "shape"):
        del values[name]
    (run.path / "options.json").write_text(json.dumps(values))
    assert Run.open(run.path).options == run.options
    assert Options.from_json(values) == run.options


def test_no_folder_and_no_finished_run_are_told_with_a_command(tmp_path, run):
    with pytest.raises(UserError, match="not a run folder"):
        Run.open(tmp_path)
    with pytest.raises(UserError, match=r"no finished run.*gamo train --dataset"):
        finished_runs(tmp_path)
    with (
        speaking_to("scripts"),
        pytest.raises(UserError, match=r"python train_gamo\.py --dataset"),
    ):
        finished_runs(tmp_path / "nowhere")
    run.write_results({"seconds": 1})
    assert finished_runs(tmp_path) == [run] and run.finished


def test_a_class_of_gamo2pix_has_a_folder_of_the_same_kind(run):
    directory = run.pix_class("7")
    assert type(directory) is RunDirectory
    assert directory.path.is_relative_to(run.pix)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"runs_dir .*cannot be written"):
        Run.create(tmp_path / "file" / "runs", resolve({"dataset": "digits"}))

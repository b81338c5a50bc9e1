"""Folders of runs: numbers, checkpoints, settings, results, old versions."""

import copy
import json
from dataclasses import replace
from multiprocessing import get_context

import pytest
import tensorflow as tf

import train_gamo
from gamo_tf.config.options import Options
from gamo_tf.data.user_data import slug
from gamo_tf.errors import UserError, speaking_to
from gamo_tf.files import replace_folder
from gamo_tf.runs.run import Run, finished_runs
from gamo_tf.runs.run_directory import KEEP
from gamo_tf.stored import digest


@pytest.fixture
def results(run, perfect_results):
    return perfect_results(run.options)


def test_runs_are_numbered_after_the_largest(tmp_path, run):
    (tmp_path / "notes").mkdir()
    (tmp_path / "00041-something-else").mkdir()
    second = Run.create(tmp_path, run.options)
    assert run.path.name == "00000-digits-gamo-ls"
    assert second.path.name == "00042-digits-gamo-ls"
    assert Run.open(second.path).options == run.options


@pytest.mark.parametrize("name", ["x" * 255, "My photos " * 25, "é1" * 80])
def test_a_long_name_of_data_is_shortened(name, tmp_path, run):
    options = replace(run.options, dataset=slug(name))
    path = Run.create(tmp_path, options).path
    assert path.is_dir() and len(path.name) <= 130
    assert path.name.startswith(f"00001-{slug(name)[:50]}")
    assert path.name.endswith("-gamo-ls")


@pytest.mark.parametrize("name", ["x" * 255, "漢" * 85, "é" * 125 + "ab", "🐈" * 63])
def test_a_long_name_of_a_class_is_shortened(name, run):
    folder = run.pix_class(name)
    folder.make()
    assert folder.path.name[:40] == name[:40] and folder == run.pix_class(name)
    assert folder != run.pix_class(name[:-1] + "c")
    assert run.pix_class("x" * 240).path.name == "x" * 240
    replace_folder(folder.path, lambda part: (part / "new").touch())
    assert [path.name for path in folder.path.iterdir()] == ["new"]


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


def spoil(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


SPOILED = ["state.index", "state.data-00000-of-00001", "history.json", "digests.json"]


@pytest.mark.parametrize("spoiled", SPOILED)
def test_of_a_damaged_checkpoint_the_one_before_is_read(run, spoiled, capsys):
    value = tf.Variable(0)
    state = tf.train.Checkpoint(value=value)
    for k in (1, 2, 3):
        value.assign(k)
        run.save_checkpoint(10 * k, state, [{"iteration": 10 * k}])
    spoil(run.path / "checkpoints" / "0000030" / spoiled)
    assert run.restore(state) == (20, [{"iteration": 20}])
    assert int(value) == 2
    said = capsys.readouterr().out
    assert "0000030" in said and "going on from" in said and "0000020" in said


@pytest.mark.parametrize("spoiled", SPOILED)
def test_where_all_checkpoints_are_damaged_the_newest_is_named(run, spoiled):
    state = tf.train.Checkpoint(value=tf.Variable(0))
    path = run.save_checkpoint(10, state, [])
    spoil(path / spoiled)
    with pytest.raises(UserError, match=r"0000010.*cannot go on") as caught:
        run.restore(state)
    assert "\n" not in str(caught.value) and "emove" not in str(caught.value)


def test_a_whole_checkpoint_of_other_networks_is_not_called_damaged(run):
    run.save_checkpoint(10, tf.train.Checkpoint(value=tf.Variable([1.0, 2.0])), [])
    other = tf.train.Checkpoint(value=tf.Variable([1.0]))
    with pytest.raises(UserError, match=r"0000010: is of other networks") as caught:
        run.restore(other)
    assert "damaged" not in str(caught.value)


def test_checkpoints_of_an_earlier_version_are_read(run):
    value = tf.Variable(7)
    state = tf.train.Checkpoint(value=value)
    history = [{"iteration": 10, "seconds": 1.5}]
    path = run.save_checkpoint(10, state, history)
    (path / "digests.json").unlink()
    value.assign(0)
    assert run.restore(state) == (10, history)
    assert int(value) == 7


def test_a_setting_that_was_edited_is_named_and_a_place_may_change(run, split):
    run.save_data(run.options, split, None)
    path = run.path / "options.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, "seed": 1}))
    with pytest.raises(UserError, match=r"options\.json: seed is 1 now; .* with 0"):
        _ = run.options
    path.write_text(json.dumps({**values, "data": ""}))
    assert run.options.seed == 0


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"options": 1}', "[" * 100_000])
def test_a_damaged_note_of_the_data_is_named(run, split, content):
    run.save_data(run.options, split, None)
    (run.path / "data.json").write_text(content)
    with pytest.raises(UserError, match=r"data\.json"):
        _ = run.options


def test_an_edited_digest_is_noticed(run, split):
    run.save_data(run.options, split, None)
    path = run.path / "data.json"
    values = json.loads(path.read_text())
    values["train"][0] = values["train"][1]
    path.write_text(json.dumps(values))
    with pytest.raises(UserError, match=r"data\.json: is not as it was written"):
        _ = run.origin


def test_a_second_process_on_a_run_is_refused(run):
    with run.lock(), pytest.raises(UserError, match="another process"):
        # Locks are those of open files, so that one process can have two as well.
        run.lock().__enter__()
    with run.lock():
        pass


def test_a_run_that_is_in_use_is_not_resumed(run, split, capsys):
    run.save_data(run.options, split, None)
    with run.lock():
        assert train_gamo.main(["--resume", str(run.path)]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "another process is at work on it" in said


def test_a_run_that_had_not_begun_says_so(run, capsys):
    assert train_gamo.main(["--resume", str(run.path)]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "stopped before it had begun; begin a new run" in said


def begin(runs_dir, options):
    for _ in range(20):
        Run.create(runs_dir, options)


def test_writers_beside_each_other_get_numbers_of_their_own(tmp_path, run):
    options = run.options
    context = get_context("fork")
    several = [
        context.Process(target=begin, args=(tmp_path, replace(options, method=method)))
        for method in ("gamo", "cn", "ros")
    ]
    for process in several:
        process.start()
    for process in several:
        process.join()
    numbers = [int(path.name[:5]) for path in tmp_path.iterdir()]
    assert sorted(numbers) == list(range(61))


def test_a_folder_that_is_a_link_to_another_place_is_refused(run, tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    run.check_links()
    run.pix.symlink_to(victim)
    with pytest.raises(UserError, match="leads out"):
        run.check_links()
    with pytest.raises(UserError, match="leads out"):
        run.pix_class("7")
    assert not list(victim.iterdir())


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
    del values["validation_per_class"], values["validation_split"]
    older = Options.from_json(values)
    assert older.validation_per_class == older.validation_split == 0
    assert replace(older, validation_per_class=25) == run.options


def test_no_folder_and_no_finished_run_are_told_with_a_command(tmp_path, run, results):
    with pytest.raises(UserError, match="not a run folder"):
        Run.open(tmp_path)
    with pytest.raises(
        UserError, match=r"no finished run.*(gamo|gamo_tf) train --dataset"
    ):
        finished_runs(tmp_path)
    with (
        speaking_to("scripts"),
        pytest.raises(UserError, match=r"python train_gamo\.py --dataset"),
    ):
        finished_runs(tmp_path / "nowhere")
    run.write_results(results)
    assert finished_runs(tmp_path) == [run] and run.finished
    assert run.read_results() == results


@pytest.mark.parametrize(
    ("content", "finished"),
    [("", False), ("{", True), ("[]", True), ('{"seed": 0}', True), ("\x00", True)],
)
def test_damaged_results_are_in_nobodys_way(
    tmp_path, run, results, content, finished, capsys
):
    run.write_results(results)
    newer = Run.create(tmp_path, run.options)
    (newer.path / "results.json").write_text(content)
    assert newer.finished == finished
    assert finished_runs(tmp_path) == [run]
    assert ("results.json" in capsys.readouterr().err) == finished
    with pytest.raises(UserError, match=r"results\.json"):
        newer.read_results()


def test_a_changed_result_is_noticed(run, results):
    run.write_results(results)
    path = run.path / "results.json"
    path.write_text(path.read_text().replace('"seconds": 1', '"seconds": 2'))
    with pytest.raises(UserError, match="not as it was written"):
        run.read_results()


@pytest.mark.parametrize("name", ["test", "validation"])
def test_results_that_disagree_with_themselves_are_refused(run, results, name):
    values = {**results, "validation": copy.deepcopy(results["train"])}
    run.write_results(values)
    assert run.read_results()["validation"] == results["train"]
    values[name]["acsa"] = 0.9
    run.write_results(values)
    with pytest.raises(UserError, match=rf"results\.json: {name}: not the measures"):
        run.read_results()


# ---- the networks of a run -----------------------------------------------------------


def with_networks(run, results):
    for name in ("F", "M"):
        run.model(name).write_bytes(name.encode())
    run.write_results(results)


def test_results_know_the_networks(run, results):
    with_networks(run, results)
    digests = run.read_results()["network_digests"]
    assert digests == {name: digest(name.encode()) for name in ("F", "M")}
    for name in ("F", "M", "no such network"):
        run.check_network(name)


@pytest.mark.parametrize("name", ["F", "D"])
def test_a_foreign_network_is_refused(run, results, name):
    with_networks(run, results)
    run.model(name).write_bytes(b"another")
    with pytest.raises(UserError, match=rf"{name}\.keras: is not the network.*back"):
        run.check_network(name)
    run.check_network("M")


def test_runs_without_digests_take_any_network(run, results):
    run.write_results(results)
    assert "network_digests" not in run.read_results()
    run.model("F").write_bytes(b"of an earlier version")
    run.check_network("F")
    (run.path / "results.json").unlink()
    run.check_network("F")


@pytest.mark.parametrize("digests", [["F"], {"F": 3}, "F"])
def test_digests_of_networks_are_texts_by_name(run, results, digests):
    run.write_results({**results, "network_digests": digests})
    with pytest.raises(UserError, match=r"results\.json: network_digests"):
        run.read_results()

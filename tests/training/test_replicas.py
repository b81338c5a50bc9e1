"""Several devices train what one trains: virtual CPUs, in processes of their own."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

from gamo_tf import train as gamo_train
from gamo_tf.config.options import resolve
from gamo_tf.errors import UserError
from gamo_tf.networks.saved import load_network
from gamo_tf.runs.run import Run
from gamo_tf.training import replicas
from gamo_tf.training.loop import run_loop
from gamo_tf.training.trainer import Trainer

FLAGS = (
    *("--dataset", "digits", "--iterations", "50", "--augment", "--ema", "0.9"),
    *("--evaluate-every", "25", "--checkpoint-every", "25", "--method", "cn"),
    *("--validation-per-class", "9"),
)


@pytest.fixture
def train(cli, virtual_cpus, tmp_path):
    """``train(place, devices, *flags, code="")``: a run below a folder of its own, on
    so many virtual CPUs."""

    def call(
        place: str, devices: int, *flags: object, code: str = ""
    ) -> subprocess.CompletedProcess:
        flags += ("--runs-dir", tmp_path / place, "--data-dir", tmp_path)
        if devices > 1:
            flags += ("--strategy", "mirrored")
            code = virtual_cpus(devices) + code
        return cli("train_gamo", *flags, code=code)

    return call


def weights(run: Run) -> dict[str, list[np.ndarray]]:
    names = [path.stem for path in run.model("F").parent.glob("*.keras")]
    return {name: load_network(run.model(name)).get_weights() for name in names}


def assert_alike(one: Run, other: Run) -> None:
    mine, theirs = weights(one), weights(other)
    assert set(mine) == set(theirs) and {"F", "M", "M_ema"} <= set(mine)
    for name, values in mine.items():
        for a, b in zip(values, theirs[name], strict=True):
            np.testing.assert_allclose(a, b, atol=2e-5, err_msg=name)


@pytest.mark.slow
def test_two_devices_train_what_one_trains(cli, virtual_cpus):
    methods = ["cn", "gamo", "gamo-balanced", "dos"]
    code = virtual_cpus(2)
    done = cli("tests.training.alike", code=f"{code}sys.argv[1:] = {methods}")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert list(found) == methods
    assert max(found.values()) < 1e-5, found


@pytest.mark.slow
def test_a_run_of_two_devices_goes_on_with_one(train, kill_after_checkpoint, tmp_path):
    assert train("whole", 1, *FLAGS).returncode == 0
    killed = train("part", 2, *FLAGS, code=kill_after_checkpoint("KILL", 30))
    assert killed.returncode == -9, killed.stderr
    part = next((tmp_path / "part").glob("0*"))
    done = train("part", 1, "--resume", part)
    assert done.returncode == 0, done.stderr
    assert_alike(Run(next((tmp_path / "whole").glob("0*"))), Run(part))


@pytest.mark.slow
def test_two_machines_train_what_one_trains_though_one_is_lost(
    train, two_machines, dies_in_fourth_epoch, tmp_path
):
    """The second one dies in its fourth epoch; the run goes on with both."""
    flags = [*FLAGS, "--checkpoint-every", "10", "--data-dir", tmp_path]
    both = ("--strategy", "multiworker", "--runs-dir", tmp_path / "both")
    dies = dies_in_fourth_epoch("gamo_tf.methods.classifier", "Classifier")
    (code, said), lost = two_machines("train_gamo", *flags, *both, second=dies)
    assert lost[0] == -9 and code == 2
    assert "another machine of TF_CONFIG does not answer" in said
    run = Run(next((tmp_path / "both").glob("0*")))
    assert f"--resume {run.path}" in said and not run.finished
    again = ("--resume", run.path, "--data-dir", tmp_path, *both[:2])
    ends = two_machines("train_gamo", *again)
    assert [code for code, _ in ends] == [0, 0], ends
    assert train("one", 1, *FLAGS).returncode == 0
    assert_alike(Run(next((tmp_path / "one").glob("0*"))), run)
    assert len(list((tmp_path / "both").glob("0*"))) == 1  # the second keeps none


@pytest.mark.parametrize(
    "config", ["", "{", "[]", '{"cluster": {"worker": ["a:1"]}}', '{"cluster": 1}']
)
def test_what_tf_config_lacks_is_told(config, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(UserError, match="TF_CONFIG has to say which machines"):
        replicas.helps("multiworker")


@pytest.mark.parametrize("index", [0, 1])
def test_the_first_worker_keeps_the_run(index, monkeypatch):
    task = {"type": "worker", "index": index}
    config = {"cluster": {"worker": ["a:1", "b:1"]}, "task": task}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert replicas.helps("multiworker") == (index == 1)
    assert not replicas.helps("mirrored") and not replicas.helps("none")


def test_machines_that_would_not_train_the_same_are_told(monkeypatch):
    assert replicas.told(3, 7) == (3, 7)  # one machine tells itself
    assert not replicas.assists()
    monkeypatch.setattr(replicas, "told", lambda *values: (50, 100))
    begun = Trainer({}, {}, seed=0, learning_rate=1.0)
    begun.iterations = 100
    with pytest.raises(UserError, match="iteration 0 of 100 here, and from 50 of 100"):
        run_loop(begun, ())


def test_a_process_that_helps_is_deterministic_too(determinism, tmp_path):
    chosen = {"dataset": "digits", "method": "cn", "iterations": 1}
    for deterministic, times in ((False, 0), (True, 1)):
        options = resolve({**chosen, "deterministic": deterministic})
        gamo_train.assist(options, tmp_path, None, "none")
        assert len(determinism) == times
    assert not list(tmp_path.iterdir())  # the process that keeps the run is another


@pytest.mark.slow
def test_what_cannot_be_shared_out_is_refused(train, tmp_path):
    alone = train("x", 1, *FLAGS, "--strategy", "mirrored")
    assert alone.returncode == 2
    assert "--strategy mirrored: needs two GPUs or more" in alone.stderr
    uneven = train("x", 3, *FLAGS)
    assert uneven.returncode == 2
    assert "--batch-size 32: --strategy mirrored shares" in uneven.stderr
    watched = train("x", 1, *FLAGS, "--strategy", "multiworker", "--best")
    assert watched.returncode == 2
    assert "--best: cannot be had with --strategy multiworker" in watched.stderr
    assert not list(tmp_path.glob("x/0*"))

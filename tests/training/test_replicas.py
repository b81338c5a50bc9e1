"""Several devices train what one trains: virtual CPUs, in processes of their own."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

from gamo_tf.networks.saved import load_network
from gamo_tf.runs.run import Run

TWO_CPUS = """
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * {n},
)
"""
FLAGS = (
    *("--dataset", "digits", "--iterations", "50", "--augment", "--ema", "0.9"),
    *("--evaluate-every", "25", "--checkpoint-every", "25", "--method", "cn"),
    *("--validation-per-class", "9"),
)


@pytest.fixture
def train(cli, tmp_path):
    """``train(place, devices, *flags, code="")``: a run below a folder of its own, on
    so many virtual CPUs."""

    def call(
        place: str, devices: int, *flags: object, code: str = ""
    ) -> subprocess.CompletedProcess:
        flags += ("--runs-dir", tmp_path / place, "--data-dir", tmp_path)
        if devices > 1:
            flags += ("--strategy", "mirrored")
            code = TWO_CPUS.format(n=devices) + code
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
def test_two_devices_train_what_one_trains(cli, tmp_path):
    methods = ["cn", "gamo", "gamo-balanced", "dos"]
    code = TWO_CPUS.format(n=2)
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


def test_what_cannot_be_shared_out_is_refused(train, tmp_path):
    alone = train("x", 1, *FLAGS, "--strategy", "mirrored")
    assert alone.returncode == 2
    assert "--strategy mirrored: needs two GPUs or more" in alone.stderr
    uneven = train("x", 3, *FLAGS)
    assert uneven.returncode == 2
    assert "--batch-size 32: --strategy mirrored shares" in uneven.stderr
    assert not list(tmp_path.glob("x/0*"))

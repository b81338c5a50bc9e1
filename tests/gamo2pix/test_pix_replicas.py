"""Several devices train the decoders that one trains: virtual CPUs, in a process."""

from __future__ import annotations

import json

import pytest

from gamo2pix import train
from gamo2pix.options import PAPER, RECIPE, PixOptions
from gamo2pix.request import Request
from gamo_tf.errors import UserError


@pytest.mark.slow
def test_two_devices_train_what_one_trains(cli, virtual_cpus):
    done = cli("tests.gamo2pix.alike", code=virtual_cpus(2))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert list(found) == [PAPER, RECIPE]
    assert max(found.values()) < 1e-4, found  # weights have moved by some 0.005


def test_one_device_shares_nothing_out(untrained):
    with pytest.raises(UserError, match="strategy mirrored: needs two GPUs or more"):
        train.run(
            untrained.run,
            "all",
            PixOptions(iterations=1),
            Request(score=False, strategy="mirrored"),
            untrained.run.path,
        )

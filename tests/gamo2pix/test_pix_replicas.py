"""Several devices train the decoders that one trains: virtual CPUs, in a process."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from gamo2pix import train
from gamo2pix.options import PAPER, RECIPE, PixOptions
from gamo2pix.request import Request
from gamo_tf.config.options import resolve
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


def test_a_process_that_helps_is_deterministic_too(
    determinism, write_run, digits_split, monkeypatch, tmp_path
):
    monkeypatch.setattr(train, "train_classes", lambda *_: None)
    for deterministic, times in ((False, 0), (True, 1)):
        chosen = {"dataset": "digits", "deterministic": deterministic}
        run = write_run(tmp_path, resolve({**chosen, "iterations": 1}), digits_split)
        train.assist(run, "9", PixOptions(), Request(), tmp_path)
        assert len(determinism) == times


# Steps as large as the gradients are: see `alike`.
CALM = """
from gamo_tf.training.trainer import Trainer
begin = Trainer.__init__
def calmly(self, *args, **kwargs):
    begin(self, *args, **kwargs)
    for optimizer in self.optimizers.values():
        optimizer.epsilon = 1.0
Trainer.__init__ = calmly
"""


@pytest.mark.slow
def test_two_machines_train_what_one_trains_though_one_is_lost(
    cli, two_machines, dies_in_fourth_epoch, untrained, weights, tmp_path
):
    """The second one dies in its fourth epoch; the same command goes on with both."""
    places = [tmp_path / name for name in ("one", "both")]
    for place in places:
        shutil.copytree(untrained.run.path, place)
    flags = ("--class", "9", "--iterations", "10", "--shared-iterations", "20")
    flags += ("--no-score", "--run")
    assert cli("train_gamo2pix", *flags, places[0], code=CALM).returncode == 0
    both = ("train_gamo2pix", *flags, places[1], "--strategy", "multiworker")
    dies = dies_in_fourth_epoch("gamo2pix.code_vae", "CodeVae")
    (code, said), lost = two_machines(*both, code=CALM, second=dies)
    assert lost[0] == -9 and code == 2, said
    assert "another machine of TF_CONFIG does not answer" in said
    assert "the same command goes on" in said
    ends = two_machines(*both, code=CALM)
    assert [code for code, _ in ends] == [0, 0], ends
    for part in (".shared", "9"):
        for name in ("head", "decoder", "critic"):
            one, other = (weights(place / "gamo2pix" / part, name) for place in places)
            for a, b in zip(one, other, strict=True):
                np.testing.assert_allclose(a, b, atol=1e-4, err_msg=f"{part} {name}")

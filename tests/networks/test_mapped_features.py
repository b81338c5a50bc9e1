"""Features in a file: the training that those in memory give, and no copy."""

import errno
import os

import numpy as np
import pytest
import tensorflow as tf

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import resolve
from gamo_tf.data import load, mapped_rows
from gamo_tf.data.splits import draw_split
from gamo_tf.errors import UserError
from gamo_tf.networks import mapped_features
from gamo_tf.networks.mapped_features import MappedFeatures
from gamo_tf.prepare import prepared

SIZE = 2**16  # bytes; 32 rows of F's features


@pytest.fixture
def small_is_large(monkeypatch):
    monkeypatch.setattr(mapped_rows, "LARGE", SIZE)


def trained(method: str, tmp_path) -> tuple:
    options = resolve(
        {"dataset": "digits", "method": method, "iterations": 10, "augment": True}
    )
    spec = DATASETS["digits"]
    split = draw_split(load.read(spec, tmp_path), spec, spec.counts, 10, 0)
    trainer, data = prepared(options, spec, split)
    trainer.epoch(*data, steps=10)
    return trainer, data[0]


@pytest.mark.parametrize("method", ["gamo", "crt", "dos"])
def test_the_same_weights_come_of_it(method, monkeypatch, tmp_path):
    one, images = trained(method, tmp_path)
    monkeypatch.setattr(mapped_rows, "LARGE", SIZE)
    other, _ = trained(method, tmp_path)
    for name, network in one.networks.items():
        pairs = zip(
            network.get_weights(), other.networks[name].get_weights(), strict=True
        )
        for a, b in pairs:
            np.testing.assert_array_equal(a, b, err_msg=name)
    found = other.training_features(images)
    np.testing.assert_array_equal(found, one.training_features(images))
    assert found is other.training_features(images)  # the same room again


def test_they_are_in_the_file_and_not_copied(small_is_large, monkeypatch):
    monkeypatch.setattr(mapped_features, "_PART", 300)
    kept = MappedFeatures(700, 40)
    values = tf.reshape(tf.range(28_000, dtype=tf.float32), [700, 40])
    asked: list[int] = []

    def extract(rows: tf.Tensor) -> tf.Tensor:
        asked.append(len(rows))
        return 2 * rows

    first = kept.filled(extract, values)
    np.testing.assert_array_equal(first, 2 * values)
    assert asked == [300, 300, 100]
    second = kept.filled(lambda rows: 3 * rows, values)
    assert np.shares_memory(np.asarray(first), np.asarray(second))
    np.testing.assert_array_equal(second, 3 * values)


def test_a_full_disk_is_said_before_the_training(small_is_large, monkeypatch, tmp_path):
    def full(*args: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UserError, match="GiB of features"):
        trained("gamo", tmp_path)

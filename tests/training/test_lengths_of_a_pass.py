"""The number of minibatches is an argument of a compiled pass, not a part of it."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from gamo_tf.config.options import resolve, spec_of
from gamo_tf.methods.build import build, default_networks
from gamo_tf.training import feature_trainer as training


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gamo", "cn"])
def test_another_number_of_minibatches_is_the_same_program(method, monkeypatch):
    """XLA compiles a program for each value that it takes for a constant."""
    monkeypatch.setattr(training, "XLA_FROM", 0)
    counts = (9, 5)
    data = {"dataset": "own", "data": "own", "classes": ("a", "b"), "shape": (4,)}
    settings = {"counts": counts, "test_per_class": 0, "iterations": 60}
    options = resolve({**data, **settings, "method": method, "batch_size": 4})
    rows = np.random.default_rng(0).normal(size=(14, 4))
    labels = tf.constant(np.repeat([0, 1], counts), tf.int32)
    spec = spec_of(options)
    game = build(options, spec, None, default_networks(spec, rows, None))
    order = game.order(labels)

    def program(steps: int) -> str:
        if method == "cn":
            args = (tf.constant(rows), labels, order, tf.constant(steps), False)
            compiled = game.classifier_pass
        else:
            features = game.features(tf.constant(rows))
            points = game.class_points(features)
            args = (features, labels, order, tf.constant(steps), points)
            compiled = game.game_pass
        return compiled.experimental_get_compiler_ir(*args)(stage="hlo")

    assert program(1) == program(3)

"""A program for `test_replicas`: the largest difference that two devices make.

It trains methods on digits, with one device and with the two virtual CPUs that the
process has been given, and prints the largest difference of any weight by method.

Sums of two halves are rounded otherwise than one sum. Where a unit lies within that of
the kink of its ReLU, rounding decides on its slope, and Adam makes a step of it. So the
networks have smooth units here; all else is as users have it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from gamo_tf import prepare
from gamo_tf.config.options import resolve, spec_of
from gamo_tf.data import load
from gamo_tf.data.splits import draw_split
from gamo_tf.training import replicas

ITERATIONS = 50


def trained(method: str, strategy: tf.distribute.Strategy | None) -> list[np.ndarray]:
    """All weights after ITERATIONS, those of averages too."""
    chosen = {"dataset": "digits", "method": method, "augment": True, "ema": 0.9}
    options = resolve({**chosen, "iterations": ITERATIONS})
    spec = spec_of(options)
    arrays = load.read(spec, Path())
    split = draw_split(arrays, spec, options.counts, 9, seed=0)
    with replicas.using(strategy):
        trainer = prepare.fit(options, spec, split)
    networks = [*trainer.networks.values()]
    networks += [average.network for average in trainer.averages.values()]
    return [weight.numpy() for network in networks for weight in network.weights]


def without_kinks() -> None:
    """Let every ReLU that this process builds, leaky or not, be an ELU."""
    tf.nn.relu = tf.nn.elu
    tf.nn.leaky_relu = lambda x, alpha: tf.nn.elu(x)


def main() -> int:
    """Compare the methods that the command line names."""
    without_kinks()
    two = replicas.strategy("mirrored", rows=32)
    found = {}
    for method in sys.argv[1:]:
        pairs = zip(trained(method, None), trained(method, two), strict=True)
        found[method] = max(float(np.abs(a - b).max()) for a, b in pairs)
    print(json.dumps(found))
    return 0

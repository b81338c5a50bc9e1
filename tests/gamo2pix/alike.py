"""A program for `test_pix_replicas`: the largest difference that two devices make.

It trains GAMO2pix's decoders on random images, with one device and with the two virtual
CPUs that the process has been given, and prints the largest difference of any weight.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import tensorflow as tf

from gamo2pix.code_networks import CodeShape
from gamo2pix.code_vae import CodeVae
from gamo2pix.options import PAPER, RECIPE, PixOptions
from gamo2pix.vae import DecoderTrainer, Vae
from gamo_tf.training import replicas

COUNTS, SHAPE, STEPS = (20, 10, 30), (8, 8, 1), 5


def weights(recipe: str, strategy: tf.distribute.Strategy | None) -> list[np.ndarray]:
    """Of all networks, after some steps."""
    code = CodeShape(8, (2, 2, 3))
    rng, n = np.random.default_rng(0), sum(COUNTS)
    rows = rng.normal(size=(n, code.width)).astype(np.float32)
    images = rng.integers(0, 256, (n, *SHAPE), np.uint8)
    with replicas.using(strategy):
        trainer: DecoderTrainer
        if recipe == PAPER:
            trainer = Vae(PixOptions(), code.width, SHAPE, n)
        else:
            trainer = CodeVae(PixOptions(recipe=recipe), code, SHAPE, COUNTS, STEPS)
        for optimizer in trainer.optimizers.values():
            # Steps as large as the gradients are: Adam's own turn the rounding of one
            # that is all but 0 into a whole step.
            optimizer.epsilon = 1.0
        trainer.epoch(tf.constant(rows), tf.constant(images), steps=STEPS)
    return [w.numpy() for net in trainer.networks.values() for w in net.weights]


def main() -> int:
    """Compare the two recipes."""
    found = {}
    # One for both: TensorFlow numbers what devices tell each other by the strategy.
    two = replicas.strategy("mirrored", 16)
    for recipe in (PAPER, RECIPE):
        pairs = zip(weights(recipe, None), weights(recipe, two), strict=True)
        found[recipe] = max(float(np.abs(a - b).max()) for a, b in pairs)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How long a training takes on this machine: measured in a few iterations."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.options import Options, spec_of
from gamo_tf.files import clock
from gamo_tf.import_tensorflow import import_tensorflow

LARGEST_TRIAL = 2**32  # bytes of random samples that a training is tried on
_FEW, _MORE = 2, 12  # iterations of the two epochs that are timed
_SLOW = 4.0  # seconds of the short epoch; beyond it, no longer one is tried
_LONG_ENOUGH = 1.5  # seconds that the long epoch is repeated for


class Cost(NamedTuple):
    """What a training takes, without evaluations and pictures.

    Attributes:
      compiling: seconds before the first iteration.
      iteration: seconds of an iteration.
      epoch: seconds of an epoch beyond its iterations.
      steps_per_epoch: iterations of an epoch.
      mebibytes: peak memory of the process, in MiB.
      recompiling: seconds before the first iteration of a further training of the
        same kind in the process.
    """

    compiling: float
    iteration: float
    epoch: float
    steps_per_epoch: int
    mebibytes: float
    recompiling: float = 0.0

    def epochs(self, iterations: int) -> int:
        """Number of epochs that some iterations begin.

        Args:
          iterations: minibatches.
        """
        return math.ceil(iterations / self.steps_per_epoch)

    def running(self, iterations: int) -> float:
        """Seconds of a training once it is compiled.

        Args:
          iterations: minibatches.
        """
        return iterations * self.iteration + self.epochs(iterations) * self.epoch

    def seconds(self, iterations: int) -> float:
        """Seconds of a training.

        Args:
          iterations: minibatches.
        """
        return self.compiling + self.running(iterations)


def measure(options: Options, again: bool = False) -> Cost:
    """Measure what a training takes on this machine, in a few iterations.

    They run on random samples of the data's shape and number; these should take
    `LARGEST_TRIAL` bytes at most.

    Args:
      options: settings of the run.
      again: measure too how long a second training of the kind compiles.
    """
    import_tensorflow()
    import tensorflow as tf

    from gamo_tf.methods.build import build
    from gamo_tf.prepare import networks_of
    from gamo_tf.training.feature_stage import FeatureStage
    from gamo_tf.training.feature_trainer import FeatureTrainer

    spec = spec_of(options)
    # A class of one sample can be described, and no generator works on it.
    counts = [max(2, n) for n in options.counts]
    stage = FeatureStage.of(options)
    images = _random_samples(spec, sum(counts))
    if stage and stage.frozen:  # random features: extraction is another cost
        shape = (len(images), *stage.frozen.output_shape[1:])
        images = np.random.default_rng(0).standard_normal(shape, np.float32)
    labels = np.repeat(np.arange(len(counts)), counts)
    x, y = tf.constant(images), tf.constant(labels, tf.int32)

    def new() -> FeatureTrainer:
        networks = networks_of(spec, images, None, stage)
        return build(options, spec, len(labels), networks)

    def timed(steps: int) -> float:
        return _seconds(lambda: trainer.epoch(x, y, steps=steps))

    trainer = new()
    length = trainer.steps_per_epoch
    few, more = min(_FEW, length), min(length, _MORE)
    compiling, short = timed(few), timed(few)
    iteration, epoch = short / few, 0.0
    if short <= _SLOW and more > few:
        timed(more)  # XLA compiles anew for each number of steps
        long = [timed(more)]
        while sum(long) < _LONG_ENOUGH and len(long) < 5:
            long.append(timed(more))
        mean = sum(long) / len(long)
        iteration = mean / more
        if more < length:  # no whole epoch: what it takes beyond its iterations
            iteration = max(mean - short, 0.0) / (more - few)
            epoch = max(short - few * iteration, 0.0)
    recompiling = compiling
    if again:
        trainer = new()
        recompiling = max(timed(few) - short, 0.0)
    return Cost(compiling, iteration, epoch, length, peak_memory(), recompiling)


def extraction(options: Options) -> str:
    """What it takes to extract the features of all training samples once, in words.

    Args:
      options: of a run with a pretrained F.

    Returns:
      A sentence; "" where no part of F is frozen.
    """
    from gamo_tf.training.extraction import BATCH, step_of
    from gamo_tf.training.feature_stage import FeatureStage

    stage = FeatureStage.of(options)
    if stage is None or stage.frozen is None:
        return ""
    images = _random_samples(spec_of(options), BATCH)
    step = step_of(stage.frozen)
    step(images)  # traced
    rate = BATCH / _seconds(lambda: step(images))
    n = sum(options.counts)
    return (
        f"Before that, {n} training images pass once through "
        f"{Path(options.backbone).stem}, at {rate:.0f} images/s in about "
        f"{clock(n / rate)}. Their features are kept for later runs."
    )


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _random_samples(spec: DatasetSpec, n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    if spec.vector:
        return rng.standard_normal((n, *spec.shape))
    return rng.integers(0, 256, (n, *spec.shape), np.uint8)


def peak_memory() -> float:
    """The most memory, in MiB, that this process has had so far."""
    import resource  # not on Windows

    # Kilobytes on Linux, bytes on macOS.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit

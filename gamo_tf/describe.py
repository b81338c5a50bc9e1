"""What a set of data looks like, and what training on it would take: --describe."""

from __future__ import annotations

import math
import resource
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from gamo_tf import datasets, plots, train
from gamo_tf.datasets import prepared
from gamo_tf.errors import UserError
from gamo_tf.folder import atomically
from gamo_tf.methods import METHODS
from gamo_tf.options import Options, spec_of
from gamo_tf.specs import DatasetSpec
from gamo_tf.watch import clock

_BAR = 30


def text(options: Options) -> str:
    """Classes, sizes, the ratio, and what GAMO would generate of each."""
    spec, counts = spec_of(options), np.asarray(options.counts)
    largest = counts.max()
    lack = largest - counts
    drawn = options.iterations * options.batch_size * lack / max(lack.sum(), 1)
    wide = max(len(name) for name in spec.classes)
    kind = "features" if spec.vector else "pixels"
    shape = " x ".join(map(str, spec.shape))
    lines = [
        f"{spec.name}: {counts.sum()} training rows of {shape} {kind}, "
        f"{len(counts)} classes, imbalance ratio {largest / counts.min():.1f}",
        "",
        f"{'class':<{wide}}  {'rows':>7}  {'share':>6}  {'to balance':>10}  "
        f"{'in training':>11}",
    ]
    for name, n, m, k in zip(spec.classes, counts, lack, drawn, strict=True):
        bar = "█" * max(1, round(_BAR * n / largest))
        lines.append(
            f"{name:<{wide}}  {n:>7}  {n / counts.sum():>6.1%}  {m:>10}  {k:>11.0f}  "
            f"{bar}"
        )
    lines += [
        "",
        "to balance: samples that a balanced set would need; in training: those that",
        f"{options.iterations} iterations of the game show to M (Algorithm 1, line 10)",
    ]
    return "\n".join(lines)


def picture(options: Options) -> np.ndarray:
    """Real rows of each class and what it lacks, as bars."""
    spec, counts = spec_of(options), np.asarray(options.counts)
    figure = Figure(figsize=(max(5.0, 0.6 * len(counts) + 2), 4), layout="constrained")
    axes = figure.subplots()
    where = np.arange(len(counts))
    axes.bar(where, counts, color="C0", label="real")
    lack = counts.max() - counts
    axes.bar(where, lack, bottom=counts, color="C2", alpha=0.4, label="to generate")
    for k, n in enumerate(counts):
        axes.text(k, n, f"{n}", ha="center", va="bottom", fontsize=8)
    axes.set_xticks(where, spec.classes, rotation=45, ha="right", fontsize=8)
    axes.set(ylabel="training rows", title=spec.name, ylim=(0, 1.2 * counts.max()))
    axes.legend(fontsize=8)
    return plots.render(figure)


def estimate(options: Options) -> str:
    """Time and memory, from two short epochs on this machine with random rows."""
    spec = spec_of(options)
    rng = np.random.default_rng(0)
    n = sum(options.counts)
    images = _random(rng, spec, n)
    labels = np.repeat(np.arange(len(options.counts)), options.counts)
    game = train.build(options, spec, own=train.given(spec, images, None))
    x, y = tf.constant(images), tf.constant(labels, tf.int32)
    few, more = 2, min(game.steps_per_epoch, 12)
    times = []
    for steps in (few, few, more, more):  # XLA compiles for each number of steps
        began = time.perf_counter()
        game.epoch(x, y, steps)
        times.append(time.perf_counter() - began)
    each = max(times[3] - times[1], 0.0) / max(more - few, 1)
    once = max(times[1] - few * each, 0.0)
    epochs = math.ceil(options.iterations / game.steps_per_epoch)
    total = times[0] + options.iterations * each + epochs * once
    # Kilobytes on Linux, bytes on macOS.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return (
        f"{METHODS[options.method].name}: about {clock(total)} for "
        f"{options.iterations} iterations ({each * 1e3:.1f} ms each, {epochs} epochs), "
        f"without evaluations and pictures; {peak:.0f} MiB of memory at most. Measured "
        "now in a few iterations on random rows."
    )


def _random(rng: np.random.Generator, spec: DatasetSpec, n: int) -> np.ndarray:
    if spec.vector:
        return rng.standard_normal((n, *spec.shape), np.float32)
    return rng.integers(0, 256, (n, *spec.shape), np.uint8)


def source(options: Options, data_dir: Path) -> str:
    """Of a set that users have to fetch and that is decoded once: what is there."""
    spec = spec_of(options)
    if spec.reader not in ("celeba", "lsun"):
        return ""
    done = prepared.known(spec, data_dir)
    if done:
        n = done["images"]
        return f"data: {n} images, decoded already, in {data_dir / 'prepared'}\n"
    try:
        datasets.check(spec, data_dir)
    except UserError as err:
        return f"data: {err}\n"
    return f"data: the files are in {data_dir}, to be decoded once\n"


def write(options: Options, runs_dir: Path, data_dir: Path) -> None:
    """Prints what there is and what it would take; the bars as a picture."""
    print(source(options, data_dir) + text(options))
    path = runs_dir / f"describe-{options.dataset}.png"
    runs_dir.mkdir(parents=True, exist_ok=True)
    atomically(path, lambda part: plots.save(picture(options), part))
    print(f"\npicture: {path}", flush=True)
    print(estimate(options))

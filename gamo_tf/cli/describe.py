"""What a set of data looks like, and what training on it would take."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gamo_tf.cli.flags import data_dir, parse, runs_dir
from gamo_tf.cli.program import run_program
from gamo_tf.cli.run_settings import check_output, read_settings
from gamo_tf.config import memory
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options, spec_of
from gamo_tf.data import decoded_pool, load
from gamo_tf.errors import UserError
from gamo_tf.files import clock, save_picture
from gamo_tf.import_tensorflow import import_tensorflow

_BAR = 30  # characters of the bar of the largest class
_NUMBERED = 30  # classes of the picture that have their size written above
LARGEST_TRIAL = 2**32  # bytes of random rows that a training is tried on
_FEW, _MORE = 2, 12  # iterations of the two epochs that are timed


def main(argv: list[str] | None = None) -> int:
    """Describe the data that a run with these flags would train on.

    Args:
      argv: the arguments, as those of ``train``; None: those of the process.

    Returns:
      The exit code (see `run_program`).
    """
    return run_program("describe", lambda: _describe(argv))


def _describe(argv: list[str] | None) -> int:
    flags = parse("describe", __doc__, argv)
    check_output(flags, "runs_dir", runs_dir(flags))
    options, _ = read_settings(flags, decode=False)
    write(options, runs_dir(flags), data_dir(flags))
    return 0


def write(options: Options, runs_dir: Path, data_dir: Path) -> None:
    """Print what there is and what training would take, and draw the class sizes.

    The picture is ``describe-DATASET.png`` in the folder of the runs.

    Args:
      options: of the run that would be trained.
      runs_dir: the folder of the runs; created if need be.
      data_dir: the folder of the published files.

    Raises:
      OSError: the picture cannot be written.
    """
    print(data_state(options, data_dir) + text(options))
    path = runs_dir / f"describe-{options.dataset}.png"
    runs_dir.mkdir(parents=True, exist_ok=True)
    save_picture(path, picture(options))
    print(f"\npicture: {path}", flush=True)
    print(estimate(options))


def data_state(options: Options, data_dir: Path) -> str:
    """Whether the files of a set are there that is decoded once.

    Args:
      options: of the run that would be trained.
      data_dir: the folder of the published files.

    Returns:
      A line; "" for a set that is not decoded once.
    """
    spec = spec_of(options)
    if not spec.pooled:
        return ""
    pool = decoded_pool.known(spec, data_dir)
    if pool:
        images, folder = pool["images"], data_dir / "prepared"
        return f"data: {images} images, decoded already, in {folder}\n"
    try:
        load.check(spec, data_dir)
    except UserError as err:
        return f"data: {err.message}\n"
    return f"data: the files are in {data_dir}, to be decoded once\n"


def text(options: Options) -> str:
    """Class sizes, the imbalance ratio, and what the game would generate of each.

    With n iterations of batch size b, the game shows n b generated samples to M, whose
    labels are drawn in proportion to P_c - P_i (Algorithm 1, line 10).

    Args:
      options: of the run that would be trained.

    Returns:
      A table with a line for each class, and what its columns mean.
    """
    from gamo_tf.evaluation.plots import cut

    spec, counts = spec_of(options), options.class_counts
    shown = options.iterations * options.batch_size
    probabilities = dict(zip(counts.minority, counts.label_probabilities, strict=True))
    names = [cut(name) for name in spec.classes]
    width = max(len(name) for name in names)
    kind = "features" if spec.vector else "pixels"
    shape = " x ".join(map(str, spec.shape))
    lines = [
        f"{spec.name}: {counts.total} training rows of {shape} {kind}, "
        f"{len(counts)} classes, imbalance ratio {counts.imbalance_ratio:.1f}",
        "",
        f"{'class':<{width}}  {'rows':>7}  {'share':>6}  {'to balance':>10}  "
        f"{'in training':>11}",
    ]
    for label, name in enumerate(names):
        size, lacking = counts.sizes[label], counts.deficits[label]
        generated = shown * probabilities.get(label, 0.0)
        bar = _bar_sign() * max(1, round(_BAR * size / counts.largest))
        lines.append(
            f"{name:<{width}}  {size:>7}  {counts.prior[label]:>6.1%}  {lacking:>10}  "
            f"{generated:>11.0f}  {bar}"
        )
    lines += [
        "",
        "to balance: samples that a balanced set would need; in training: those that",
        f"{options.iterations} iterations of the game show to M (Algorithm 1, line 10)",
    ]
    return "\n".join(lines)


def _bar_sign() -> str:
    """What bars are made of: a block, where the console can show it."""
    try:
        "█".encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "#"
    return "█"


def picture(options: Options) -> np.ndarray:
    """Draw the rows of each class, and what it lacks to the largest, as bars.

    Args:
      options: of the run that would be trained.

    Returns:
      uint8 [h, w, 3], RGB.
    """
    from gamo_tf.evaluation.own_matplotlib import with_default_style

    with with_default_style():
        return _picture(options)


def _picture(options: Options) -> np.ndarray:
    from gamo_tf.evaluation import plots, style

    spec, counts = spec_of(options), options.class_counts
    c = len(counts)
    wide = plots.inches(max(5.0, 0.6 * c + 2))
    ratio = f"{counts.largest / min(counts.sizes):.3g} : 1"
    title = f"{spec.name}: {counts.total} training rows, {ratio}"
    figure = style.figure(wide, 4, plots.title_label(title))
    axes = figure.subplots()
    places = range(c)
    axes.bar(places, counts.sizes, color=style.REAL_MAJORITY)
    axes.bar(
        places,
        counts.deficits,
        bottom=counts.sizes,
        color=style.GENERATED,
        alpha=0.4,
    )
    for k, n in enumerate(counts.sizes if c <= _NUMBERED else ()):
        axes.text(k, n, f"{n}", ha="center", va="bottom", fontsize=style.SMALL)
    style.panel(axes, "real rows (blue), and what each class lacks (green)", "", "rows")
    named, names = plots.ticks(spec.classes)
    axes.set_xticks(named, names, rotation=45, ha="right", fontsize=style.TEXT)
    axes.set_ylim(0, 1.1 * counts.largest)
    axes.grid(axis="x", visible=False)
    return plots.render(figure)


class Cost(NamedTuple):
    """What a training takes, without evaluations and pictures.

    Attributes:
      compiling: seconds before the first iteration.
      iteration: seconds of one.
      epoch: seconds of one, beside its iterations.
      steps_per_epoch: iterations of an epoch.
      mebibytes: the most memory of the process.
    """

    compiling: float
    iteration: float
    epoch: float
    steps_per_epoch: int
    mebibytes: float

    def epochs(self, iterations: int) -> int:
        """How many epochs so many iterations begin.

        Args:
          iterations: minibatches.
        """
        return math.ceil(iterations / self.steps_per_epoch)

    def seconds(self, iterations: int) -> float:
        """The time of a training.

        Args:
          iterations: minibatches.
        """
        epochs = self.epochs(iterations)
        return self.compiling + iterations * self.iteration + epochs * self.epoch


def estimate(options: Options) -> str:
    """How long training takes and how much memory, in words.

    Args:
      options: of the run that would be trained.

    Returns:
      A sentence on the time and the memory of the process so far, and one on what
      stays in memory.
    """
    need = memory.needs(options)
    if need.images > LARGEST_TRIAL:
        return f"not tried out: {need}."
    cost, n = measure(options), options.iterations
    return (
        f"{METHODS[options.method].name}: about {clock(cost.seconds(n))} for {n} "
        f"iterations ({cost.iteration * 1e3:.1f} ms each, {cost.epochs(n)} epochs), "
        f"without evaluations and pictures; {cost.mebibytes:.0f} MiB of memory at "
        "most. Measured now in a few iterations on random rows.\n"
        f"Of that {need}."
    )


def measure(options: Options) -> Cost:
    """Measure what a training takes on this machine, by a few iterations.

    They are made on random rows of the data's shape and number, of which
    `LARGEST_TRIAL` bytes are the most that should be tried.

    Args:
      options: of the run that would be trained.
    """
    import_tensorflow()
    import tensorflow as tf

    from gamo_tf.methods.build import build, default_networks

    spec = spec_of(options)
    images = _random_rows(spec, sum(options.counts))
    labels = np.repeat(np.arange(len(options.counts)), options.counts)
    trainer = build(options, spec, networks=default_networks(spec, images, None))
    x, y = tf.constant(images), tf.constant(labels, tf.int32)
    few, more = _FEW, min(trainer.steps_per_epoch, _MORE)
    times = []
    # Each length twice: XLA compiles anew for each number of steps.
    for steps in (few, few, more, more):
        began = time.perf_counter()
        trainer.epoch(x, y, steps=steps)
        times.append(time.perf_counter() - began)
    compiling, short, _, long = times
    iteration = max(long - short, 0.0) / max(more - few, 1)
    epoch = max(short - few * iteration, 0.0)
    return Cost(compiling, iteration, epoch, trainer.steps_per_epoch, peak_memory())


def _random_rows(spec: DatasetSpec, n: int) -> np.ndarray:
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

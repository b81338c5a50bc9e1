"""What `bench.py` measures: a function a part, each called in a process of its own.

All rows are random: the time of an iteration does not depend on what the images show.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import keras
import numpy as np
import tensorflow as tf
from arithmetic import floors, matrix_rate

from gamo_tf.cli.describe import peak_memory
from gamo_tf.config.methods import RECOMMENDED
from gamo_tf.config.options import Options, resolve, spec_of
from gamo_tf.data.splits import Split
from gamo_tf.evaluation.evaluator import DeviceSplit
from gamo_tf.evaluation.monitor import GameMonitor, looks_closely
from gamo_tf.game import Game
from gamo_tf.methods.build import Networks, build
from gamo_tf.runs.run import Run
from gamo_tf.training.feature_trainer import FeatureTrainer

PLAIN, GAME = "cn", "gamo"
METHODS = (PLAIN, GAME, RECOMMENDED)
ROUNDS = 3  # epochs of each method that are timed, in turn, after one that is not
SIZES = (1_000, 10_000, 100_000, 1_000_000)  # minority points of one class
CLASSES = (2, 10, 50, 200)
_POINTS = 20_000  # minority points of all classes together, as their number grows
_WIDTH = 512  # of features, where there is no F to make them
SCENES = {  # images of 64x64, fewer of them than the paper's sets have
    "dataset": "scenes",
    "data": "random",
    "shape": (64, 64, 3),
    "classes": ("a", "b", "c", "d", "e"),
    "counts": (600, 300, 200, 120, 60),
}


def options_of(name: str, method: str) -> Options:
    """Settings of a long training, so that everything is compiled that pays.

    Args:
      name: a row of DATASETS, or "scenes".
      method: a row of METHODS.
    """
    chosen = SCENES if name == "scenes" else {"dataset": name}
    return resolve({**chosen, "method": method, "iterations": 25_000})


def random_rows(options: Options) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 and labels, sorted by label, of the sizes of the options."""
    labels = np.repeat(np.arange(len(options.counts)), options.counts)
    shape = (len(labels), *spec_of(options).shape)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8), labels


def seconds(work: Callable, repeats: int = ROUNDS) -> float:
    """The median time of some calls, after one that is not timed.

    Args:
      work: is called; a tensor that it returns is waited for.
      repeats: calls that are timed.
    """
    times = []
    for _ in range(1 + repeats):
        began = time.perf_counter()
        for tensor in tf.nest.flatten(work()):
            if tf.is_tensor(tensor):
                tensor.numpy()
        times.append(time.perf_counter() - began)
    return median(times[1:])


# ---- parts -------------------------------------------------------------------------


def iteration(name: str) -> dict:
    """An iteration of each of METHODS; their epochs alternate, so that a drift of the
    machine meets all.

    Args:
      name: of the set.
    """
    trainers = {m: build(o := options_of(name, m), spec_of(o)) for m in METHODS}
    images, labels = random_rows(options_of(name, GAME))
    data = tf.constant(images), tf.constant(labels, tf.int32)
    times: dict[str, list[float]] = {m: [] for m in METHODS}
    for turn in range(1 + ROUNDS):
        for method, trainer in trainers.items():
            steps = trainer.steps_per_epoch
            began = time.perf_counter()
            trainer.epoch(*data, steps=steps)
            if turn:  # the first one compiles
                times[method].append((time.perf_counter() - began) / steps * 1e3)
    game = trainers[GAME]
    assert isinstance(game, Game)
    rate, work = matrix_rate(), floors(game)
    found: dict = {f"{m}, ms": median(times[m]) for m in METHODS}
    found |= {f"{m}, floor ms": work[m] / rate * 1e3 for m in (PLAIN, GAME)}
    for method in (GAME, RECOMMENDED):
        pairs = zip(times[method], times[PLAIN], strict=True)
        found[f"{method} / {PLAIN}"] = median(a / b for a, b in pairs)
    found[f"{GAME} / its floor"] = found[f"{GAME}, ms"] / found[f"{GAME}, floor ms"]
    return found


def memory(name: str, method: str) -> dict:
    """The most memory of a process that trains.

    Args:
      name: of the set.
      method: a row of METHODS.
    """
    options = options_of(name, method)
    images, labels = random_rows(options)
    trainer = build(options, spec_of(options))
    trainer.epoch(tf.constant(images), tf.constant(labels, tf.int32), steps=10)
    return {f"{method}, MiB": peak_memory()}


def parts(name: str) -> dict:
    """GAMO by part, in ms an iteration of a default run; and what is beside the
    training, as a share of such a run.

    Args:
      name: of the set.
    """
    options = options_of(name, GAME)
    images, labels = random_rows(options)
    game = build(options, spec_of(options))
    assert isinstance(game, Game)
    x, y = tf.constant(images), tf.constant(labels, tf.int32)
    steps = game.steps_per_epoch
    n, order = tf.constant(steps), game.order(y)
    features = game.features(x)
    points = game.class_points(features)
    few = tf.constant(100)

    def looped(step: Callable) -> Callable:
        @tf.function(jit_compile=True)
        def loop(count: tf.Tensor, class_points: list) -> tf.Tensor:
            total = 0.0
            for _ in tf.range(count):
                total += step(class_points)[0]
            return total

        return lambda: loop(few, points)

    def real_step(_: list) -> tuple:
        return game.real_step(features[: game.b], y[: game.b])

    passes: dict[str, tuple[Callable, int]] = {
        "input: order of the rows": (lambda: game.order(y), steps),
        "F": (lambda: game.feature_pass(x, y, order, n), steps),
        "features": (lambda: game.features(x), steps),
        "points laid out": (lambda: game.class_points(features), steps),
        "M, D, G": (lambda: game.game_pass(features, y, order, n, points), steps),
        "M and D on real": (looped(real_step), 100),
        "G's samples, M and D on them": (looped(game.generated_step), 100),
        "G": (looped(game.generator_step), 100),
    }
    found = {
        f"{part}, ms": seconds(work, 1) / iterations * 1e3
        for part, (work, iterations) in passes.items()
    }
    ms = sum(found[f"{part}, ms"] for part in ("F", "features", "M, D, G"))
    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(Path(folder), options)
        split = _split(images, labels, 400 * len(options.counts))
        monitor = GameMonitor(run, spec_of(options), game, DeviceSplit.of(split))
        monitor.begin(0, [])
        losses = dict.fromkeys(game.loss_names, 0.0)
        game.newest = features  # as an epoch leaves them
        last = options.iterations  # an evaluation with everything
        evaluate = seconds(lambda: monitor.evaluate(last, 1.0, losses), 1)
        measure = seconds(lambda: monitor.measure(closely=False), 1)
        save = seconds(lambda: run.save_checkpoint(1, game.checkpoint(), []))
    stops = range(0, options.iterations, options.evaluate_every)
    close = sum(
        looks_closely(options, k, stop + options.evaluate_every)
        for k, stop in enumerate(stops)
    )
    whole = options.iterations * ms / 1e3
    found["metrics, s"] = measure
    found["watch on the game and pictures, s"] = evaluate - measure
    found["checkpoint, s"] = save
    spent = len(stops) * (measure + save) + close * (evaluate - measure)
    found["these, share of a run"] = spent / whole
    return found


def _split(images: np.ndarray, labels: np.ndarray, validation: int) -> Split:
    """The rows as a split, with some of them as its validation and test rows."""
    chosen = np.sort(np.random.default_rng(0).integers(0, len(labels), validation))
    some, theirs = images[chosen], labels[chosen]
    return Split(
        images,
        labels,
        some[:0],
        theirs[:0],
        np.arange(len(labels)),
        np.arange(0),
        some,
        theirs,
        chosen,
    )


def points(support: int = 0) -> dict:
    """An update of G with more and more points of a class, and the memory of it.

    Args:
      support: of the points, that a pass works on; 0: all.
    """
    found = {}
    for size in SIZES:
        game = _game_of_vectors((size + 1, size), support)
        rows = tf.fill([size, _WIDTH], 0.5)
        found[f"{size:,} points, ms"] = 1e3 * _update(game, rows)
        found[f"{size:,} points, MiB"] = peak_memory()
        del game, rows
    return found


def classes() -> dict:
    """An update of G with more and more classes, and as many points in all."""
    found = {}
    for c in CLASSES:
        each = _POINTS // (c - 1)
        game = _game_of_vectors((each + 1, *[each] * (c - 1)))
        rows = tf.fill([each * (c - 1), _WIDTH], 0.5)
        found[f"{c} classes, ms"] = 1e3 * _update(game, rows)
    return found


def _game_of_vectors(counts: tuple[int, ...], support: int = 0) -> Game:
    data = {"dataset": "table", "data": "random.csv", "label": "y", "support": support}
    names = tuple(f"c{k}" for k in range(len(counts)))
    table = {"shape": (_WIDTH,), "classes": names, "counts": counts}
    options = resolve({**data, **table, "method": GAME, "iterations": 25_000})
    vector = keras.Input((_WIDTH,))
    F = keras.Model(vector, keras.layers.Activation("linear")(vector), name="F")
    trainer = build(options, spec_of(options), networks=Networks(F=F))
    assert isinstance(trainer, Game)
    return trainer


def _update(game: FeatureTrainer, minority: tf.Tensor) -> float:
    """Seconds of an update of G on the rows of the smaller classes."""
    assert isinstance(game, Game)
    few = 3

    @tf.function
    def laid_out(rows: tf.Tensor) -> list:
        drawn = game.sampler.draw()
        return game.sampler.prepare(rows if drawn is None else tf.gather(rows, drawn))

    @tf.function(jit_compile=True)
    def updates(class_points: list) -> tf.Tensor:
        total = 0.0
        for _ in tf.range(few):
            total += game.generator_step(class_points)[0]
        return total

    class_points = laid_out(minority)
    return seconds(lambda: updates(class_points)) / few


def resample() -> dict:
    """`fit_resample` of a small table: 400 rows of 20 columns, 2,000 iterations."""
    from sklearn.datasets import make_classification

    from gamo_tf import GAMO

    x, y = make_classification(400, 20, weights=[0.9], random_state=0)
    times = []
    for _ in range(2):
        began = time.perf_counter()
        GAMO(iterations=2000, random_state=0).fit_resample(x, y)
        times.append(time.perf_counter() - began)
    return {"cold, s": times[0], "warm, s": times[1]}


def pix() -> dict:
    """GAMO2pix on digits: minibatches of its decoder, and images."""
    from gamo2pix import class_vae
    from gamo2pix.generate import ImageGenerator
    from gamo2pix.options import PixOptions
    from gamo2pix.vae import FeatureDecoder
    from gamo_tf import train

    options = resolve({"dataset": "digits", "iterations": 20})
    with tempfile.TemporaryDirectory() as folder:
        run = train.run(options, Path(folder), Path(folder))
        split = run.load_split(run.arrays(Path(folder)))
        generator = ImageGenerator(run, split, 0, "shared")
        run.pix.mkdir()
        times = []
        for length in (60, 260):
            chosen = PixOptions(recipe="shared", shared_iterations=length)
            began = time.perf_counter()
            class_vae.train_shared(run.pix_shared, chosen, generator, retrain=True)
            times.append(time.perf_counter() - began)
        decoder = FeatureDecoder.load(run.pix_shared)
        generate = seconds(lambda: generator.generate(9, decoder, 0, 1000))
    return {
        "decoder, ms a minibatch": (times[1] - times[0]) / 200 * 1e3,
        "1,000 images, s": generate,
    }

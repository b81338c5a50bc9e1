"""The one composer: data, players, game, evaluation, files. See `run`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from gamo_tf import convex, datasets, networks, oversampling, results
from gamo_tf.classifier import Classifier
from gamo_tf.datasets.own import Own
from gamo_tf.dos import Dos
from gamo_tf.errors import Stopped, UserError
from gamo_tf.evaluation import Evaluator, Held, Parents
from gamo_tf.folder import atomically
from gamo_tf.game import Game
from gamo_tf.interrupts import interrupts
from gamo_tf.methods import METHODS
from gamo_tf.objectives import SCALE
from gamo_tf.options import Options, spec_of
from gamo_tf.players import Players
from gamo_tf.runs import Run
from gamo_tf.specs import DatasetSpec
from gamo_tf.watch import GameWatch, flatten


class Networks(NamedTuple):
    """An F and an M to take in the place of ours; None: ours."""

    F: keras.Model | None = None
    M: keras.Model | None = None


def given(spec: DatasetSpec, images: np.ndarray, own: Networks | None) -> Networks:
    """`own`, and for vectors without an F of their own what standardises them."""
    own = own or Networks()
    if spec.vector and own.F is None:
        return own._replace(F=networks.standardiser(images))
    return own


def build(
    options: Options,
    spec: DatasetSpec,
    rows: int | None = None,
    own: Networks | None = None,
) -> Players:
    """The networks that the method needs, initialised by the seed, and their training.

    `rows`: training rows, where more are trained on than `options.counts` has.
    `own`: networks in the place of ours.
    """
    method = METHODS[options.method]
    rows = rows or sum(options.counts)
    keras.utils.set_random_seed(options.seed)
    own = own or Networks()
    F = own.F or networks.feature_extractor(spec)
    d, c = F.output_shape[1], len(spec.classes)
    scale = SCALE if method.cosine_head else 0.0
    made = [F, own.M or networks.classifier(d, c, scale)]
    if method.targets:
        return Dos(options, made, method)
    if not method.source:
        return Classifier(options, made, rows, method)
    if "D" in method.players:
        made.append(networks.discriminator(d, c))
    if method.convex:
        made.append(convex.generator(options.counts, options.latent, d))
    elif "G" in method.players:
        made.append(networks.free_generator(options.latent, d, c))
    return Game(options, made, rows, method.source)


def judge(options: Options, network: keras.Model) -> keras.Model:
    """A network as it predicts: itself, but for the M of some methods."""
    if network.name == "M" and METHODS[options.method].divide_prior:
        return networks.adjusted(network, options.counts)
    return network


class Fed(NamedTuple):
    """Images and labels that are trained on: the split's rows first, then what the
    method adds; and the seconds that adding took (a GAN's training, say)."""

    images: np.ndarray
    labels: np.ndarray
    seconds: float


def feed(
    options: Options, spec: DatasetSpec, split: datasets.Split, kept: Path | None
) -> Fed:
    """What the run is fed. It is kept at `kept`, if given, so that a resumed run has
    the same."""
    extra = METHODS[options.method].extra
    if not extra:
        return Fed(split.images, split.labels, 0.0)
    if kept and kept.is_file():
        with np.load(kept, allow_pickle=False) as saved:
            return Fed(saved["images"], saved["labels"], float(saved["seconds"]))
    began = time.perf_counter()
    add = oversampling.EXTRA[extra]
    images, labels = add(split.images, split.labels, spec, options)
    fed = Fed(images, labels, time.perf_counter() - began)
    if kept:
        atomically(kept, lambda part: np.savez(part, **fed._asdict()))
    return fed


def run(
    options: Options, data_dir: Path, runs_dir: Path, own: Own | None = None
) -> Run:
    """Train from the start. Returns the finished run; raises UserError.

    `own`: the user's own data, as `options` has it; else it is read from `data_dir`.
    Nothing is written before the data has been read and found fit.
    """
    spec = spec_of(options)
    arrays = own.arrays if own else datasets.read(spec, data_dir)
    split = datasets.draw(
        arrays, spec, options.counts, options.test_per_class, options.seed
    )
    made = Run.create(runs_dir, options)
    if own:
        made.save_rows(own.rows)
    made.save_split(split)
    held = Held.of(split)
    del arrays, split  # held has the images; nothing is in memory twice
    return _train(made, options, held)


def resume(path: Path, data_dir: Path) -> Run:
    """Go on from the newest checkpoint of the run at `path`."""
    found = Run.open(path)
    if found.finished:
        raise UserError(f"{path}: finished already; there is nothing to resume.")
    held = Held.of(found.load_split(found.arrays(data_dir)))
    return _train(found, found.options, held)


def _train(made: Run, options: Options, held: Held) -> Run:
    if options.deterministic:
        tf.config.experimental.enable_op_determinism()
    spec = spec_of(options)
    c = len(spec.classes)
    split = held.split
    fed = feed(options, spec, split, made.fed)
    added = fed.images is not split.images
    images = tf.constant(fed.images) if added else held.train
    labels = tf.constant(fed.labels, tf.int32)
    extra_seconds = fed.seconds
    del fed
    game = build(options, spec, len(labels), given(spec, split.images, None))
    state = game.checkpoint()
    done, history = made.restore(state)
    before = history[-1]["seconds"] if history else extra_seconds
    watch = GameWatch(made, spec, options.iterations, history)
    evaluate = Evaluator(held, c, game.F, judge(options, game.M))
    averaged = None
    if game.averages:
        pair = [
            game.averages[p.name].network if p.name in game.averages else p
            for p in (game.F, game.M)
        ]
        averaged = Evaluator(held, c, pair[0], judge(options, pair[1]))
    parents = None
    if METHODS[options.method].convex:
        parents = Parents(game)
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    title = METHODS[options.method].title
    print(f"{made.path}: {title}, {len(labels)} rows, on {device}")
    print(f"watch it: tensorboard --logdir {made.tensorboard}", flush=True)
    if done:
        print(f"resumed after iteration {done}", flush=True)

    began = time.perf_counter()
    raw = ema = None
    with interrupts() as interrupted:
        while done < options.iterations:
            last = done
            done, losses = epoch(game, images, labels, done)
            _check_finite(game, losses, done, made)
            due = _due(last, done, options.evaluate_every, options.iterations)
            if due:
                raw, ema = evaluate(), averaged() if averaged else None
                effective = {}
                if parents:
                    features = game.features(held.train)
                    effective = watch.samples(parents, features, split.images)
                row = flatten(spec, losses, raw, ema, effective)
                seconds = before + time.perf_counter() - began
                watch.add({"iteration": done, "seconds": seconds, **row}, raw, ema)
                drawn = parents is not None and not spec.vector
                watch.pictures(raw["test"]["confusion"], made.path.name, drawn)
            watch.progress(done, due)
            if interrupted or _due(
                last, done, options.checkpoint_every, options.iterations
            ):
                made.save_checkpoint(done, state, watch.history)
            if interrupted and done < options.iterations:
                raise Stopped(
                    f"stopped at iteration {done} and saved. Go on with: "
                    f"python train_gamo.py --resume {made.path}"
                )
    if raw is None:  # killed between the last checkpoint and the results
        raw, ema = evaluate(), averaged() if averaged else None
    for name, network in game.networks.items():
        made.save_model(name, judge(options, network))
    for name, average in game.averages.items():
        made.save_model(f"{name}_ema", judge(options, average.network))
    seconds = watch.history[-1]["seconds"]
    took = {"seconds": round(seconds, 1), "extra_seconds": round(extra_seconds, 1)}
    made.write_results(results.collect(options, spec, split, took, raw, ema))
    return made


def epoch(game: Players, images, labels, done: int) -> tuple[int, np.ndarray]:
    """The game's next epoch, or what is left of the run: iterations done, losses."""
    steps = min(game.steps_per_epoch, game.options.iterations - done)
    return done + steps, game.epoch(images, labels, steps)


def fit(
    options: Options,
    spec: DatasetSpec,
    split: datasets.Split,
    word: str = "",
    own: Networks | None = None,
) -> Players:
    """The players, trained on `split`; nothing is written.

    `word` stands at the progress bar; "": there is none.
    """
    fed = feed(options, spec, split, None)
    game = build(options, spec, len(fed.images), given(spec, split.images, own))
    images = tf.constant(fed.images)
    labels = tf.constant(fed.labels, tf.int32)
    done, hidden = 0, None if word else True
    with tqdm(total=options.iterations, desc=word, unit="it", disable=hidden) as bar:
        while done < options.iterations:
            done, losses = epoch(game, images, labels, done)
            bar.update(done - bar.n)
            if not _finite(game, losses):
                raise UserError(
                    f"training: a loss or weight became NaN or infinite by iteration "
                    f"{done}. Try a smaller learning rate."
                )
    return game


def _due(last: int, done: int, every: int, total: int) -> bool:
    """Whether a multiple of `every` lies in (last, done], or the run ends."""
    return done == total or done // every > last // every


def _check_finite(game: Players, losses: np.ndarray, iteration: int, made: Run) -> None:
    """Stops a run that has diverged, before anything of it is saved."""
    if _finite(game, losses):
        return
    kept = made.checkpoints()
    last = f"the last good checkpoint is {kept[-1]}" if kept else "none was saved yet"
    raise UserError(
        f"{made.path}: a loss or weight became NaN or infinite by iteration "
        f"{iteration}; {last}. Try a smaller --learning-rate."
    )


def _finite(game: Players, losses: np.ndarray) -> bool:
    weights = [w for p in game.players.values() for w in p.weights]
    return bool(np.isfinite(losses[game.plays]).all()) and all(
        bool(tf.reduce_all(tf.math.is_finite(w.value))) for w in weights
    )

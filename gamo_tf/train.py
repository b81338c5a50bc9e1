"""The composer: data, trainer, monitor and files of one run. See `run`."""

from __future__ import annotations

from pathlib import Path

import keras

from gamo_tf import prepare
from gamo_tf.config import memory
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import VALIDATION, Options, spec_of
from gamo_tf.data import load
from gamo_tf.data.splits import Split, split_of
from gamo_tf.data.user_data import UserData
from gamo_tf.errors import UserError, command, setting, tensorboard
from gamo_tf.evaluation import results
from gamo_tf.evaluation.evaluator import DeviceSplit
from gamo_tf.evaluation.monitor import GameMonitor
from gamo_tf.files import remove
from gamo_tf.methods.build import (
    prediction_model,
)
from gamo_tf.networks.saved import save_network
from gamo_tf.own_settings import own_settings
from gamo_tf.runs.run import Run
from gamo_tf.runs.run_directory import Reader
from gamo_tf.training import replicas
from gamo_tf.training.best import Best
from gamo_tf.training.feature_stage import FeatureStage
from gamo_tf.training.feature_trainer import FeatureTrainer
from gamo_tf.training.loop import Schedule, run_loop


@own_settings()
def run(
    options: Options,
    data_dir: Path,
    runs_dir: Path,
    user_data: UserData | None = None,
    strategy: str = "none",
) -> Run:
    """Train from the start.

    Nothing is written before the data has been read and found fit.

    Args:
      options: settings of the run.
      data_dir: the folder of published datasets.
      runs_dir: the folder that the run's folder is made in.
      user_data: the user's own data, as `options` describes it, in the place of what
        is read from `data_dir`.
      strategy: as `replicas.strategy` takes it. What is trained does not depend on
        it, but for the last bits.

    Returns:
      The finished run.

    Raises:
      UserError: for data or settings that do not fit, or a training that diverges.
      Stopped: after Ctrl-C, once the state is saved.
    """
    chosen = replicas.strategy(strategy, options.batch_size)
    stage = FeatureStage.of(options)
    options = stage.named if stage else options
    split = _split(options, data_dir, user_data)
    new_run = Run.create(runs_dir, options)
    with new_run.lock():
        try:
            new_run.save_data(options, split, user_data)
        except OSError:  # what could not begin leaves nothing
            remove(new_run.path)
            raise
        if stage:
            prepare.begin_with_head(stage, spec_of(options), split)
        rows = DeviceSplit.of(split, stage)
        del split  # `rows` has the images; nothing is in memory twice
        with replicas.using(chosen):
            return _train(new_run, options, rows, stage)


def _split(options: Options, data_dir: Path, user_data: UserData | None) -> Split:
    arrays = user_data.arrays if user_data else load.read(spec_of(options), data_dir)
    split = split_of(options, arrays)
    memory.check(options)
    return split


def _kept_split(begun: Run, data_dir: Path) -> Split:
    split = begun.load_split(begun.arrays(data_dir))
    memory.check(begun.options)
    return split


@own_settings()
def resume(path: Path, data_dir: Path, strategy: str = "none") -> Run:
    """Go on from the newest checkpoint of a run.

    Args:
      path: the folder of the run.
      data_dir: the folder of published datasets.
      strategy: as for `run`; it may be another than the run was begun with.

    Returns:
      The finished run.

    Raises:
      UserError: where there is no such run, it has finished, or another process is
        at work on it; and as `run`.
      Stopped: as `run`.
    """
    begun = _begun(path)
    chosen = replicas.strategy(strategy, begun.options.batch_size)
    with begun.lock(), replicas.using(chosen):
        begun.make()  # a run that was killed at its very beginning lacks folders
        stage = FeatureStage.of(begun.options)
        split = _kept_split(begun, data_dir)
        if stage:
            prepare.begin_with_head(stage, spec_of(begun.options), split)
        rows = DeviceSplit.of(split, stage)
        del split
        return _train(begun, begun.options, rows, stage)


def _begun(path: Path) -> Run:
    """A run that can be gone on with; raises UserError for another."""
    begun = Run.open(path)
    if begun.finished:
        raise UserError(f"{path}: finished already; there is nothing to resume.")
    if not begun.has_rows:
        raise UserError(f"{path}: was stopped before it had begun; begin a new run.")
    begun.check_links()
    return begun


@own_settings()
def assist(
    options: Options,
    data_dir: Path,
    user_data: UserData | None,
    strategy: str,
    path: Path | None = None,
) -> None:
    """Train along with a process on another machine, which keeps the run.

    Args:
      options, data_dir, user_data, strategy: as those of `run`.
      path: of the run that the other process goes on with; None: it begins one.

    Raises:
      UserError: as `run` and `resume`, or the other process ended early.
    """
    begun = _begun(path) if path else None
    chosen = replicas.strategy(strategy, options.batch_size)
    prepare.repeat_exactly(options)
    if begun:
        split = _kept_split(begun, data_dir)
    else:
        split = _split(options, data_dir, user_data)
    end = "What it has kept can be gone on with."
    with replicas.using(chosen), replicas.losing_none(end):
        fed = begun.fed if begun else None
        trainer, data = prepare.prepared(options, spec_of(options), split, fed=fed)
        run_loop(trainer, data, store=Reader(begun) if begun else None)


def _train(
    run: Run, options: Options, rows: DeviceSplit, stage: FeatureStage | None
) -> Run:
    go_on = command("train", "--resume", run.path)
    kept = f"All is kept up to the last checkpoint; go on with: {go_on}"
    try:
        with replicas.losing_none(kept):
            return _train_and_measure(run, options, rows, stage, go_on)
    except OSError as err:  # a full disk, a quota: everything so far is kept
        raise UserError(
            f"{err.filename or run.path}: cannot be written ({err.strerror}). Once "
            f"that is put right, go on with: {go_on}"
        ) from err


def _train_and_measure(
    run: Run,
    options: Options,
    rows: DeviceSplit,
    stage: FeatureStage | None,
    go_on: str,
) -> Run:
    prepare.repeat_exactly(options)
    spec = spec_of(options)
    trainer, data, extra_seconds = prepare.trainer_of(
        options, spec, rows.split, stage=stage, fed=run.fed, images=rows.train
    )
    monitor = GameMonitor(run, spec, trainer, rows)
    device = replicas.devices()
    title = METHODS[options.method].title
    print(f"{run.path}: {title}, {len(data[1])} rows, on {device}")
    print(f"watch it: {tensorboard(run.tensorboard)}", flush=True)
    if rows.watched != VALIDATION:
        print(f"note: {_without_validation(options)}", flush=True)
    best = None
    if options.patience or options.best:
        best = Best(trainer, options.patience, options.best)
    trained = run_loop(
        trainer,
        data,
        schedule=Schedule(options.evaluate_every, options.checkpoint_every),
        monitor=monitor,
        store=run,
        seconds=extra_seconds,
        go_on=go_on,
        best=best,
    )
    if best:  # the last evaluation was of other weights
        monitor.measure()
    monitor.test()  # the only time that test rows are looked at
    _save_networks(run, trainer, stage)
    spent = {
        "seconds": round(monitor.history[-1]["seconds"], 1),
        "extra_seconds": round(extra_seconds, 1),
        "m_updates": trainer.m_updates(trained),
        "f_updates": trainer.f_updates,
        "f_images": trainer.f_updates * options.batch_size,
    }
    if best:
        spent["stopped_at"] = trained
        spent["kept"] = int(best.iteration) if options.best else trained
    run.write_results(
        results.collect(
            *(options, spec, rows.split, spent),
            *(monitor.raw, monitor.ema, monitor.watched),
        )
    )
    return run


def _without_validation(options: Options) -> str:
    """What a person should know of a run that has no validation rows."""
    text = "no validation set: progress and curves show the training rows"
    row = DATASETS.get(options.dataset)
    if options.data and row and row.draws_classes:  # there is no way to set rows aside
        return text
    flag = setting("validation_split" if options.data else "validation_per_class")
    return f"{text}. A new run with {flag} sets rows aside to be watched on"


def _save_networks(
    run: Run, trainer: FeatureTrainer, stage: FeatureStage | None
) -> None:
    """Write the networks as they predict; F takes images, whatever was trained."""

    def save(name: str, network: keras.Model) -> None:
        if stage and network.name == "F":
            network = stage.whole(network)
        save_network(run.model(name), prediction_model(trainer.options, network))

    for name, network in trainer.networks.items():
        save(name, network)
    for name, average in trainer.averages.items():
        save(f"{name}_ema", average.network)

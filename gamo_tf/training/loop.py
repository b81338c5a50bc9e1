"""The one training loop: restore, train, look, save, stop.

Whatever is trained (the game, a classifier, a conditional GAN, a VAE of GAMO2pix)
is a `Trainer`, and this loop runs it.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from gamo_tf.errors import Stopped, UserError, setting
from gamo_tf.training import replicas
from gamo_tf.training.best import Best
from gamo_tf.training.trainer import Trainer


@dataclass(frozen=True)
class Schedule:
    """How often a training is looked at and saved.

    A moment is reached at the end of the epoch in which its iteration lies, and
    always at the end of the training.

    Attributes:
      evaluate_every: iterations between two evaluations.
      checkpoint_every: iterations between two checkpoints.
    """

    evaluate_every: int
    checkpoint_every: int


class Monitor:
    """Watches a training. This one sees everything and does nothing.

    Attributes:
      history: what `evaluate` recorded so far, a dict an evaluation with at least
        ``iteration`` and ``seconds``. It is saved with every checkpoint.
    """

    history: list[dict]

    def __init__(self) -> None:
        self.history = []

    def score(self) -> float:
        """How good the newest evaluation found the training; for `best`."""
        raise NotImplementedError

    def begin(self, iteration: int, history: list[dict]) -> None:
        """The training starts, or goes on.

        Args:
          iteration: minibatches that a checkpoint has trained already; 0: none.
          history: of that checkpoint.
        """
        self.history = history

    def evaluate(
        self, iteration: int, seconds: float, losses: dict[str, float]
    ) -> None:
        """A moment to measure has come.

        Args:
          iteration: minibatches trained.
          seconds: since the training began, interruptions left out.
          losses: means over the last epoch.
        """

    def progress(self, iteration: int, evaluated: bool) -> None:
        """An epoch has ended.

        Args:
          iteration: minibatches trained.
          evaluated: whether `evaluate` was called after it.
        """


class ProgressBar(Monitor):
    """A bar on the terminal, for trainings in memory.

    Args:
      title: stands before the bar.
      total: iterations.
      unit: what an iteration is called.
      hidden: no bar; None: only where the output is no terminal.
    """

    def __init__(
        self, title: str, total: int, unit: str = "it", hidden: bool | None = None
    ) -> None:
        super().__init__()
        self.bar = tqdm(total=total, desc=title, unit=unit, disable=hidden)

    def progress(self, iteration: int, evaluated: bool) -> None:
        self.bar.update(iteration - self.bar.n)
        if iteration == self.bar.total:
            self.bar.close()


class CheckpointStore(Protocol):
    """A place on disk that keeps checkpoints, such as `runs.RunDirectory`."""

    @property
    def path(self) -> Path:
        """The folder."""

    def restore(self, state: tf.train.Checkpoint) -> tuple[int, list[dict]]:
        """Read the newest checkpoint into `state`: its iteration and history.

        Args:
          state: is filled. Where there is no checkpoint it is left as it is.
        """

    def save_checkpoint(
        self, iteration: int, state: tf.train.Checkpoint, history: list[dict]
    ) -> object:
        """Write a checkpoint.

        Args:
          iteration: minibatches trained.
          state: all that a training needs to go on.
          history: of the monitor.
        """

    def checkpoints(self) -> list[Path]:
        """The checkpoints there are, oldest first."""


def run_loop(
    trainer: Trainer,
    data: tuple[tf.Tensor, ...],
    *,
    schedule: Schedule | None = None,
    monitor: Monitor | None = None,
    store: CheckpointStore | None = None,
    seconds: float = 0.0,
    go_on: str = "",
    remedy: str | None = None,
    best: Best | None = None,
) -> int:
    """Train until `trainer.iterations` minibatches are done, or `best` is exhausted.

    With a store the training goes on from the newest checkpoint, and Ctrl-C ends it
    after the present epoch with everything saved. Without one it lives in memory
    only and Ctrl-C leaves at once.

    Args:
      trainer: what is trained.
      data: the training set, as `trainer.epoch` takes it.
      schedule: when to evaluate and to save; None: only at the end.
      monitor: is told of every epoch and evaluation.
      store: where checkpoints are kept.
      seconds: that were spent on this training before; a checkpoint's own count wins.
      go_on: the command that goes on after Ctrl-C, for the message.
      remedy: what to do about a training that diverges, for the message; None: the
        advice of a smaller learning rate.
      best: is shown the monitor's score of each evaluation. At the end its weights take
        the place of the last ones.

    Returns:
      The minibatches trained.

    Raises:
      UserError: where a loss or a weight is not finite any more. Nothing of it is
        saved.
      Stopped: after Ctrl-C, once the state is saved.
    """
    total = trainer.iterations
    schedule = schedule or Schedule(total, total)
    monitor = monitor or Monitor()
    state = trainer.checkpoint() if store else None
    if state and best:
        state.best = best.checkpoint()
    iteration, history = store.restore(state) if store else (0, [])
    _check_alike(iteration, total, store)
    monitor.begin(iteration, history)
    before = history[-1]["seconds"] if history else seconds
    began = time.perf_counter()
    catch: AbstractContextManager[list] = interrupts() if store else nullcontext([])
    with catch as interrupted:
        while iteration < total and not (best and best.exhausted):
            last = iteration
            end = min(part for part in (*trainer.parts, total) if part > iteration)
            steps = min(trainer.steps_per_epoch, end - iteration)
            losses = trainer.epoch(*data, steps=steps)
            iteration += steps
            if iteration == total:
                trainer.finish()
            evaluated = _due(last, iteration, schedule.evaluate_every, total)
            stop = bool(interrupted)
            saved = stop or _due(last, iteration, schedule.checkpoint_every, total)
            # A weight that is no number makes the losses of the next epoch none, so
            # that the weights are asked only before anybody sees them.
            seen = evaluated or saved
            if not (_finite(losses.values()) and (not seen or _sound(trainer))):
                raise UserError(_diverged(iteration, store, remedy))
            if evaluated:
                spent = before + time.perf_counter() - began
                monitor.evaluate(iteration, spent, losses)
                if best:
                    best.look(iteration, monitor.score())
            ended = iteration == total or bool(best and best.exhausted)
            monitor.progress(iteration, evaluated)
            if store and (saved or ended):
                store.save_checkpoint(iteration, state, monitor.history)
            if interrupted and saved and not ended:
                raise Stopped(
                    f"stopped at iteration {iteration} and saved. Go on with: {go_on}"
                )
    if best:
        best.restore()
        trainer.finish()
    return iteration


def _check_alike(iteration: int, total: int, store: CheckpointStore | None) -> None:
    """Raises UserError where several machines would not train the same."""
    kept = replicas.told(iteration, total)
    if kept != (iteration, total):
        place = str(store.path) if store else "training"
        raise UserError(
            f"{place}: would go on from iteration {iteration} of {total} here, and "
            f"from {kept[0]} of {kept[1]} on the machine that keeps it. All machines "
            f"of {setting('strategy')} {replicas.MULTIWORKER} need the same command "
            "and the same folder, on a shared disk."
        )


def _due(last: int, iteration: int, every: int, total: int) -> bool:
    """Whether a multiple of `every` lies in (last, iteration], or the training ends."""
    return iteration == total or iteration // every > last // every


def _sound(trainer: Trainer) -> bool:
    """Whether all weights are numbers."""
    # In NumPy: small operations of TensorFlow take longer than a copy of the weights.
    weights = [w for network in trainer.networks.values() for w in network.weights]
    return all(bool(np.isfinite(w.numpy()).all()) for w in weights)


def _finite(values: Iterable[float]) -> bool:
    return all(math.isfinite(value) for value in values)


def _diverged(iteration: int, store: CheckpointStore | None, remedy: str | None) -> str:
    place, last = "training", ""
    if store:
        place, last = str(store.path), "; none was saved yet"
        if kept := store.checkpoints():
            last = f"; the last good checkpoint is {kept[-1]}"
    if remedy is None:
        remedy = f"Try a smaller {setting('learning_rate')}."
    return (
        f"{place}: a loss or weight became NaN or infinite by iteration {iteration}"
        f"{last}. {remedy}"
    ).strip()


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """Turns Ctrl-C into a wish to stop at the next good moment.

    Yields:
      A list that Ctrl-C fills. A second Ctrl-C raises KeyboardInterrupt at once.
    """
    seen: list[int] = []

    def note(signum: int, frame: FrameType | None) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(signum)
        print(
            "\nstopping at the next checkpoint; Ctrl-C again leaves at once", flush=True
        )

    try:
        previous = signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread: a host program owns the signals
        yield seen
        return
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, previous)

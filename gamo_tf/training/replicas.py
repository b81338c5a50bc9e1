"""One training on several devices, or on several machines, by `tf.distribute`.

All replicas see the same minibatch, drawn once. Each works out the gradient of its
own part of the rows, the gradients are averaged, and every replica makes the same step
(synchronous data parallelism). All else in a training, such as what is drawn, is done
once and knows nothing of replicas: `Trainer.minimize` alone does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial
from typing import Any

import tensorflow as tf

from gamo_tf.errors import UserError, setting

_present: ContextVar[tf.distribute.Strategy | None] = ContextVar(
    "strategy", default=None
)


MULTIWORKER = "multiworker"
_EXAMPLE = (
    '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
# What TensorFlow raises where another machine is lost.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


def helps(name: str) -> bool:
    """Whether this process only helps another, which keeps the run.

    Args:
      name: of a strategy.

    Raises:
      UserError: several machines are asked for, and TF_CONFIG does not say which.
    """
    return name == MULTIWORKER and _task()["index"] > 0


def _task() -> dict:
    """This process as TF_CONFIG has it; worker 0 keeps the run."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG", ""))
        workers, task = config["cluster"]["worker"], config["task"]
        if task["type"] == "worker" and 0 <= task["index"] < len(workers):
            return task
    except (ValueError, KeyError, TypeError):
        pass
    raise UserError(
        f"{setting('strategy')} {MULTIWORKER}: the environment variable TF_CONFIG has "
        f"to say which machines there are, and which this one is: {_EXAMPLE}"
    )


def strategy(name: str, rows: int) -> tf.distribute.Strategy | None:
    """The strategy of a name.

    Args:
      name: "none", for one device; "mirrored": all GPUs of this machine, or, where
        there is none, the CPU devices that TensorFlow was told to make of it; or
        "multiworker": all of the machines that TF_CONFIG names, of which each starts
        the same command.
      rows: of a minibatch.

    Raises:
      UserError: there are not two devices, or they cannot share the rows evenly.
    """
    if name == "none":
        return None
    found = _many_machines() if name == MULTIWORKER else _many_devices()
    if rows % found.num_replicas_in_sync:
        raise UserError(
            f"{setting('batch_size')} {rows}: {setting('strategy')} {name} shares a "
            f"minibatch out evenly; give a multiple of {found.num_replicas_in_sync}."
        )
    return found


def _many_machines() -> tf.distribute.Strategy:
    _task()
    return tf.distribute.MultiWorkerMirroredStrategy()


def _many_devices() -> tf.distribute.Strategy:
    devices = tf.config.list_logical_devices("GPU")
    devices = devices or tf.config.list_logical_devices("CPU")
    if len(devices) < 2:
        raise UserError(
            f"{setting('strategy')} mirrored: needs two GPUs or more, and TensorFlow "
            f"sees {len(devices)} {devices[0].device_type}. Leave it out."
        )
    return tf.distribute.MirroredStrategy([device.name for device in devices])


@contextmanager
def using(strategy: tf.distribute.Strategy | None) -> Iterator[None]:
    """Let trainers that are built inside be trained by a strategy.

    Args:
      strategy: of `tf.distribute`; None: one device.
    """
    token = _present.set(strategy)
    try:
        yield
    finally:
        _present.reset(token)


def present() -> tf.distribute.Strategy | None:
    """The strategy of `using`, if any."""
    return _present.get()


@contextmanager
def losing_none(remedy: str) -> Iterator[None]:
    """Within it, the loss of another machine is an error that a user understands.

    Args:
      remedy: what to do about it.

    Raises:
      UserError: another machine does not answer any more.
    """
    try:
        yield
    except _LOST as err:
        if not isinstance(present(), tf.distribute.MultiWorkerMirroredStrategy):
            raise
        raise UserError(
            f"{setting('strategy')} {MULTIWORKER}: another machine of TF_CONFIG does "
            f"not answer any more. {remedy}"
        ) from err


def assists() -> bool:
    """Whether this process only helps another in a training of `using`."""
    return isinstance(present(), tf.distribute.MultiWorkerMirroredStrategy) and helps(
        MULTIWORKER
    )


def told(*values: int) -> tuple[int, ...]:
    """What the process says that keeps the run. All machines call it, in one order.

    Args:
      *values: what that process says; of the others they do not matter.

    Returns:
      Its values; with one machine those that were given.
    """
    strategy = present()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return values

    def say() -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        first = tf.cast(context.replica_id_in_sync_group == 0, tf.int32)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, first * values)

    heard = strategy.experimental_local_results(strategy.run(tf.function(say)))[0]
    return tuple(heard.numpy().tolist())


def devices() -> str:
    """What is trained on, for people."""
    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    strategy = present()
    return f"{strategy.num_replicas_in_sync} x {kind}" if strategy else kind


def scope() -> AbstractContextManager:
    """Where variables are made that every replica has: networks, slots, averages."""
    strategy = present()
    return nullcontext() if strategy is None else strategy.scope()


class SharedRandom(tf.random.Generator):
    """A random state whose draws are the same for all replicas: one draw is made."""

    def normal(self, *args: Any, **kwargs: Any) -> tf.Tensor:
        return _once(partial(super().normal, *args, **kwargs))

    def uniform(self, *args: Any, **kwargs: Any) -> tf.Tensor:
        return _once(partial(super().uniform, *args, **kwargs))


def _once(draw: Callable[[], tf.Tensor]) -> tf.Tensor:
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return draw()
    return context.merge_call(lambda strategy: draw())


def own_rows(rows: tf.Tensor) -> tf.Tensor:
    """The part of a minibatch that this replica works on. Called by a replica.

    Args:
      rows: the whole minibatch, [b, ...], b a multiple of the replicas.

    Returns:
      [b / replicas, ...].
    """
    context = tf.distribute.get_replica_context()
    n = rows.shape[0] // context.num_replicas_in_sync
    start = n * tf.cast(context.replica_id_in_sync_group, tf.int32)
    own = tf.slice(rows, [start] + [0] * (len(rows.shape) - 1), [n, *rows.shape[1:]])
    return tf.ensure_shape(own, [n, *rows.shape[1:]])

"""What the trainings of a comparison take on this machine: measured once, and kept."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from gamo_tf.cli.trial import LARGEST_TRIAL, Cost, measure
from gamo_tf.comparison.job import Job, train
from gamo_tf.comparison.peers import FROM_SCRATCH, PEERS
from gamo_tf.comparison.plan import COSTS, PLAIN, Plan, trained_as
from gamo_tf.config.memory import needs
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options
from gamo_tf.errors import UserError
from gamo_tf.grids.processes import in_own_processes
from gamo_tf.import_tensorflow import import_tensorflow
from gamo_tf.stored import digest, read_object, write_json

_OTHERS = "others"  # the entry of what a training takes beyond its iterations
_STARTING = "starting"  # the entry of what a process takes to start
_TRIED = 8  # iterations of the whole training that is tried
# Settings that hardly change how long a training takes.
_FREE = {"seed", "iterations", "checkpoint_every", "evaluate_every", "method", "loss"}
_FREE |= {"learning_rate", "tau", "sampling"}


@dataclass(frozen=True)
class Costs:
    """Seconds that the parts of a comparison take.

    Attributes:
      kinds: cost of a training, by the kind of method (see `kind_of`).
      peers: seconds of a peer that trains no network.
      others: seconds of a training beyond its iterations: reading the data,
        evaluations, pictures and files.
      starting: seconds until a process can train.
    """

    kinds: Mapping[str, Cost]
    peers: Mapping[str, float]
    others: float
    starting: float


def kind_of(method: str) -> str:
    """Methods of one kind train by the same code and take the same time.

    Args:
      method: row of `METHODS` or of `PEERS`.

    Returns:
      The name of a peer that trains no network; else of the trainer and its players.
    """
    if method in PEERS and trained_as(method) == PLAIN:
        return method
    row = METHODS[trained_as(method)]
    scratch = FROM_SCRATCH if method.endswith(FROM_SCRATCH) else ""
    return f"{row.trainer} {row.players} {row.samples}".strip() + scratch


def measured(plan: Plan, options: Mapping[str, Options]) -> Costs:
    """Costs of all methods: known from an earlier call, or measured now and kept.

    Measurements are used again while the data, the settings, the packages and the
    number of cores stay.

    Args:
      plan: of the comparison. Its folder keeps the measurements.
      options: options of each method's first training.

    Raises:
      UserError: the training samples are too many to be tried.
    """
    for each in options.values():
        if (size := needs(each).images) > LARGEST_TRIAL:
            raise UserError(
                f"the training samples take {size / 2**30:.1f} GiB; at most "
                f"{LARGEST_TRIAL // 2**30} can be compared."
            )
    firsts = {kind_of(method): method for method in reversed(plan.methods)}
    plain = options[next(iter(firsts.values()))]
    keys = {kind: _key(kind, options[first], plan) for kind, first in firsts.items()}
    keys |= {name: _key(name, plain, plan) for name in (_OTHERS, _STARTING)}
    path = plan.folder / COSTS
    kept = _kept(path)
    missing = [kind for kind in firsts if keys[kind] not in kept]
    if any(keys[name] not in kept for name in (_OTHERS, _STARTING)):
        missing = list(firsts)
    if missing:
        print("Measuring how fast this machine trains ...", flush=True)
        fresh = _measure(plan, options, {kind: firsts[kind] for kind in missing})
        kept |= {keys[name]: values for name, values in fresh.items()}
        plan.folder.mkdir(parents=True, exist_ok=True)
        write_json(path, kept)
    found = {name: kept[key] for name, key in keys.items()}
    return Costs(
        {kind: Cost(*found[kind]) for kind in firsts if kind not in PEERS},
        {kind: found[kind][0] for kind in firsts if kind in PEERS},
        found[_OTHERS][0],
        found[_STARTING][0],
    )


def _kept(path: Path) -> dict[str, list]:
    """The measurements of earlier calls; none if the file is damaged or absent."""
    try:
        return {
            key: values
            for key, values in read_object(path, always_sealed=True).items()
            if isinstance(values, list)
            and all(isinstance(x, int | float) for x in values)
        }
    except UserError:
        return {}


def _key(name: str, options: Options, plan: Plan) -> str:
    """What a measurement is kept under: all that decides it."""
    settings = {k: v for k, v in options.to_json().items() if k not in _FREE}
    machine = [os.cpu_count(), plan.threads, plan.at_once]
    packages = [version(package) for package in ("tensorflow", "keras")]
    text = json.dumps([name, settings, machine, packages], sort_keys=True)
    return digest(text.encode())


def _measure(
    plan: Plan, options: Mapping[str, Options], firsts: Mapping[str, str]
) -> dict[str, list]:
    """Measure kinds of methods, as many at once as trainings will run at once.

    Args:
      plan: of the comparison.
      options: options of each method's first training.
      firsts: kind -> a method of it.

    Returns:
      Values by kind, `_OTHERS` and `_STARTING`.
    """
    kinds = sorted(firsts, key=lambda kind: kind in PEERS)
    shares = [kinds[k :: plan.at_once] for k in range(plan.at_once)]
    began = time.perf_counter()
    found = in_own_processes(
        measure_share,
        [
            (plan, {kind: (firsts[kind], options[firsts[kind]]) for kind in share})
            for share in shares
            if share
        ],
        plan.threads,
    )
    spent = time.perf_counter() - began
    inside = max(values[_STARTING][1] for values in found)
    importing = max(values[_STARTING][0] for values in found)
    others = max(values[_OTHERS][0] for values in found)
    together = {kind: values for share in found for kind, values in share.items()}
    starting = max(spent - inside, 0.0) + importing
    return {**together, _OTHERS: [others], _STARTING: [starting]}


def measure_share(
    plan: Plan, kinds: Mapping[str, tuple[str, Options]]
) -> dict[str, list]:
    """What one process measures.

    Args:
      plan: of the comparison.
      kinds: kind -> a method of it and its options.

    Returns:
      Values by kind; of `_OTHERS` seconds; of `_STARTING` the seconds of importing
      TensorFlow, and all seconds spent here.
    """
    began = time.perf_counter()
    import_tensorflow()
    import gamo_tf.train  # noqa: F401

    importing = time.perf_counter() - began
    found: dict[str, list] = {}
    for kind, (method, options) in kinds.items():
        if kind in PEERS:
            found[kind] = [_seconds_of(plan, method)[0]]
        else:
            found[kind] = list(measure(options, again=True))
    # A training takes more than its iterations. One whole training shows how much.
    found[_OTHERS] = [0.0]
    trained = [method for method, _ in kinds.values() if method not in PEERS]
    if trained:
        whole, own = _seconds_of(plan, trained[0])
        found[_OTHERS] = [max(whole - own, 0.0)]
    found[_STARTING] = [importing, time.perf_counter() - began]
    return found


def _seconds_of(plan: Plan, method: str) -> tuple[float, float]:
    """Train a method for a few iterations in a folder that is removed.

    Returns:
      Seconds of all, and of these the ones that the training itself counts.
    """
    flags = {**plan.training(method), "iterations": _TRIED, "evaluate_every": _TRIED}
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="gamo-") as folder:
        job = Job(method, 0, Path(folder))
        try:
            train(flags, job, plan.data_dir)
        except UserError:  # such as SMOTE on too few samples; the comparison tells
            return time.perf_counter() - began, 0.0
        record = job.read() or {}
        return time.perf_counter() - began, float(record.get("seconds", 0.0))

"""Which method suits your data? Trains several on the same splits, and answers.

With RUN, or without data: finished runs side by side, by default the two newest.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gamo_tf.cli import compare as side_by_side
from gamo_tf.cli import flags as training_flags
from gamo_tf.cli.program import one_of, run_program
from gamo_tf.cli.run_settings import check_output, read_user_data
from gamo_tf.comparison import answer, plan
from gamo_tf.comparison.evidence import collect
from gamo_tf.comparison.overview import overview
from gamo_tf.comparison.peers import PEERS
from gamo_tf.comparison.schedule import run_all
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options, spec_of
from gamo_tf.config.tuned import RECIPE
from gamo_tf.data.user_data import slug
from gamo_tf.errors import UserError, command, flag, setting
from gamo_tf.files import check_apart, clock
from gamo_tf.own_settings import check_backend

_DATA = ("dataset", "image_folder", "features")
_INPUTS = ("image_folder", "test_folder", "features")
_OURS = ("methods", "seeds", "jobs", "budget", "out", "known")
_NOT_OURS = {"method": "--methods", "seed": "--seeds", "save_balanced": "train"}
_SEEDS = 5
# Flags that do not say what is trained.
_NOT_TRAINED = {*_OURS, "dry_run", "runs", "runs_dir", "data_dir", "iterations"}


def main(argv: list[str] | None = None) -> int:
    """Compare methods on data, or finished runs.

    Args:
      argv: the arguments; None: those of the process.

    Returns:
      The exit code (see `run_program`); 2 where a training failed.
    """
    arguments = sys.argv[1:] if argv is None else argv
    return run_program(
        "compare",
        lambda: _compare(arguments),
        interrupted="stopped; the same command goes on",
    )


def parser() -> argparse.ArgumentParser:
    """The parser of ``gamo compare``."""
    flags = training_flags.parser("compare", __doc__)
    flags.add_argument("runs", nargs="*", metavar="RUN")
    add = flags.add_argument_group("comparison").add_argument
    add(
        "--methods",
        nargs="+",
        type=one_of([*METHODS, *PEERS], listed=command("methods")),
        metavar="NAME",
        help="default: a short list; all are in docs/own-data.md",
    )
    add("--seeds", type=int, metavar="N", help=f"splits; default {_SEEDS}")
    add("--jobs", type=int, metavar="N", help="trainings at a time; default: cores")
    add(
        "--budget",
        metavar="TIME",
        help="such as 30m; default 15m for images, 5m for tables; trainings are as "
        "long as fits, unless --iterations says how long they are",
    )
    add("--out", type=Path, metavar="DIR", help="default comparisons/NAME")
    add("--known", action="store_true", help="train nothing; tell what is known")
    add("--dry-run", action="store_true", help="say what would be run, and how long")
    return flags


def _compare(arguments: list[str]) -> int:
    flags = vars(parser().parse_args(arguments))
    if not set(_DATA) & set(flags):
        if odd := set(flags) - {"runs", "runs_dir"}:
            raise UserError(
                f"{setting(min(odd))}: goes with --dataset, --image-folder or "
                "--features; without data, finished runs are compared."
            )
        return side_by_side.main(arguments)
    if flags.get("runs"):
        raise UserError(f"{flags['runs'][0]}: runs are compared without data.")
    for name, instead in _NOT_OURS.items():
        if name in flags:
            raise UserError(f"{setting(name)}: of compare it is {instead}.")
    return _of_data(flags, command("compare", *arguments))


def _of_data(flags: Mapping, asked: str) -> int:
    """Plan, train, and tell."""
    check_backend()
    if "out" in flags:
        inputs = [flags[name] for name in _INPUTS if name in flags]
        check_apart(flags["out"], inputs, setting("out", flags["out"]))
    start = time.monotonic()
    training = {k: v for k, v in flags.items() if k not in _NOT_TRAINED}
    training.setdefault("ema", RECIPE["ema"])
    own = "dataset" not in training
    if own:
        training.setdefault("validation_split", plan.VALIDATION_SPLIT)
    if "image_folder" in training:
        training.setdefault("image_size", plan.IMAGE_SIZE)
    data_dir = training_flags.data_dir(flags)
    check_output(flags, "out", flags.get("out") or Path("comparisons"))
    user_data = read_user_data({**training, "data_dir": data_dir, "seed": 0})
    plain = plan.first_options(training, [plan.PLAIN], user_data)[plan.PLAIN]
    spec = spec_of(plain)
    _check_validation(plain)
    if not spec.vector:
        training.setdefault("augment", RECIPE["augment"])
    methods = flags.get("methods") or plan.default_methods(spec)
    options = plan.first_options(training, methods, user_data)
    del user_data  # every training reads its own split
    cores = os.cpu_count() or 1
    wanted = plan.Plan(
        training,
        methods,
        _positive(flags, "seeds", _SEEDS),
        flags.get("iterations") or 2 * spec.iterations,
        flags.get("out") or Path("comparisons") / slug(spec.name),
        _positive(flags, "jobs", min(cores, 4)),
        data_dir,
    )
    known = plan.known_updates(wanted.folder)
    if known and "iterations" not in flags:
        wanted = replace(wanted, updates=known)
    if not flags.get("known"):
        wanted = _fitted(wanted, options, flags, known is not None, start)
        if flags.get("dry_run"):
            return 0
        wanted.save()
    failed = {} if flags.get("known") else run_all(wanted)
    evidence = collect(wanted.jobs(), own and "test_folder" not in training)
    said = answer.sentences(evidence, "splits" if own else "seeds")
    names = bool(spec.categories)
    then = train_command(wanted, answer.recommended(evidence), names)
    paths = answer.write(wanted.folder, evidence, said, then, asked)
    print("\n" + paths[0].read_text(encoding="utf-8"))
    print("\n".join(overview(evidence)) + "\n")
    print("written: " + ", ".join(map(str, paths)))
    for method, why in failed.items():
        print(f"failed: {method}: {why}")
    return 2 if failed else 0


def _check_validation(options: Options) -> None:
    """Raises UserError where there are no rows to choose a method by."""
    if not (options.validation_per_class or options.validation_split):
        name = "validation_split" if options.data else "validation_per_class"
        raise UserError(
            f"{setting(name)} 0: methods are chosen by validation rows; give some."
        )


def _positive(flags: Mapping, name: str, default: int) -> int:
    value = flags.get(name, default)
    if value < 1:
        raise UserError(f"{setting(name, value)}: expected 1 or more.")
    return value


def _fitted(
    wanted: plan.Plan,
    options: Mapping[str, Options],
    flags: Mapping,
    begun: bool,
    start: float,
) -> plan.Plan:
    """The plan with trainings that are as long as fits, which is printed. The budget
    counts from `start`, a time of `time.monotonic`.

    Raises:
      UserError: it does not fit.
    """
    text = flags.get("budget") or plan.default_budget(options[wanted.methods[0]])
    budget = plan.seconds_of(text)
    each = ", ".join(wanted.methods)
    print(f"methods: {each}; splits or seeds: {wanted.seeds}.")
    jobs = wanted.jobs_left()
    if not jobs:
        print(f"all {len(wanted.jobs())} trainings are done, in {wanted.folder}.")
        return wanted
    print("measuring how long they take ...", flush=True)
    cost = plan.costs(options, wanted.threads)
    budget -= time.monotonic() - start
    if not begun and "iterations" not in flags:
        updates = plan.fitting_updates(cost, wanted, plan.FILLED * budget)
        wanted = replace(wanted, updates=updates)
    seconds = plan.time_left(cost, wanted)
    if "budget" in flags and seconds > budget and not begun:
        raise UserError(
            f"{setting('budget', text)}: {wanted.updates} iterations take about "
            f"{clock(seconds)}; give more time, or fewer {setting('iterations')}."
        )
    print(
        f"{len(jobs)} trainings of {wanted.updates} updates of M, {wanted.at_once} at "
        f"a time: about {clock(seconds)} more; in {wanted.folder}. Stopped, the same "
        "command goes on.",
        flush=True,
    )
    return wanted


def train_command(wanted: plan.Plan, method: str, names: bool) -> str:
    """What trains a method on all data: a command, or of a peer its code.

    Args:
      wanted: the comparison.
      method: a row of `METHODS` or `PEERS`.
      names: whether the table has columns of names.
    """
    if method in PEERS:
        return PEERS[method].code(names)
    training = wanted.training(method)
    for name in ("evaluate_every", "checkpoint_every"):
        training.pop(name)
    arguments: list[object] = []
    for name, value in {**training, "method": method}.items():
        arguments.append(flag(f"no_{name}" if value is False else name))
        if not isinstance(value, bool):
            arguments.append(value)
    return command("train", *arguments)

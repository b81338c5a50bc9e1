"""Which method suits your data? Trains several on the same splits, and answers.

Without data it shows finished runs side by side, by default the two newest.
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
from gamo_tf.cli.program import INTERRUPTED, argument_parser, one_of, run_program
from gamo_tf.cli.run_settings import (
    check_output,
    own_image_side,
    print_notes,
    read_user_data,
)
from gamo_tf.comparison import answer, costs, fitting, plan, words
from gamo_tf.comparison.evidence import collect
from gamo_tf.comparison.overview import overview
from gamo_tf.comparison.peers import FROM_SCRATCH, PEERS, row_of
from gamo_tf.comparison.schedule import extract_all, run_all
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options, spec_of
from gamo_tf.config.tuned import RECIPE
from gamo_tf.data.user_data import slug
from gamo_tf.errors import Stopped, UserError, command, flag, setting
from gamo_tf.files import check_apart
from gamo_tf.grids.processes import stopped_by_sigterm
from gamo_tf.own_settings import check_backend

_DATA = ("dataset", "image_folder", "features")
_INPUTS = ("image_folder", "test_folder", "features")
_OURS = ("methods", "seeds", "jobs", "budget", "out", "known")
_NOT_OURS = {
    "method": "use --methods",
    "seed": "use --seeds for their number",
    "save_balanced": "use it with the command that trains the recommended method",
}
_SEEDS = 5
_FROM_SCRATCH = [name + FROM_SCRATCH for name in METHODS]
_TERMINATED = 143  # exit code: SIGTERM, as shells have it
# Flags that do not say what is trained.
_NOT_TRAINED = {*_OURS, "dry_run", "runs", "runs_dir", "data_dir", "iterations"}
_USAGE = """%(prog)s --image-folder DIR [options]
       %(prog)s --features FILE --label COLUMN [options]
       %(prog)s [RUN ...]"""


def main(argv: list[str] | None = None) -> int:
    """Compare methods on data, or finished runs.

    Args:
      argv: the arguments; None: those of the process.

    Returns:
      The exit code (see `run_program`); 2 if a training failed, 143 after SIGTERM.
    """
    arguments = sys.argv[1:] if argv is None else argv
    with stopped_by_sigterm() as received:
        code = run_program("compare", lambda: _compare(arguments))
    return _TERMINATED if received and code == INTERRUPTED else code


def parser() -> argparse.ArgumentParser:
    """The parser of ``gamo compare``: its own flags first."""
    flags = argument_parser(
        "compare",
        __doc__,
        usage=_USAGE,
        allow_abbrev=False,  # --seed is not --seeds
        argument_default=argparse.SUPPRESS,
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=27),
    )
    flags.add_argument(
        "runs", nargs="*", metavar="RUN", help="finished runs to compare"
    )
    add = flags.add_argument_group("comparison").add_argument
    add(
        "--methods",
        nargs="+",
        type=one_of([*METHODS, *PEERS, *_FROM_SCRATCH], listed=command("methods")),
        metavar="NAME",
        help="default: a short list; docs/own-data.md has all",
    )
    add("--seeds", type=int, metavar="N", help=f"number of splits; default {_SEEDS}")
    add(
        "--budget",
        metavar="TIME",
        help="such as 30m; default 15m for images, 5m for tables and --backbone. "
        "Trainings are shortened to fit; then splits and methods are dropped",
    )
    add(
        "--iterations",
        type=int,
        metavar="N",
        help="fixed training length, in updates of the classifier",
    )
    add("--jobs", type=int, metavar="N", help="trainings at a time; default: cores")
    add("--out", type=Path, metavar="DIR", help="default comparisons/NAME")
    add("--known", action="store_true", help="train nothing; answer from what is done")
    add("--dry-run", action="store_true", help="show the plan and its time only")
    add("--runs-dir", type=Path, metavar="DIR", help="of RUN; default runs/")
    training_flags.add_for_comparison(flags)
    for name in _NOT_OURS:
        flag = "--" + name.replace("_", "-")
        flags.add_argument(flag, dest=name, help=argparse.SUPPRESS)
    return flags


def _compare(arguments: list[str]) -> int:
    flags = vars(parser().parse_args(arguments))
    for name, instead in _NOT_OURS.items():
        if name in flags:
            raise UserError(f"compare has no {setting(name)}: {instead}.")
    if not set(_DATA) & set(flags):
        if odd := set(flags) - {"runs", "runs_dir"}:
            raise UserError(
                f"{setting(min(odd))}: goes with --dataset, --image-folder or "
                "--features; without data, finished runs are compared."
            )
        return side_by_side.main(arguments)
    if flags.get("runs"):
        raise UserError(f"{flags['runs'][0]}: runs are compared without data.")
    asked = command("compare", *arguments)
    try:
        return _of_data(flags, asked)
    except (KeyboardInterrupt, Stopped) as err:
        raise Stopped(f"stopped. To continue, run: {asked}") from err


def _of_data(flags: Mapping, asked: str) -> int:
    """Plan, train, and answer."""
    check_backend()
    check_output(flags, "out", flags.get("out") or Path("comparisons"))
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
        training.setdefault("image_size", own_image_side(training))
    data_dir = training_flags.data_dir(flags)
    user_data = read_user_data({**training, "data_dir": data_dir, "seed": 0})
    plain = plan.first_options(training, [plan.PLAIN], user_data)[plan.PLAIN]
    spec = spec_of(plain)
    _check_validation(plain)
    if not (spec.vector or plain.pretrained):
        training.setdefault("augment", RECIPE["augment"])
    folder = flags.get("out") or Path("comparisons") / slug(spec.name)
    begun = plan.Begun.read(folder)
    methods = flags.get("methods") or (begun and begun.methods)
    seeds = (begun and begun.seeds) or _SEEDS
    full_length = plain.iterations  # a method has two updates or one an iteration
    request = plan.Plan(
        training,
        list(dict.fromkeys(methods or plan.default_methods(spec, plain.features_once))),
        _positive(flags, "seeds", seeds),
        flags.get("iterations") or full_length,
        folder,
        _positive(flags, "jobs", min(os.cpu_count() or 1, 4)),
        data_dir,
        begun.settings if begun else {},
    )
    options = plan.first_options(training, request.methods, user_data)
    print_notes(user_data)
    if plain.features_once and not {"known", "dry_run"} & set(flags):
        extract_all(plain, user_data, data_dir, request.seeds)
    del user_data  # every training reads its own split
    if begun and "iterations" not in flags:
        request = replace(request, updates=begun.updates)
    chosen = request
    if not flags.get("known"):
        request.check()
        chosen = _fitted(request, options, flags, begun is not None, start)
        if flags.get("dry_run"):
            return 0
        chosen.save()
    failed = {} if flags.get("known") else run_all(chosen)
    evidence = collect(chosen.jobs(), own and "test_folder" not in training)
    said = words.sentences(evidence, "splits" if own else "seeds")
    names = bool(spec.categories)
    then = training_of(chosen, words.recommended(evidence), names, flags, full_length)
    paths = answer.write(chosen.folder, evidence, said, then, asked)
    print("\n" + paths[0].read_text(encoding="utf-8"))
    print("\n".join(overview(evidence)) + "\n")
    print("written: " + ", ".join(map(str, paths)))
    for method, why in failed.items():
        print(f"failed: {method}: {why}")
    return 2 if failed else 0


def _check_validation(options: Options) -> None:
    """Raises UserError if no samples are set aside to choose a method on."""
    if not (options.validation_per_class or options.validation_split):
        name = "validation_split" if options.data else "validation_per_class"
        raise UserError(
            f"{setting(name)} 0: methods are chosen on validation samples; give some."
        )


def _positive(flags: Mapping, name: str, default: int) -> int:
    value = flags.get(name, default)
    if value < 1:
        raise UserError(f"{setting(name, value)}: expected 1 or more.")
    return value


def _fitted(
    request: plan.Plan,
    options: Mapping[str, Options],
    flags: Mapping,
    begun: bool,
    start: float,
) -> plan.Plan:
    """The plan that fits the time, which is printed.

    Args:
      request: all that was asked for.
      options: options of each method's first training.
      flags: of the command line.
      begun: whether the folder has the comparison already; its plan stays then.
      start: time of `time.monotonic` that the budget counts from.

    Raises:
      UserError: the budget is explicit, and next to nothing fits.
    """
    text = flags.get("budget") or fitting.default_budget(options[request.methods[0]])
    budget = fitting.seconds_of(text)
    print(f"Methods: {', '.join(request.methods)}. Splits: {request.seeds}.")
    if not request.jobs_left():
        print(f"All {len(request.jobs())} trainings in {request.folder} are done.")
        return request
    found = costs.measured(request, options)
    spent = time.monotonic() - start
    if begun:
        seconds = spent + fitting.seconds_left(found, request)
        print(f"Continuing {request.folder}: trainings keep their length.")
        _announce(request, seconds, spent)
        return request
    explicit = {"methods", "seeds", "iterations", "budget"} & set(flags)
    fit = fitting.fit(found, request, budget, spent, explicit)
    for line in fitting.cuts(request, fit, text):
        print(line)
    _announce(fit.plan, fit.seconds, spent)
    return fit.plan


def _announce(chosen: plan.Plan, seconds: float, spent: float) -> None:
    jobs = len(chosen.jobs_left())
    print(
        f"{jobs} trainings of {chosen.updates} updates, {chosen.at_once} at a time, in "
        f"{chosen.folder}.\nTime: about {fitting.time_text(seconds)} in total, "
        f"{fitting.time_text(spent)} of it spent. If you stop it, the same command "
        "continues.",
        flush=True,
    )


def training_of(
    chosen: plan.Plan, method: str, names: bool, flags: Mapping, full_length: int
) -> answer.Training:
    """How to train a method on your data: a command, or Python code of a peer.

    Args:
      chosen: the comparison.
      method: row of `METHODS` or `PEERS`.
      names: whether the table has columns of names.
      flags: of the command line.
      full_length: updates of the classifier that `train` makes by default.
    """
    if method in PEERS:
        code = PEERS[method].code(names)
        if "backbone" in chosen.flags:  # from images to features
            first = f"make_pipeline(BackboneFeatures({chosen.flags['backbone']!r}), "
            code = code.replace("make_pipeline(", first, 1)
        return answer.Training(
            code,
            "This is Python code; fit it on all your samples.",
        )
    training = dict(chosen.settings_for(method))
    method = row_of(method)
    if "data_dir" in flags:
        training["data_dir"] = flags["data_dir"]
    if "validation_split" not in flags:
        training.pop("validation_split", None)
    note = f"It trains for {full_length} updates, the comparison for {chosen.updates}"
    if chosen.updates >= full_length:
        iterations = max(1, chosen.updates // METHODS[method].m_updates)
        training["iterations"] = iterations
        note = f"It trains for {chosen.updates} updates, as the comparison did"
    if "validation_split" in chosen.flags and "validation_split" not in flags:
        share = chosen.flags["validation_split"]
        note += (
            f". It also trains on the {share:.0%} of your samples that the comparison "
            "kept for validation"
        )
    arguments: list[object] = []
    for name, value in {**training, "method": method}.items():
        if isinstance(value, tuple):
            arguments += [flag(name), ",".join(map(str, value))]
        elif isinstance(value, bool):
            arguments.append(flag(name if value else f"no_{name}"))
        else:
            arguments += [flag(name), value]
    return answer.Training(command("train", *arguments), note + ".")

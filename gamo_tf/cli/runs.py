"""The runs of a folder: list them, show one, compare some, or remove some."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gamo_tf.cli.program import argument_parser, run_program
from gamo_tf.cli.run_table import columns, table
from gamo_tf.cli.show_run import show
from gamo_tf.errors import UserError, command, did_you_mean, printable, setting
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.files import mebibytes
from gamo_tf.runs import run_list
from gamo_tf.runs.newest import newest_alike
from gamo_tf.runs.run import Run, finished_runs
from gamo_tf.runs.run_list import Standing

_ABSENT = "-"  # in the place of what is not known


def main(argv: list[str] | None = None) -> int:
    """Do something with the runs of a folder.

    Args:
      argv: the arguments; None: those of the process.

    Returns:
      The exit code (see `run_program`).
    """
    return run_program("runs", lambda: _do(argv))


def parser() -> argparse.ArgumentParser:
    """The parser of the program's arguments."""
    arguments = argument_parser(
        "runs",
        __doc__,
        usage="%(prog)s [list | show RUN | compare [RUN ...] | rm RUN ...] [options]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(
            [
                "  list           all runs, the newest last (default)",
                "  show RUN       settings, results, pictures, and how to go on",
                "  compare RUN .. finished runs side by side; default: the newest two",
                "  rm RUN ..      remove runs",
                "",
                f"example: {command('runs', 'show', '00000-digits-gamo-ls')}",
            ]
        ),
    )
    add = arguments.add_argument
    add("what", nargs="?", default="list", metavar="WHAT", help="see below")
    add(
        "runs",
        nargs="*",
        metavar="RUN",
        help="a path, or a name or number in --runs-dir",
    )
    add("--runs-dir", type=Path, default=Path("runs"), metavar="DIR", help="runs/")
    add("--yes", action="store_true", help="of rm: do not ask")
    return arguments


def _do(argv: list[str] | None) -> int:
    # Intermixed: flags may stand before, between and behind the names.
    flags = parser().parse_intermixed_args(argv)
    if flags.what not in _ACTIONS:
        near = did_you_mean(flags.what, _ACTIONS)
        there = ", ".join(_ACTIONS)
        raise UserError(f"{flags.what}: no such command; there are {there}.{near}")
    if flags.yes and flags.what != "rm":
        raise UserError(f"{setting('yes')}: goes with rm.")
    _ACTIONS[flags.what](flags)
    return 0


def _list(flags: argparse.Namespace) -> None:
    if flags.runs:
        raise UserError(f"list: takes no names; {flags.runs[0]} is one.")
    runs = [Run(path) for path in run_list.folders(flags.runs_dir)]
    # Where there is none, `finished_runs` raises and says what to do.
    runs = runs or finished_runs(flags.runs_dir)
    known = [run_list.standing(run) for run in runs]
    print(overview(runs, known))
    damaged = [found.damage for found in known if found.damage]
    if damaged:
        print("\n" + "\n".join(f"damaged: {printable(why)}" for why in damaged))
    unfinished = [
        run
        for run, found in zip(runs, known, strict=True)
        if not found.results and not found.damage
    ]
    if unfinished:
        print(f"\ngo on with: {command('train', '--resume', unfinished[-1].path)}")


def overview(runs: Sequence[Run], known: Sequence[Standing]) -> str:
    """A line for each run: what it is, how far it is, and its test metrics.

    Args:
      runs: in the order of the lines.
      known: how far each is.
    """
    averaged = any("ema" in found.results for found in known)
    titles = [metric.title for metric in METRICS]
    header = ["run", "dataset", "method", "loss", "seed", "iterations", "state"]
    header += titles
    if averaged:
        header += [f"{title} (EMA)" for title in titles]
    lines = [[*header, "size", "finished"]]
    for run, found in zip(runs, known, strict=True):
        line = [printable(run.path.name), *_settings(found), found.word]
        line += _metrics(found.results)
        if averaged:
            line += _metrics(found.results.get("ema", {}))
        size = mebibytes(run_list.size_on_disk(run.path))
        lines.append([*line, size, found.results.get("date", "no")])
    return columns(lines)


def _settings(found: Standing) -> list[str]:
    """Dataset, method, loss, seed, and iterations: all, or how many are saved."""
    options = found.options
    if options is None:
        return [_ABSENT] * 5
    far = f"{options.iterations}"
    if not found.results:
        far = _ABSENT if found.damage else f"{found.iteration} of {far}"
    return [options.dataset, options.method, options.loss, f"{options.seed}", far]


def _metrics(found: dict) -> list[str]:
    """The metrics on the test set, where there are results."""
    summary = found.get("test", {})
    values = (summary.get(metric.name) for metric in METRICS)
    return [_ABSENT if value is None else f"{value:.3f}" for value in values]


def _show(flags: argparse.Namespace) -> None:
    if len(flags.runs) != 1:
        raise UserError("show: expected one RUN.")
    print(show(Run.open(run_list.named(flags.runs[0], flags.runs_dir))))


def _compare(flags: argparse.Namespace) -> None:
    if flags.runs:
        paths = [run_list.named(name, flags.runs_dir) for name in flags.runs]
        runs = [Run.open(path) for path in paths]
    else:
        runs = newest_alike(flags.runs_dir)
    print(table(runs))


def _remove(flags: argparse.Namespace) -> None:
    """Remove runs, once all of them are found fit, and the user has agreed."""
    if not flags.runs:
        raise UserError("rm: expected one RUN or more.")
    named = (run_list.named(name, flags.runs_dir) for name in flags.runs)
    paths = list(dict.fromkeys(named))
    for path in paths:
        run_list.check_removable(path)
    sizes = {path: run_list.size_on_disk(path) for path in paths}
    for path, size in sizes.items():
        print(f"{path}: {run_list.standing(Run(path)).word}, {mebibytes(size)}")
    if not flags.yes and not _agreed(len(paths)):
        print("nothing was removed")
        return
    for path in paths:
        run_list.remove_run(path)
        print(f"removed: {path}")


def _agreed(n: int) -> bool:
    """Ask whether n runs are to be removed."""
    if not sys.stdin.isatty():
        raise UserError(
            f"{setting('yes')}: is needed to remove runs where nobody can be asked."
        )
    print(f"remove {n} run(s) for good? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


_ACTIONS: dict[str, Callable[[argparse.Namespace], None]] = {
    "list": _list,
    "show": _show,
    "compare": _compare,
    "rm": _remove,
}

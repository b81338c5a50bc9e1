"""Which runs there are, finished or not, with their test metrics; the newest last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gamo_tf.cli.compare import columns
from gamo_tf.cli.program import argument_parser, run_program
from gamo_tf.errors import UserError, command
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.runs.run import Run, finished_runs

_ABSENT = "-"  # in the place of a number
_UNREADABLE = "unreadable"  # in the place of what a damaged file says


def main(argv: list[str] | None = None) -> int:
    """List the runs of a folder.

    Args:
      argv: the arguments; None: those of the process.

    Returns:
      The exit code (see `run_program`).
    """
    return run_program("runs", lambda: _list(argv))


def _list(argv: list[str] | None) -> int:
    parser = argument_parser("runs", __doc__)
    parser.add_argument(
        "--runs-dir",
        type=Path,
        default=Path("runs"),
        metavar="DIR",
        help="default runs/",
    )
    runs_dir = parser.parse_args(argv).runs_dir
    # A folder's name begins with the number of its run, so that names sort by age.
    runs = [Run(path.parent) for path in sorted(runs_dir.glob("*/options.json"))]
    # Where there is none, `finished_runs` raises and says what to do.
    runs = runs or finished_runs(runs_dir)
    print(table(runs))
    unfinished = [run for run in runs if not run.finished]
    if unfinished:
        print(f"\ngo on with: {command('train', '--resume', unfinished[-1].path)}")
    return 0


def table(runs: Sequence[Run]) -> str:
    """A line for each run: its name, how far it is, and its metrics on the test set.

    Args:
      runs: in the order of the lines.
    """
    results = [_results(run) for run in runs]
    averaged = any("ema" in found for found in results)
    titles = [metric.title for metric in METRICS]
    header = ["run", "iterations", *titles]
    if averaged:
        header += [f"{title} (EMA)" for title in titles]
    lines = [[*header, "finished"]]
    for run, found in zip(runs, results, strict=True):
        line = [run.path.name, _iterations(run), *_metrics(found)]
        if averaged:
            line += _metrics(found.get("ema", {}))
        lines.append([*line, found.get("date", "no")])
    return columns(lines)


def _results(run: Run) -> dict:
    """The results of a run; none of one that has not finished or is damaged."""
    try:
        return run.read_results() if run.finished else {}
    except UserError:
        return {"date": _UNREADABLE}


def _iterations(run: Run) -> str:
    """Of a finished run all; else how many are saved, and of how many."""
    try:
        total = run.options.iterations
    except UserError:  # options.json of another program, or damaged
        return _UNREADABLE
    if run.finished:
        return f"{total}"
    saved = [int(path.name) for path in run.checkpoints()]
    return f"{saved[-1] if saved else 0} of {total}"


def _metrics(found: dict) -> list[str]:
    """The metrics on the test set, where there are results."""
    summary = found.get("test", {})
    values = (summary.get(metric.name) for metric in METRICS)
    return [_ABSENT if value is None else f"{value:.3f}" for value in values]

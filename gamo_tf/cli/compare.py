"""Finished runs side by side. Without RUN: the two newest under the folder of runs."""

from __future__ import annotations

from pathlib import Path

from gamo_tf.cli.program import argument_parser, run_program
from gamo_tf.cli.run_table import table
from gamo_tf.runs.run import Run, finished_runs


def main(argv: list[str] | None = None) -> int:
    """Print the results of finished runs as a table with a column for each.

    Args:
      argv: the arguments; None: those of the process.

    Returns:
      The exit code (see `run_program`).
    """
    return run_program("compare", lambda: _compare(argv))


def _compare(argv: list[str] | None) -> int:
    parser = argument_parser("compare", __doc__)
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN")
    parser.add_argument("--runs-dir", type=Path, default=Path("runs"), metavar="DIR")
    flags = parser.parse_args(argv)
    if flags.runs:
        runs = [Run.open(path) for path in flags.runs]
    else:
        runs = finished_runs(flags.runs_dir)[-2:]
    print(table(runs))
    print("\nresults    " + ", ".join(str(run.path / "results.json") for run in runs))
    print("pictures   curves.png, confusion.png and samples/ in the same folders")
    print(f"TensorBoard  tensorboard --logdir {runs[0].path.parent / 'tensorboard'}")
    return 0

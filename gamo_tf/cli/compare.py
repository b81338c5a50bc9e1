"""Finished runs side by side. Without RUN: the two newest under the folder of runs."""

from __future__ import annotations

from pathlib import Path

from gamo_tf.cli.program import argument_parser, run_program
from gamo_tf.cli.run_table import table
from gamo_tf.errors import tensorboard
from gamo_tf.runs.newest import newest_alike
from gamo_tf.runs.run import Run
from gamo_tf.runs.run_list import named


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
    parser.add_argument("runs", nargs="*", metavar="RUN")
    parser.add_argument("--runs-dir", type=Path, default=Path("runs"), metavar="DIR")
    flags = parser.parse_args(argv)
    if flags.runs:
        paths = [named(name, flags.runs_dir) for name in flags.runs]
        runs = [Run.open(path) for path in paths]
    else:
        runs = newest_alike(flags.runs_dir)
    print(table(runs))
    print("\nresults    " + ", ".join(str(run.path / "results.json") for run in runs))
    print("pictures   curves.png, confusion.png and samples/ in the same folders")
    print(f"TensorBoard  {tensorboard(runs[0].path.parent / 'tensorboard')}")
    return 0

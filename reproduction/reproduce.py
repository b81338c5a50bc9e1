"""Repeat a table or a figure of the paper, beside whatever else is asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Mapping
from importlib import import_module
from pathlib import Path

from gamo_tf.cli.program import argument_parser, one_of, program_name, run_program
from gamo_tf.config.checks import check_ranges
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import CHOICES
from gamo_tf.data.download import default_data_dir
from gamo_tf.errors import UserError, command, did_you_mean, portable_command, setting
from gamo_tf.import_tensorflow import import_tensorflow
from reproduction.orders import EXPERIMENTS, Order
from reproduction.published import TABLES, PublishedTable

QUICK_UPDATES = 400  # of M in a run of --quick


def parser() -> argparse.ArgumentParser:
    """The parser of the program's arguments."""
    titles = {name: row.title for name, row in EXPERIMENTS.items() if row.title}
    example = command("reproduce", "table1", "--repeats", 3, "--datasets", "mnist")
    arguments = argument_parser(
        "reproduce",
        __doc__,
        epilog="\n".join(
            [
                "table1 to table5: of the paper, each run once; runs go on where they",
                "were stopped. report: all finished runs on one page. More:",
                *(f"  {name:<14} {title}" for name, title in titles.items()),
                f"example: {example}",
            ]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = arguments.add_argument
    there = ", ".join(EXPERIMENTS)
    add("what", type=one_of(EXPERIMENTS), metavar="WHAT", help=there)
    add("--repeats", type=int, default=10, metavar="N", help="seeds; default 10")
    add(
        "--known",
        action="store_true",
        help="run nothing: a table of what is known so far",
    )
    add("--quick", action="store_true", help="one seed, few updates: does it run?")
    add(
        "--updates",
        type=int,
        metavar="N",
        help="of M, the same for every method, default 50000; of F in tune, main, ...",
    )
    names = one_of(METHODS, listed=command("methods"))
    add("--methods", nargs="+", type=names, metavar="NAME", help="instead")
    add("--datasets", nargs="+", metavar="NAME", help="only these of the table's")
    add("--losses", nargs="+", choices=CHOICES["loss"], help="only these")
    add("--ema", type=float, default=0.0, metavar="DECAY", help="averages too")
    add(
        "--fid-features",
        choices=("inception", "classifier"),
        help=f"of table5; as in {program_name('pix')}",
    )
    add("--inception-weights", type=Path, metavar="FILE", help="likewise")
    add("--data-dir", type=Path, metavar="DIR", help="default: GAMO_DATA_DIR or data/")
    add(
        "--runs-dir",
        type=Path,
        metavar="DIR",
        help="default runs/reproduce; of report also runs",
    )
    add(
        "--out",
        type=Path,
        default=Path("docs/results"),
        metavar="DIR",
        help="tables, pictures, and runs.jsonl: what is known already and not run "
        "again; default docs/results",
    )
    return arguments


def main(
    argv: list[str] | None = None,
    *,
    published: Mapping[str, PublishedTable] = TABLES,
    quick_updates: int = QUICK_UPDATES,
) -> int:
    """Make a table, a figure or the report.

    Args:
      argv: the arguments; None: those of the process.
      published: the tables of metrics by name; another mapping makes other tables.
      quick_updates: of M in a run of ``--quick``.

    Returns:
      The exit code: 0 if all of it was made; 2 if something is missing and the rest
      was written; else as `run_program` has it.
    """
    arguments = sys.argv[1:] if argv is None else argv
    return run_program(
        "reproduce",
        lambda: _make(arguments, published, quick_updates),
        interrupted="stopped; the same command goes on",
    )


def _make(
    arguments: list[str], published: Mapping[str, PublishedTable], quick_updates: int
) -> int:
    flags = parser().parse_args(arguments)
    row, table = EXPERIMENTS[flags.what], published.get(flags.what)
    _check(flags, row.datasets or {dataset for dataset, _, _ in table or ()}, table)
    flags.out.mkdir(parents=True, exist_ok=True)
    order = Order(
        name=flags.what,
        flags=flags,
        command=portable_command("reproduce", *arguments),
        data_dir=flags.data_dir or default_data_dir(),
        published=table,
        quick_updates=quick_updates,
    )
    if row.tensorflow:
        import_tensorflow()
    module, function = row.maker.split(":")
    maker = getattr(import_module(module), function)
    return 2 if row.start(maker, order) else 0


def _check(
    flags: argparse.Namespace,
    datasets: Collection[str],
    table: PublishedTable | None,
) -> None:
    """Raises UserError for flags that do not go with the experiment."""
    odd = set(flags.datasets or ()) - set(datasets)
    if odd:
        names = ", ".join(sorted(datasets)) or "none"
        near = did_you_mean(min(odd), datasets)
        raise UserError(
            f"{setting('datasets')} {' '.join(sorted(odd))}: {flags.what} has {names}."
            f"{near}"
        )
    if flags.known and not EXPERIMENTS[flags.what].keeps:
        kept = ", ".join(name for name, row in EXPERIMENTS.items() if row.keeps)
        raise UserError(f"{setting('known')}: goes with {kept}, not {flags.what}.")
    check_ranges({k: v for k, v in vars(flags).items() if v is not None})

"""Repeat a table of the paper, beside whatever else is asked for."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gamo_tf.datasets.files import default_data_dir
from gamo_tf.errors import UserError
from gamo_tf.methods import METHODS
from gamo_tf.paper import TABLES

QUICK_UPDATES = 400


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python reproduce.py table1 --repeats 3 --datasets mnist",
    )
    add = made.add_argument
    add("what", choices=sorted(TABLES), help="which table")
    add("--repeats", type=int, default=10, metavar="N", help="seeds; default 10")
    add("--quick", action="store_true", help="one seed, few updates: does it run?")
    add(
        "--updates",
        type=int,
        metavar="N",
        help="of the classifier, the same for every method; default 50000",
    )
    add("--methods", nargs="+", choices=METHODS, metavar="NAME", help="instead")
    add("--datasets", nargs="+", metavar="NAME", help="only these of the table's")
    add("--ema", type=float, default=0.0, metavar="DECAY", help="averages too")
    add("--data-dir", type=Path, metavar="DIR", help="default: GAMO_DATA_DIR or data/")
    add("--runs-dir", type=Path, default=Path("runs/reproduce"), metavar="DIR")
    add("--out", type=Path, default=Path("docs/results"), metavar="DIR")
    return made


def main(argv: list[str] | None = None) -> int:
    """0: all of it; 2: something was missing, the rest is written."""
    flags = parser().parse_args(argv)
    from gamo_tf import tables

    try:
        known = {dataset for dataset, _, _ in TABLES[flags.what]}
        odd = set(flags.datasets or ()) - known
        if odd:
            raise UserError(
                f"--datasets {' '.join(sorted(odd))}: {flags.what} has "
                f"{', '.join(sorted(known))}."
            )
        if flags.repeats < 1:
            raise UserError(f"--repeats {flags.repeats}: expected 1 or more.")
        wish = tables.Wish(
            flags.what,
            1 if flags.quick else flags.repeats,
            QUICK_UPDATES if flags.quick else flags.updates,
            flags.ema,
            tuple(flags.datasets or ()),
            tuple(flags.methods or ()),
        )
        command = " ".join(["python reproduce.py", *(argv or sys.argv[1:])])
        data_dir = flags.data_dir or default_data_dir()
        failed = tables.run(wish, flags.runs_dir, data_dir, flags.out, command)
    except UserError as err:
        print(f"reproduce.py: {err}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("reproduce.py: stopped; the same command goes on", file=sys.stderr)
        return 130
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

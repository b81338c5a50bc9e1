"""Repeat a table or a figure of the paper, beside whatever else is asked for."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gamo_tf.datasets.files import default_data_dir
from gamo_tf.errors import UserError
from gamo_tf.methods import METHODS
from gamo_tf.options import CHOICES
from gamo_tf.paper import FID, TABLES

QUICK_UPDATES = 400
_RUNS = Path("runs/reproduce")
FIGURES = {
    "figure1": "a 2-D toy: plain, conditional GAN, G against M, GAMO",
    "figure2": "the generated density moves to the border, in one dimension",
    "figure4": "generated digits by method",
    "figure5": "GAMO2pix beside cDCGAN",
    "theorem1": "J at the optimal M beside the Jensen-Shannon divergences",
}
_DRAWN = {"figure4": ("mnist",), "figure5": tuple(FID), "table5": tuple(FID)}


def parser() -> argparse.ArgumentParser:
    lines = [f"  {name:<9} {told}" for name, told in FIGURES.items()]
    made = argparse.ArgumentParser(
        description=__doc__,
        epilog="\n".join(
            [
                "table1 to table5: of the paper, each run once; runs go on where they",
                "were stopped. report: all finished runs on one page. Figures:",
                *lines,
                "example: python reproduce.py table1 --repeats 3 --datasets mnist",
            ]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    names = [*sorted(TABLES), "table5", *FIGURES, "report"]
    add("what", choices=names, metavar="WHAT", help=", ".join(names))
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
        help="of the classifier, the same for every method; default 50000",
    )
    add("--methods", nargs="+", choices=METHODS, metavar="NAME", help="instead")
    add("--datasets", nargs="+", metavar="NAME", help="only these of the table's")
    add("--losses", nargs="+", choices=CHOICES["loss"], help="only these")
    add("--ema", type=float, default=0.0, metavar="DECAY", help="averages too")
    add(
        "--fid-features",
        choices=("inception", "classifier"),
        help="of table5; as in train_gamo2pix.py",
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
    return made


def main(argv: list[str] | None = None) -> int:
    """0: all of it; 2: something was missing, the rest is written."""
    flags = parser().parse_args(argv)
    try:
        _check(flags)
        flags.data_dir = flags.data_dir or default_data_dir()
        flags.out.mkdir(parents=True, exist_ok=True)
        flags.command = " ".join(["python reproduce.py", *(argv or sys.argv[1:])])
        return 2 if _make(flags) else 0
    except (UserError, OSError) as err:
        print(f"reproduce.py: {err}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("reproduce.py: stopped; the same command goes on", file=sys.stderr)
        return 130


def _make(flags: argparse.Namespace) -> int:
    """Does what is wished; the number of things that failed."""
    from gamo_tf.quiet import import_tensorflow
    from gamo_tf.records import Records

    name, out = flags.what, flags.out
    if name == "theorem1":
        from gamo_tf import theorem

        return theorem.write(out)
    if name in ("figure1", "figure2"):
        import_tensorflow()
        from gamo_tf import toys

        return toys.write(name, out, flags.quick)
    records = Records(out / "runs.jsonl")
    if name == "report":
        from gamo_tf import report

        folders = [flags.runs_dir] if flags.runs_dir else [_RUNS.parent, _RUNS]
        return report.write(records, folders, out, flags.command)
    runs_dir = flags.runs_dir or _RUNS
    from gamo_tf import tables

    wish = tables.Wish(
        name,
        flags.data_dir,
        1 if flags.quick else flags.repeats,
        QUICK_UPDATES if flags.quick else flags.updates,
        flags.ema,
        tuple(flags.datasets or ()),
        tuple(flags.methods or ()),
        tuple(flags.losses or ()),
    )
    if name in _DRAWN:
        import_tensorflow()
        from gamo2pix import paper, train

        request = train.Request(flags.fid_features, flags.inception_weights)
        place = paper.Place(runs_dir, out)
        return paper.write(wish, request, place, flags.quick, flags.command)
    failed = {} if flags.known else tables.run(wish, runs_dir, records)
    for path in tables.write(wish, records, flags.command, out):
        print(f"written: {path}")
    return len(failed)


def _check(flags: argparse.Namespace) -> None:
    known = _DRAWN.get(flags.what) or {d for d, _, _ in TABLES.get(flags.what, ())}
    odd = set(flags.datasets or ()) - set(known)
    if odd:
        has = ", ".join(sorted(known)) or "none"
        raise UserError(f"--datasets {' '.join(sorted(odd))}: {flags.what} has {has}.")
    if flags.known and flags.what not in TABLES:
        raise UserError(f"--known: goes with table1 to table4, not {flags.what}.")
    if flags.repeats < 1:
        raise UserError(f"--repeats {flags.repeats}: expected 1 or more.")
    if flags.updates is not None and flags.updates < 2:
        raise UserError(f"--updates {flags.updates}: expected 2 or more.")


if __name__ == "__main__":
    sys.exit(main())

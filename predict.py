"""Use what a run has trained: classes of images, or one model to take elsewhere."""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from gamo_tf.errors import UserError
from gamo_tf.folder import write_text
from gamo_tf.quiet import import_tensorflow
from gamo_tf.runs import Run, finished


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python predict.py --run runs/00000-digits-gamo-ls photo.png",
    )
    add = made.add_argument
    add(
        "files",
        nargs="*",
        metavar="IMAGES",
        help="files, folders, or - for a list on standard input; of a run on "
        "--features: tables like the one it was trained on",
    )
    add("--run", type=Path, metavar="RUN", help="default: the newest finished run")
    add("--runs-dir", type=Path, default=Path("runs"), metavar="DIR")
    add("--out", type=Path, metavar="FILE", help="CSV; default: standard output")
    add("--all-probabilities", action="store_true", help="a column for each class")
    add(
        "--export",
        type=Path,
        metavar="DIR",
        help="write F and M as one model: model.keras and saved_model/",
    )
    return made


def main(argv: list[str] | None = None) -> int:
    flags = parser().parse_args(argv)
    try:
        if not flags.files and not flags.export:
            raise UserError("nothing to do: give IMAGES, or --export DIR.")
        run = Run.open(flags.run) if flags.run else finished(flags.runs_dir)[-1]
        if not run.finished:
            raise UserError(f"{run.path}: not finished; --resume it first.")
        import_tensorflow()  # only now: --help answers at once
        from gamo_tf import export, predict

        if flags.export:
            export.write(run, flags.export)
            print(f"written: {flags.export}/model.keras, saved_model/", file=sys.stderr)
        if flags.files:
            rows = predict.rows(run, list(_files(flags.files)), flags.all_probabilities)
            return _write(rows, flags.out)
    except BrokenPipeError:  # whoever reads has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  Python flushes it at exit
    except (UserError, OSError) as err:
        print(f"predict.py: {err}", file=sys.stderr)
        return 2
    return 0


def _files(given: list[str]) -> Iterator[str]:
    """Files, those below folders, and those listed on standard input."""
    for name in given:
        if name == "-":
            yield from (line.strip() for line in sys.stdin if line.strip())
        elif Path(name).is_dir():
            below = sorted(p for p in Path(name).rglob("*") if p.is_file())
            yield from (str(p) for p in below if not p.name.startswith("."))
        else:
            yield name


def _write(rows, out: Path | None) -> int:
    """0, or 2 where a file could not be read; it is told, and the others are kept."""
    header, lines, bad = rows

    def fill(file) -> None:
        sheet = csv.writer(file)
        sheet.writerow(header)
        sheet.writerows(lines)

    if out:
        held = io.StringIO(newline="")
        fill(held)
        write_text(out, held.getvalue())
    else:
        fill(sys.stdout)
        sys.stdout.flush()
    for name, why in bad.items():
        print(f"predict.py: {name}: {why}", file=sys.stderr)
    return 2 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

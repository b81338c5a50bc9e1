"""Use what a run has trained: classes of images, or one model to take elsewhere."""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gamo_tf.cli.flags import NEWEST
from gamo_tf.cli.program import (
    WRONG_INPUT,
    argument_parser,
    program_name,
    run_program,
)
from gamo_tf.data.folder_rules import files_below, own_below
from gamo_tf.errors import UserError, command, printable
from gamo_tf.files import atomically
from gamo_tf.import_tensorflow import import_tensorflow
from gamo_tf.runs.run import Run, finished_runs


def main(argv: list[str] | None = None) -> int:
    """Predict the classes of files, or export the networks as one model.

    Args:
      argv: the arguments; None: those of the process.

    Returns:
      The exit code (see `run_program`); 2 also where some of the files could not be
      read. These are listed, and the others are predicted.
    """
    return run_program("predict", lambda: _predict(argv))


def _parser() -> argparse.ArgumentParser:
    line = command("predict", "--run", "runs/00000-digits-gamo-ls", "photo.png")
    parser = argument_parser("predict", __doc__, epilog=f"example: {line}")
    add = parser.add_argument
    add(
        "files",
        nargs="*",
        metavar="IMAGES",
        help="files, folders, or - for a list on standard input; of a run on "
        "--features: tables like the one it was trained on",
    )
    add(
        "--run",
        type=Path,
        metavar="RUN",
        help=f"default: '{NEWEST}', which is finished",
    )
    add("--runs-dir", type=Path, default=Path("runs"), metavar="DIR")
    add("--out", type=Path, metavar="FILE", help="CSV; default: standard output")
    add("--all-probabilities", action="store_true", help="a column for each class")
    add(
        "--export",
        type=Path,
        metavar="DIR",
        help="write F and M as one model: model.keras and saved_model/",
    )
    return parser


def _predict(argv: list[str] | None) -> int:
    flags = _parser().parse_args(argv)
    if not flags.files and not flags.export:
        raise UserError("nothing to do: give IMAGES, or --export DIR.")
    if flags.run is None or str(flags.run) == NEWEST:
        run = finished_runs(flags.runs_dir)[-1]
        # Not on standard output, which may be a CSV file.
        print(f"the newest finished run: {run.path}", file=sys.stderr)
    else:
        run = Run.open(flags.run)
    if not run.finished:
        raise UserError(f"{run.path}: not finished; --resume it first.")
    import_tensorflow()  # not earlier: --help and wrong flags are answered at once
    from gamo_tf.inference import export
    from gamo_tf.inference.predict import predict_rows

    if flags.export:
        export.write(run, flags.export)
        print(f"written: {flags.export}/model.keras, saved_model/", file=sys.stderr)
    if not flags.files:
        return 0
    files = list(_files(flags.files))
    found = predict_rows(run, files, flags.all_probabilities)
    _write(found.header, found.lines, flags.out)
    for note in found.notes:
        print(printable(f"note: {note}"), file=sys.stderr)
    for name, reason in found.unreadable.items():
        complaint = printable(f"{name}: {reason}")
        print(f"{program_name('predict')}: {complaint}", file=sys.stderr)
    return WRONG_INPUT if found.unreadable else 0


def _files(arguments: Iterable[str]) -> Iterator[str]:
    """Files, those below folders, and those listed on standard input."""
    for name in arguments:
        if name == "-":
            yield from _listed()
        elif os.path.isdir(name):  # also of names that no file can have
            for line in own_below(Path(name)):
                print(printable(f"note: {line}"), file=sys.stderr)
            yield from files_below(Path(name))
        else:
            yield name


def _listed() -> Iterator[str]:
    """The lines of standard input, or, where it has NULs, what these separate."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        # As Python decodes names of files, which may be no text.
        sys.stdin.reconfigure(
            encoding=sys.getfilesystemencoding(),
            errors=sys.getfilesystemencodeerrors(),
            newline="",
        )
    text = sys.stdin.read()
    names = text.split("\0") if "\0" in text else text.replace("\r\n", "\n").split("\n")
    yield from (name for name in names if name.strip())


def _write(header: Sequence[str], lines: Iterable[Sequence], out: Path | None) -> None:
    """The table as CSV: the file `out`, all of it or nothing, or standard output."""
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    writer.writerow(header)
    writer.writerows(lines)
    text = sheet.getvalue()
    if out:
        data = text.encode("utf-8", "surrogateescape")
        atomically(out, lambda part: part.write_bytes(data))
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        _take_any_name(sys.stdout, text)
    sys.stdout.write(text)
    sys.stdout.flush()


def _take_any_name(stream: io.TextIOWrapper, text: str) -> None:
    """Lets a stream write names that are no text, as the bytes that they are."""
    try:
        text.encode(stream.encoding, "surrogateescape")
        stream.reconfigure(errors="surrogateescape")
    except UnicodeEncodeError:  # a console that lacks a letter
        stream.reconfigure(errors="backslashreplace")

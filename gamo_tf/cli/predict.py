"""Use what a run has trained: classes of images, or one model to take elsewhere."""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

from gamo_tf.cli.flags import NEWEST
from gamo_tf.cli.program import (
    WRONG_INPUT,
    argument_parser,
    program_name,
    run_program,
)
from gamo_tf.data.folder_rules import files_below, own_below
from gamo_tf.errors import UserError, command, printable, setting
from gamo_tf.files import atomically, check_apart
from gamo_tf.import_tensorflow import import_tensorflow
from gamo_tf.runs.newest import for_files
from gamo_tf.runs.run import Run
from gamo_tf.runs.run_list import named

_BEGINS = b"file,label,probability"  # a file of predictions
_STANDARD_OUTPUT = (Path("-"), Path("/dev/stdout"))


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
        metavar="RUN",
        help=f"a path, or a name or number in --runs-dir; default: '{NEWEST}', the "
        "newest finished one that fits the files",
    )
    add("--runs-dir", type=Path, default=Path("runs"), metavar="DIR")
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="CSV; default: standard output; replaces predictions only",
    )
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
    files = list(_files(flags.files, flags.out))
    if flags.out:
        _check_out(flags.out, files)
    if flags.export:
        _check_export(flags.export, flags.files)
    if flags.run in (None, NEWEST):
        run = for_files(flags.runs_dir, files)
        # Not on standard output, which may be a CSV file.
        print(f"the newest finished run that fits: {run.path}", file=sys.stderr)
    else:
        run = Run.open(named(flags.run, flags.runs_dir))
    if not run.finished:
        go_on = command("train", "--resume", run.path)
        raise UserError(f"{run.path}: not finished. Go on with: {go_on}")
    import_tensorflow()  # not earlier: --help and wrong flags are answered at once
    from gamo_tf.inference import export
    from gamo_tf.inference.predict import predict_rows

    if flags.export:
        export.write(run, flags.export)
        print(f"written: {flags.export}/model.keras, saved_model/", file=sys.stderr)
        if len(run.options.shape) != 1:
            print(
                "note: TensorFlow Lite cannot take it: it lacks antialiased resizing",
                file=sys.stderr,
            )
    if not flags.files:
        return 0
    found = predict_rows(run, files, flags.all_probabilities)
    _write(found.header, found.lines, flags.out)
    for note in found.notes:
        print(printable(f"note: {note}"), file=sys.stderr)
    for name, reason in found.unreadable.items():
        complaint = printable(f"{name}: {reason}")
        print(f"{program_name('predict')}: {complaint}", file=sys.stderr)
    return WRONG_INPUT if found.unreadable else 0


def _files(arguments: Iterable[str], out: Path | None) -> Iterator[str]:
    """Files, those below folders, and those listed on standard input.

    Predictions that an earlier call wrote to `out` in such a folder are no input.
    """
    earlier = out if out and _has_predictions(out) else None
    for name in arguments:
        if name == "-":
            yield from _listed()
        elif os.path.isdir(name):  # also of names that no file can have
            for line in own_below(Path(name)):
                print(printable(f"note: {line}"), file=sys.stderr)
            for file in files_below(Path(name)):
                if not (earlier and os.path.exists(file) and earlier.samefile(file)):
                    yield file
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


def _has_predictions(path: Path) -> bool:
    """Whether a file is one that `_write` has written, or empty."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_BEGINS)) in (_BEGINS, b"")


def _check_out(out: Path, files: Sequence[str]) -> None:
    """Raises UserError where predictions must not, or cannot, be written to `out`."""
    place = setting("out", out)
    check_apart(out, files, place)
    if out.is_dir():
        raise UserError(f"{place}: is a folder. Name a file in it.")
    if not out.parent.is_dir():
        raise UserError(f"{place}: there is no folder {out.parent}. Create it.")
    if out.is_file() and not _has_predictions(out):
        raise UserError(
            f"{place}: is there already, and holds no predictions. Name another file."
        )


def _check_export(folder: Path, inputs: Sequence[str]) -> None:
    """Raises UserError where a model must not be written to `folder`."""
    place = setting("export", folder)
    check_apart(folder, inputs, place)
    if os.path.lexists(folder):
        raise UserError(f"{place}: is there already. Name another folder.")


def _write(header: Sequence[str], lines: Iterable[Sequence], out: Path | None) -> None:
    """The table as CSV: the file `out`, all of it or nothing, or standard output."""
    rows: list[str] = []
    # It quotes "\r" in names of files only where its own lines end on "\r\n".
    writer = csv.writer(SimpleNamespace(write=rows.append), lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(lines)
    text = "".join(row.removesuffix("\r\n") + "\n" for row in rows)
    if out and out not in _STANDARD_OUTPUT:
        data = text.encode("utf-8", "surrogateescape")
        if out.exists() and not out.is_file():  # a pipe, or /dev/null
            out.write_bytes(data)
        else:
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

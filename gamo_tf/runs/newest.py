"""The newest run that fits what it is to be used for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import spec_of
from gamo_tf.data import table_files
from gamo_tf.errors import UserError, command, setting
from gamo_tf.runs.run import Run, finished_runs

# Why a run does not fit, as the end of a sentence about it; "": it does.
Check = Callable[[Run], str]
_LISTED = 5  # columns named in a message


def fitting(
    runs_dir: Path, checks: Sequence[Check], need: str, remedy: str
) -> list[Run]:
    """The finished runs that pass all checks, the newest last.

    Args:
      runs_dir: the folder of the runs.
      checks: in the order of their weight: where no run is left, the message is about
        the newest run that passed the checks before.
      need: what the run is needed for, such as ``for images``.
      remedy: what to do where there is none.

    Raises:
      UserError: there is none.
    """
    runs = finished_runs(runs_dir)
    for check in checks:
        reasons = [(run, _reason(run, check)) for run in runs]
        runs = [run for run, reason in reasons if not reason]
        if not runs:
            run, reason = reasons[-1]
            raise UserError(
                f"{runs_dir}: no finished run {need}. The newest that comes close, "
                f"{run.path}, {reason}. {remedy}"
            )
    return runs


def newest_alike(runs_dir: Path) -> list[Run]:
    """The newest finished run, and before it the newest other of the same classes.

    Args:
      runs_dir: the folder of the runs.

    Returns:
      Two runs, the newest last; one where no other has its classes.

    Raises:
      UserError: there is no finished run.
    """
    *others, last = finished_runs(runs_dir)
    classes = last.read_results()["classes"]
    alike = [run for run in others if run.read_results()["classes"] == classes]
    return [*alike[-1:], last]


def for_files(runs_dir: Path, files: Sequence[str]) -> Run:
    """The newest finished run that can predict files.

    Args:
      runs_dir: the folder of the runs.
      files: tables, or images with whatever else lies beside them; []: any run will do.

    Raises:
      UserError: there is no such run.
    """
    name = setting("run")
    if not files:
        return finished_runs(runs_dir)[-1]
    if all(Path(file).suffix in table_files.SUFFIXES for file in files):
        remedy = f"Name another by {name}, or train one on a table like this."
        need = f"for {files[0]}"
        checks = [of_table, has_columns(files)]
        return fitting(runs_dir, checks, need, remedy)[-1]
    example = command("train", "--image-folder", "FOLDER")
    remedy = f"Name another by {name}, or train one: {example}"
    need = f"for images such as {files[0]}"
    return fitting(runs_dir, [of_images], need, remedy)[-1]


def of_images(run: Run) -> str:
    """Whether a run is of images (see `Check`)."""
    if not spec_of(run.options).vector:
        return ""
    return "was trained on a table" if run.options.label else "was trained on vectors"


def of_table(run: Run) -> str:
    """Whether a run is of a table."""
    return "" if spec_of(run.options).vector else "was trained on images"


def convex(run: Run) -> str:
    """Whether a run has a convex generator."""
    method = run.options.method
    return (
        "" if METHODS[method].convex else f"has no convex generator (method {method})"
    )


def with_generator(runs_dir: Path, wanted: str) -> Run:
    """The newest finished run on images that has a convex generator of a class.

    Args:
      runs_dir: the folder of the runs.
      wanted: name or label of the class. Where no run has it, any class will do.

    Raises:
      UserError: there is no such run.
    """
    example = command("train", "--image-folder", "FOLDER", "--method", "gamo")
    remedy = f"Name another by {setting('run')}, or train one: {example}"
    need = "with images and a generator"
    runs = fitting(runs_dir, [of_images, convex], need, remedy)
    return next((run for run in reversed(runs) if _has_class(run, wanted)), runs[-1])


def _has_class(run: Run, wanted: str) -> bool:
    classes = spec_of(run.options).classes
    return wanted in (*classes, *map(str, range(len(classes))))


def has_columns(files: Sequence[str]) -> Check:
    """Whether one of some tables has the columns that a run was trained on.

    Args:
      files: the tables. Those that cannot be read do not count; any run complains.
    """

    def check(run: Run) -> str:
        found = [_lacking(Path(file), run) for file in files]
        reasons = [reason for reason in found if reason is not None]
        return reasons[0] if reasons and "" not in reasons else ""

    return check


def _lacking(path: Path, run: Run) -> str | None:
    """What a table lacks of the columns that a run was trained on; None: it cannot be
    read."""
    options = run.options
    try:
        features = table_files.read(path, options.label, rows=1).features
    except UserError:
        return None
    names = run.identity.get("columns")
    if names and not isinstance(features, np.ndarray):
        lacking = [name for name in names if name not in features]
        if not lacking:
            return ""
        more = " ..." if len(lacking) > _LISTED else ""
        listed = ", ".join(lacking[:_LISTED])
        return f"was trained on columns that {path} lacks: {listed}{more}"
    width = options.shape[0]
    if features.shape[1] == width:
        return ""
    return f"was trained on {width} columns; {path} has {features.shape[1]}"


def _reason(run: Run, check: Check) -> str:
    try:
        return check(run)
    except UserError as err:  # damage
        return f"cannot be read ({err.message.rstrip('.')})"

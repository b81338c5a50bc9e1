"""The runs in a folder: which there are, how far each is, and removing one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gamo_tf.config.options import Options
from gamo_tf.errors import UserError, command, did_you_mean, setting
from gamo_tf.files import beside, flush, locked, remove
from gamo_tf.runs.run import Run, number, numbered
from gamo_tf.runs.run_directory import RunDirectory

# A run that is being removed begins with this: no program takes it for a run.
_REMOVED = ".removed-"
_FOLDERS = ("models", "checkpoints", "tensorboard", "samples")  # of every run


@dataclass(frozen=True)
class Standing:
    """How far a run is.

    Attributes:
      options: its settings; None where they cannot be read.
      iteration: minibatches that are saved.
      results: content of results.json; empty before the run has finished.
      damage: what is wrong with its files; "": nothing that was seen.
    """

    options: Options | None = None
    iteration: int = 0
    results: dict = field(default_factory=dict)
    damage: str = ""

    @property
    def word(self) -> str:
        """``finished``, ``unfinished`` or ``damaged``."""
        if self.damage:
            return "damaged"
        return "finished" if self.results else "unfinished"


def folders(runs_dir: Path) -> list[Path]:
    """The folders of the runs, the oldest first, damaged ones among them.

    Args:
      runs_dir: the folder of the runs; it need not be there.

    Returns:
      Folders that have settings in them, or a name that begins as those of runs do.
    """
    found = sorted(runs_dir.iterdir()) if runs_dir.is_dir() else []
    return [
        path
        for path in found
        if not path.name.startswith(".")
        and path.is_dir()
        and (numbered(path) or _has_settings(path))
    ]


def standing(run: Run) -> Standing:
    """How far a run is. Damage is told and never raised.

    Args:
      run: any folder. The contents of its checkpoints are not looked at.
    """
    options = None
    try:
        options = run.options
        if run.finished:
            return Standing(options, options.iterations, run.read_results())
        saved = run.checkpoints()
        return Standing(options, int(saved[-1].name) if saved else 0)
    except UserError as err:
        return Standing(options, damage=err.message)
    except OSError as err:  # a folder that must not be looked into
        return Standing(options, damage=f"{run.path}: {err.strerror}.")


def size_on_disk(path: Path) -> int:
    """Bytes that a folder takes on the disk. Links are not followed.

    Args:
      path: of the folder. What cannot be looked at, or goes meanwhile, counts nothing.
    """
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except OSError:
                continue
    return total


def named(name: str, runs_dir: Path) -> Path:
    """The folder of a run that a user names.

    Args:
      name: a path, the name of a folder in `runs_dir`, or the number of one.
      runs_dir: the folder of the runs.

    Raises:
      UserError: there is nothing of that name, or several have that number.
    """
    known = folders(runs_dir)
    same = [p for p in known if name.isdecimal() and number(p) == int(name)]
    if len(same) > 1:
        names = ", ".join(path.name for path in same)
        raise UserError(f"{name}: is the number of several runs: {names}. Name one.")
    paths = [Path(name), runs_dir / name, *same] if name else []
    paths = [path for path in paths if os.path.lexists(path)]  # of any name
    # What is no run may have the name of one.
    for path in [*filter(_has_settings, paths), *paths]:
        return path
    near = did_you_mean(Path(name).name, [path.name for path in known])
    raise UserError(f"{name}: there is no such run, nor one in {runs_dir}.{near}")


def _has_settings(path: Path) -> bool:
    return os.path.lexists(path / "options.json")


def newest_unfinished(runs_dir: Path) -> Run:
    """The newest run that can be gone on with.

    Runs with damaged settings, and those that another process trains, are left out,
    each with a line that says so.

    Args:
      runs_dir: the folder of the runs.

    Raises:
      UserError: there is none.
    """
    for run in map(Run, reversed(folders(runs_dir))):
        found = standing(run)
        if found.damage:
            print(f"left out: {found.damage}", file=sys.stderr)
        elif not found.results and run.has_rows:
            try:
                with run.lock():
                    return run
            except UserError as err:
                print(f"left out: {err.message}", file=sys.stderr)
    raise UserError(
        f"{setting('resume')} newest: no unfinished run in {runs_dir}. Begin one, "
        f"for example: {command('train', '--dataset', 'digits')}"
    )


def check_removable(path: Path) -> None:
    """Make sure that a folder is a run of this program, damaged or not, and at rest.

    Args:
      path: of the folder.

    Raises:
      UserError: it is a link or anything else, or another process is at work on it.
    """
    if path.is_symlink():
        raise UserError(
            f"{path}: is a link, which is not followed; nothing is removed."
        )
    damaged = numbered(path) and all((path / name).is_dir() for name in _FOLDERS)
    if standing(Run(path)).options is None and not damaged:
        raise UserError(f"{path}: is no run of this program; nothing is removed.")
    with _at_rest(path):
        pass


@contextmanager
def _at_rest(path: Path) -> Iterator[None]:
    """Within it, no other process trains in a run, nor makes images of it."""
    with ExitStack() as locks:
        locks.enter_context(Run(path).lock())
        pix = Run(path).pix
        if pix.is_dir() and not pix.is_symlink():
            locks.enter_context(RunDirectory(pix).lock())
        yield


def remove_run(path: Path) -> None:
    """Remove the folder of a run. Links in it go, and not what they lead to.

    It is renamed before anything in it is removed, so that half a run is never taken
    for one. What a process leaves that is killed meanwhile goes with the next removal.

    Args:
      path: of the folder.

    Raises:
      UserError: it is none that may be removed (see `check_removable`).
    """
    check_removable(path)
    path = path.resolve()
    with _at_rest(path):
        gone = beside(path, _REMOVED)
        remove(gone)
        os.rename(path, gone)
        flush(path.parent)
        _remove_settings_first(gone)
    for leftover in path.parent.glob(f"{_REMOVED}*"):
        if leftover.is_dir() and not leftover.is_symlink():
            _remove_leftover(leftover)


def _remove_settings_first(path: Path) -> None:
    """Remove a renamed run. Without options.json nothing takes it for a run."""
    remove(path / "options.json")
    remove(path)


def _remove_leftover(path: Path) -> None:
    """Remove what a killed process has left, unless one is at work on it now."""
    try:
        with locked(path, f"{path}: is being removed."):
            _remove_settings_first(path)
    except UserError:
        return

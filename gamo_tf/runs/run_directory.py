"""A folder that a training fills: checkpoints, networks, metrics, results."""

from __future__ import annotations

import errno
import json
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gamo_tf.errors import UserError, first_line
from gamo_tf.files import inside, locked, remove, replace_folder, write_text
from gamo_tf.stored import (
    digest,
    read_bytes,
    read_json,
    read_object,
    reading,
    write_json,
)

if TYPE_CHECKING:  # programs look into folders before they import TensorFlow
    import tensorflow as tf

KEEP = 3  # checkpoints
_HISTORY, _DIGESTS = "history.json", "digests.json"  # beside the state, in each


@dataclass(frozen=True)
class RunDirectory:
    """What the folder of a run and GAMO2pix's folder of a class have in common.

    It knows where files lie, and nothing of the networks in them (`networks.saved`
    reads and writes those).

    Attributes:
      path: the folder.
    """

    path: Path

    def make(self) -> None:
        """Make the folder and those in it."""
        for name in ("models", "checkpoints", "tensorboard"):
            (self.path / name).mkdir(parents=True, exist_ok=True)

    def lock(self) -> AbstractContextManager[None]:
        """Within it, no other process trains in this folder.

        Raises:
          UserError: another process does.
        """
        return locked(self.path, f"{self.path}: another process is at work on it.")

    def check_links(self) -> None:
        """Make sure that nothing which is written here comes to lie elsewhere.

        Raises:
          UserError: a folder in here is a link that leads out.
        """
        for folder, names, _ in os.walk(self.path):
            for name in names:
                if Path(folder, name).is_symlink():
                    inside(self.path, Path(folder, name))

    @property
    def finished(self) -> bool:
        """Whether the training came to its end: results.json is written last.

        An empty file is no end: it is what a power cut can leave.
        """
        path = self.path / "results.json"
        return path.is_file() and path.stat().st_size > 0

    @property
    def tensorboard(self) -> Path:
        """What ``tensorboard --logdir`` is to be given."""
        return self.path / "tensorboard"

    @property
    def metrics(self) -> Path:
        """metrics.csv: a line an evaluation."""
        return self.path / "metrics.csv"

    def picture(self, name: str) -> Path:
        """Where the picture of that file name lies.

        Args:
          name: of the file.
        """
        return self.path / name

    def model(self, name: str) -> Path:
        """Where the network of that name lies.

        Args:
          name: of the network, such as "F".
        """
        return self.path / "models" / f"{name}.keras"

    def write_results(self, results: dict) -> None:
        """Write results.json, which marks the folder as finished.

        It also has a digest of metrics.csv, if there is one.

        Args:
          results: what JSON can hold.
        """
        if self.metrics.is_file():
            written = digest(read_bytes(self.metrics))
            results = {**results, "metrics_digest": written}
        write_json(self.path / "results.json", results)

    def read_results(self) -> dict:
        """The content of results.json.

        Raises:
          UserError: it cannot be read, or is not as it was written.
        """
        return read_object(self.path / "results.json")

    # ---- checkpoints -----------------------------------------------------------

    def checkpoints(self) -> list[Path]:
        """The folders of the checkpoints, oldest first; a killed process leaves no
        part of one under such a name."""
        folder = self.path / "checkpoints"
        found = folder.iterdir() if folder.is_dir() else ()
        return sorted(
            p for p in found if p.name.isdigit() and p.is_dir() and not p.is_symlink()
        )

    def save_checkpoint(
        self, iteration: int, state: tf.train.Checkpoint, history: list[dict]
    ) -> Path:
        """Write a checkpoint; only the newest `KEEP` stay.

        Args:
          iteration: minibatches trained.
          state: everything that goes on.
          history: rows of metrics.csv so far.

        Returns:
          Its folder.

        Raises:
          OSError: it cannot be written.
        """
        path = self.path / "checkpoints" / f"{iteration:07d}"

        def write(part: Path) -> None:
            try:
                state.write(str(part / "state"))
            except Exception as err:  # TensorFlow has kinds of its own for full disks
                # "{operation} path; No space left on device [Op:SaveV2]"
                reason = first_line(err).rsplit("; ", 1)[-1].split(" [Op:")[0]
                raise OSError(errno.EIO, reason) from err
            write_text(part / _HISTORY, json.dumps(history))
            write_json(part / _DIGESTS, _digests(part))

        replace_folder(path, write)
        for old in self.checkpoints()[:-KEEP]:
            remove(old)
        return path

    def restore(self, state: tf.train.Checkpoint) -> tuple[int, list[dict]]:
        """Read the newest checkpoint that is whole; of damaged ones a line is printed.

        Args:
          state: is filled.

        Returns:
          Its iteration and history; (0, []) where there is no checkpoint: the
          training begins again.

        Raises:
          UserError: none can be read, or it is not one of these networks.
        """
        for leftover in (self.path / "checkpoints").glob(".part-*"):
            remove(leftover)  # of a process that was killed
        newest: UserError | None = None
        for path in reversed(self.checkpoints()):
            try:
                history = _read_checkpoint(path, state)
            except _Damaged as err:
                newest = newest or err
                continue
            if newest:
                print(f"{newest.message}\ngoing on from {path}", flush=True)
            return int(path.name), history
        if newest:
            raise UserError(
                f"{newest.message} No other checkpoint of the run can be read: it "
                "cannot go on."
            )
        return 0, []


class Reader:
    """The checkpoints of a folder that another process keeps, on another machine.

    Args:
      kept: the folder.
    """

    def __init__(self, kept: RunDirectory) -> None:
        self.path, self.restore = kept.path, kept.restore

    def save_checkpoint(self, *args: object) -> None:
        """Nothing: the other process saves."""

    def checkpoints(self) -> list[Path]:
        """None of its own."""
        return []


class _Damaged(UserError):
    """A checkpoint that is not as it was written."""


def _digests(folder: Path) -> dict[str, str]:
    """A digest for each file of a checkpoint, but for the list of them."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name != _DIGESTS:
            found[path.name] = digest(read_bytes(path))
    return found


def _check_digests(folder: Path, known: dict) -> None:
    """Raises UserError for a file of a checkpoint that is not as it was written."""
    found = _digests(folder)
    for name in sorted(set(known) | set(found)):
        if name not in found:
            raise UserError(f"{folder / _DIGESTS}: lists {name}, which is not there.")
        if known.get(name) != found[name]:
            raise UserError(f"{folder / name}: is not as it was written; damaged.")


def _read_checkpoint(path: Path, state: tf.train.Checkpoint) -> list[dict]:
    """Fill `state` from a checkpoint, and return its history. Raises _Damaged, or
    UserError where a whole checkpoint does not fit the state."""
    known = path / _DIGESTS
    verified = known.exists()  # versions before this one kept no digests
    try:
        with reading(path):
            if verified:
                _check_digests(path, read_object(known, always_sealed=True))
            history = read_json(path / _HISTORY)
            if not verified and not _is_history(history):
                raise UserError(f"{path / _HISTORY}: expected a list of evaluations.")
    except UserError as err:
        raise _Damaged(err.message) from err
    try:
        state.read(str(path / "state")).assert_consumed()
    except Exception as err:  # TensorFlow raises of many kinds
        if verified:
            raise UserError(
                f"{path}: is of other networks than the settings of this run describe "
                f"({first_line(err)})."
            ) from err
        raise _Damaged(f"{path}: cannot be read ({first_line(err)}).") from err
    return history


def _is_history(history: object) -> bool:
    """Whether it is a list of evaluations."""
    return isinstance(history, list) and all(
        isinstance(row, dict)
        and {"iteration", "seconds"} <= set(row)
        and all(isinstance(value, int | float) for value in row.values())
        for row in history
    )

"""A folder that a training fills: checkpoints, networks, metrics, results."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gamo_tf.errors import UserError, first_line
from gamo_tf.files import atomically, write_text

if TYPE_CHECKING:  # programs look into folders before they import TensorFlow
    import tensorflow as tf

KEEP = 3  # checkpoints


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

    @property
    def finished(self) -> bool:
        """Whether the training came to its end: results.json is written last."""
        return (self.path / "results.json").is_file()

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

        Args:
          results: what JSON can hold.
        """
        write_text(self.path / "results.json", json.dumps(results, indent=2) + "\n")

    def read_results(self) -> dict:
        """The content of results.json."""
        return json.loads((self.path / "results.json").read_text(encoding="utf-8"))

    # ---- checkpoints -----------------------------------------------------------

    def checkpoints(self) -> list[Path]:
        """The folders of the whole checkpoints, oldest first."""
        folder = self.path / "checkpoints"
        return sorted(p for p in folder.iterdir() if p.name.isdigit())

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
        """
        path = self.path / "checkpoints" / f"{iteration:07d}"

        def write(part: Path) -> None:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            state.write(str(part / "state"))
            write_text(part / "history.json", json.dumps(history))

        atomically(path, write)
        for old in self.checkpoints()[:-KEEP]:
            shutil.rmtree(old)
        return path

    def restore(self, state: tf.train.Checkpoint) -> tuple[int, list[dict]]:
        """Read the newest checkpoint.

        Args:
          state: is filled.

        Returns:
          Its iteration and history; (0, []) where there is none: the training begins
          again.

        Raises:
          UserError: for a checkpoint that cannot be read.
        """
        found = self.checkpoints()
        if not found:
            return 0, []
        newest = found[-1]
        try:
            state.read(str(newest / "state")).assert_consumed()
            history = json.loads((newest / "history.json").read_text(encoding="utf-8"))
        except Exception as err:  # TensorFlow raises of many kinds for bad files
            raise UserError(
                f"{newest}: cannot be read ({first_line(err)}). Remove that "
                "folder to resume from the checkpoint before it."
            ) from err
        return int(newest.name), history

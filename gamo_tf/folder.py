"""A folder that training fills: checkpoints, networks, metrics, results."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gamo_tf.errors import UserError

KEEP = 3  # checkpoints


def atomically(path: Path, write: Callable[[Path], object]) -> None:
    """`write` to a temporary name beside `path`, then rename: all of it or nothing.

    The temporary name keeps the suffix, which np.savez, Keras and PIL go by.
    """
    part = path.with_name(f".part-{path.name}")
    write(part)
    if path.is_dir():
        shutil.rmtree(path)
    os.replace(part, path)


def write_text(path: Path, text: str) -> None:
    atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


@dataclass(frozen=True)
class Folder:
    """What `Run` and GAMO2pix's folder of a class have in common."""

    path: Path

    def make(self) -> None:
        for name in ("models", "checkpoints", "tensorboard"):
            (self.path / name).mkdir(parents=True, exist_ok=True)

    @property
    def finished(self) -> bool:
        """results.json is the last file that a run writes."""
        return (self.path / "results.json").is_file()

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.csv"

    def picture(self, name: str) -> Path:
        return self.path / name

    def model(self, name: str) -> Path:
        return self.path / "models" / f"{name}.keras"

    def save_model(self, name: str, network) -> None:
        atomically(self.model(name), network.save)

    def load_model(self, name: str):
        """A network of the run, in safe mode. Raises UserError if it is missing."""
        import keras

        import gamo_tf.convex
        import gamo_tf.networks  # noqa: F401  registers their layers

        if not self.model(name).is_file():
            raise UserError(
                f"{self.model(name)}: missing; the run has not finished, "
                f"or its method has no {name}."
            )
        return keras.saving.load_model(self.model(name), safe_mode=True, compile=False)

    def write_results(self, results: dict) -> None:
        write_text(self.path / "results.json", json.dumps(results, indent=2) + "\n")

    def read_results(self) -> dict:
        return json.loads((self.path / "results.json").read_text(encoding="utf-8"))

    # ---- checkpoints -----------------------------------------------------------

    def checkpoints(self) -> list[Path]:
        """Whole checkpoints, oldest first."""
        folder = self.path / "checkpoints"
        return sorted(p for p in folder.iterdir() if p.name.isdigit())

    def save_checkpoint(self, iteration: int, state, history: list[dict]) -> Path:
        """`state` (tf.train.Checkpoint) and the history up to `iteration`."""
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

    def restore(self, state) -> tuple[int, list[dict]]:
        """The newest checkpoint into `state`; its iteration and history.

        (0, []) where none has been written yet: the run begins again.
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
                f"{newest}: cannot be read ({str(err).splitlines()[0]}). Remove that "
                "folder to resume from the checkpoint before it."
            ) from err
        return int(newest.name), history

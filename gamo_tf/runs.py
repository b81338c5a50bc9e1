"""A run's folder: the only module that knows where its files are."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gamo_tf.datasets import Split
from gamo_tf.errors import UserError
from gamo_tf.options import Options

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
class Run:
    """``runs/NNNNN-dataset-method-loss/`` and what lies in it."""

    path: Path

    @classmethod
    def create(cls, runs_dir: Path, options: Options) -> Run:
        """The next number's folder, with options.json. Raises UserError."""
        tail = f"{options.dataset}-{options.method}-{options.loss}"
        try:
            runs_dir.mkdir(parents=True, exist_ok=True)
            number = 1 + max(
                (int(p.name[:5]) for p in runs_dir.iterdir() if _numbered(p)),
                default=-1,
            )
            while True:  # another process may take the number first
                path = runs_dir / f"{number:05d}-{tail}"
                taken = any(_numbered(p, number) for p in runs_dir.iterdir())
                if not taken:
                    path.mkdir()
                    break
                number += 1
            for name in ("models", "checkpoints", "samples", "tensorboard"):
                (path / name).mkdir()
            text = json.dumps(options.to_json(), indent=2) + "\n"
            write_text(path / "options.json", text)
        except OSError as err:
            raise UserError(
                f"--runs-dir {runs_dir}: cannot be written ({err.strerror}). "
                "Give a folder that can."
            ) from err
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> Run:
        """An existing run. Raises UserError where `path` is none."""
        if not (path / "options.json").is_file():
            raise UserError(
                f"{path}: not a run folder (no options.json there). Expected "
                "something like runs/00000-digits-gamo-ls."
            )
        return cls(path)

    @property
    def options(self) -> Options:
        path = self.path / "options.json"
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return Options.from_json(values)
        except (OSError, ValueError, TypeError, KeyError) as err:
            raise UserError(f"{path}: cannot be read as settings ({err}).") from err

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

    def sample(self, iteration: int) -> Path:
        return self.path / "samples" / f"{iteration:07d}.png"

    def model(self, name: str) -> Path:
        return self.path / "models" / f"{name}.keras"

    def save_model(self, name: str, network) -> None:
        atomically(self.model(name), network.save)

    def load_model(self, name: str):
        """A network of the run, in safe mode. Raises UserError if it is missing."""
        import keras

        import gamo_tf.convex  # noqa: F401  registers cTMU and IGU

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

    # ---- the split -----------------------------------------------------------

    def save_split(self, split: Split) -> None:
        """The drawn rows: positions in the published files, and their labels."""
        atomically(
            self.path / "split.npz",
            lambda part: np.savez(
                part,
                train_index=split.train_index,
                train_labels=split.labels,
                protocol_index=split.protocol_index,
                protocol_labels=split.test_labels[split.protocol_index],
            ),
        )

    def load_split(self, arrays: tuple[np.ndarray, ...]) -> Split:
        """The run's own rows of the published `arrays`; nothing is drawn anew.

        Raises UserError where the data no longer has the labels that were saved.
        """
        path = self.path / "split.npz"
        try:
            with np.load(path, allow_pickle=False) as saved:
                train, protocol = saved["train_index"], saved["protocol_index"]
                labels, told = saved["train_labels"], saved["protocol_labels"]
        except (OSError, ValueError, KeyError) as err:
            raise UserError(f"{path}: cannot be read ({err}).") from err
        images, all_labels, test_images, test_labels = arrays
        if (
            train.max() >= len(all_labels)
            or protocol.max() >= len(test_labels)
            or not np.array_equal(all_labels[train], labels)
            or not np.array_equal(test_labels[protocol], told)
        ):
            raise UserError(
                f"{path}: the data files are not those the run was drawn from "
                "(labels differ). Give the run's --data-dir."
            )
        return Split(
            images[train],
            labels,
            test_images,
            test_labels.astype(np.int64),
            train,
            protocol,
        )

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


def _numbered(path: Path, number: int | None = None) -> bool:
    match = re.match(r"(\d{5})-", path.name)
    return bool(match) and (number is None or int(match[1]) == number)


def finished(runs_dir: Path) -> list[Run]:
    """The finished runs, oldest first. Raises UserError if there is none."""
    found = sorted(runs_dir.iterdir()) if runs_dir.is_dir() else []
    runs = [run for p in found if _numbered(p) and (run := Run(p)).finished]
    if not runs:
        raise UserError(
            f"{runs_dir}: no finished run. Train one first, for example: "
            "python train_gamo.py --dataset digits"
        )
    return runs

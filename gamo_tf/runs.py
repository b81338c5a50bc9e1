"""A run's folder: the only module that knows where its files are."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf import datasets
from gamo_tf.datasets import Split, own
from gamo_tf.errors import UserError
from gamo_tf.folder import Folder, atomically, write_text
from gamo_tf.options import Options, spec_of


@dataclass(frozen=True)
class Run(Folder):
    """``runs/NNNNN-dataset-method-loss/`` and what lies in it."""

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
            cls(path).make()
            (path / "samples").mkdir()
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

    def sample(self, iteration: int) -> Path:
        return self.path / "samples" / f"{iteration:07d}.png"

    @property
    def fed(self) -> Path:
        """Images trained on, of methods that add some before training."""
        return self.path / "fed.npz"

    @property
    def pix(self) -> Path:
        """Where GAMO2pix writes what belongs to the whole run."""
        return self.path / "gamo2pix"

    def pix_class(self, name: str) -> Folder:
        """GAMO2pix's folder of the class of that name."""
        return Folder(self.pix / name)

    @property
    def balanced(self) -> Path:
        return self.path / "balanced"

    # ---- its data ---------------------------------------------------------------

    def save_rows(self, rows: pd.DataFrame) -> None:
        """Of own data (see `own.Own`): which file or line each row is."""
        atomically(self.path / "rows.csv", lambda p: rows.to_csv(p, index=False))

    def rows(self) -> pd.DataFrame:
        path = self.path / "rows.csv"
        try:
            return pd.read_csv(path)
        except (OSError, ValueError) as err:
            raise UserError(f"{path}: cannot be read ({err}).") from err

    def sources(self) -> np.ndarray | None:
        """File or line of each training row; None for a published dataset."""
        if not self.options.data:
            return None
        rows = self.rows()
        return rows.loc[rows["set"] == "train", "source"].to_numpy()

    def arrays(self, data_dir: Path) -> tuple[np.ndarray, ...]:
        """The data that it was drawn from. Raises UserError."""
        if self.options.data:
            return own.reload(self.options, self.rows())
        return datasets.read(spec_of(self.options), data_dir)

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

"""The folder of a run: the only module that knows where its files are."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf.config.checks import check_folder_name
from gamo_tf.config.options import Options, spec_of
from gamo_tf.data import load, user_data
from gamo_tf.data.splits import Arrays, Split
from gamo_tf.errors import UserError, command, setting
from gamo_tf.files import atomically, write_text
from gamo_tf.runs.run_directory import RunDirectory


@dataclass(frozen=True)
class Run(RunDirectory):
    """``runs/NNNNN-dataset-method-loss/`` and what lies in it.

    Attributes:
      path: the folder.
    """

    @classmethod
    def create(cls, runs_dir: Path, options: Options) -> Run:
        """A new folder with the next free number, and options.json in it.

        Args:
          runs_dir: the folder of the runs; made if it is missing.
          options: settings of the run.

        Raises:
          UserError: where `runs_dir` cannot be written.
        """
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
                f"{setting('runs_dir')} {runs_dir}: cannot be written "
                f"({err.strerror}). Give a folder that can."
            ) from err
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> Run:
        """An existing run.

        Args:
          path: its folder.

        Raises:
          UserError: where `path` is no run.
        """
        if not (path / "options.json").is_file():
            raise UserError(
                f"{path}: not a run folder (no options.json there). Expected "
                "something like runs/00000-digits-gamo-ls."
            )
        return cls(path)

    @property
    def options(self) -> Options:
        """The settings of the run, as options.json has them.

        Raises:
          UserError: where the file cannot be read as settings.
        """
        path = self.path / "options.json"
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return Options.from_json(values)
        except UserError as err:
            raise UserError(f"{path}: {err}") from err
        except (OSError, ValueError, TypeError, KeyError) as err:
            raise UserError(f"{path}: cannot be read as settings ({err}).") from err

    def sample(self, iteration: int) -> Path:
        """Where the picture of generated samples at an iteration lies.

        Args:
          iteration: minibatches trained.
        """
        return self.path / "samples" / f"{iteration:07d}.png"

    @property
    def fed(self) -> Path:
        """The rows trained on, of methods that add some before training."""
        return self.path / "fed.npz"

    @property
    def pix(self) -> Path:
        """Where GAMO2pix writes what belongs to the whole run."""
        return self.path / "gamo2pix"

    def pix_class(self, name: str) -> RunDirectory:
        """GAMO2pix's folder of the class of that name.

        Args:
          name: of the class.

        Raises:
          UserError: for a name that is no folder's. What is in the folder is replaced
            and removed, so that it must never be another place.
        """
        check_folder_name("classes", name)
        return RunDirectory(self.pix / name)

    @property
    def balanced(self) -> Path:
        """Where a balanced dataset is written, unless the user names another place."""
        return self.path / "balanced"

    # ---- the data it was drawn from ---------------------------------------------

    def save_rows(self, rows: pd.DataFrame) -> None:
        """Write which file or line each row of the user's data is (`UserData.rows`).

        Args:
          rows: columns ``set`` and ``source``, among others, a line a row.
        """
        atomically(self.path / "rows.csv", lambda p: rows.to_csv(p, index=False))

    def rows(self) -> pd.DataFrame:
        """What `save_rows` wrote.

        Raises:
          UserError: where the file cannot be read.
        """
        path = self.path / "rows.csv"
        try:
            return pd.read_csv(path)
        except (OSError, ValueError) as err:
            raise UserError(f"{path}: cannot be read ({err}).") from err

    def row_sources(self) -> np.ndarray | None:
        """The file or line of each training row; None for a published dataset."""
        if not self.options.data:
            return None
        rows = self.rows()
        return rows.loc[rows["set"] == "train", "source"].to_numpy()

    def arrays(self, data_dir: Path) -> Arrays:
        """The data that the run was drawn from.

        Args:
          data_dir: the folder of published datasets.

        Raises:
          UserError: where it is not there any more.
        """
        if self.options.data:
            return user_data.reload(self.options, self.rows())
        return load.read(spec_of(self.options), data_dir)

    # ---- the split -----------------------------------------------------------

    def save_split(self, split: Split) -> None:
        """Write split.npz: the rows' positions in the data, and their labels.

        Args:
          split: what the run trains and is tested on.
        """
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

    def load_split(self, arrays: Arrays) -> Split:
        """The run's own rows of the data. Nothing is drawn anew.

        Args:
          arrays: the data that the run was drawn from.

        Raises:
          UserError: where the data no longer has the labels that were saved.
        """
        path = self.path / "split.npz"
        try:
            with np.load(path, allow_pickle=False) as saved:
                train, protocol = saved["train_index"], saved["protocol_index"]
                labels = saved["train_labels"]
                protocol_labels = saved["protocol_labels"]
        except (OSError, ValueError, KeyError) as err:
            raise UserError(f"{path}: cannot be read ({err}).") from err
        images, all_labels, test_images, test_labels = arrays
        if (
            train.max() >= len(all_labels)
            or protocol.max() >= len(test_labels)
            or not np.array_equal(all_labels[train], labels)
            or not np.array_equal(test_labels[protocol], protocol_labels)
        ):
            raise UserError(
                f"{path}: the data files are not those the run was drawn from "
                f"(labels differ). Give the run's {setting('data_dir')}."
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
    return match is not None and number in (None, int(match[1]))


def finished_runs(runs_dir: Path) -> list[Run]:
    """The finished runs of a folder, oldest first.

    Args:
      runs_dir: the folder.

    Raises:
      UserError: where there is none.
    """
    found = sorted(runs_dir.iterdir()) if runs_dir.is_dir() else []
    runs = [run for p in found if _numbered(p) and (run := Run(p)).finished]
    if not runs:
        raise UserError(
            f"{runs_dir}: no finished run. Train one first, for example: "
            f"{command('train', '--dataset', 'digits')}"
        )
    return runs

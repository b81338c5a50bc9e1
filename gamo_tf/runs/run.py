"""The folder of a run: the only module that knows where its files are."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf.config.checks import check_folder_name
from gamo_tf.config.options import Options, spec_of
from gamo_tf.data import load, user_data
from gamo_tf.data.splits import Arrays, Split
from gamo_tf.data.user_data import UserData
from gamo_tf.errors import UserError, command, setting
from gamo_tf.files import atomically, inside, locked, short_name, write_text
from gamo_tf.runs import origin, split_file
from gamo_tf.runs.result_check import check_results
from gamo_tf.runs.run_directory import RunDirectory
from gamo_tf.stored import digest, read_bytes, read_object, reading

_LONGEST_CLASS = 240  # bytes of a class folder's name: others are put in front of it


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
            with locked(runs_dir):  # another process may take the number too
                last = max(
                    map(number, filter(numbered, runs_dir.iterdir())), default=-1
                )
                path = runs_dir / f"{last + 1:05d}-{tail}"
                path.mkdir()
            cls(path).make()
            (path / "samples").mkdir()
            text = json.dumps(options.to_json(), indent=2) + "\n"
            write_text(path / "options.json", text)
        except OSError as err:
            raise UserError(
                f"{setting('runs_dir', runs_dir)}: cannot be written "
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
        with reading(path):
            options = Options.from_json(read_object(path))
            origin.check_options(options, self.origin)
            return options

    @property
    def origin(self) -> dict:
        """What the run was begun with (see `runs.origin`); empty for a run of a version
        that kept nothing of it.

        Raises:
          UserError: where the file cannot be read.
        """
        return origin.read(self.path / "data.json")

    @property
    def identity(self) -> dict:
        """What is known of the user's data (see `UserData`); empty as `origin` is."""
        return self.origin.get("identity", {})

    def read_results(self) -> dict:
        values = super().read_results()
        with reading(self.path / "results.json"):
            check_results(values)
        return values

    def write_results(self, results: dict) -> None:
        """Write results.json, which marks the run as finished.

        It also has a digest of each saved network.

        Args:
          results: what JSON can hold.
        """
        files = sorted((self.path / "models").glob("*.keras"))
        digests = {path.stem: digest(read_bytes(path)) for path in files}
        super().write_results(
            {**results, "network_digests": digests} if digests else results
        )

    def check_network(self, name: str) -> None:
        """Refuse a network file that is not the one this run saved.

        Args:
          name: of the network, such as "F".

        Raises:
          UserError: the file differs, or results.json is damaged. Runs of earlier
            versions have no digests: any file passes.
        """
        path = self.model(name)
        if not (self.finished and path.exists()):
            return
        digests = self.read_results().get("network_digests")
        if digests and digests.get(name) != digest(read_bytes(path)):
            raise UserError(
                f"{path}: is not the network that this run saved. Put the saved file "
                "back, or train again."
            )

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
          name: of the class; a very long one is shortened (`files.short_name`).

        Raises:
          UserError: for a name that is no folder's, or a link to another place. What
            is in the folder is replaced and removed.
        """
        check_folder_name("classes", name)
        folder = short_name(name, _LONGEST_CLASS)
        return RunDirectory(inside(self.path, self.pix / folder))

    @property
    def pix_shared(self) -> RunDirectory:
        """GAMO2pix's folder of what all classes share. No class can have its name.

        Raises:
          UserError: it is a link to another place.
        """
        return RunDirectory(inside(self.path, self.pix / ".shared"))

    @property
    def balanced(self) -> Path:
        """Where a balanced dataset is written, unless the user names another place."""
        return self.path / "balanced"

    # ---- the data it was drawn from ---------------------------------------------

    def save_data(self, options: Options, split: Split, data: UserData | None) -> None:
        """Write which rows the run has, and by what they are known again.

        Args:
          options: settings of the run.
          split: what it trains, is watched and is tested on.
          data: the user's data that it was drawn from; None: a published dataset.
        """
        if data:
            rows = data.rows
            atomically(
                self._rows,
                lambda p: rows.to_csv(p, index=False, errors="surrogateescape"),
            )
        origin.save(
            self.path / "data.json",
            options,
            split,
            self._rows if data else None,
            data.identity if data else {},
        )
        split_file.save(self._split, split)  # the last: see `has_rows`

    @property
    def _split(self) -> Path:
        return self.path / "split.npz"

    @property
    def _rows(self) -> Path:
        """rows.csv: which file or line each row of the user's data is."""
        return self.path / "rows.csv"

    def rows(self) -> pd.DataFrame:
        """The rows of the user's data (`UserData.rows`).

        Raises:
          UserError: where the file cannot be read, or is not as it was written.
        """
        return origin.read_rows(self._rows, self.options, self.origin)

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
            return user_data.reload(self.options, self.rows(), self.identity)
        return load.read(spec_of(self.options), data_dir)

    # ---- the split -----------------------------------------------------------

    @property
    def has_rows(self) -> bool:
        """Whether it got as far as to keep what it was begun with."""
        return self._split.exists()

    def load_split(self, arrays: Arrays) -> Split:
        """The run's own rows of the data. Nothing is drawn anew.

        Args:
          arrays: the data that the run was drawn from.

        Raises:
          UserError: where the data is not what the run was begun with.
        """
        options = self.options
        split = split_file.load(self._split, arrays, options.counts)
        origin.check_rows(self.path, split, spec_of(options), self.origin)
        return split


def numbered(path: Path) -> bool:
    """Whether a folder has a name as `Run.create` gives it: five digits and a dash.

    Args:
      path: of the folder, there or not.
    """
    return re.match(r"\d{5}-", path.name) is not None


def number(path: Path) -> int:
    """The number of a run; -1 for a folder that is not `numbered`.

    Args:
      path: of the folder, there or not.
    """
    return int(path.name[:5]) if numbered(path) else -1


def finished_runs(runs_dir: Path) -> list[Run]:
    """The finished runs of a folder, oldest first.

    Runs with damaged settings or results are left out, each with a line that says so:
    they must not be in the way of the others.

    Args:
      runs_dir: the folder.

    Raises:
      UserError: where there is none.
    """
    found = sorted(runs_dir.iterdir()) if runs_dir.is_dir() else []
    runs = []
    for run in (Run(p) for p in found if numbered(p)):
        if not run.finished:
            continue
        try:
            _ = run.options, run.read_results()
        except UserError as err:
            print(f"left out: {err.message}", file=sys.stderr)
        else:
            runs.append(run)
    if not runs:
        raise UserError(
            f"{runs_dir}: no finished run. Train one first, for example: "
            f"{command('train', '--dataset', 'digits')}"
        )
    return runs

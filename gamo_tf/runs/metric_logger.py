"""What a training writes while it runs: progress line, metrics.csv, TensorBoard."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from gamo_tf.config.options import MEASURED
from gamo_tf.errors import printable
from gamo_tf.files import atomically, clock, save_picture
from gamo_tf.runs.run_directory import RunDirectory
from gamo_tf.training.loop import Monitor


class MetricLogger(Monitor):
    """Writes the pairs (name, value) of an evaluation to where people look.

    Names are paths such as ``validation/acsa``, ``ema/train/acsa``,
    ``train/recall/ship`` or ``loss/F``. In metrics.csv a name is a column, with ``_``
    for ``/``; rows that an earlier version logged may have columns of their own. In
    TensorBoard the first part is the curve's group if it is one of `MEASURED` (after
    ``ema/``: a group of its own) or has one in `groups`; all else goes to the group
    ``train``. What remains of a name is the chart; what a set has by itself stands
    under ``metrics/``.

    Args:
      directory: of the training.
      total: iterations of the training.
      message: what the progress line says of a row of metrics.csv.
      titles: how TensorBoard shows the first part of a name, where not as it is.
      groups: the group of names by their first part, where not ``train``.
      section: stands before the name of every chart, so that trainings on different
        data do not share one.
      short: a name of the training that is shorter than the path of its folder, under
        which it is listed in the folder ``tensorboard`` beside it; "": it is not.
    """

    def __init__(
        self,
        directory: RunDirectory,
        total: int,
        message: Callable[[dict], str],
        titles: Mapping[str, str] | None = None,
        *,
        groups: Mapping[str, str] | None = None,
        section: str = "",
        short: str = "",
    ) -> None:
        super().__init__()
        self.directory, self.total, self.message = directory, total, message
        self.titles, self.groups = titles or {}, groups or {}
        self.section, self.short = section, short
        self._writers: dict[str, tf.summary.SummaryWriter] = {}
        self._began = time.perf_counter()
        self._first: int | None = None

    def log(
        self, iteration: int, seconds: float, pairs: Iterable[tuple[str, float]]
    ) -> None:
        """A row of metrics.csv, and scalars in TensorBoard.

        Args:
          iteration: minibatches trained.
          seconds: since the training began.
          pairs: names and values; NaN where there is nothing to measure.
        """
        values = dict(pairs)
        columns = {name.replace("/", "_"): value for name, value in values.items()}
        self.history.append({"iteration": iteration, "seconds": seconds, **columns})
        atomically(
            self.directory.metrics,
            lambda part: pd.DataFrame(self.history).to_csv(part, index=False),
        )
        for name, value in values.items():
            if not math.isnan(value):
                group, tag = self._place(name)
                with self._writer(group).as_default(step=iteration):
                    tf.summary.scalar(tag, value)

    def histogram(self, name: str, values: np.ndarray, iteration: int) -> None:
        """Write the distribution of some values to TensorBoard.

        Args:
          name: as in `log`.
          values: of any shape, one or more.
          iteration: minibatches trained.
        """
        group, tag = self._place(name)
        with self._writer(group).as_default(step=iteration):
            tf.summary.histogram(tag, values)

    def card(self, name: str, table: Mapping[str, object], group: str) -> None:
        """Write names and values to TensorBoard, as a table of text.

        Args:
          name: of the card.
          table: what stands beside each other.
          group: as in `picture`.
        """
        rows = ["| setting | value |", "|---|---|"]
        # Folders and columns of strangers have any letters.
        texts = {
            key: printable(str(value)).replace("|", "\\|")
            for key, value in table.items()
        }
        rows += [f"| {key} | {text} |" for key, text in texts.items()]
        with self._writer(group).as_default(step=0):
            tf.summary.text(name, "\n".join(rows))

    def final(self, settings: Mapping[str, object], pairs: Mapping[str, float]) -> None:
        """Write the settings and what they led to into the group ``test``, by which
        TensorBoard's HPARAMS sorts runs.

        Args:
          settings: by name; what is no number and no truth value is shown as text.
          pairs: the last metrics by name.
        """
        plain = {
            name: value
            if isinstance(value, bool | int | float)
            else printable(str(value))
            for name, value in settings.items()
        }
        with self._writer("test").as_default(step=self.total):
            hparams.hparams(plain, trial_id=self.directory.path.name)
            for name, value in pairs.items():
                tf.summary.scalar(f"{self.section}final/{name}", value)

    def picture(self, name: str, path: Path, picture: np.ndarray, group: str) -> None:
        """Write a picture as a file and to TensorBoard, at the newest row's iteration.

        Args:
          name: in TensorBoard.
          path: of the PNG file.
          picture: uint8 [h, w, 3].
          group: in TensorBoard, of the curves that it is shown beside.
        """
        save_picture(path, picture)
        with self._writer(group).as_default(step=self.history[-1]["iteration"]):
            tf.summary.image(f"{self.section}{name}", picture[None])

    def flush(self) -> None:
        """Let TensorBoard see everything now."""
        for writer in self._writers.values():
            writer.flush()

    def progress(self, iteration: int, evaluated: bool) -> None:
        """The progress line: rewritten after each epoch on a terminal, else one line
        an evaluation.

        Args:
          iteration: minibatches trained.
          evaluated: whether an evaluation has just been logged.
        """
        now = time.perf_counter()
        if self._first is None:  # the first epoch compiles: it says nothing of speed
            self._began, self._first = now, iteration
        rate = (iteration - self._first) / max(now - self._began, 1e-9)
        text = f"iteration {iteration:>6}/{self.total}"
        if rate:
            left = (self.total - iteration) / rate
            text += f"  {rate:6.1f} it/s  {clock(left):>7} left"
        if self.history:
            text += f"  {self.message(self.history[-1])}"
        if sys.stdout.isatty():
            end = "\n" if evaluated else ""
            # A longer line would wrap, and the next one would not replace it.
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{text[:width]:<{width}}", end=end, flush=True)
        elif evaluated:
            print(text, flush=True)

    def _place(self, name: str) -> tuple[str, str]:
        """The group and the tag of a name in TensorBoard."""
        parts = name.split("/")
        ending = ""
        if parts[0] == "ema":
            parts, ending = parts[1:], "_ema"
        group = self.groups.get(parts[0], "train")
        start = ""
        if parts[0] in MEASURED:
            group, parts = parts[0], parts[1:]
            start = "metrics/" if len(parts) == 1 else ""
        tag = "/".join([self.titles.get(parts[0], parts[0]), *parts[1:]])
        return group + ending, f"{self.section}{start}{tag}"

    def _writer(self, group: str) -> tf.summary.SummaryWriter:
        if group not in self._writers:
            folder = self.directory.tensorboard / group
            self._writers[group] = tf.summary.create_file_writer(str(folder))
            if self.short:
                beside = self.directory.path.parent / "tensorboard"
                _link(beside / f"{self.short} {group}", folder)
        return self._writers[group]


def _link(link: Path, folder: Path) -> None:
    """Make a link to a folder, for TensorBoard to list; where a system has no links,
    it lists the folder by its path."""
    with contextlib.suppress(OSError):
        link.parent.mkdir(exist_ok=True)
        for other in link.parent.iterdir():
            if other.is_symlink() and not other.exists():  # its run was deleted
                other.unlink()
        folder.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(folder, link.parent), target_is_directory=True)

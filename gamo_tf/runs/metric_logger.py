"""What a training writes while it runs: progress line, metrics.csv, TensorBoard."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf

from gamo_tf.config.options import MEASURED
from gamo_tf.files import atomically, clock, save_picture
from gamo_tf.runs.run_directory import RunDirectory
from gamo_tf.training.loop import Monitor


class MetricLogger(Monitor):
    """Writes the pairs (name, value) of an evaluation to where people look.

    Names are paths such as ``validation/acsa``, ``ema/train/acsa``,
    ``train/recall/ship`` or ``loss/F``. In metrics.csv a name is a column, with ``_``
    for ``/``; rows that an earlier version logged may have columns of their own. In
    TensorBoard the first part is the curve's group if it is one of `MEASURED` (after
    ``ema/``: a group of its own); all else goes to the group ``train``.

    Args:
      directory: of the training.
      total: iterations of the training.
      message: what the progress line says of a row of metrics.csv.
      titles: how TensorBoard shows the first part of a name, where not as it is.
    """

    def __init__(
        self,
        directory: RunDirectory,
        total: int,
        message: Callable[[dict], str],
        titles: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.directory, self.total, self.message = directory, total, message
        self.titles = titles or {}
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

    def picture(
        self, name: str, path: Path, picture: np.ndarray, group: str = "test"
    ) -> None:
        """Write a picture as a file and to TensorBoard, at the newest row's iteration.

        Args:
          name: in TensorBoard.
          path: of the PNG file.
          picture: uint8 [h, w, 3].
          group: in TensorBoard, of the curves that it is shown beside.
        """
        save_picture(path, picture)
        with self._writer(group).as_default(step=self.history[-1]["iteration"]):
            tf.summary.image(name, picture[None])

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
            print(f"\r{text:<78}", end=end, flush=True)
        elif evaluated:
            print(text, flush=True)

    def _place(self, name: str) -> tuple[str, str]:
        """The group and the tag of a name in TensorBoard."""
        parts = name.split("/")
        ending = ""
        if parts[0] == "ema":
            parts, ending = parts[1:], "_ema"
        group = "train"
        if parts[0] in MEASURED:
            group, parts = parts[0], parts[1:]
        tag = "/".join([self.titles.get(parts[0], parts[0]), *parts[1:]])
        return group + ending, tag

    def _writer(self, group: str) -> tf.summary.SummaryWriter:
        if group not in self._writers:
            folder = self.directory.tensorboard / group
            self._writers[group] = tf.summary.create_file_writer(str(folder))
        return self._writers[group]

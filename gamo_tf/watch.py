"""How a run is watched: progress line, metrics.csv, TensorBoard, pictures."""

from __future__ import annotations

import math
import sys
import time

import numpy as np
import pandas as pd
import tensorflow as tf

from gamo_tf import networks, plots
from gamo_tf.evaluation import Parents
from gamo_tf.folder import Folder, atomically
from gamo_tf.game import LOSS_NAMES
from gamo_tf.runs import Run
from gamo_tf.specs import DatasetSpec


def flatten(
    spec: DatasetSpec, losses: np.ndarray, raw: dict, ema: dict | None, parents: dict
) -> dict:
    """One row of metrics.csv; a loss or class that is not there has no column."""
    row = {}
    for prefix, sets in (("", raw), ("ema_", ema or {})):
        for name, summary in sets.items():
            row[f"{prefix}{name}_acsa"] = summary["acsa"]
            row[f"{prefix}{name}_gm"] = summary["gm"]
    for name in ("test", "train"):
        for label, value in zip(spec.classes, raw[name]["recall"], strict=True):
            row[f"{name}_recall_{label}"] = math.nan if value is None else value
    for name, value in zip(LOSS_NAMES, losses, strict=True):
        if not math.isnan(value):
            row[f"loss_{name}"] = float(value)
    for label, value in parents.items():
        row[f"parents_{spec.classes[label]}"] = value
    return row


class Watch:
    """metrics.csv, TensorBoard and the progress line of one training.

    Args:
      folder: of the training.
      total: iterations of the training.
      history: rows so far (of a resumed training).
    """

    def __init__(self, folder: Folder, total: int, history: list[dict]) -> None:
        self.folder, self.total, self.history = folder, total, history
        self.writers = {}
        self.began, self.first = time.perf_counter(), None

    def told(self, row: dict) -> str:
        """What the progress line says of a row."""
        raise NotImplementedError

    def record(self, row: dict) -> None:
        """A row, with `iteration` and `seconds`, into metrics.csv."""
        self.history.append(row)
        atomically(
            self.folder.metrics,
            lambda part: pd.DataFrame(self.history).to_csv(part, index=False),
        )

    def scalars(self, name: str, values: dict) -> None:
        """Into TensorBoard, at the newest row's iteration."""
        with self._writer(name).as_default(step=self.history[-1]["iteration"]):
            for key, value in values.items():
                tf.summary.scalar(key, value)

    def flush(self) -> None:
        for writer in self.writers.values():
            writer.flush()

    def picture(self, name: str, path, picture: np.ndarray) -> None:
        """A PNG at `path`, and the same in TensorBoard."""
        atomically(path, lambda part: plots.save(picture, part))
        with self._writer("test").as_default(step=self.history[-1]["iteration"]):
            tf.summary.image(name, picture[None])

    def _writer(self, name: str):
        if name not in self.writers:
            folder = self.folder.tensorboard / name
            self.writers[name] = tf.summary.create_file_writer(str(folder))
        return self.writers[name]

    def progress(self, iteration: int, evaluated: bool) -> None:
        """The progress line: rewritten each epoch on a terminal, else one an
        evaluation."""
        now = time.perf_counter()
        if self.first is None:  # the first epoch compiles: it says nothing of speed
            self.began, self.first = now, iteration
        rate = (iteration - self.first) / max(now - self.began, 1e-9)
        left = (self.total - iteration) / rate if rate else math.nan
        text = f"iteration {iteration:>6}/{self.total}"
        if rate:
            text += f"  {rate:6.1f} it/s  {clock(left):>7} left"
        if self.history:
            text += f"  {self.told(self.history[-1])}"
        if sys.stdout.isatty():
            end = "\n" if evaluated else ""
            print(f"\r{text:<78}", end=end, flush=True)
        elif evaluated:
            print(text, flush=True)


class GameWatch(Watch):
    """Writes what an evaluation of a game found to where people look.

    Args:
      run, spec: of the run.
      total: iterations of the run.
      history: rows so far (of a resumed run).
    """

    def __init__(
        self, run: Run, spec: DatasetSpec, total: int, history: list[dict]
    ) -> None:
        super().__init__(run, total, history)
        self.run, self.spec = run, spec

    def told(self, row: dict) -> str:
        return f"test ACSA {row['test_acsa']:.3f}  GM {row['test_gm']:.3f}"

    def add(self, row: dict, raw: dict, ema: dict | None) -> None:
        """A row of `flatten`, with `iteration` and `seconds`, and the summaries."""
        self.record(row)
        for prefix, sets in (("", raw), ("_ema", ema or {})):
            for name, summary in sets.items():
                values = {"ACSA": summary["acsa"], "GM": summary["gm"]}
                pairs = zip(self.spec.classes, summary["recall"], strict=True)
                values |= {f"recall/{k}": r for k, r in pairs if r is not None}
                self.scalars(name + prefix, values)
        groups = {"loss": "loss", "parents": "effective_parents"}
        values = {}
        for key, value in row.items():
            kind, _, name = key.partition("_")
            if kind in groups:
                values[f"{groups[kind]}/{name}"] = value
        self.scalars("train", values)

    def samples(self, parents: Parents, features, images: np.ndarray) -> dict:
        """Draws the sample grid, which `pictures` writes once the row is added.

        Returns the effective parents of each class, which belong to that row.
        """
        drawn, weights = parents(features)
        if self.spec.vector:  # nothing to look at
            return parents.effective(weights)
        generated = None
        if self.spec.flat:
            generated = networks.pixels(drawn, self.spec.shape)
        self._pending = plots.samples(
            weights, parents.labels, images[parents.rows], self.spec.classes, generated
        )
        return parents.effective(weights)

    def pictures(self, matrix: list, title: str, with_samples: bool) -> None:
        """curves.png, confusion.png and the pending sample grid."""
        step = self.history[-1]["iteration"]
        if with_samples:
            self.picture("samples", self.run.sample(step), self._pending)
        picture = plots.confusion(matrix, self.spec.classes, f"{title}, test")
        self.picture("confusion", self.run.picture("confusion.png"), picture)
        curves = plots.curves(self.history, title)
        atomically(
            self.run.picture("curves.png"), lambda part: plots.save(curves, part)
        )
        self.flush()


def clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{seconds:02d}s"

"""Does the balanced folder help? The plain classifier from scratch, on several sets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from gamo_tf import prepare
from gamo_tf.cli.run_table import columns
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.methods import METHODS
from gamo_tf.data import image_folder
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError
from gamo_tf.evaluation.evaluator import DeviceSplit, Evaluator
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.files import inside, write_text
from gamo_tf.grids import document
from gamo_tf.grids.paired_tests import against
from gamo_tf.grids.result_store import spreads
from gamo_tf.runs.run import Run
from gamo_tf.stored import reading
from gamo_tf.training.feature_stage import FeatureStage

ORIGINALS, REPEATED = "originals", "originals, repeated"
BALANCED, FILTERED = "balanced folder", "balanced folder, filtered"
_SURE = 0.5  # `Trust.confidence_m` of the generated images that FILTERED has


class Loaded(NamedTuple):
    """The generated images of a folder.

    Attributes:
      images: uint8 [m, h, w, c].
      labels: int64 [m].
      confidence_m: of `Trust`, [m]; NaN where the manifest has none.
    """

    images: np.ndarray
    labels: np.ndarray
    confidence_m: np.ndarray


def load_generated(folder: Path, spec: DatasetSpec) -> Loaded:
    """Read the generated images of a balanced folder, as its manifest lists them.

    Args:
      folder: of the balanced dataset.
      spec: of the dataset.

    Raises:
      UserError: the manifest or an image cannot be read.
    """
    path = folder / "manifest.csv"
    with reading(path):
        wanted = ["file", "label", "synthetic", "confidence_m"]
        sheet = pd.read_csv(path, usecols=wanted)
        sheet = sheet[sheet["synthetic"] == 1]
        labels = sheet["label"].to_numpy(np.int64)
        if not np.isin(labels, range(len(spec.classes))).all():
            raise UserError(f"expected labels of {len(spec.classes)} classes.")
    files = [str(inside(folder, folder / file)) for file in sheet["file"]]
    images = image_folder.read(files, spec.shape[0], spec.shape[2] == 1)
    if images.bad:
        raise image_folder.complaint(images.bad)
    confidence = sheet["confidence_m"].to_numpy(np.float64)
    return Loaded(images.pixels, labels, confidence)


def evaluate(
    run: Run,
    spec: DatasetSpec,
    split: Split,
    folder: Path,
    seeds: int,
    updates: int | None = None,
) -> pd.DataFrame:
    """Train the plain classifier on the originals, and on what is made of them.

    What a training reached is printed as it ends.

    All trainings have the networks, optimizer and minibatches of the run. A seed is one
    of initial weights and minibatches: the images are the same for all.

    FILTERED has the generated images that M of the run is sure of. It is not the
    reference classifier that chooses: that has seen images of the published set which
    the run has not.

    Args:
      run: the run that the folder was generated from.
      spec: of the dataset.
      split: the split that the run trained on.
      folder: the balanced folder.
      seeds: trainings on each; their seeds are 0, 1, ...
      updates: of M in a training; None: as many as the run itself made.

    Returns:
      A line for each training: ``trained_on``, ``images``, ``updates``, ``seed``, and
      the metrics on the full test set.

    Raises:
      UserError: the folder cannot be read.
    """
    # The plain classifier makes one update of M an iteration; the game makes two.
    updates = updates or run.options.iterations * METHODS[run.options.method].m_updates
    made = load_generated(folder, spec)
    sets = {ORIGINALS: split, REPEATED: split, BALANCED: _with(split, made)}
    sure = made.confidence_m >= _SURE
    if not np.isnan(made.confidence_m).all() and not sure.all():
        kept = Loaded(*(values[sure] for values in made))
        sets[FILTERED] = _with(split, kept)
    lines = []
    for seed in range(seeds):
        for name, data in sets.items():
            counts = np.bincount(data.labels, minlength=len(spec.classes)).tolist()
            options = replace(
                run.options,
                method="ros" if name == REPEATED else "cn",
                iterations=updates,
                counts=tuple(counts),
                seed=seed,
                ema=0.0,  # what is compared is the data, not averaged weights
                # Random weights follow the seed, and with it their digest changes.
                backbone_sha256=""
                if run.options.backbone_weights == "none"
                else run.options.backbone_sha256,
            )
            title = f"{name}, {seed + 1} of {seeds}"
            trainer = prepare.fit(options, spec, data, title)
            evaluator = Evaluator(
                DeviceSplit.of(data, FeatureStage.of(replace(options, views=1))),
                len(spec.classes),
                trainer.F,
                trainer.M,
            )
            measured = evaluator()["test_full"]
            cells = [f"{m.title} {measured[m.name]:.3f}" for m in METRICS]
            print(f"{title}: {', '.join(cells)}", flush=True)
            lines.append(
                {
                    "trained_on": name,
                    "images": len(data.labels),
                    "updates": updates,
                    "seed": seed,
                    **{metric.name: measured[metric.name] for metric in METRICS},
                }
            )
    return pd.DataFrame(lines)


def _with(split: Split, made: Loaded) -> Split:
    """The split with generated images among its training rows."""
    images = np.concatenate([split.images, made.images])
    labels = np.concatenate([split.labels, made.labels])
    order = np.argsort(labels, kind="stable")
    # Only the training rows are others. Their positions in the published set are not
    # known here, and no training reads them.
    return replace(split, images=images[order], labels=labels[order])


def table(found: pd.DataFrame) -> document.Table:
    """What `evaluate` found: means, and what the folder brings, tested over seeds.

    Args:
      found: of `evaluate`.
    """
    groups = found.groupby("trained_on", sort=False)
    apart = against(BALANCED, groups)
    head = ["trained on", "images", "seeds", document.METRIC_TITLES]
    for metric in METRICS:
        head += [f"folder less it, {metric.title}", "corrected p", "the folder is"]
    lines = []
    for name, rows in groups:
        cells = [str(name), f"{rows['images'].iloc[0]:,}", str(len(rows))]
        cells.append(document.metric_cell(spreads(rows)))
        for metric in METRICS:
            pair = apart.get(name, {}).get(metric.name)
            cells += pair.cells if pair else ["", "", ""]
        lines.append(cells)
    return document.Table(head, lines)


def text(found: pd.DataFrame) -> str:
    """What `evaluate` found as a table for people.

    Args:
      found: of `evaluate`.
    """
    shown = table(found)
    updates = found["updates"].iloc[0]
    first = f"plain classifier, {updates} updates, full test set:"
    return f"{first}\n{columns([shown.head, *shown.lines])}"


def write(path: Path, found: pd.DataFrame) -> None:
    """Write what `evaluate` found.

    Args:
      path: of a JSON file.
      found: of `evaluate`.
    """
    record = {"trainings": found.to_dict("records")}
    write_text(path, json.dumps(record, indent=2) + "\n")

"""Does the balanced folder help? The plain classifier from scratch on both sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gamo2pix import balanced_folder
from gamo_tf import train
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.methods import METHODS
from gamo_tf.data.splits import Split
from gamo_tf.evaluation.evaluator import DeviceSplit, Evaluator
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.runs.run import Run

_ORIGINALS, _BALANCED = "imbalanced originals", "balanced folder"


def evaluate(run: Run, spec: DatasetSpec, split: Split, folder: Path) -> dict:
    """Train the plain classifier on the originals, and on the balanced folder.

    Both trainings have the networks, seed, optimizer and minibatches of the run, and
    as many updates of M as the run itself made.

    Args:
      run: the run that the folder was generated from.
      spec: of the dataset.
      split: the split that the run trained on.
      folder: the balanced folder.

    Returns:
      By training set: the metrics on the full test set, as `metrics.summarise` gives
      them, the number of training images and the updates of M.
    """
    # The plain classifier makes one update of M an iteration; the game makes two.
    updates = run.options.iterations * METHODS[run.options.method].m_updates
    images, labels = balanced_folder.load(folder, spec)
    # Only the training rows are others. Their positions in the published set are not
    # known here, and no training reads them.
    balanced = replace(split, images=images, labels=labels)
    results = {}
    for title, data in ((_ORIGINALS, split), (_BALANCED, balanced)):
        counts = np.bincount(data.labels, minlength=len(spec.classes)).tolist()
        options = replace(
            run.options,
            method="cn",
            iterations=updates,
            counts=tuple(counts),
            ema=0.0,  # what is compared is the data, not averaged weights
        )
        trainer = train.fit(options, spec, data, title)
        evaluator = Evaluator(
            DeviceSplit.of(data), len(spec.classes), trainer.F, trainer.M
        )
        results[title] = {
            **evaluator()["test_full"],
            "images": len(data.labels),
            "updates": updates,
        }
    return results


def text(results: dict) -> str:
    """What `evaluate` found as a table for people.

    Args:
      results: of `evaluate`.
    """
    total = int(np.sum(results[_BALANCED]["confusion"]))
    updates = results[_BALANCED]["updates"]
    titles = "".join(f"{metric.title:>8}" for metric in METRICS)
    lines = [
        f"plain classifier, {updates} updates, full test set of {total} images:",
        f"  {'trained on':<22}{'images':>8}{titles}",
    ]
    for title, summary in results.items():
        cells = "".join(f"{summary[metric.name]:>8.3f}" for metric in METRICS)
        lines.append(f"  {title:<22}{summary['images']:>8}{cells}")
    return "\n".join(lines)

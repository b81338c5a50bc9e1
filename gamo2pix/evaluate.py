"""Does the balanced folder help? The plain classifier from scratch on both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gamo2pix import balanced
from gamo_tf import train
from gamo_tf.datasets import Split
from gamo_tf.evaluation import Evaluator, Held
from gamo_tf.methods import METHODS
from gamo_tf.runs import Run
from gamo_tf.specs import DatasetSpec


def evaluate(run: Run, spec: DatasetSpec, split: Split, folder: Path) -> dict:
    """Metrics on the full test set of `cn` trained on the originals and on `folder`.

    Same networks, seed, optimizer and batch, and as many updates of M as the run
    itself made.
    """
    updates = run.options.iterations * METHODS[run.options.method].m_updates
    images, labels = balanced.load(folder, spec)
    topped = replace(split, images=images, labels=labels)
    results = {}
    for word, data in (("imbalanced originals", split), ("balanced folder", topped)):
        counts = np.bincount(data.labels, minlength=len(spec.classes)).tolist()
        options = replace(
            run.options,
            method="cn",
            iterations=updates,
            counts=tuple(counts),
            ema=0.0,
        )
        game = train.fit(options, spec, data, word)
        held = Held.of(data)
        found = Evaluator(held, len(spec.classes), game.F, game.M)()["test_full"]
        results[word] = {**found, "images": len(data.labels), "updates": updates}
    return results


def text(results: dict) -> str:
    total = int(np.sum(results["balanced folder"]["confusion"]))
    updates = results["balanced folder"]["updates"]
    lines = [
        f"plain classifier, {updates} updates, full test set of {total} images:",
        f"  {'trained on':<22}{'images':>8}{'ACSA':>8}{'GM':>8}",
    ]
    for word, found in results.items():
        lines.append(
            f"  {word:<22}{found['images']:>8}{found['acsa']:>8.3f}{found['gm']:>8.3f}"
        )
    return "\n".join(lines)

"""What the screen shows below the answer: a line for each method."""

from __future__ import annotations

import numpy as np

from gamo_tf.comparison.evidence import METRIC, Evidence, Line
from gamo_tf.errors import printable

_NAMES = 5  # classes that are named


def smaller_half(evidence: Evidence) -> list[int]:
    """The labels of the half of the classes that has the fewer training samples.

    Args:
      evidence: of a comparison.
    """
    counts = evidence.counts
    order = sorted(range(len(counts)), key=lambda label: (counts[label], -label))
    return sorted(order[: len(counts) // 2])


def minority_recall(evidence: Evidence, line: Line) -> float:
    """The mean recall of `smaller_half`; NaN where none of them has test samples.

    Args:
      evidence: of a comparison.
      line: of one of its methods.
    """
    found = [line.recalls[label] for label in smaller_half(evidence)]
    means = [recall.mean for recall in found if recall]
    return float(np.mean(means)) if means else float("nan")


def overview(evidence: Evidence) -> list[str]:
    """A line for each method, in the order of the leaderboard.

    Args:
      evidence: of a comparison.
    """
    half = smaller_half(evidence)
    names = [printable(evidence.classes[label]) for label in half[:_NAMES]]
    named = ", ".join(names) + ", ..." * (len(half) > _NAMES)
    width = max(20, *(len(line.method) for line in evidence.lines))
    lines = [
        f"{line.method:<{width}} {line.metrics[METRIC.name].mean:>17.3f} "
        f"{minority_recall(evidence, line):>24.3f} {line.seconds:>8.0f}"
        for line in evidence.lines
    ]
    head = f"{'on test samples':<{width}} {'balanced accuracy':>17} "
    head += f"{'recall, smaller classes':>24} {'seconds':>8}"
    return [head, *lines, f"smaller classes: {named}"]

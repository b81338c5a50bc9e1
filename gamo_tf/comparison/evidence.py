"""What the records of a comparison show: means, paired differences, and the choice."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from gamo_tf.comparison.job import TEST, Job
from gamo_tf.config.options import VALIDATION
from gamo_tf.errors import UserError
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.grids.paired_tests import (
    LEVEL,
    Mean,
    Paired,
    holm,
    mean_interval,
    paired,
)

METRIC = METRICS[0]  # balanced accuracy, by which methods are chosen and compared


@dataclass(frozen=True)
class Recall:
    """The recall of a class.

    Attributes:
      mean: over the seeds.
      low, high: Wilson's interval, for as many samples as one test set has.
    """

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """A method on the leaderboard.

    Attributes:
      method: its name.
      seeds: that are known.
      metrics: on the test samples, by the names of METRICS.
      validation: the mean metric on validation samples, by which methods are chosen.
      recalls: of each class, in label order; None of a class without test samples.
      seconds: mean of a training.
      mebibytes: the most of any of its trainings.
      difference: the chosen method minus this one; None for itself.
    """

    method: str
    seeds: int
    metrics: Mapping[str, Mean]
    validation: float
    recalls: Sequence[Recall | None]
    seconds: float
    mebibytes: float
    difference: Paired | None


@dataclass(frozen=True)
class Evidence:
    """All that a comparison shows.

    Attributes:
      lines: of the leaderboard, the highest mean metric on test samples first.
      chosen: the method with the highest mean metric on validation samples.
      classes: names, in label order.
      counts: training rows of each class.
      rows: test samples of each class, in one split.
      validation_rows: validation samples of each class, in one split.
      overlap: of the splits (see `paired_tests.mean_interval`).
      missing: trainings that are not known.
      versions: of packages.
      date: of the newest record.
    """

    lines: Sequence[Line]
    chosen: str
    classes: Sequence[str]
    counts: Sequence[int]
    rows: Sequence[int]
    validation_rows: Sequence[int]
    overlap: float
    missing: int
    versions: Mapping[str, str]
    date: str

    def line(self, method: str) -> Line | None:
        """The line of a method, if it is there.

        Args:
          method: its name.
        """
        return next((line for line in self.lines if line.method == method), None)


def collect(jobs: Sequence[Job], splits_anew: bool) -> Evidence:
    """What is known.

    Args:
      jobs: of the comparison.
      splits_anew: whether every seed splits the same rows, so that its splits overlap.

    Raises:
      UserError: nothing is known, or records do not belong together.
    """
    records: dict[str, dict[int, dict]] = {}
    for job in jobs:
        if found := job.read():
            records.setdefault(job.method, {})[job.seed] = found
    if not records:
        raise UserError("no training of the comparison is known; nothing to tell.")
    each = [found for by_seed in records.values() for found in by_seed.values()]
    first = each[0]
    if any(found["classes"] != first["classes"] for found in each):
        raise UserError("the records of this comparison have different classes.")
    rows, counts = first[TEST]["rows"], first["counts"]
    overlap = sum(rows) / sum(counts) if splits_anew else 0.0
    validation = {
        method: _mean(by_seed, VALIDATION) for method, by_seed in records.items()
    }
    chosen = max(validation, key=lambda method: validation[method])
    tested = {method: _by_seed(by_seed) for method, by_seed in records.items()}
    pairs = {
        method: pair
        for method in records
        if method != chosen
        and (pair := paired(tested[chosen], tested[method], overlap))
    }
    corrected = holm(pairs)
    lines = [
        Line(
            method,
            len(by_seed),
            {
                metric.name: _share(
                    mean_interval(_values(by_seed, metric.name), overlap)
                )
                for metric in METRICS
            },
            validation[method],
            _recalls(list(by_seed.values())),
            float(np.mean([found["seconds"] for found in by_seed.values()])),
            max(found["mebibytes"] for found in by_seed.values()),
            corrected.get(method),
        )
        for method, by_seed in records.items()
    ]
    lines.sort(key=lambda line: -line.metrics[METRIC.name].mean)
    return Evidence(
        lines,
        chosen,
        first["classes"],
        counts,
        rows,
        first[VALIDATION]["rows"],
        overlap,
        len(jobs) - len(each),
        first["versions"],
        max(found["date"] for found in each),
    )


def _share(mean: Mean) -> Mean:
    """The mean of what lies between 0 and 1: its interval does too."""
    return mean._replace(low=max(mean.low, 0.0), high=min(mean.high, 1.0))


def _by_seed(records: Mapping[int, dict]) -> dict[int, float]:
    return {seed: found[TEST][METRIC.name] for seed, found in records.items()}


def _values(records: Mapping[int, dict], name: str) -> np.ndarray:
    return np.array([found[TEST][name] for found in records.values()])


def _mean(records: Mapping[int, dict], name: str) -> float:
    return float(np.mean([found[name][METRIC.name] for found in records.values()]))


def _recalls(records: Sequence[dict]) -> list[Recall | None]:
    """Of each class, its mean recall and Wilson's interval for one test set."""
    found: list[Recall | None] = []
    for label, n in enumerate(records[0][TEST]["rows"]):
        known = [
            value
            for record in records
            if (value := record[TEST]["recall"][label]) is not None
        ]
        if not known or not n:
            found.append(None)
            continue
        mean = float(np.mean(known))
        low, high = proportion_confint(mean * n, n, alpha=1 - LEVEL, method="wilson")
        found.append(Recall(mean, float(low), float(high)))
    return found


def uncertain(evidence: Evidence, method: str, most: int = 3) -> list[int]:
    """The classes with the fewest test samples, whose recalls are the least certain.

    Args:
      evidence: of a comparison.
      method: whose recalls they are.
      most: how many.

    Returns:
      Labels.
    """
    line = evidence.line(method)
    there = [k for k, found in enumerate(line.recalls if line else ()) if found]
    return sorted(there, key=lambda k: evidence.rows[k])[:most]


def reach(recall: Recall | None) -> float:
    """Half the width of a recall's interval; NaN of None.

    Args:
      recall: of a class.
    """
    return (recall.high - recall.low) / 2 if recall else math.nan

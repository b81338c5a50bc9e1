"""The statistics of the report: which runs are compared, and what they show.

`gamo_tf.experiments.report` puts them on a page, `report_plots` into pictures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options
from gamo_tf.evaluation.metrics import METRICS, RANKED_BY
from gamo_tf.experiments import document
from gamo_tf.experiments.report_plots import MethodScores, RecallCurve, Spread
from gamo_tf.experiments.result_store import ResultStore, frame

LEVEL = 0.95  # of the confidence intervals
OURS = ("gamo", "ls")  # the method and loss that the others are compared with
# The methods whose curves of recall are in colour; those of all others are grey.
_COLOURED = ("gamo", "cn", "ros", "convex-random", "logit-adjust")
# Settings that the page shows elsewhere, or that do not change how a run is trained.
# A method's label names any other setting that is not at its default.
_NOT_IN_LABEL = {"dataset", "method", "loss", "seed", "iterations", "counts", "ema"}
_NOT_IN_LABEL |= {"test_per_class", "evaluate_every", "checkpoint_every"}
_NOT_IN_LABEL |= {"deterministic", "data", "label", "test_data", "test_split"}
_NOT_IN_LABEL |= {"patches", "classes", "shape"}

# Dataset, class sizes and updates of M: runs that have them in common are compared.
Group = tuple[str, tuple[int, ...], int]


class Paired(NamedTuple):
    """The difference of two methods over the seeds that both have.

    Attributes:
      seeds: how many both have.
      mean: of the differences.
      low, high: ends of the confidence interval; NaN with one seed.
    """

    seeds: int
    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """What the interval shows of the first method, in words."""
        if self.seeds < 2:
            return "one seed"
        if self.low > 0:
            return "ahead"
        return "behind" if self.high < 0 else "no difference shown"


def paired(first: Mapping[int, float], second: Mapping[int, float]) -> Paired | None:
    """first - second, seed by seed, with Student's t interval at `LEVEL`.

    A seed decides the training images, which are the same for every method: a
    difference within a seed is free of how easy its images are.

    Args:
      first: a metric of one method by seed.
      second: of the other method.

    Returns:
      None where no seed is in common.
    """
    seeds = sorted(set(first) & set(second))
    if not seeds:
        return None
    gaps = np.array([first[seed] - second[seed] for seed in seeds])
    mean, n = float(gaps.mean()), len(gaps)
    if n < 2:
        return Paired(n, mean, math.nan, math.nan)
    half = stats.t.ppf((1 + LEVEL) / 2, n - 1) * gaps.std(ddof=1) / np.sqrt(n)
    return Paired(n, mean, mean - half, mean + half)


def variant(options: Options) -> str:
    """The method, and every setting of a training that is not at its default.

    Args:
      options: of a run.

    Returns:
      Such as ``gamo, generator-update per-class``.
    """
    apart = [
        f"{name.replace('_', '-')} {value}"
        for name, value in options.to_json().items()
        if name not in _NOT_IN_LABEL and value != getattr(Options, name)
    ]
    return options.method + "".join(f", {word}" for word in apart)


def lines(store: ResultStore) -> pd.DataFrame:
    """All results with what the page sorts them by.

    Args:
      store: with one result or more.

    Returns:
      `result_store.frame` with the columns ``variant`` and ``group`` (a `Group`).
    """
    found = frame(store)
    found["variant"] = [variant(options) for options in found["options"]]
    found["group"] = [
        (options.dataset, _compared_counts(options), updates)
        for options, updates in zip(found["options"], found["m_updates"], strict=True)
    ]
    return found


def _compared_counts(options: Options) -> tuple[int, ...]:
    """Class sizes; none where every seed has classes and sizes of its own."""
    spec = DATASETS.get(options.dataset)
    return () if spec and spec.draws_classes else options.counts


def method_scores(mine: pd.DataFrame) -> list[MethodScores]:
    """What the picture of the scores draws, the lowest line first.

    Args:
      mine: the lines of a group.
    """
    full = mine[mine["set"] == "test_full"]
    ranked = []
    for (word, loss), rows in full.groupby(["variant", "loss"], sort=False):
        drawn = {
            (weights, metric.name): Spread(
                values.mean(), values.std() if len(values) > 1 else None
            )
            for weights, runs in rows.groupby("weights")
            for metric in METRICS
            if len(values := runs[metric.name].dropna())
        }
        label = document.method_cell(word, loss, "")
        line = MethodScores(label, (word, loss) == OURS, drawn)
        ranked.append((rows[rows["weights"] == ""][RANKED_BY].mean(), line))
    return [line for _, line in sorted(ranked, key=lambda pair: pair[0])]


def recall_curves(mine: pd.DataFrame, order: np.ndarray) -> list[RecallCurve]:
    """Each method's recalls on the full test set, mean over seeds, of raw weights.

    Args:
      mine: the lines of a group.
      order: labels from the largest class to the smallest, [c].
    """
    full = mine[(mine["set"] == "test_full") & (mine["weights"] == "")]
    curves = []
    for (word, loss), rows in full.groupby(["variant", "loss"], sort=False):
        table = np.array(
            [[np.nan if r is None else r for r in recall] for recall in rows["recall"]]
        )
        usual = word in _COLOURED and loss == METHODS[word].losses[0]
        color = _COLOURED.index(word) if usual else None
        label = document.method_cell(word, loss, "")
        curves.append(RecallCurve(label, table.mean(axis=0)[order], color))
    return curves

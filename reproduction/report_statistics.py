"""The statistics of the report: which runs are compared, and what they show.

`reproduction.report` puts them on a page, `report_plots` into pictures.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options
from gamo_tf.evaluation.metrics import METRICS, RANKED_BY
from gamo_tf.grids import document
from gamo_tf.grids.paired_tests import DIGITS, Paired, against, mean_interval
from gamo_tf.grids.result_store import ResultStore, frame
from reproduction.report_plots import MethodRecalls, MethodScores, Spread

OURS = ("gamo", "ls")  # the method and loss that the others are compared with
# The methods whose recalls are in colour, each by its name; all others are grey.
_COLOURED = ("gamo", "cn", "ros", "convex-random", "logit-adjust")
# Settings that the page shows elsewhere, or that do not change how a run is trained.
# A method's label names any other setting that is not at its default.
_NOT_IN_LABEL = {"dataset", "method", "loss", "seed", "iterations", "counts", "ema"}
_NOT_IN_LABEL |= {"test_per_class", "evaluate_every", "checkpoint_every"}
_NOT_IN_LABEL |= {"deterministic", "data", "label", "test_data", "test_split"}
_NOT_IN_LABEL |= {"patches", "classes", "shape", "validation_per_class"}

# Dataset, class sizes and updates of M: runs that have them in common are compared.
Group = tuple[str, tuple[int, ...], int]
# A method's `variant` and its loss.
Trained = tuple[str, str]


def comparisons(mine: pd.DataFrame, weights: str) -> dict[Trained, dict[str, Paired]]:
    """GAMO less each other method on the full test set, corrected by `holm`.

    Args:
      mine: the lines of a group.
      weights: "" for those that training ends on, "EMA" for averaged ones.

    Returns:
      Method and loss -> metric's name -> the difference. One correction is over all
      of them, whatever the method and the metric. A method that has no seed in common
      with GAMO is left out; so are all where GAMO itself was not measured.
    """
    some = mine[(mine["set"] == "test_full") & (mine["weights"] == weights)]
    return against(OURS, some.groupby(["variant", "loss"], sort=False))


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
      `result_store.frame` with the columns ``variant`` and ``group`` (a `Group`). A
      method that was run twice with a seed counts once, by its newer run.
    """
    found = frame(store)
    found["variant"] = [variant(options) for options in found["options"]]
    found["group"] = [
        (options.dataset, _compared_counts(options), updates)
        for options, updates in zip(found["options"], found["m_updates"], strict=True)
    ]
    once = ["group", "variant", "loss", "weights", "set", "seed"]
    return found.drop_duplicates(once, keep="last")


def seed_count(runs: pd.DataFrame) -> str:
    """How many seeds the figures of a cell stand on.

    Args:
      runs: lines of `lines` of one method, kind of weights and set.

    Returns:
      Such as ``3``, or ``2 / 3`` where older runs lack the first metric.
    """
    counts = [runs.loc[runs[m.name].notna(), "seed"].nunique() for m in METRICS]
    return " / ".join(map(str, counts if len(set(counts)) > 1 else counts[:1]))


def _compared_counts(options: Options) -> tuple[int, ...]:
    """Class sizes; none where every seed has classes and sizes of its own."""
    spec = DATASETS.get(options.dataset)
    return () if spec and spec.draws_classes else options.counts


def spread(values: np.ndarray) -> Spread:
    """Values over seeds with Student's interval of their mean at `LEVEL`.

    Args:
      values: [n], one or more.

    Returns:
      Values of one seed, and values that are all the same, have no interval.
    """
    seeds = tuple(map(float, values))
    if round(float(np.ptp(values)), DIGITS) == 0:
        return Spread(seeds, None, None)
    found = mean_interval(np.asarray(values))
    return Spread(seeds, found.low, found.high)


def method_scores(mine: pd.DataFrame) -> list[MethodScores]:
    """What the picture of the scores draws, the lowest line first.

    Args:
      mine: the lines of a group.
    """
    full = mine[mine["set"] == "test_full"]
    ranked = []
    for (word, loss), rows in full.groupby(["variant", "loss"], sort=False):
        drawn = {
            (weights, metric.name): spread(values.to_numpy())
            for weights, runs in rows.groupby("weights")
            for metric in METRICS
            if len(values := runs[metric.name].dropna())
        }
        label = document.method_cell(word, loss, "")
        line = MethodScores(label, (word, loss) == OURS, drawn)
        ranked.append((rows[rows["weights"] == ""][RANKED_BY].mean(), line))
    return [line for _, line in sorted(ranked, key=lambda pair: pair[0])]


def method_recalls(mine: pd.DataFrame, order: np.ndarray) -> list[MethodRecalls]:
    """Each method's recalls on the full test set, by seed, of raw weights.

    Args:
      mine: the lines of a group.
      order: labels from the largest class to the smallest, [c].

    Returns:
      In the order of `_COLOURED`, and then the others.
    """
    full = mine[(mine["set"] == "test_full") & (mine["weights"] == "")]
    found = []
    for (word, loss), rows in full.groupby(["variant", "loss"], sort=False):
        table = np.array(
            [[np.nan if r is None else r for r in recall] for recall in rows["recall"]]
        )
        usual = word in _COLOURED and loss == METHODS[word].losses[0]
        color = _COLOURED.index(word) if usual else None
        label = document.method_cell(word, loss, "")
        found.append(MethodRecalls(label, table[:, order], color))
    return sorted(found, key=lambda m: len(_COLOURED) if m.color is None else m.color)

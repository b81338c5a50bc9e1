"""METRICS: what is measured of a classifier on imbalanced classes, a row a metric.

A new metric is a row here (and, where the paper reports it, its figures in
`experiments.published`): evaluators, TensorBoard, tables and reports take all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gamo_tf.errors import printable


class Metric(NamedTuple):
    """A number between 0 and 1 that summarises the recalls of the classes.

    Attributes:
      name: key in results.json and column in metrics.csv.
      title: for people.
      of_recalls: recalls [k] of the classes that the set has -> the metric.
    """

    name: str
    title: str
    of_recalls: Callable[[np.ndarray], float]


METRICS = (
    # Average Class-Specific Accuracy (paper, Section 4): the mean of the recalls.
    Metric("acsa", "ACSA", lambda recalls: float(recalls.mean())),
    # Geometric Mean (likewise): one class that is never found makes it 0.
    Metric("gm", "GM", lambda recalls: float(np.prod(recalls) ** (1 / len(recalls)))),
)
RANKED_BY = "gm"  # the name of the metric that methods are ordered by
CHOSEN_BY = "acsa"  # of that by which the best moment of a training is chosen
TITLES = {metric.name: metric.title for metric in METRICS}


def confusion(labels: np.ndarray, predicted: np.ndarray, c: int) -> np.ndarray:
    """The confusion matrix.

    Args:
      labels: true labels, int [n].
      predicted: predicted labels, int [n].
      c: number of classes.

    Returns:
      Counts int [c, c]: a row is a true label, a column a predicted one.
    """
    flat = np.asarray(labels, np.int64) * c + np.asarray(predicted, np.int64)
    return np.bincount(flat, minlength=c * c).reshape(c, c)


def summarise(matrix: np.ndarray) -> dict:
    """All METRICS of a confusion matrix, and what they come from.

    Args:
      matrix: counts [c, c] of `confusion`.

    Returns:
      A value for the name of every metric; ``recall`` of each class, None for a class
      that the set has no sample of; ``confusion``, the matrix; ``absent``, the labels
      of such classes, which the metrics leave out; and ``never_predicted``.

    Raises:
      ValueError: where the set has no sample at all.
    """
    matrix = np.asarray(matrix)
    totals = matrix.sum(axis=1)
    present = totals > 0
    recall = np.diag(matrix)[present] / totals[present]
    if not len(recall):
        raise ValueError("summarise: the confusion matrix is empty (no sample).")
    values = iter(recall.tolist())
    return {
        **{metric.name: metric.of_recalls(recall) for metric in METRICS},
        "recall": [next(values) if here else None for here in present],
        "confusion": matrix.tolist(),
        "absent": np.flatnonzero(~present).tolist(),
        "never_predicted": never_predicted(matrix),
    }


def never_predicted(matrix: Sequence[Sequence[int]] | np.ndarray) -> list[int]:
    """The labels that a set has samples of and that no sample of it is given.

    Args:
      matrix: counts [c, c] of `confusion`.
    """
    counts = np.asarray(matrix)
    return np.flatnonzero((counts.sum(axis=1) > 0) & (counts.sum(axis=0) == 0)).tolist()


def from_summary(summary: Mapping) -> dict[str, float]:
    """The METRICS alone of what `summarise` returned, by name and in their order.

    Args:
      summary: of `summarise`.
    """
    return {metric.name: summary[metric.name] for metric in METRICS}


def line(summary: Mapping, digits: int = 3) -> str:
    """The METRICS of a summary for people, such as ``ACSA 0.812  GM 0.799``.

    Args:
      summary: of `summarise`, or any mapping with the metrics by name.
      digits: after the point.
    """
    return "  ".join(f"{m.title} {summary[m.name]:.{digits}f}" for m in METRICS)


def scalars(summary: Mapping, classes: Sequence[str]) -> Iterator[tuple[str, float]]:
    """The numbers of a summary as (name, value), for a `MetricLogger`.

    Args:
      summary: of `summarise`.
      classes: names of the classes.

    Yields:
      Every metric, and ``recall/CLASS`` (NaN for a class that is absent), with the
      name of the class on one line, whatever it is.
    """
    yield from from_summary(summary).items()
    for name, value in zip(classes, summary["recall"], strict=True):
        yield f"recall/{printable(name)}", float("nan") if value is None else value


def effective_prior(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The prior that a classifier acts by: its mean prediction over a balanced set.

    Args:
      p: its class probabilities [n, c].
      labels: int [n]; every class weighs the same, however many rows it has.

    Returns:
      [c], which sums to 1. Equal entries: the classifier favours no class.
    """
    means = [p[labels == label].mean(axis=0) for label in np.unique(labels)]
    return np.mean(means, axis=0)

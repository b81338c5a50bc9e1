"""Pictures of the report: methods side by side, and recall against class size.

Everything that is drawn has been worked out in `gamo_tf.experiments.report`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from gamo_tf.evaluation import plots
from gamo_tf.evaluation.metrics import METRICS

# Kind of weights -> colour, marker, and how far from the middle of its line.
_LONGEST = 80  # characters of a method's label, which has all its settings
_LINES = 60  # methods of `scores`
_STYLES = {"": ("C0", "o", 0.12), "EMA": ("C1", "s", -0.12)}


class Spread(NamedTuple):
    """A mean over seeds and its standard deviation, None for one seed."""

    mean: float
    deviation: float | None


class MethodScores(NamedTuple):
    """A line of `scores`.

    Attributes:
      label: of the method.
      bold: whether the label stands out.
      spreads: (kind of weights, metric's name) -> what is drawn; the kinds are ""
        and "EMA".
    """

    label: str
    bold: bool
    spreads: Mapping[tuple[str, str], Spread]


class RecallCurve(NamedTuple):
    """A line of `recalls`.

    Attributes:
      label: of the method.
      recalls: [c], from the largest class to the smallest; NaN: no such image.
      color: number of a colour of Matplotlib's cycle; None: grey, without a label.
    """

    label: str
    recalls: np.ndarray
    color: int | None


def scores(methods: Sequence[MethodScores]) -> np.ndarray:
    """Each metric on the full test set: a panel a metric, a line a method.

    Args:
      methods: from the lowest line to the highest; the highest _LINES are drawn.

    Returns:
      uint8 [h, w, 3]; bars are standard deviations over seeds.
    """
    number, methods = len(methods), methods[-_LINES:]
    figure = Figure(figsize=(11, 1.2 + 0.3 * len(methods)), layout="constrained")
    panels = figure.subplots(1, len(METRICS), sharey=True, squeeze=False)[0]
    for axes, metric in zip(panels, METRICS, strict=True):
        for weights, (color, marker, shift) in _STYLES.items():
            for y, method in enumerate(methods):
                spread = method.spreads.get((weights, metric.name))
                if spread:
                    axes.errorbar(
                        spread.mean,
                        y + shift,
                        xerr=spread.deviation,
                        fmt=marker,
                        color=color,
                        ms=4,
                        capsize=2,
                    )
        axes.set(xlabel=f"{metric.title}, full test set")
        axes.grid(alpha=0.3, axis="x")
    labels = [plots.label(method.label, _LONGEST) for method in methods]
    panels[0].set_yticks(range(len(methods)), labels)
    for tick, method in zip(panels[0].get_yticklabels(), methods, strict=True):
        if method.bold:
            tick.set_fontweight("bold")
    title = "circles: raw weights; squares: EMA; bars: deviation over seeds"
    if number > len(methods):
        title += f"; the highest {_LINES} of {number}"
    figure.suptitle(title)
    return plots.render(figure)


def recalls(
    curves: Sequence[RecallCurve], classes: Sequence[str], counts: Sequence[int]
) -> np.ndarray:
    """Recall on the full test set against class size, a curve a method.

    Args:
      curves: in the order in which they are drawn.
      classes: names, from the largest class to the smallest.
      counts: training images of each.

    Returns:
      uint8 [h, w, 3].
    """
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    for curve in curves:
        if curve.color is None:
            axes.plot(curve.recalls, color="0.8", lw=0.8)
        else:
            axes.plot(
                curve.recalls,
                marker="o",
                ms=3,
                color=f"C{curve.color}",
                label=plots.label(curve.label, _LONGEST),
                zorder=3,
            )
    places, names = plots.ticks(classes, 12)
    words = [f"{name}\n{counts[k]}" for k, name in zip(places, names, strict=True)]
    longest = max(map(len, names))
    axes.set_xticks(places, words, fontsize=8)
    if longest > 15:
        axes.tick_params(axis="x", rotation=60)
    axes.set(ylabel="recall, full test set", ylim=(0, 1.02))
    axes.set_xlabel("class, and its training images; grey: all other methods")
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8)
    return plots.render(figure)

"""Pictures of the report: methods side by side, and the recall of each class.

Everything that is drawn has been worked out in `reproduction.report_statistics`.
What stands on one seed has a hollow mark and no interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gamo_tf.evaluation import plots, style
from gamo_tf.evaluation.metrics import METRICS, RANKED_BY, TITLES
from gamo_tf.evaluation.own_matplotlib import Axes, with_default_style

_LONGEST = 80  # characters of a method's label, which has all its settings
_METHODS = 50  # of `scores`
_CLASSES = 12  # of `recalls`
# Kind of weights -> name, colour, marker, and how far from the middle of its line.
_STYLES = {
    "": ("weights that training ends on", style.RAW, "o", 0.15),
    "EMA": ("averaged weights (EMA)", style.AVERAGED, "s", -0.15),
}
_BAND = 0.15  # inches of a method in `recalls`


class Spread(NamedTuple):
    """What is known of a mean over seeds.

    Attributes:
      values: of the seeds.
      low, high: ends of the confidence interval of the mean; None for one seed.
    """

    values: tuple[float, ...]
    low: float | None
    high: float | None

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return float(np.mean(self.values))


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

    @property
    def seeds(self) -> str:
        """How many seeds its marks stand on, such as ``3 seeds``."""
        counts = sorted({len(spread.values) for spread in self.spreads.values()})
        words = " or ".join(map(str, counts))
        return f"{words} seed{'s' * (counts != [1])}"


class MethodRecalls(NamedTuple):
    """The recalls of a method.

    Attributes:
      label: of the method.
      recalls: [seeds, c], from the largest class to the smallest; NaN: no such image.
      color: number of a colour; None: one of the others, without a label.
    """

    label: str
    recalls: np.ndarray
    color: int | None


@with_default_style()
def scores(methods: Sequence[MethodScores], level: float, title: str) -> np.ndarray:
    """Each metric on the full test set: a panel a metric, a line a method.

    Both panels have one scale. A small dot is a seed, a mark is their mean.

    Args:
      methods: from the lowest line to the highest; the highest _METHODS are drawn.
      level: of the confidence intervals.
      title: of the group of runs.

    Returns:
      uint8 [h, w, 3].
    """
    number, methods = len(methods), methods[-_METHODS:]
    first = f"the highest mean {TITLES[RANKED_BY]} first"
    title = f"{plots.title_label(title)}: full test set, {first}"
    if number > len(methods):
        title += f": the highest {len(methods)} of {number} methods"
    figure = style.figure(11, 1.7 + 0.33 * len(methods), title)
    panels = figure.subplots(1, len(METRICS), sharex=True, sharey=True, squeeze=False)[
        0
    ]
    drawn: list[float] = []
    for axes, metric in zip(panels, METRICS, strict=True):
        for weights, (name, color, marker, shift) in _STYLES.items():
            axes.plot([], [], marker, color=color, ms=5, label=name)
            for y, method in enumerate(methods):
                spread = method.spreads.get((weights, metric.name))
                if spread:
                    _mark(axes, spread, y + shift, color, marker)
                    drawn += spread.values
                    # That of two seeds is wider than anything: it leaves the panel.
                    if len(spread.values) > 2 and spread.low and spread.high:
                        drawn += [max(0.0, spread.low), min(1.0, spread.high)]
        style.panel(axes, metric.title, f"{metric.title}, 0 to 1", "")
    axes = panels[0]
    axes.plot(
        [], [], "o", color="0.4", mfc="white", ms=5, label="one seed: no interval"
    )
    axes.plot([], [], ".", color="0.4", ms=4, label="a seed")
    axes.plot([], [], "-", color="0.4", label=f"{level:.0%} interval of the mean (t)")
    if drawn:  # intervals of two seeds are wider than anything: they leave the panel
        margin = 0.05 * (max(drawn) - min(drawn)) + 0.005
        axes.set_xlim(min(drawn) - margin, max(drawn) + margin)
    axes.set_ylim(-0.6, len(methods) - 0.4)
    labels = []
    for method in methods:
        seeds = f"  ({method.seeds})" * bool(method.spreads)
        labels.append(plots.label(method.label, _LONGEST) + seeds)
    axes.set_yticks(range(len(methods)), labels)
    for tick, method in zip(axes.get_yticklabels(), methods, strict=True):
        if method.bold:
            tick.set_fontweight("bold")
    style.legend_outside(figure, axes, 5)
    return plots.render(figure)


def _mark(axes: Axes, spread: Spread, y: float, color: str, marker: str) -> None:
    """A mean with its interval and its seeds; hollow where it is of one seed.

    Args:
      axes: the panel.
      spread: what is known.
      y: where it is drawn.
      color: of the mark and the interval.
      marker: of the mean.
    """
    if spread.low is not None and spread.high is not None:
        ends = [max(0.0, spread.low), min(1.0, spread.high)]
        axes.plot(ends, [y, y], color=color, lw=1.2, zorder=2)
        axes.plot(
            spread.values, [y] * len(spread.values), ".", color="0.3", ms=2.5, zorder=4
        )
    full = color if len(spread.values) > 1 else "white"
    axes.plot(spread.mean, y, marker, color=color, mfc=full, ms=5, zorder=3)


@with_default_style()
def recalls(
    methods: Sequence[MethodRecalls],
    classes: Sequence[str],
    counts: Sequence[int],
    title: str,
) -> np.ndarray:
    """Recall on the full test set: a band a class, a line a method in each.

    Classes have no order in between, so nothing is drawn from one to the next. A mark
    is a mean over seeds, a line goes from the lowest seed to the highest.

    Args:
      methods: in the order in which they are drawn, from above.
      classes: names, from the largest class to the smallest.
      counts: training images of each.
      title: of the group of runs.

    Returns:
      uint8 [h, w, 3].
    """
    named = [method for method in methods if method.color is not None]
    others = [method for method in methods if method.color is None]
    lines = len(named) + bool(others)
    places, names = plots.ticks(classes, _CLASSES)
    title = f"{plots.title_label(title)}: recall by class (n training images)"
    if len(places) < len(classes):
        title += f": {len(places)} of {len(classes)} classes"
    height = plots.inches(1.3 + _BAND * (lines + 1) * len(places))
    figure = style.figure(9, height, title)
    axes = figure.subplots()
    for band, k in enumerate(places):
        top = band * (lines + 1)
        for j, method in enumerate(named):
            color = style.color(method.color or 0)
            values = method.recalls[:, k]
            values = values[np.isfinite(values)]
            if not len(values):
                continue
            full, mean, y = (
                color if len(values) > 1 else "white",
                values.mean(),
                top + j,
            )
            axes.plot([values.min(), values.max()], [y, y], color=color, lw=1.2)
            axes.plot(mean, y, "o", color=color, mfc=full, ms=4.5)
            said = f"{plots.label(method.label)}  {mean:.2f}"
            axes.annotate(
                said,
                (1.01, y),
                xycoords=("axes fraction", "data"),
                fontsize=6.5,
                color=color,
                va="center",
                annotation_clip=False,
            )
        for method in others:
            value = np.nanmean(method.recalls[:, k]) if len(method.recalls) else np.nan
            axes.plot(value, top + len(named), "|", color=style.OTHERS, ms=7)
        axes.axhline(top + lines, color="0.85", lw=0.8)
    if others:
        axes.annotate(
            f"the others ({len(others)})",
            (1.01, len(named)),
            xycoords=("axes fraction", "data"),
            fontsize=6.5,
            color=style.OTHERS,
            va="center",
            annotation_clip=False,
        )
    style.panel(axes, "", "recall on the full test set; " + _seeds_in_words(named), "")
    middles = [band * (lines + 1) + (lines - 1) / 2 for band in range(len(places))]
    words = [f"{name}\nn={counts[k]}" for k, name in zip(places, names, strict=True)]
    axes.set_yticks(middles, words, fontsize=style.TEXT)
    axes.set(xlim=(-0.02, 1.02), ylim=(len(places) * (lines + 1) - 0.5, -1))
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    return plots.render(figure)


def _seeds_in_words(named: Sequence[MethodRecalls]) -> str:
    """Of how many seeds the marks are, and what they show."""
    counts = {len(method.recalls) for method in named}
    words = " or ".join(map(str, sorted(counts))) or "0"
    text = f"mark: mean of {words} seed{'s' * (counts != {1})}"
    if counts - {1}:
        text += "; line: lowest to highest seed"
    return text + "; hollow: one seed" * (1 in counts)

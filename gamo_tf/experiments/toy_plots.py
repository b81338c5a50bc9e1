"""Pictures of Figures 1 and 2: four panels each.

Everything that is drawn has been worked out in `gamo_tf.experiments.toy_figures`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from gamo_tf.evaluation import plots


class PlanePanel(NamedTuple):
    """A panel of `plane`.

    Attributes:
      title: above it.
      real: for each class a text, its colour, the size of its dots and its points
        [n, 2].
      generated: points [m, 2], or None.
      minority: M's probability of the minority, [k, k], rows along y.
    """

    title: str
    real: Sequence[tuple[str, str, int, np.ndarray]]
    generated: np.ndarray | None
    minority: np.ndarray


class LinePanel(NamedTuple):
    """A panel of `line`.

    Attributes:
      title: above it.
      real: for each class a text, its colour and its density [k].
      generated: the density of generated points, [k].
      minority: M's probability of the minority, [k].
    """

    title: str
    real: Sequence[tuple[str, str, np.ndarray]]
    generated: np.ndarray
    minority: np.ndarray


def plane(panels: Sequence[PlanePanel], axis: np.ndarray) -> np.ndarray:
    """Points of a plane, with the areas that M gives to the two classes.

    Args:
      panels: from left to right.
      axis: [k], the ticks of x and of y at which `minority` was worked out.

    Returns:
      uint8 [h, w, 3].
    """
    figure = Figure(figsize=(16, 4.4), layout="constrained")
    for axes, panel in zip(
        figure.subplots(1, len(panels), sharex=True, sharey=True), panels, strict=True
    ):
        areas = ["#dfe9f5", "#f9e3e0"]
        axes.contourf(axis, axis, panel.minority, [0, 0.5, 1], colors=areas)
        axes.contour(axis, axis, panel.minority, [0.5], colors="black", linewidths=1)
        for text, color, size, x in panel.real:
            axes.scatter(*x.T, s=size, c=color, label=text)
        if panel.generated is not None:
            axes.scatter(
                *panel.generated.T, s=22, c="C2", marker="+", lw=0.8, label="generated"
            )
        axes.set_title(panel.title, fontsize=10)
        axes.legend(fontsize=7, loc="lower left")
    return plots.render(figure)


def line(panels: Sequence[LinePanel], axis: np.ndarray, cut: float) -> np.ndarray:
    """Densities on a line, with M's probability of the minority.

    Args:
      panels: from left to right.
      axis: [k], the points at which everything was worked out.
      cut: the largest density of generated points that is shown.

    Returns:
      uint8 [h, w, 3].
    """
    figure = Figure(figsize=(16, 4), layout="constrained")
    for axes, panel in zip(
        figure.subplots(1, len(panels), sharey=True), panels, strict=True
    ):
        for text, color, density in panel.real:
            axes.plot(axis, density, color=color, label=text)
        label = f"generated (cut at {cut:g})"
        axes.plot(axis, panel.generated, color="C5", ls="--", label=label)
        axes.plot(axis, panel.minority, color="black", ls=":", label="M, minority")
        axes.set_title(panel.title, fontsize=10)
        axes.set(xlabel="x", ylim=(0, cut + 0.2))
        axes.legend(fontsize=7)
    return plots.render(figure)

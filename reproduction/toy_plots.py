"""Pictures of Figures 1 and 2: four panels each.

Everything that is drawn has been worked out in `reproduction.toy_figures`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gamo_tf.evaluation import plots, style
from gamo_tf.evaluation.own_matplotlib import with_default_style

_AREAS = ["#dfe9f5", "#f9e8dc"]  # that M gives to the majority and to the minority
_TICKS = {place: f"{place:g}" for place in (-1, -0.5, 0, 0.5, 1)}  # and labels


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


@with_default_style()
def plane(panels: Sequence[PlanePanel], axis: np.ndarray, title: str) -> np.ndarray:
    """Points of a plane, with the areas that M gives to the two classes.

    Args:
      panels: from left to right.
      axis: [k], the ticks of x and of y at which `minority` was worked out.
      title: of the picture.

    Returns:
      uint8 [h, w, 3].
    """
    figure = style.figure(16, 5, title)
    all_axes = figure.subplots(1, len(panels), sharex=True, sharey=True)
    for axes, panel in zip(all_axes, panels, strict=True):
        axes.contourf(axis, axis, panel.minority, [0, 0.5, 1], colors=_AREAS)
        axes.contour(axis, axis, panel.minority, [0.5], colors="black", linewidths=1.2)
        for text, color, size, x in panel.real:
            axes.scatter(*x.T, s=size, c=color, label=text)
        if panel.generated is not None:
            label = f"generated ({len(panel.generated)} shown)"
            axes.scatter(
                *panel.generated.T,
                s=26,
                c=style.GENERATED,
                marker="+",
                lw=0.9,
                label=label,
            )
        axes.plot([], [], color="black", lw=1.2, label="border of M: probability 0.5")
        style.panel(axes, panel.title, "x", "y" * (axes is all_axes[0]))
        axes.grid(visible=False)
        axes.set_xticks(list(_TICKS), list(_TICKS.values()))
        axes.set_yticks(list(_TICKS), list(_TICKS.values()))
        axes.set_aspect("equal")
    style.legend_outside(figure, all_axes[-1], 4)
    return plots.render(figure)


@with_default_style()
def line(
    panels: Sequence[LinePanel], axis: np.ndarray, cut: float, title: str
) -> np.ndarray:
    """Densities on a line, and below them M's probability of the minority.

    Args:
      panels: from left to right.
      axis: [k], the points at which everything was worked out.
      cut: the largest density of generated points that is shown.
      title: of the picture.

    Returns:
      uint8 [h, w, 3].
    """
    figure = style.figure(16, 5.6, title)
    above, below = figure.subplots(
        2, len(panels), sharex=True, sharey="row", height_ratios=[2, 1]
    )
    for k, panel in enumerate(panels):
        densities, probability = above[k], below[k]
        for text, color, density in panel.real:
            densities.plot(axis, density, color=color, label=text)
        label = f"generated (cut at {cut:g})"
        densities.plot(
            axis, panel.generated, color=style.GENERATED, ls="--", label=label
        )
        style.panel(densities, panel.title, "", "density" * (k == 0))
        densities.set_ylim(0, cut + 0.2)
        said = "M's probability\nof the minority" * (k == 0)
        probability.axhline(0.5, color="0.7", lw=0.8)
        probability.plot(axis, panel.minority, color="black")
        style.panel(probability, "", "x", said)
        probability.set(ylim=(-0.02, 1.02), yticks=(0, 0.5, 1))
        probability.set_xticks(list(_TICKS), list(_TICKS.values()))
    style.legend_outside(figure, above[0], 3)
    return plots.render(figure)

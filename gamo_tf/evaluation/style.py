"""How every picture looks: colours, letters, panels, and names beside their lines.

A name stands at the end of its line, in its colour, where a legend would hide what it
names. Legends that are needed all the same stand outside of the panels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gamo_tf.evaluation.own_matplotlib import Axes, Figure, ScaledTranslation, Transform

TITLE, PANEL, TEXT, SMALL = 11, 9.5, 8, 7  # sizes of letters, in points
# Told apart by people who do not see red or green, too (Okabe and Ito), and two more.
COLORS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#8C564B",
    "#7F7F7F",
    "#6A3D9A",
)
REAL_MAJORITY, REAL_MINORITY, GENERATED = COLORS[0], COLORS[1], COLORS[2]
RAW, AVERAGED = COLORS[0], COLORS[4]  # weights that training ends on, and EMA
OTHERS = "0.6"
_APART = 1.3  # points between lines of equal values
_LEADER = 12  # points between the end of a line and its name


class Named(NamedTuple):
    """The end of a line and what is said of it.

    Attributes:
      x, y: the last point of the line, in the units of its axes.
      text: as `plots.label` makes it.
      color: of the line.
    """

    x: float
    y: float
    text: str
    color: str


def color(k: int) -> str:
    """The k-th colour; after the last the first comes again.

    Args:
      k: 0 or more.
    """
    return COLORS[k % len(COLORS)]


def figure(width: float, height: float, title: str = "") -> Figure:
    """An empty figure whose panels make room for the names beside them.

    Args:
      width: inches.
      height: inches.
      title: as `plots.title_label` makes it; "": none.
    """
    made = Figure(figsize=(width, height), layout="constrained")
    if title:
        made.suptitle(title, fontsize=TITLE, x=0.01, ha="left")
    return made


def panel(axes: Axes, title: str, x: str, y: str) -> None:
    """Give a panel its title, the names of its axes, and a quiet grid.

    Args:
      axes: the panel.
      title: what is shown, on which rows.
      x: name and unit of what runs to the right.
      y: name and unit of what runs upwards.
    """
    axes.set_title(title, fontsize=PANEL, loc="left")
    axes.set_xlabel(x, fontsize=TEXT)
    axes.set_ylabel(y, fontsize=TEXT)
    axes.tick_params(labelsize=TEXT)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def apart(axes: Axes, k: int, n: int) -> Transform:
    """Where the k-th of n lines is drawn, so that lines of equal values lie side by
    side and not on each other.

    Args:
      axes: the panel.
      k: of the line, 0 to n - 1.
      n: lines in the panel.

    Returns:
      The transform of the line: that of the data, moved by a few points of a letter.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    up = ((n - 1) / 2 - k) * _APART / 72
    return axes.transData + ScaledTranslation(0, up, figure.dpi_scale_trans)


def spread_out(places: Sequence[float], gap: float) -> np.ndarray:
    """Places of names, moved as little as it takes to have a gap between neighbours.

    Args:
      places: where the names belong, in any order.
      gap: the least distance of two.

    Returns:
      [n], in the order of `places`; names that belong higher stand higher,
      and of equals the first.
    """
    wanted = np.asarray(places, float)
    order = np.lexsort((-np.arange(len(wanted)), wanted))  # of equals, the first is up
    # Names that touch form a block, which stands in the middle of its wishes.
    blocks: list[list[float]] = []  # sum of wishes less their ranks, and how many
    for rank, value in enumerate(wanted[order]):
        blocks.append([value - rank * gap, 1])
        while (
            len(blocks) > 1
            and blocks[-1][0] / blocks[-1][1] < blocks[-2][0] / blocks[-2][1]
        ):
            total, size = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += size
    starts = np.concatenate([[total / size] * int(size) for total, size in blocks])
    found = np.empty_like(wanted)
    found[order] = starts + gap * np.arange(len(wanted))
    return found


def name_lines(axes: Axes, ends: Sequence[Named], size: float = SMALL) -> None:
    """Write the name of each line at its right end, with a thin leader to it.

    Args:
      axes: the panel; its limits and its scale are set already.
      ends: of the lines.
      size: of the letters, in points.
    """
    if not ends:
        return
    figure = axes.get_figure(root=True)
    assert figure is not None
    axes.get_xlim(), axes.get_ylim()  # what was drawn last may have moved them
    # Shares of the panel's height, whatever its scale and its place in the figure.
    to_shares = axes.transScale + axes.transLimits
    shares = [to_shares.transform((end.x, end.y))[1] for end in ends]
    cell = axes.get_subplotspec()
    high = cell.get_position(figure).height if cell else 0.8
    points = figure.get_figheight() * 72 * high * 0.9
    places = spread_out(np.clip(shares, 0, 1), 1.25 * size / points)
    places -= max(0.0, float(places.max()) - 1.02)
    away = 1 + _LEADER / (figure.get_figwidth() * 20)
    for end, share, place in zip(ends, shares, places, strict=True):
        axes.annotate(
            end.text,
            (1.0, float(np.clip(share, 0, 1))),
            xycoords="axes fraction",
            xytext=(away, float(place)),
            textcoords="axes fraction",
            fontsize=size,
            color=end.color,
            va="center",
            ha="left",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": end.color,
                "lw": 0.5,
                "relpos": (0, 0.5),
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )


def legend_outside(figure: Figure, axes: Axes, columns: int) -> None:
    """The legend of all panels of a figure, below them.

    Args:
      figure: gets the legend.
      axes: the panel whose artists have the labels.
      columns: entries beside each other.
    """
    handles, texts = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        texts,
        loc="outside lower center",
        ncols=columns,
        fontsize=TEXT,
        frameon=False,
    )

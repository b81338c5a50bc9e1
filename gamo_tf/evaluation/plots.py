"""Pictures of a run, as RGB arrays: curves and the confusion matrix.

Of any number of classes, a picture has at most about MOST_PIXELS a side. Names of
classes, data and runs come from strangers: they go through `label` into a figure.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from gamo_tf.config.options import VALIDATION
from gamo_tf.errors import printable
from gamo_tf.evaluation import style
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.evaluation.own_matplotlib import (
    Axes,
    Figure,
    FigureCanvasAgg,
    with_default_style,
)

MOST_PIXELS = 2000  # a side of a picture
_LONGEST = 40  # characters of a name in a figure
_LONGEST_TITLE = 120  # of a title, which is made of several names
_TICKS = 40  # names along an axis
_NAMED = 15  # curves with a name; of more classes, the lowest _LOWEST are shown
_LOWEST = 10
_PLAYERS = ("D", "G")  # whose losses are adversarial
_TILE = 128  # pixels of an image that are looked at, a side


@with_default_style()
def render(figure: Figure) -> np.ndarray:
    """Draw a figure.

    Args:
      figure: of matplotlib; nothing of pyplot's state is used.

    Returns:
      uint8 [h, w, 3].
    """
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        # Names may have letters that the font lacks, or leave an axes little room.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def cut(text: str, longest: int = _LONGEST) -> str:
    """A name of a stranger's data, fit to be a part of a title.

    Args:
      text: the name.
      longest: characters; what is longer ends in an ellipsis.

    Returns:
      One line without control characters.
    """
    text = printable(text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def label(text: str, longest: int = _LONGEST) -> str:
    """A text as Matplotlib draws it to the letter.

    It would read what stands between two dollars as mathematics, and it leaves what
    begins with an underscore out of legends.

    Args:
      text: any, such as the name of a class.
      longest: as in `cut`.
    """
    text = cut(text, longest).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def title_label(text: str) -> str:
    """`label` of a title, which may be longer.

    Args:
      text: any, such as ``RUN, test``.
    """
    return label(text, _LONGEST_TITLE)


def ticks(names: Sequence[str], most: int = _TICKS) -> tuple[range, list[str]]:
    """Places and labels along an axis: each, or where there are many every k-th.

    Args:
      names: of the places 0, 1, ... in their order.
      most: labels that there is room for.
    """
    step = -(-len(names) // most)
    places = range(0, len(names), max(step, 1))
    return places, [label(names[k]) for k in places]


def thinned(images: np.ndarray) -> np.ndarray:
    """Images with rows and columns left out that no picture here could show.

    Args:
      images: [n, h, w, c].

    Returns:
      A view of them, at most 2 * _TILE pixels a side; small images are as they were.
    """
    step = max(1, max(images.shape[1:3]) // _TILE)
    return images[:, ::step, ::step]


def inches(wanted: float, dpi: int = 100) -> float:
    """A length that a figure may have.

    Args:
      wanted: inches, by the number of what is drawn.
      dpi: pixels an inch.
    """
    return min(wanted, 0.95 * MOST_PIXELS / dpi)


def watched(row: dict) -> str:
    """The set that a training is watched on: validation, or else the training rows.

    Args:
      row: of metrics.csv.
    """
    return VALIDATION if f"{VALIDATION}_{METRICS[0].name}" in row else "train"


@with_default_style()
def curves(history: list[dict], title: str, counts: Mapping[str, int]) -> np.ndarray:
    """All metrics, the recall of each class, and the losses, over iterations.

    They are of the validation rows and the training rows, in panels of their own;
    recalls are of the former, or of the latter where there are no validation rows. No
    test row is in it. Adversarial losses have a panel beside those of F and M.

    Args:
      history: rows of metrics.csv.
      title: of the picture.
      counts: training rows by class, named as in metrics.csv; {}: not known.

    Returns:
      uint8 [h, w, 3].
    """
    last, shown = history[-1], watched(history[-1])
    losses = [key for key in last if key.startswith("loss_")]
    played = [k for k in losses if k.removeprefix("loss_").startswith(_PLAYERS)]
    learned = [k for k in losses if k not in played]
    top = [shown, "train"]
    bottom = [*["learned"] * bool(learned), *["played"] * bool(played)] or top
    figure = style.figure(16, 7.5, title_label(title))
    panels = figure.subplot_mosaic(
        [[top[0], top[1], "recall"], [bottom[0], bottom[-1], "recall"]],
        width_ratios=[1, 1, 1.1],
    )
    for name in dict.fromkeys(top):
        lines = []
        for k, (metric, word, _) in enumerate(METRICS):
            lines.append((f"{name}_{metric}", word, style.color(k), "-"))
            ema = f"ema_{name}_{metric}"
            lines.append((ema, f"{word}, averaged weights", style.color(k), "--"))
        _draw(panels[name], history, lines, values=True)
        what = "Validation rows" if name == VALIDATION else "Training rows"
        style.panel(panels[name], what, "iterations", " and ".join(_titles()))
    _recalls(panels["recall"], history, shown, counts)
    for name, keys, what in (
        ("learned", learned, "Losses of F and M"),
        ("played", played, "Adversarial losses"),
    ):
        if keys:
            lines = [
                (key, key.removeprefix("loss_").replace("_", " "), style.color(k), "-")
                for k, key in enumerate(keys)
            ]
            panels[name].set_yscale("log" if name == "learned" else "linear")
            style.panel(panels[name], what, "iterations", "mean of an epoch")
            _draw(panels[name], history, lines)
    return render(figure)


def _titles() -> list[str]:
    return [metric.title for metric in METRICS]


def _recalls(
    axes: Axes, history: list[dict], shown: str, counts: Mapping[str, int]
) -> None:
    """The recall of each class, or of many classes the lowest."""
    last, start = history[-1], f"{shown}_recall_"
    keys = [key for key in last if key.startswith(start)]
    rows = "validation" if shown == VALIDATION else "training"
    title = f"Recall of each class, {rows} rows"
    if len(keys) > _NAMED:
        title = f"Recall, {rows} rows, lowest {_LOWEST} of {len(keys)} classes"
        # A class without an image has NaN: it comes last.
        keys.sort(key=lambda key: (np.isnan(last[key]), last[key]))
        keys = keys[:_LOWEST]
    lines = []
    for i, key in enumerate(keys):
        name = key.removeprefix(start)
        size = f" (n={counts[name]})" if name in counts else ""
        dash = "-" if i < len(style.COLORS) else "--"
        lines.append((key, f"{label(name)}{size}", style.color(i), dash))
    style.panel(
        axes, title, "iterations", "recall; equal lines are drawn beside each other"
    )
    _draw(axes, history, lines, values=True)


def _draw(
    axes: Axes,
    history: list[dict],
    lines: Sequence[tuple[str, str, str, str]],
    values: bool = False,
) -> None:
    """Lines with their names at their ends.

    Args:
      axes: the panel.
      history: rows of metrics.csv.
      lines: column, text, colour and dash of each; columns that the last row lacks
        are left out.
      values: whether they are shares, whose last value is said, and which lie between
        0 and 1.
    """
    steps = np.array([row["iteration"] for row in history])
    axes.margins(x=0)
    lines = [line for line in lines if line[0] in history[-1]]
    ends = []
    for k, (key, text, color, dash) in enumerate(lines):
        y = np.array([row.get(key, np.nan) for row in history], float)
        place = style.apart(axes, k, len(lines)) if values else axes.transData
        marker = "o" if len(history) == 1 else ""
        (drawn,) = axes.plot(steps, y, color=color, ls=dash, lw=1.4, marker=marker)
        drawn.set_transform(place)  # only now: the limits are those of the data
        if len(known := np.flatnonzero(np.isfinite(y))):
            at = known[-1]
            said = f"{text}  {y[at]:.3f}" if values else text
            ends.append(style.Named(float(steps[at]), float(y[at]), said, color))
    if values:
        axes.set_ylim(-0.04, 1.04)
    elif axes.get_yscale() == "linear" and axes.get_ylim()[0] > 0:
        axes.set_ylim(bottom=0)
    style.name_lines(axes, ends)


@with_default_style()
def confusion_matrix(
    matrix: Sequence[Sequence[int]], classes: Sequence[str], title: str
) -> np.ndarray:
    """The confusion matrix as colours, with its counts for up to 20 classes.

    Args:
      matrix: counts [c, c]: a row is a true class, a column a predicted one. The
        colour is the share of the row.
      classes: their names.
      title: of the picture.

    Returns:
      uint8 [h, w, 3].
    """
    counts = np.asarray(matrix, float)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    places, names = ticks(classes)
    sizes = [
        f"{name} (n={int(counts[k].sum())})"
        for k, name in zip(places, names, strict=True)
    ]
    # Long names take the place of the matrix.
    room = 0.06 * max(0, max(map(len, names)) - 15)
    size = inches(max(4.0, 0.55 * len(classes) + 1.5) + room)
    figure = style.figure(size, size, title_label(title))
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(places, names, fontsize=style.TEXT)
    if max(map(len, names)) > 2:
        for tick in axes.get_xticklabels():
            tick.set(rotation=60, ha="right")
    axes.set_yticks(places, sizes, fontsize=style.TEXT)
    axes.set_xlabel("predicted class", fontsize=style.TEXT)
    axes.set_ylabel("true class; colour: share of its rows", fontsize=style.TEXT)
    if len(classes) <= 20:
        for i, j in np.ndindex(share.shape):
            axes.text(
                j,
                i,
                f"{int(counts[i, j])}",
                ha="center",
                va="center",
                fontsize=style.SMALL,
                color="white" if share[i, j] > 0.5 else "black",
            )
    return render(figure)

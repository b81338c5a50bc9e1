"""Pictures of a run, as RGB arrays: curves, confusion matrix, samples and parents.

Of any number of classes, a picture has at most about MOST_PIXELS a side. Names of
classes, data and runs come from strangers: they go through `label` into a figure.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gamo_tf.config.options import VALIDATION
from gamo_tf.errors import printable
from gamo_tf.evaluation.metrics import METRICS

PARENTS_SHOWN = 3  # heaviest parents beside a sample
LATENTS_SHOWN = 3  # samples a class
LINES_SHOWN = 20  # groups of a `parents_grid`
MOST_PIXELS = 2000  # a side of a picture
_LONGEST = 40  # characters of a name in a figure
_LONGEST_TITLE = 120  # of a title, which is made of several names
_TICKS = 40  # names along an axis
_LEGEND = 15  # curves with a name; of more classes, the lowest _LOWEST are shown
_LOWEST = 10
_LONGEST_LINE = 24  # of a name beside a line of images
_TILE = 128  # pixels of an image that are looked at, a side
_DASHES = ("-", "--", ":", "-.")  # one for each metric, in turn


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


def curves(history: list[dict], title: str) -> np.ndarray:
    """All metrics, the recall of each class, and the losses, over iterations.

    They are of the validation rows and the training rows; recalls are of the former,
    or of the latter where there are no validation rows. No test row is in it.

    Args:
      history: rows of metrics.csv.
      title: of the picture.

    Returns:
      uint8 [h, w, 3].
    """
    figure = Figure(figsize=(13, 4), layout="constrained")
    last, shown = history[-1], watched(history[-1])
    metric, recall, loss = figure.subplots(1, 3)
    steps = [row["iteration"] for row in history]

    def line(axes: Axes, key: str, name: str, **style: Any) -> None:
        if key in last:
            values = [row.get(key, np.nan) for row in history]
            axes.plot(steps, values, label=label(name, _LONGEST_LINE), **style)

    for k, (name, word, _) in enumerate(METRICS):
        dash = _DASHES[k % len(_DASHES)]
        style = {"color": "C0", "marker": "."}
        line(metric, f"{shown}_{name}", f"{shown} {word}", ls=dash, **style)
        line(metric, f"ema_{shown}_{name}", f"EMA {shown} {word}", color="C3", ls=dash)
        if shown != "train":
            line(metric, f"train_{name}", f"train {word}", color="C1", ls=dash)
    metric.set(title=title_label(title), xlabel="iterations", ylim=(0, 1.02))
    recalls = [key for key in last if key.startswith(f"{shown}_recall_")]
    words = f"{shown} recall by class"
    if len(recalls) > _LEGEND:
        words = f"{shown} recall, lowest {_LOWEST} of {len(recalls)} classes"
        # A class without an image has NaN: it comes last.
        recalls.sort(key=lambda key: (np.isnan(last[key]), last[key]))
        recalls = recalls[:_LOWEST]
    for i, key in enumerate(recalls):
        line(recall, key, key.removeprefix(f"{shown}_recall_"), color=f"C{i % 10}")
    recall.set(title=words, xlabel="iterations", ylim=(0, 1.02))
    for key in (k for k in last if k.startswith("loss_")):
        line(loss, key, key.removeprefix("loss_").replace("_", " "))
    loss.set(title="loss (mean of an epoch)", xlabel="iterations", yscale="log")
    for axes in (metric, recall, loss):
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    return render(figure)


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
    # Long names take the place of the matrix.
    room = 0.06 * max(0, max(map(len, names)) - 15)
    size = inches(max(4.0, 0.55 * len(classes) + 1.5) + room)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(places, names, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(places, names, fontsize=8)
    axes.set(xlabel="predicted", ylabel="true", title=title_label(title))
    if len(classes) <= 20:
        for i, j in np.ndindex(share.shape):
            axes.text(
                j,
                i,
                f"{int(counts[i, j])}",
                ha="center",
                va="center",
                fontsize=7,
                color="white" if share[i, j] > 0.5 else "black",
            )
    return render(figure)


def parents_grid(
    images: np.ndarray,
    top: np.ndarray,
    weights: np.ndarray,
    groups: np.ndarray,
    titles: Sequence[str],
    generated: np.ndarray | None = None,
) -> np.ndarray:
    """Samples and the real images that they are made of, one line a group.

    Of each of the first LINES_SHOWN groups the first LATENTS_SHOWN samples are shown:
    the generated image, if there is one, and its heaviest parents with their weights.

    Args:
      images: real images, uint8 [N, h, w, c].
      top: rows of `images`, int [m, k], the heaviest parents of each sample.
      weights: their convex weights [m, k].
      groups: int [m], the group of each sample, as a position in `titles`.
      titles: a word for each group.
      generated: uint8 [m, h, w, c], or None.

    Returns:
      uint8 [h, w, 3].
    """
    wide = PARENTS_SHOWN + (generated is not None)
    images = thinned(images)
    generated = None if generated is None else thinned(generated)
    shown = {
        g: np.flatnonzero(groups == g)[:LATENTS_SHOWN]
        for g in list(dict.fromkeys(groups))[:LINES_SHOWN]
    }
    _, height, width, channels = images.shape
    # One canvas and one imshow: an axes for each tile takes seconds.
    gap, head = max(2, width // 8), max(3, height // 3)  # beside and above a tile
    step_y, step_x = height + head, width + gap
    size = (len(shown) * step_y, LATENTS_SHOWN * wide * step_x, channels)
    canvas = np.full(size, 255, np.uint8)
    texts = []
    for line, (group, rows) in enumerate(shown.items()):
        top_edge = line * step_y + head
        word = label(titles[group], _LONGEST_LINE)
        texts.append((-gap, top_edge + height / 2, word, "right", "black"))
        for k, row in enumerate(rows):
            tiles = []
            if generated is not None:
                tiles.append((generated[row], "generated", "C3"))
            tiles += [
                (images[parent], f"{weight:.2f}", "black")
                for parent, weight in zip(top[row], weights[row], strict=True)
            ]
            for j, (image, text, color) in enumerate(tiles):
                left = (k * wide + j) * step_x
                canvas[top_edge : top_edge + height, left : left + width] = image
                middle = (left + width / 2, top_edge - head * 0.4)
                texts.append((*middle, text, "center", color))
    # Beside the line, names longer than a dozen letters have more room.
    longest = max(len(titles[group][:_LONGEST_LINE]) for group in shown)
    room = 1.0 + 0.075 * max(0, longest - 12)
    across = 0.62 * LATENTS_SHOWN * wide + room
    down = inches(0.62 * len(shown) * step_y / step_x + 0.2)
    figure = Figure(figsize=(across, down))
    axes = figure.add_axes((room / across, 0.01, 1 - (room + 0.05) / across, 0.97))
    axes.set_axis_off()
    axes.imshow(canvas.squeeze(), cmap="gray", vmin=0, vmax=255, aspect="auto")
    for x, y, text, align, color in texts:
        font = 8 if align == "right" else 6
        axes.text(x, y, text, ha=align, va="center", fontsize=font, color=color)
    return render(figure)

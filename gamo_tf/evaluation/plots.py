"""Pictures of a run, as RGB arrays: curves, confusion matrix, samples and parents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gamo_tf.evaluation.metrics import METRICS

PARENTS_SHOWN = 3  # heaviest parents beside a sample
LATENTS_SHOWN = 3  # samples a class
_DASHES = ("-", "--", ":", "-.")  # one for each metric, in turn


def render(figure: Figure) -> np.ndarray:
    """Draw a figure.

    Args:
      figure: of matplotlib; nothing of pyplot's state is used.

    Returns:
      uint8 [h, w, 3].
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def curves(history: list[dict], title: str) -> np.ndarray:
    """All metrics, per-class test recall, and the losses, over iterations.

    Args:
      history: rows of metrics.csv.
      title: of the picture.

    Returns:
      uint8 [h, w, 3].
    """
    figure = Figure(figsize=(13, 4), layout="constrained")
    metric, recall, loss = figure.subplots(1, 3)
    steps = [row["iteration"] for row in history]

    def line(axes: Axes, key: str, label: str, **style: Any) -> None:
        if key in history[-1]:
            axes.plot(
                steps, [row.get(key, np.nan) for row in history], label=label, **style
            )

    for k, (name, label, _) in enumerate(METRICS):
        dash = _DASHES[k % len(_DASHES)]
        line(metric, f"test_{name}", f"test {label}", color="C0", ls=dash, marker=".")
        line(metric, f"test_full_{name}", f"full test {label}", color="C2", ls=dash)
        line(metric, f"ema_test_{name}", f"EMA test {label}", color="C3", ls=dash)
        line(metric, f"train_{name}", f"train {label}", color="C1", ls=dash)
    metric.set(title=title, xlabel="iterations", ylim=(0, 1.02))
    for i, key in enumerate(k for k in history[-1] if k.startswith("test_recall_")):
        line(recall, key, key.removeprefix("test_recall_"), color=f"C{i % 10}")
    recall.set(title="test recall by class", xlabel="iterations", ylim=(0, 1.02))
    for key in (k for k in history[-1] if k.startswith("loss_")):
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
    size = max(4.0, 0.55 * len(classes) + 1.5)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(ticks, classes, fontsize=8)
    axes.set(xlabel="predicted", ylabel="true", title=title)
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

    Of each group the first LATENTS_SHOWN samples are shown: the generated image, if
    there is one, and its heaviest parents with their weights.

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
    shown = {
        g: np.flatnonzero(groups == g)[:LATENTS_SHOWN] for g in dict.fromkeys(groups)
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
        texts.append((-gap, top_edge + height / 2, titles[group], "right", "black"))
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
    inches = (
        0.62 * LATENTS_SHOWN * wide + 1.0,
        0.62 * len(shown) * step_y / step_x + 0.2,
    )
    figure = Figure(figsize=inches)
    axes = figure.add_axes((1.0 / inches[0], 0.01, 1 - 1.05 / inches[0], 0.97))
    axes.set_axis_off()
    axes.imshow(canvas.squeeze(), cmap="gray", vmin=0, vmax=255, aspect="auto")
    for x, y, text, align, color in texts:
        font = 8 if align == "right" else 6
        axes.text(x, y, text, ha=align, va="center", fontsize=font, color=color)
    return render(figure)

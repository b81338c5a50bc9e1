"""Pictures of a run, as RGB arrays: curves, confusion matrix, sample grids."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

PARENTS = 3  # heaviest parents shown
SHOWN = 3  # latents a class shown


def _render(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def save(picture: np.ndarray, path) -> None:
    Image.fromarray(picture).save(path, format="PNG")


def curves(history: list[dict], title: str) -> np.ndarray:
    """ACSA and GM, per-class test recall, and the losses, over iterations."""
    figure = Figure(figsize=(13, 4), layout="constrained")
    metric, recall, loss = figure.subplots(1, 3)
    steps = [row["iteration"] for row in history]

    def line(axes, key: str, label: str, **style) -> None:
        if key in history[-1]:
            axes.plot(
                steps, [row.get(key, np.nan) for row in history], label=label, **style
            )

    for kind, dash in (("acsa", "-"), ("gm", "--")):
        name = kind.upper()
        line(metric, f"test_{kind}", f"test {name}", color="C0", ls=dash, marker=".")
        line(metric, f"test_full_{kind}", f"full test {name}", color="C2", ls=dash)
        line(metric, f"ema_test_{kind}", f"EMA test {name}", color="C3", ls=dash)
        line(metric, f"train_{kind}", f"train {name}", color="C1", ls=dash)
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
    return _render(figure)


def confusion(matrix: list[list[int]], classes: tuple[str, ...], title: str):
    """Rows: true class; columns: predicted; colour: share of the row."""
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
    return _render(figure)


def heaviest(weights: np.ndarray) -> np.ndarray:
    """Columns of the PARENTS largest weights of each row, largest first."""
    return np.argsort(-weights, axis=1, kind="stable")[:, :PARENTS]


def samples(
    weights: np.ndarray,
    labels: np.ndarray,
    parents: np.ndarray,
    classes: tuple[str, ...],
    generated: np.ndarray | None,
) -> np.ndarray:
    """One line a class; for each latent the generated image (flat data only) and
    its heaviest parents with their weights.

    `weights` [m, N] and `labels` [m]; `parents` uint8 [N, h, w, c]: the image of
    each column; `generated` uint8 [m, h, w, c] or None.
    """
    top = heaviest(weights)
    lead = generated is not None
    wide = PARENTS + lead
    shown = {k: np.flatnonzero(labels == k)[:SHOWN] for k in dict.fromkeys(labels)}
    columns = SHOWN * wide
    figure = Figure(figsize=(0.75 * columns + 1.2, 0.95 * len(shown) + 0.5))
    axes = figure.subplots(len(shown), columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()

    def tile(axis, image: np.ndarray, text: str, color: str) -> None:
        gray = image.shape[-1] == 1
        axis.imshow(image[..., 0] if gray else image, cmap="gray", vmin=0, vmax=255)
        axis.set_title(text, fontsize=6, color=color, pad=2)

    for line, (label, rows) in zip(axes, shown.items(), strict=True):
        line[0].text(
            -0.25,
            0.5,
            classes[label],
            transform=line[0].transAxes,
            ha="right",
            va="center",
            fontsize=8,
        )
        for k, row in enumerate(rows):
            if lead:
                tile(line[k * wide], generated[row], "generated", "C3")
            for j, column in enumerate(top[row]):
                text = f"{weights[row, column]:.2f}"
                tile(line[k * wide + lead + j], parents[column], text, "black")
    figure.subplots_adjust(left=0.09, right=0.99, top=0.96, bottom=0.01)
    return _render(figure)

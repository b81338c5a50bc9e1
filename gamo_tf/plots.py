"""Pictures of a run, as RGB arrays: curves, confusion matrix, sample grids."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

PARENTS = 3  # heaviest parents shown
SHOWN = 3  # latents a class shown


def render(figure: Figure) -> np.ndarray:
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
    return render(figure)


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
    return render(figure)


def heaviest(weights: np.ndarray, count: int = PARENTS) -> np.ndarray:
    """Columns of the `count` largest weights of each row, largest first."""
    return np.argsort(-weights, axis=1, kind="stable")[:, :count]


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
    _, height, width, channels = parents.shape
    # One canvas and one imshow: an axes a tile takes seconds.
    gap, head = max(2, width // 8), max(3, height // 3)  # beside and above a tile
    step_y, step_x = height + head, width + gap
    size = (len(shown) * step_y, SHOWN * wide * step_x, channels)
    canvas = np.full(size, 255, np.uint8)
    texts = []
    for line, (label, rows) in enumerate(shown.items()):
        top_edge = line * step_y + head
        texts.append((-gap, top_edge + height / 2, classes[label], "right", "black"))
        for k, row in enumerate(rows):
            images = [generated[row]] if lead else []
            images += [parents[j] for j in top[row]]
            told = ["generated"] * lead + [f"{weights[row, j]:.2f}" for j in top[row]]
            for j, (image, text) in enumerate(zip(images, told, strict=True)):
                left = (k * wide + j) * step_x
                canvas[top_edge : top_edge + height, left : left + width] = image
                color = "C3" if text == "generated" else "black"
                middle = (left + width / 2, top_edge - head * 0.4)
                texts.append((*middle, text, "center", color))
    inches = (0.62 * SHOWN * wide + 1.0, 0.62 * len(shown) * step_y / step_x + 0.2)
    figure = Figure(figsize=inches)
    axes = figure.add_axes((1.0 / inches[0], 0.01, 1 - 1.05 / inches[0], 0.97))
    axes.set_axis_off()
    axes.imshow(canvas.squeeze(), cmap="gray", vmin=0, vmax=255, aspect="auto")
    for x, y, text, align, color in texts:
        size = 8 if align == "right" else 6
        axes.text(x, y, text, ha=align, va="center", fontsize=size, color=color)
    return render(figure)

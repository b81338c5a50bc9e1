"""Grids of images with a word at each line, as RGB arrays."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from gamo_tf.evaluation import plots

COLUMNS = 10
_DPI = 120
_LONGEST = 22  # characters of the word at a line


def grid(lines: list[tuple[str, np.ndarray]], title: str) -> np.ndarray:
    """A picture of images in lines.

    Args:
      lines: a word and up to COLUMNS images uint8 [n, h, w, c] for each line. The
        first that a picture has room for are drawn, and the title says so.
      title: of the picture.

    Returns:
      uint8 [h, w, 3].
    """
    lines = [(word, plots.thinned(images)) for word, images in lines]
    _, height, width, channels = lines[0][1].shape
    line = 0.55 * height / width  # inches
    room = max(1, int(plots.inches(np.inf, _DPI) / line))
    if len(lines) > room:
        title = f"{title} (first {room} of {len(lines)} lines)"
        lines = lines[:room]
    gap = max(1, width // 14)
    size = (len(lines) * (height + gap), COLUMNS * (width + gap), channels)
    canvas = np.full(size, 255, np.uint8)
    for i, (_, images) in enumerate(lines):
        top = i * (height + gap)
        for j, image in enumerate(images[:COLUMNS]):
            left = j * (width + gap)
            canvas[top : top + height, left : left + width] = image
    inches = (1.4 + 0.55 * COLUMNS, 0.35 + line * len(lines))
    figure = Figure(figsize=inches, dpi=_DPI)
    box = (1.4 / inches[0], 0, 1 - 1.4 / inches[0], 1 - 0.3 / inches[1])
    axes = figure.add_axes(box)
    axes.set_axis_off()
    axes.imshow(canvas.squeeze(), cmap="gray", vmin=0, vmax=255, aspect="auto")
    for i, (word, _) in enumerate(lines):
        middle = i * (height + gap) + height / 2
        word = plots.label(word, _LONGEST)
        axes.text(-gap * 2, middle, word, ha="right", va="center", fontsize=8)
    figure.suptitle(
        plots.title_label(title), fontsize=9, y=1 - 0.06 / inches[1], va="top"
    )
    return plots.render(figure)


def wrapped(word: str, images: np.ndarray, lines: int) -> list[tuple[str, np.ndarray]]:
    """Images of one kind over several lines of `grid`.

    Args:
      word: stands at the first line.
      images: uint8 [n, h, w, c].
      lines: the most lines that are filled; images beyond them are left out.
    """
    parts = [images[k * COLUMNS : (k + 1) * COLUMNS] for k in range(lines)]
    return [(word if k == 0 else "", p) for k, p in enumerate(parts) if len(p)]

"""Grids of images with words beside and above them, as RGB arrays."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from gamo_tf.evaluation import plots, style
from gamo_tf.evaluation.own_matplotlib import Figure, with_default_style

COLUMNS = 10  # images in a line, where a picture does not need more
PARENTS_SHOWN = 3  # heaviest parents beside a sample
LATENTS_SHOWN = 3  # samples a class
LINES_SHOWN = 20  # groups of a `parents_grid`
_DPI = 120
_INCH = 0.55  # width of an image with its gap
_LETTERS = 24  # of a line of the word beside images; longer words have two lines
_BESIDE = 0.085  # inches a letter of such a word takes
_ORDER = ("heaviest", "second", "third")  # parents, from the left


def beside(word: str) -> str:
    """A word beside a line of images: whole, on two lines where it is long.

    Args:
      word: such as the name of a class.
    """
    parts = textwrap.wrap(plots.cut(word, 2 * _LETTERS), _LETTERS)[:2]
    return "\n".join(plots.label(part) for part in parts)


def grid(
    lines: list[tuple[str, np.ndarray]],
    title: str,
    heads: Sequence[tuple[str, int]] = (),
) -> np.ndarray:
    """A picture of images in lines.

    Args:
      lines: a word and images uint8 [n, h, w, c] for each line. A line without a word
        belongs to the block of lines above it; blocks stand apart. The first lines
        that a picture has room for are drawn, and the title says so.
      title: of the picture.
      heads: words above the columns, from the left, and how many columns each is of;
        parts of several columns stand apart.

    Returns:
      uint8 [h, w, 3].
    """
    lines = [(word, plots.thinned(images)) for word, images in lines]
    _, height, width, channels = lines[0][1].shape
    inch = _INCH / width  # of a pixel
    room = max(1, int(plots.inches(np.inf, _DPI) / (height * inch * 1.25)))
    if len(lines) > room:
        title = f"{title} (first {room} of {len(lines)} lines)"
        lines = lines[:room]
    gap = max(1, width // 14)
    columns = max(COLUMNS, *(len(images) for _, images in lines))
    parts = [part for part, (_, n) in enumerate(heads) for _ in range(n)]
    parts += [len(heads)] * (columns - len(parts))
    wide = 3 * gap * any(n > 1 for _, n in heads)  # between parts, beside `gap`
    lefts = [j * (width + gap) + part * wide for j, part in enumerate(parts)]
    blocks = np.cumsum([bool(word) for word, _ in lines]) - 1
    tops = [
        i * (height + gap) + int(max(block, 0)) * 2 * gap
        for i, block in enumerate(blocks)
    ]
    size = (tops[-1] + height, lefts[-1] + width, channels)
    canvas = np.full(size, 255, np.uint8)
    for top, (_, images) in zip(tops, lines, strict=True):
        for left, image in zip(lefts, images, strict=False):
            canvas[top : top + height, left : left + width] = image
    texts = []
    for block in dict.fromkeys(blocks):
        mine = np.flatnonzero(blocks == block)
        middle = (tops[mine[0]] + tops[mine[-1]] + height) / 2
        word = beside(lines[mine[0]][0])
        texts.append((-2 * gap, middle, word, "right", "black", style.TEXT))
    for part, (head, _) in enumerate(heads):
        mine = np.flatnonzero(np.array(parts) == part)
        middle = (lefts[mine[0]] + lefts[mine[-1]] + width) / 2
        word = plots.label(head)
        texts.append((middle, -3 * gap, word, "center", "black", style.SMALL))
    return _drawn(canvas, texts, title, inch, 0.25 * bool(heads), _DPI)


def wrapped(word: str, images: np.ndarray, lines: int) -> list[tuple[str, np.ndarray]]:
    """Images of one kind over several lines of `grid`.

    Args:
      word: stands beside them.
      images: uint8 [n, h, w, c].
      lines: the most lines that are filled; images beyond them are left out.
    """
    parts = [images[k * COLUMNS : (k + 1) * COLUMNS] for k in range(lines)]
    return [(word if k == 0 else "", p) for k, p in enumerate(parts) if len(p)]


def parents_grid(
    images: np.ndarray,
    top: np.ndarray,
    weights: np.ndarray,
    groups: np.ndarray,
    titles: Sequence[str],
    made: np.ndarray,
    word: str,
    heads: Sequence[str],
    title: str,
) -> np.ndarray:
    """Samples beside the real images that they are made of, one line a group.

    Of each of the first LINES_SHOWN groups the first LATENTS_SHOWN samples are shown,
    apart from each other: the sample's own image, and its heaviest parents with their
    weights.

    Args:
      images: real images, uint8 [N, h, w, c].
      top: rows of `images`, int [m, k] with k at most PARENTS_SHOWN, the heaviest
        parents of each sample.
      weights: their convex weights, likewise.
      groups: int [m], the group of each sample, as a position in `titles`.
      titles: a word for each group.
      made: the samples' own images, uint8 [m, h, w, c].
      word: what `made` shows.
      heads: a word for each of the LATENTS_SHOWN samples of a line.
      title: of the picture.

    Returns:
      uint8 [h, w, 3].
    """
    images, made = plots.thinned(images), plots.thinned(made)
    shown = {
        g: np.flatnonzero(groups == g)[:LATENTS_SHOWN]
        for g in list(dict.fromkeys(groups))[:LINES_SHOWN]
    }
    _, height, width, channels = images.shape
    # One canvas and one imshow: an axes for each tile takes seconds.
    gap, above = max(2, width // 8), max(3, height // 3)  # beside and above a tile
    step_y, step_x = height + above, width + gap
    parents = top.shape[1]
    sample = (1 + parents) * step_x + 3 * gap  # samples stand apart
    size = (len(shown) * step_y, LATENTS_SHOWN * sample - 4 * gap, channels)
    canvas = np.full(size, 255, np.uint8)
    texts = []
    for k, head in enumerate(heads):
        middle = k * sample + ((1 + parents) * step_x - gap) / 2
        texts.append((middle, -1.7 * above, head, "center", "black", style.TEXT))
        for j, text in enumerate((word, *_ORDER[:parents])):
            middle = k * sample + j * step_x + width / 2
            color = "black" if j else style.GENERATED
            texts.append((middle, -0.6 * above, text, "center", color, 6))
    for line, (group, rows) in enumerate(shown.items()):
        edge = line * step_y + above
        side = (-gap, edge + height / 2, beside(titles[group]))
        texts.append((*side, "right", "black", style.TEXT))
        for k, row in enumerate(rows):
            tiles = [(made[row], "")]
            for parent, weight in zip(top[row], weights[row], strict=True):
                tiles.append((images[parent], f"{weight:.2f}"))
            for j, (image, text) in enumerate(tiles):
                left = k * sample + j * step_x
                canvas[edge : edge + height, left : left + width] = image
                middle = (left + width / 2, edge - above * 0.4)
                texts.append((*middle, text, "center", "black", 6))
    return _drawn(canvas, texts, title, 0.62 / step_x, 0.4, 100)


@with_default_style()
def _drawn(
    canvas: np.ndarray,
    texts: Sequence[tuple[float, float, str, str, str, float]],
    title: str,
    inch: float,
    heads: float,
    dpi: int,
) -> np.ndarray:
    """A canvas with words around it.

    Args:
      canvas: uint8 [h, w, c].
      texts: x and y in pixels of the canvas, the word, its alignment, its colour and
        its size in points; those aligned to the right stand on the left side.
      title: of the picture.
      inch: of a pixel of the canvas.
      heads: inches between title and canvas.
      dpi: pixels an inch of the picture.
    """
    lengths = [
        len(part)
        for _, _, word, align, _, _ in texts
        if align == "right"
        for part in word.split("\n")
    ]
    room = 0.25 + _BESIDE * max(4, *lengths, 0)
    across = room + canvas.shape[1] * inch + 0.1
    # A long title goes over two lines, so that nothing of it is cut off.
    letters = int((across - 0.2) / 0.07)
    lines = textwrap.wrap(plots.cut(title, 2 * letters - 4), letters)[:2]
    above = 0.35 + heads + 0.1 * (len(lines) > 1)
    down = plots.inches(above + canvas.shape[0] * inch + 0.08, dpi)
    figure = Figure(figsize=(across, down), dpi=dpi)
    axes = figure.add_axes(
        (room / across, 0.08 / down, 1 - (room + 0.1) / across, 1 - above / down)
    )
    axes.set_axis_off()
    axes.imshow(canvas.squeeze(), cmap="gray", vmin=0, vmax=255, aspect="auto")
    for x, y, word, align, color, size in texts:
        axes.text(x, y, word, ha=align, va="center", fontsize=size, color=color)
    figure.suptitle(
        "\n".join(plots.label(part, letters + 4) for part in lines),
        fontsize=style.PANEL if len(lines) < 2 else style.TEXT,
        x=0.1 / across,
        y=1 - 0.06 / down,
        ha="left",
        va="top",
    )
    return plots.render(figure)

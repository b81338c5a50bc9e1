"""The contact sheet of a balanced folder: what its classes look like, at a glance."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gamo2pix.generate import Generated
from gamo2pix.trust import Trust
from gamo_tf.evaluation import image_grids
from gamo_tf.files import save_picture, write_text
from gamo_tf.grids import document

SHOWN = image_grids.COLUMNS  # images of a kind
_LINES = 20  # lines that a picture has room for


class ClassSheet:
    """What is shown of a class.

    Args:
      name: of the class.
      real: its training images, uint8 [n, h, w, c].
      verdict: on its generated images, in words; "" where there is none.
    """

    def __init__(self, name: str, real: np.ndarray, verdict: str) -> None:
        self.name, self.verdict, self.count = name, verdict, 0
        self.real, self.rows = real[:SHOWN], len(real)
        none = real[:0]
        self.first, self.parents = none, none
        # The least and the most trusted ones so far, each with its confidence.
        self.worst: tuple[np.ndarray, np.ndarray] = (none, np.zeros(0))
        self.best = self.worst
        self._all_real = real

    def add(self, numbers: np.ndarray, samples: Generated, trust: Trust | None) -> None:
        """Take note of generated images.

        Args:
          numbers: of the samples, [m].
          samples: m of them.
          trust: of them; None: it was not asked for.
        """
        self.count += len(numbers)
        room = SHOWN - len(self.first)
        assert samples.weights is not None  # of a convex G
        heaviest = samples.weights[:room].argmax(axis=1)
        self.first = np.concatenate([self.first, samples.images[:room]])
        self.parents = np.concatenate([self.parents, self._all_real[heaviest]])
        if trust is None:
            return
        images, known = samples.images, trust.confidence
        self.worst = _lowest(*_joined(self.worst, images, known))
        self.best = _lowest(*_joined(self.best, images, -known))

    def lines(self) -> list[tuple[str, np.ndarray]]:
        """Words and images [k, h, w, c] of the lines of a picture."""
        shown = [
            (f"{self.name}: real ({self.rows})", self.real),
            (f"generated ({self.count})", self.first),
            ("their heaviest parents", self.parents),
            ("surest of their class", self.best[0]),
            ("least sure", self.worst[0]),
        ]
        return [(word, images) for word, images in shown if len(images)]


def _joined(
    kept: tuple[np.ndarray, np.ndarray], images: np.ndarray, keys: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([kept[0], images]), np.concatenate([kept[1], keys])


def _lowest(images: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(keys, kind="stable")[:SHOWN]
    return images[order], keys[order]


def write_sheets(folder: Path, title: str, sheets: list[ClassSheet]) -> None:
    """Write overview.png and index.html.

    Args:
      folder: gets them.
      title: of the run.
      sheets: of all classes. Those without generated images are left out, unless there
        is no other.
    """
    shown = [sheet for sheet in sheets if sheet.count] or sheets
    each = _LINES // len(shown)  # of a class, so that every class is in the picture
    lines = [line for sheet in shown for line in sheet.lines()[: max(each, 1)]]
    save_picture(folder / "overview.png", image_grids.grid(lines, title))
    table = document.Table(
        ["class", "verdict", "real", "generated"],
        [
            [s.name, s.verdict.partition(":")[0], str(s.rows), str(s.count)]
            for s in sheets
        ],
    )
    reasons = [f"{s.name}: {s.verdict}" for s in sheets if ":" in s.verdict]
    blocks: list[document.Block] = [
        document.Heading(f"Balanced images of {title}", 1),
        document.Text(
            "Real training images and generated ones by class. An independent "
            "classifier ranks the generated ones by its confidence in the class. "
            "`manifest.csv` has it for every generated image, with its parents."
        ),
        table,
    ]
    if reasons:
        blocks.append(document.Items(reasons))
    for sheet in shown:
        picture = image_grids.grid(sheet.lines(), sheet.name)
        what = f"{sheet.name}: real and generated images"
        blocks += [
            document.Heading(sheet.name),
            document.Picture("overview.png", what, picture),
        ]
    write_text(folder / "index.html", document.html_page(blocks, title))

"""The real images of a run as files of a balanced folder.

They are written as the run saw them, in the size, mode and format of the generated
images: otherwise a classifier learns that "small and soft" means a rare class.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gamo2pix.options import COPY, LINK, RESIZED
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError, setting
from gamo_tf.files import png, short_suffix
from gamo_tf.runs.run import Run

ORIGINAL = "original"  # form of an image: the user's own file
SETS = ("train", "validation", "test")
# What Keras's `image_dataset_from_directory` takes for images, by their names.
_READ_BY_KERAS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


@dataclass(frozen=True)
class RealSet:
    """The real images of one set of a run.

    Attributes:
      name: one of SETS.
      images: as the run saw them, uint8 [n, h, w, c].
      labels: [n].
      index: [n], the position of each in the published set, or among the user's rows.
      sources: [n], the user's files; None for a published dataset.
      how: one of `options.HOW`.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    index: np.ndarray
    sources: np.ndarray | None
    how: str

    @property
    def form(self) -> str:
        """RESIZED or ORIGINAL, as manifest.csv has it."""
        return RESIZED if self.how == RESIZED or self.sources is None else ORIGINAL

    def file(self, row: int, class_name: str) -> str:
        """The place of an image in the folder.

        Args:
          row: of the set.
          class_name: of its class.
        """
        end = ".png"
        if self.form == ORIGINAL and self.sources is not None:
            end = short_suffix(Path(self.sources[row]))
        return f"{self.name}/{class_name}/real-{self.index[row]:06d}{end}"

    def write(self, row: int, path: Path) -> None:
        """Write an image.

        Args:
          row: of the set.
          path: of the file.
        """
        if self.form == RESIZED or self.sources is None:
            path.write_bytes(png(self.images[row].squeeze()))
        elif self.how == COPY:
            shutil.copy2(self.sources[row], path)
        else:
            path.symlink_to(self.sources[row])

    def rows(self, label: int) -> np.ndarray:
        """The rows of a class.

        Args:
          label: of the class.
        """
        return np.flatnonzero(self.labels == label)


def check(run: Run, how: str | None) -> dict[str, np.ndarray]:
    """Make sure that the real images of a run can be had.

    Args:
      run: the run.
      how: as `real_sets` takes it.

    Returns:
      The user's files of each set, in the order of its rows; none of a published one.

    Raises:
      UserError: files of a published dataset are asked for, or a file that the run
        names lies outside its data's folders.
    """
    options = run.options
    if options.data:
        return _sources(run)
    if how in (COPY, LINK):
        raise UserError(
            f"{setting('originals')} {how}: {options.dataset} is a published dataset, "
            f"whose images are no files. Expected {RESIZED}."
        )
    return {}


def real_sets(run: Run, split: Split, how: str | None) -> dict[str, RealSet]:
    """The sets of a run, by name; those without rows are left out.

    Args:
      run: the run.
      split: its rows.
      how: one of `options.HOW`; None: RESIZED.

    Raises:
      UserError: as `check`.
    """
    sources = check(run, how)
    how = how or RESIZED
    arrays = {
        "train": (split.images, split.labels, split.train_index),
        "validation": (
            split.validation_images,
            split.validation_labels,
            split.validation_index,
        ),
        "test": (
            split.test_images,
            split.test_labels,
            np.arange(len(split.test_labels)),
        ),
    }
    found = {}
    for name, (images, labels, index) in arrays.items():
        files = sources[name][index] if sources else None
        if len(labels):
            found[name] = RealSet(name, images, labels, index, files, how)
    return found


def _sources(run: Run) -> dict[str, np.ndarray]:
    """The files of each set, in the order of its rows."""
    rows, options = run.rows(), run.options
    homes = [home for home in (options.data, options.test_data) if home]
    for source in rows["source"]:
        # A run of a stranger must not bring other files of this machine into a folder.
        place = Path(os.path.normpath(source))
        if not any(place.is_relative_to(home) for home in homes):
            raise UserError(f"{run.path}: {source} is outside {', '.join(homes)}.")
    return {
        name: rows.loc[rows["set"] == name, "source"].to_numpy(object) for name in SETS
    }


def notes(sets: Mapping[str, RealSet]) -> list[str]:
    """What a person should know of a folder with original files, a line each.

    Args:
      sets: of `real_sets`.
    """
    originals = [each for each in sets.values() if each.form == ORIGINAL]
    if not originals:
        return []
    height, width = originals[0].images.shape[1:3]
    lines = [
        "warning: the real images have their own sizes and formats, the generated ones "
        f"are PNG files of {width} x {height} pixels. A classifier can learn this "
        "difference in place of the classes. Bring all images to one size and format "
        f"before you train on them, or give {setting('originals')} {RESIZED}."
    ]
    if unread := unread_by_keras(sets):
        lines.append(
            f"note: Keras's reader of folders takes no {', '.join(unread)}; "
            f"{setting('originals')} {RESIZED} writes images that it takes"
        )
    return lines


def unread_by_keras(sets: Mapping[str, RealSet]) -> list[str]:
    """The endings of files that Keras's reader of folders leaves out.

    Args:
      sets: of `real_sets`.
    """
    ends: set[str] = set()
    for each in sets.values():
        if each.form == ORIGINAL and each.sources is not None:
            ends |= {Path(source).suffix.lower() for source in each.sources}
    return sorted(ends - set(_READ_BY_KERAS))

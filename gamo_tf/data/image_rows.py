"""The list of image files of a run, and what their digests say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from gamo_tf.data import image_folder
from gamo_tf.errors import UserError


def from_lines(lines: list, columns: list[str]) -> pd.DataFrame:
    """Lines about image files, as `UserData` has them.

    Args:
      lines: tuples of values.
      columns: the name of each; there is one ``label``, of whole numbers.
    """
    # As objects: a string of pandas cannot hold the name of a file that is not UTF-8.
    return pd.DataFrame(lines, columns=columns, dtype=object).astype({"label": int})


def leaks(rows: pd.DataFrame) -> list[str]:
    """Notes on test and validation images that are training images too, byte for byte.

    Args:
      rows: as `UserData` has them, with digests.

    Returns:
      At most a line for each of the two sets.
    """
    train = rows[rows["set"] == "train"]
    trained = dict(zip(train["digest"], train["source"], strict=True))
    notes = []
    for name in ("test", "validation"):
        others = rows[rows["set"] == name]
        pairs = [
            (source, trained[digest])
            for source, digest in zip(others["source"], others["digest"], strict=True)
            if digest in trained
        ]
        if pairs:
            notes.append(
                f"{len(pairs)} of {len(others)} {name} images are byte for byte "
                f"training images, such as {pairs[0][0]} and {pairs[0][1]}"
            )
    return notes


def pages(several: Sequence[str], folders: Iterable[str]) -> list[str]:
    """Notes on files with several pages or frames, of which the first one is used.

    Args:
      several: their paths (`image_folder.Images`).
      folders: that they may lie in.

    Returns:
      At most a line for each of the folders.
    """
    notes = []
    for folder in filter(None, folders):
        inside = [path for path in several if Path(path).is_relative_to(folder)]
        if inside:
            notes.append(f"{folder}: {first_pages(inside)}")
    return notes


def first_pages(several: Sequence[str]) -> str:
    """That the first page or frame of some files is used, in words.

    Args:
      several: their paths, one or more.
    """
    return (
        f"{len(several)} file(s) have several pages or frames, such as {several[0]}; "
        "the first one of each is used"
    )


def compare(rows: pd.DataFrame, digests: list[str]) -> None:
    """Make sure that files are those that a run was begun with.

    Args:
      rows: of the run, with digests.
      digests: [n], of the files now (`image_folder.Images`); "" where one cannot be
        read, of which `image_folder.complaint` says why.

    Raises:
      UserError: some are others; it names them.
    """
    changed = [
        source
        for source, old, new in zip(
            rows["source"], rows["digest"], digests, strict=True
        )
        if new and new != old
    ]
    if changed:
        raise UserError(
            f"{changed[0]}: is not the image that the run was begun with; "
            f"{len(changed)} of {len(rows)} file(s) differ. Put them back.",
            image_folder.listed(changed) if len(changed) > 1 else (),
        )

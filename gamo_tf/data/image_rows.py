"""The list of image files of a run, and what their digests say."""

from __future__ import annotations

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
    """A note on test images that are training images too, byte for byte.

    Args:
      rows: as `UserData` has them, with digests.

    Returns:
      One line, or none.
    """
    train, test = (rows[rows["set"] == name] for name in ("train", "test"))
    trained = dict(zip(train["digest"], train["source"], strict=True))
    pairs = [
        (source, trained[digest])
        for source, digest in zip(test["source"], test["digest"], strict=True)
        if digest in trained
    ]
    if not pairs:
        return []
    return [
        f"{len(pairs)} of {len(test)} test images are byte for byte training images, "
        f"such as {pairs[0][0]} and {pairs[0][1]}"
    ]


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

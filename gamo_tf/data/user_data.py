"""A user's images or vectors: what is found there, and the same rows again later.

A run on such data keeps a list of its rows (``rows.csv``), so that going on with it
reads the same files or lines, whatever was added since.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gamo_tf.config.options import Options
from gamo_tf.data import feature_table, image_folder, image_rows, table_identity
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError, setting


@dataclass(frozen=True)
class UserData:
    """A user's data, read and split.

    Attributes:
      settings: those of `Options` that follow from the data, such as ``classes``,
        ``shape`` and ``counts``; `config.options.resolve` needs them.
      arrays: training and test rows, each sorted by label.
      rows: a line for each of these rows, with the columns ``set`` (train or test),
        ``source`` (the image's file, or the line of the table) and ``label``; of
        images also ``digest``, of the content of the file.
      skipped: files that were left out, each with the reason.
      notes: what a person should know of the data before it is trained on, a line each.
      identity: what `reload` compares the data with later, as JSON can hold it.
    """

    settings: dict
    arrays: Arrays
    rows: pd.DataFrame
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    identity: dict = field(default_factory=dict)


def slug(text: str) -> str:
    """A name for run folders: the letters and digits of `text`, joined by dashes.

    Args:
      text: any text, such as the name of a folder.
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "own"


def from_image_folder(
    folder: Path,
    size: int,
    gray: bool,
    test_folder: Path | None,
    test_split: float,
    seed: int,
    skip_bad: bool,
) -> UserData:
    """Read a folder of images, with a folder for each class.

    Args:
      folder: of the training images (see `image_folder.scan`).
      size: side to which images are scaled, in pixels.
      gray: one channel in the place of three (RGB).
      test_folder: of the test images, or None.
      test_split: without `test_folder`, the share of each class that is kept for
        testing, above 0 and below 1.
      seed: of the draw of these.
      skip_bad: leave out files that cannot be read.

    Returns:
      Images uint8 [n, size, size, channels], with what was left out.

    Raises:
      UserError: the folders are not as expected, a file cannot be read and `skip_bad`
        is False, a class has fewer than 2 training rows, or there is no test row.
    """
    folder, test_folder = folder.resolve(), test_folder and test_folder.resolve()
    classes, files = image_folder.scan(folder)
    train = image_rows.from_lines(files, ["source", "label"])
    if test_folder:
        _, test_files = image_folder.scan(test_folder, classes, "test_folder")
        test = image_rows.from_lines(test_files, ["source", "label"])
    else:
        train, test = _draw_test_rows(train, test_split, seed)
    settings = {
        "dataset": slug(folder.name),
        "data": str(folder),
        "test_data": str(test_folder or ""),
        "test_split": 0.0 if test_folder else test_split,
    }
    found = from_files(settings, classes, size, gray, _join(train, test), skip_bad)
    notes = image_folder.notes(folder)
    if test_folder:
        notes += image_folder.notes(test_folder)
    return replace(found, notes=[*notes, *found.notes])


def from_files(
    settings: Mapping[str, Any],
    classes: tuple[str, ...],
    size: int,
    gray: bool,
    rows: pd.DataFrame,
    skip_bad: bool = False,
    decode: bool = True,
) -> UserData:
    """Read the images of a list of files.

    Args:
      settings: those that name the data; ``patches`` among them are the sides of the
        central square (see `image_folder.crop_and_scale`).
      classes: class names in label order.
      size: side to which images are scaled, in pixels.
      gray: one channel in the place of three (RGB).
      rows: as `UserData` has them.
      skip_bad: leave out files that cannot be read.
      decode: False opens no file; the image arrays are empty, [n, 0].

    Returns:
      The images uint8 [n, size, size, channels] of `rows`, what was left out, and a
      note on test images that are trained on too.

    Raises:
      UserError: a file cannot be read and `skip_bad` is False, a class has fewer than
        2 training rows, or there is no test row.
    """
    shape = (size, size, 1 if gray else 3)
    if not decode:
        nothing = np.zeros((len(rows), 0))
        return _user_data(settings, classes, shape, rows, nothing, [])
    patches = settings.get("patches", ())
    pixels, bad, digests = image_folder.read(rows["source"], size, gray, patches)
    if bad and not skip_bad:
        raise image_folder.complaint(bad)
    good = np.array([path not in bad for path in rows["source"]], bool)
    rows = rows.assign(digest=digests)[good].reset_index(drop=True)
    skipped = [f"{path}: {why}" for path, why in bad.items()]
    found = _user_data(settings, classes, shape, rows, pixels[good], skipped)
    return replace(found, notes=image_rows.leaks(rows), identity={"kind": "images"})


def from_feature_table(
    path: Path, label: str, test_split: float, seed: int
) -> UserData:
    """Read a table of feature vectors.

    Args:
      path: of the table (see `feature_table.read`).
      label: the column of the labels.
      test_split: share of each class that is kept for testing, above 0 and below 1.
      seed: of the draw of these.

    Returns:
      The vectors, float64 [n, d].

    Raises:
      UserError: the file is not a fit table, a class has fewer than 2 training rows,
        or there is no test row.
    """
    table = feature_table.read(path, label)
    lines = pd.DataFrame({"source": np.arange(len(table.y)), "label": table.y})
    # By label, as images come, whose folders are read one after the other.
    lines = lines.sort_values("label", kind="stable")
    rows = _join(*_draw_test_rows(lines, test_split, seed))
    settings = {
        "dataset": slug(path.stem),
        "data": str(path.resolve()),
        "label": label,
        "test_split": test_split,
    }
    shape = (table.X.shape[1],)
    vectors = table.X[rows["source"].to_numpy()]
    found = _user_data(settings, table.classes, shape, rows, vectors, [])
    known = table_identity.identity(path, table)
    return replace(found, notes=table.notes, identity=known)


def reload(options: Options, rows: pd.DataFrame, identity: Mapping) -> Arrays:
    """Read the data of an earlier run again.

    Args:
      options: of the run; its ``data`` is a folder of images or a table.
      rows: of the run, as `UserData` has them.
      identity: of the data when the run was begun, as `UserData` has it; empty for a
        run of a version that kept none, whose data cannot be compared.

    Returns:
      The same arrays as the run was begun with.

    Raises:
      UserError: a file is gone or cannot be read, or the table is another.
    """
    places = rows["source"]
    if options.label:
        table = table_identity.read_again(options, identity)
        if not identity:
            print(
                "note: the run is of a version that kept no digest of its table: "
                f"whether {options.data} has changed cannot be told"
            )
        sources, labels = places.to_numpy(), rows["label"].to_numpy()
        table_identity.check_labels(options, table, sources, labels)
        values = table.X[sources]
    else:
        size, _, channels = options.shape
        values, bad, digests = image_folder.read(
            places, size, channels == 1, options.patches
        )
        if "digest" in rows:  # not in runs of older versions
            image_rows.compare(rows, digests)
        if bad:
            raise image_folder.complaint(bad, resumed=True)
    return _arrays(rows, values)


def _user_data(
    settings: Mapping[str, Any],
    classes: tuple[str, ...],
    shape: tuple[int, ...],
    rows: pd.DataFrame,
    values: np.ndarray,
    skipped: list[str],
) -> UserData:
    """Splits `values` by `rows`, adds what follows to the settings, refuses too few."""
    arrays = _arrays(rows, values)
    counts = np.bincount(arrays.labels, minlength=len(classes))
    for name, n in zip(classes, counts, strict=True):
        if n < 2:
            raise UserError(
                f"class {name}: {n} sample(s) to train on; a convex combination needs "
                "2 or more."
            )
    if not len(arrays.test_labels):
        raise UserError(f"no sample to test on: give a larger {setting('test_split')}.")
    found = {
        "classes": classes,
        "shape": shape,
        "counts": tuple(counts.tolist()),
        "test_per_class": 0,
    }
    return UserData({**settings, **found}, arrays, rows, skipped)


def _join(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Lines of source and label, as the rows of `UserData`."""
    rows = pd.concat([train.assign(set="train"), test.assign(set="test")])
    return rows[["set", "source", "label"]].reset_index(drop=True)


def _arrays(rows: pd.DataFrame, values: np.ndarray) -> Arrays:
    """`values`, a row for each line of `rows`, by training and testing."""
    train = (rows["set"] == "train").to_numpy()
    labels = rows["label"].to_numpy().astype(np.int64)
    return Arrays(values[train], labels[train], values[~train], labels[~train])


def _draw_test_rows(
    rows: pd.DataFrame, share: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and test rows. `share` of each class, rounded, is tested on, but two
    rows are left to train on."""
    if not 0 < share < 1:
        raise UserError(
            f"{setting('test_split')} {share:g}: expected above 0 and below 1."
        )
    rng = np.random.default_rng(seed)
    test = []
    for _, of_class in rows.groupby("label", sort=True):
        # Two, because a convex combination of one row is that row.
        n = max(0, min(round(share * len(of_class)), len(of_class) - 2))
        test += rng.permutation(of_class.index)[:n].tolist()
    chosen = rows.index.isin(test)
    return rows[~chosen], rows[chosen]

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
from gamo_tf.data import (
    feature_table,
    image_folder,
    image_rows,
    mapped_rows,
    row_sets,
    table_identity,
)
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError, setting
from gamo_tf.files import short_name

# Bytes: the names of methods are put behind it, and words such as describe- in front.
_LONGEST_SLUG = 100


@dataclass(frozen=True)
class UserData:
    """A user's data, read and split.

    Attributes:
      settings: those of `Options` that follow from the data, such as ``classes``,
        ``shape`` and ``counts``; `config.options.resolve` needs them.
      arrays: training, validation and test rows, each sorted by label.
      rows: a line for each of these rows, with the columns ``set`` (see `row_sets`),
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
      text: any text, such as the name of a folder; of a long one the beginning is kept
        (`files.short_name`).
    """
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "own"
    return short_name(words, _LONGEST_SLUG)


def from_image_folder(
    folder: Path,
    size: int,
    gray: bool,
    test_folder: Path | None,
    test_split: float,
    seed: int,
    skip_bad: bool,
    validation_split: float = 0.0,
    to_train: bool = True,
) -> UserData:
    """Read a folder of images, with a folder for each class.

    Args:
      folder: of the training images (see `image_folder.scan`).
      size: side to which images are scaled, in pixels.
      gray: one channel in the place of three (RGB).
      test_folder: of the test images, or None.
      test_split: without `test_folder`, the share of each class that is kept for
        testing, above 0 and below 1.
      seed: of the draw of these, and of the validation images.
      skip_bad: leave out files that cannot be read.
      validation_split: the share of each class in `folder` that is set aside for
        validation, 0 (none) to below 1; with `test_split` it is below 1.
      to_train: False describes the data only: classes of one sample are allowed.

    Returns:
      Images uint8 [n, size, size, channels], with what was left out.

    Raises:
      UserError: the folders are not as expected, a file cannot be read and `skip_bad`
        is False, a class has fewer than 2 training rows, there is no test row, or no
        validation row where some are asked for.
    """
    folder, test_folder = folder.resolve(), test_folder and test_folder.resolve()
    classes, files = image_folder.scan(folder)
    rows = image_rows.from_lines(files, ["source", "label"])
    test_split = 0.0 if test_folder else row_sets.checked(test_split)
    rows = row_sets.draw(rows, test_split, validation_split, seed)
    if test_folder:
        _, test_files = image_folder.scan(test_folder, classes, "test_folder")
        test = image_rows.from_lines(test_files, ["source", "label"])
        rows = row_sets.in_order(pd.concat([rows, test.assign(set="test")]))
    settings = {
        "dataset": slug(folder.name),
        "data": str(folder),
        "test_data": str(test_folder or ""),
        "test_split": test_split,
        "validation_split": validation_split,
    }
    found = from_files(settings, classes, size, gray, rows, skip_bad, to_train=to_train)
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
    to_train: bool = True,
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
      to_train: False describes the data only: classes of one sample are allowed.

    Returns:
      The images uint8 [n, size, size, channels] of `rows`, what was left out, and
      notes on files with several pages and on test or validation images that are
      trained on too.

    Raises:
      UserError: a file cannot be read and `skip_bad` is False, a class has fewer than
        2 training rows, or there is no test row.
    """
    shape = (size, size, 1 if gray else 3)
    if not decode:
        nothing = np.zeros((len(rows), 0))
        return _user_data(settings, classes, shape, rows, nothing, [])
    patches = settings.get("patches", ())
    images = image_folder.read(rows["source"], size, gray, patches)
    bad = images.bad
    if bad and not skip_bad:
        raise image_folder.complaint(bad)
    good = np.array([path not in bad for path in rows["source"]], bool)
    rows = rows.assign(digest=images.digests)[good].reset_index(drop=True)
    skipped = [f"{path}: {why}" for path, why in bad.items()]
    found = _user_data(
        *(settings, classes, shape, rows, mapped_rows.keep(images.pixels, good)),
        skipped,
        to_train=to_train,
    )
    folders = (settings["data"], settings.get("test_data", ""))
    pages = image_rows.pages(images.several, folders)
    notes = [*found.notes, *pages, *image_rows.leaks(rows)]
    return replace(found, notes=notes, identity={"kind": "images"})


def from_feature_table(
    path: Path,
    label: str,
    test_split: float,
    seed: int,
    validation_split: float = 0.0,
    to_train: bool = True,
) -> UserData:
    """Read a table of feature vectors.

    Args:
      path: of the table (see `feature_table.read`).
      label: the column of the labels.
      test_split: share of each class that is kept for testing, above 0 and below 1.
      seed: of the draw of these, and of the validation rows.
      validation_split: share of each class that is set aside for validation, 0 (none)
        to below 1; with `test_split` it is below 1.
      to_train: False describes the data only: classes of one sample are allowed.

    Returns:
      The vectors, float64 [n, d].

    Raises:
      UserError: the file is not a fit table, a class has fewer than 2 training rows,
        there is no test row, or no validation row where some are asked for.
    """
    table = feature_table.read(path, label)
    lines = pd.DataFrame({"source": np.arange(len(table.y)), "label": table.y})
    # By label, as images come, whose folders are read one after the other.
    lines = lines.sort_values("label", kind="stable")
    rows = row_sets.draw(lines, row_sets.checked(test_split), validation_split, seed)
    settings = {
        "dataset": slug(path.stem),
        "data": str(path.resolve()),
        "label": label,
        "test_split": test_split,
        "validation_split": validation_split,
        "categories": table.sizes,
    }
    shape = (table.X.shape[1],)
    vectors = table.X[rows["source"].to_numpy()]
    found = _user_data(
        settings, table.classes, shape, rows, vectors, [], to_train=to_train
    )
    known = table_identity.identity(path, table)
    return replace(found, notes=[*found.notes, *table.notes], identity=known)


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
        images = image_folder.read(places, size, channels == 1, options.patches)
        if "digest" in rows:  # not in runs of older versions
            image_rows.compare(rows, images.digests)
        if images.bad:
            raise image_folder.complaint(images.bad, resumed=True)
        values = images.pixels
    return row_sets.arrays(rows, values)


def _user_data(
    settings: Mapping[str, Any],
    classes: tuple[str, ...],
    shape: tuple[int, ...],
    rows: pd.DataFrame,
    values: np.ndarray,
    skipped: list[str],
    to_train: bool = True,
) -> UserData:
    """Splits `values` by `rows`, and adds what follows to the settings. Refuses too
    few samples, or without `to_train` notes them."""
    arrays = row_sets.arrays(rows, values)
    counts = np.bincount(arrays.labels, minlength=len(classes))
    share = settings.get("validation_split", 0.0)
    faults = [
        f"class {name}: {n} sample(s) to train on; a convex combination needs 2 or "
        "more."
        for name, n in zip(classes, counts, strict=True)
        if n < 2
    ]
    if not len(arrays.test_labels):
        faults.append(f"no sample to test on: give a larger {setting('test_split')}.")
    if share and not (rows["set"] == "validation").any():
        faults.append(
            f"{setting('validation_split')} {share:g}: no sample for validation. Give "
            "a larger one, or leave it out."
        )
    if faults and to_train:
        raise UserError(faults[0])
    notes = [f"{fault} Training stops there." for fault in faults]
    found = {
        "classes": classes,
        "shape": shape,
        "counts": tuple(counts.tolist()),
        "test_per_class": 0,
    }
    return UserData({**settings, **found}, arrays, rows, skipped, notes)

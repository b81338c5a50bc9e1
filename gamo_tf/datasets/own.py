"""The user's own data: what is found in it, and the same rows again later."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf.datasets import own_features, own_images
from gamo_tf.errors import UserError
from gamo_tf.options import Options

Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Own:
    """Own data, read and split.

    Attributes:
      settings: what `options.resolve` needs of it.
      arrays: training rows and labels, test rows and labels; sorted by label.
      rows: a line a row of these: set (train, test), source (the file, or the line
        of the table), label. Kept with the run: a resumed run reads the same.
      skipped: files that were left out, with the reason.
    """

    settings: dict
    arrays: Arrays
    rows: pd.DataFrame
    skipped: list[str] = field(default_factory=list)


def slug(text: str) -> str:
    """A name for run folders: letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "own"


def images(
    folder: Path,
    size: int,
    gray: bool,
    test_folder: Path | None,
    test_split: float,
    seed: int,
    skip_bad: bool,
) -> Own:
    """A folder a class. Raises UserError (see `own_images`)."""
    folder, test_folder = folder.resolve(), test_folder and test_folder.resolve()
    classes, files = own_images.scan(folder)
    train = pd.DataFrame(files, columns=["source", "label"])
    if test_folder:
        _, test_files = own_images.scan(test_folder, classes, "--test-folder")
        test = pd.DataFrame(test_files, columns=["source", "label"])
    else:
        train, test = _part(train, test_split, seed)
    rows = _join(train, test)
    settings = {
        "dataset": slug(folder.name),
        "data": str(folder),
        "test_data": str(test_folder or ""),
        "test_split": 0.0 if test_folder else test_split,
    }
    return of_files(settings, classes, size, gray, rows, skip_bad)


def of_files(
    settings: dict,
    classes: tuple[str, ...],
    size: int,
    gray: bool,
    rows: pd.DataFrame,
    skip_bad: bool = False,
    decode: bool = True,
) -> Own:
    """The images of `rows` (see `Own`). Raises UserError for what cannot be read.

    `decode` False: the arrays of images are empty, nothing is opened.
    """
    shape = (size, size, 1 if gray else 3)
    if not decode:
        return _own(settings, classes, shape, rows, np.zeros((len(rows), 0)), [])
    patches = settings.get("patches", ())
    pixels, bad = own_images.read(rows["source"], size, gray, patches)
    if bad and not skip_bad:
        raise UserError(own_images.complaint(bad))
    good = np.array([source not in bad for source in rows["source"]], bool)
    rows, pixels = rows[good].reset_index(drop=True), pixels[good]
    skipped = [f"{source}: {why}" for source, why in bad.items()]
    return _own(settings, classes, shape, rows, pixels, skipped)


def features(path: Path, label: str, test_split: float, seed: int) -> Own:
    """Vectors of a table. Raises UserError (see `own_features`)."""
    table = own_features.read(path, label)
    rows = pd.DataFrame({"source": np.arange(len(table.y)), "label": table.y})
    train, test = _part(rows.sort_values("label", kind="stable"), test_split, seed)
    rows = _join(train, test)
    settings = {
        "dataset": slug(path.stem),
        "data": str(path.resolve()),
        "label": label,
        "test_split": test_split,
    }
    shape = (table.X.shape[1],)
    vectors = table.X[rows["source"].to_numpy()]
    return _own(settings, table.classes, shape, rows, vectors, [])


def _own(settings, classes, shape, rows, values, skipped) -> Own:
    arrays = _arrays(rows, values)
    counts = np.bincount(arrays[1], minlength=len(classes))
    for name, n in zip(classes, counts, strict=True):
        if n < 2:
            raise UserError(
                f"class {name}: {n} sample(s) to train on; a convex combination needs "
                "2 or more."
            )
    if not len(arrays[3]):
        raise UserError("no sample to test on: give a larger --test-split.")
    settings |= {
        "classes": classes,
        "shape": shape,
        "counts": tuple(counts.tolist()),
        "test_per_class": 0,
    }
    return Own(settings, arrays, rows, skipped)


def _join(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Lines of source and label as the `rows` of `Own`."""
    rows = pd.concat([train.assign(set="train"), test.assign(set="test")])
    return rows[["set", "source", "label"]].reset_index(drop=True)


def _arrays(rows: pd.DataFrame, values: np.ndarray) -> Arrays:
    """Training rows and labels, test rows and labels."""
    train = (rows["set"] == "train").to_numpy()
    labels = rows["label"].to_numpy().astype(np.int64)
    return values[train], labels[train], values[~train], labels[~train]


def _part(
    rows: pd.DataFrame, share: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and test rows: `share` of each class, rounded, for testing, but two
    are left to train on."""
    if not 0 < share < 1:
        raise UserError(f"--test-split {share:g}: expected above 0 and below 1.")
    rng = np.random.default_rng(seed)
    test = []
    for _, mine in rows.groupby("label", sort=True):
        n = max(0, min(round(share * len(mine)), len(mine) - 2))
        test += rng.permutation(mine.index)[:n].tolist()
    chosen = rows.index.isin(test)
    return rows[~chosen], rows[chosen]


def reload(options: Options, rows: pd.DataFrame) -> Arrays:
    """The arrays of a run's `rows` again. Raises UserError where they are gone."""
    sources = rows["source"]
    if options.label:
        table = own_features.read(Path(options.data), options.label)
        if len(table.y) <= sources.max() or table.classes != options.classes:
            raise UserError(f"{options.data}: is not the file the run was begun with.")
        values = table.X[sources.to_numpy()]
    else:
        size, _, channels = options.shape
        values, bad = own_images.read(sources, size, channels == 1, options.patches)
        if bad:
            raise UserError(own_images.complaint(bad, resumed=True))
    return _arrays(rows, values)

"""SUN397: 50 of its scene categories, drawn so that the imbalance is the paper's.

The user places the images and the list of categories in ``<data-dir>/sun397``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data import image_rows, user_data
from gamo_tf.data.passed_over import hidden
from gamo_tf.data.user_data import UserData
from gamo_tf.errors import UserError
from gamo_tf.stored import read_text

CLASSES, RATIO = 50, 14.21  # categories and imbalance ratio: paper, Section 4.4
PATCHES = (512, 224)  # sides of the central patch in pixels, the largest that fits
BATCH = 128  # with 32 most of 50 classes would have no sample in a minibatch
_PAGE = "https://vision.princeton.edu/projects/2010/SUN/"
_MOST_LIST = 2**20  # bytes of the list; the published one has 8 kB
_NAME = re.compile(r"(/[^/\\\0]+){2,}")  # of a category
_IMAGES, _NAMES = "SUN397", "ClassName.txt"


def _root(spec: DatasetSpec, data_dir: Path) -> Path:
    return data_dir / spec.name


def _lists(root: Path) -> list[Path]:
    """Where ClassName.txt may lie, depending on where the user unpacked it."""
    return [root / _NAMES, root / "Partitions" / _NAMES, root / _IMAGES / _NAMES]


def check(spec: DatasetSpec, data_dir: Path) -> None:
    """Make sure that the images and the list of categories are there.

    Args:
      spec: the row "sun397".
      data_dir: both are in its folder ``sun397``.

    Raises:
      UserError: one is missing; the message says where to fetch it and where it goes.
    """
    root = _root(spec, data_dir)
    places = {
        f"{_IMAGES}.tar.gz (39 GB), unpacked to {_IMAGES}/": [root / _IMAGES],
        f"{_NAMES} of Partitions.zip (18 MB)": _lists(root),
    }
    missing = [k for k, paths in places.items() if not any(p.exists() for p in paths)]
    if missing:
        raise UserError(
            f"{spec.name}: missing in {root}: {' and '.join(missing)}. Fetch from "
            f"{_PAGE} (research use)."
        )


def categories(spec: DatasetSpec, data_dir: Path) -> list[str]:
    """All categories, as ClassName.txt has them, such as ``/a/abbey``.

    Args:
      spec: the row "sun397".
      data_dir: the list is in its folder ``sun397``.

    Returns:
      The names in the order of the list.

    Raises:
      UserError: there is no list, or it has lines of another form, or two categories
        that would be one class.
    """
    root = _root(spec, data_dir)
    for path in _lists(root):
        if path.exists():
            lines = read_text(path, _MOST_LIST).split()
            # The names become paths, which must not lead out of the folder.
            odd = [x for x in lines if not _NAME.fullmatch(x) or "/." in x]
            if odd:
                raise UserError(f"{path}: {odd[0]}: expected names like /a/abbey.")
            for title, n in Counter(map(_title, lines)).items():
                if n > 1:
                    raise UserError(f"{path}: {n} categories of the name {title}.")
            return lines
    raise UserError(f"{root}: no {_NAMES}.")


def _title(name: str) -> str:
    """/c/church/outdoor becomes church-outdoor: the letter only sorts the folders."""
    return name.split("/", 2)[2].replace("/", "-")


def pick(sizes: Mapping[str, int], spec: DatasetSpec, seed: int) -> list[str]:
    """Draw `CLASSES` categories with the imbalance ratio `RATIO`.

    Of all pairs of categories whose training sizes have the ratio to two decimals, one
    is drawn as the largest and the smallest class; then the others are drawn from the
    categories of a size between.

    Args:
      sizes: the number of images of each category.
      spec: the row "sun397"; its `test_per_class` of them are not trained on.
      seed: of the draw.

    Returns:
      The chosen categories in alphabetical order.

    Raises:
      UserError: there is no such pair.
    """
    order = sorted(sizes)
    n = np.array([sizes[name] - spec.test_per_class for name in order])
    rng = np.random.default_rng(seed)
    # The smallest class needs 2 rows for a convex combination, and there must be
    # enough categories between the two to choose from.
    pairs = [
        (i, j)
        for i in range(len(n))
        for j in range(len(n))
        if n[j] >= 2
        and abs(n[i] / n[j] - RATIO) < 0.005
        and np.sum((n >= n[j]) & (n <= n[i])) >= CLASSES
    ]
    if not pairs:
        raise UserError(
            f"{spec.name}: no two categories whose sizes have the ratio {RATIO}, with "
            f"{CLASSES - 2} more between them, among the {len(n)} found."
        )
    i, j = pairs[rng.integers(len(pairs))]
    between = np.flatnonzero((n >= n[j]) & (n <= n[i]))
    others = rng.permutation(np.setdiff1d(between, [i, j]))[: CLASSES - 2]
    return [order[k] for k in sorted([i, j, *others])]


def draw(spec: DatasetSpec, data_dir: Path, seed: int, decode: bool = True) -> UserData:
    """Draw the categories of a seed, and which of their images are tested on.

    Args:
      spec: the row "sun397".
      data_dir: the images are in its folder ``sun397``.
      seed: of both draws.
      decode: False gives the settings and the list of files and opens no image.

    Returns:
      Settings, rows and images uint8 [n, 64, 64, 3] of the drawn categories;
      `spec.test_per_class` images of each are for testing.

    Raises:
      UserError: a file is missing or cannot be read, or no categories fit.
    """
    check(spec, data_dir)
    root = (_root(spec, data_dir) / _IMAGES).resolve()
    files = {
        name: sorted(
            str(p)
            for p in root.joinpath(*name.split("/")).glob("*.jpg")
            if not hidden(p.name)
        )
        for name in categories(spec, data_dir)
    }
    sizes = {name: len(paths) for name, paths in files.items() if paths}
    chosen = pick(sizes, spec, seed)
    # Another stream than that of `pick`, so that neither draw depends on the other.
    rng = np.random.default_rng([seed, 1])
    lines = []
    for label, name in enumerate(chosen):
        paths = files[name]
        test = set(rng.permutation(len(paths))[: spec.test_per_class].tolist())
        lines += [
            ("test" if k in test else "train", path, label)
            for k, path in enumerate(paths)
        ]
    rows = image_rows.from_lines(lines, ["set", "source", "label"])
    # Training rows first, then by label; within a label the files stay in order.
    rows = rows.sort_values(["set", "label"], ascending=[False, True], kind="stable")
    titles = tuple(map(_title, chosen))
    settings = {
        "dataset": spec.name,
        "data": str(root),
        "patches": PATCHES,
        "batch_size": BATCH,
    }
    size, gray = spec.shape[0], spec.shape[2] == 1
    return user_data.from_files(
        settings, titles, size, gray, rows.reset_index(drop=True), decode=decode
    )

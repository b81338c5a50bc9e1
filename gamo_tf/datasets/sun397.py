"""SUN397: 50 of its scene categories, drawn so that the imbalance is the paper's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf.datasets import own
from gamo_tf.errors import UserError

CLASSES, TEST, RATIO = 50, 20, 14.21  # paper, Sections 4 and 4.4
SIZE, PATCHES = 64, (512, 224)
BATCH = 128  # with 32 most of 50 classes would have no sample in a minibatch
_PAGE = "https://vision.princeton.edu/projects/2010/SUN/"
_NAMES = "ClassName.txt"


def _lists(root: Path) -> list[Path]:
    """Where ClassName.txt may lie."""
    return [root / _NAMES, root / "Partitions" / _NAMES, root / "SUN397" / _NAMES]


def check(data_dir: Path) -> None:
    """Raises UserError where a part is missing: what it is and where it goes."""
    root = data_dir / "sun397"
    places = {
        "SUN397.tar.gz (39 GB), unpacked to SUN397/": [root / "SUN397"],
        f"{_NAMES} of Partitions.zip (18 MB)": _lists(root),
    }
    missing = [k for k, paths in places.items() if not any(p.exists() for p in paths)]
    if missing:
        raise UserError(
            f"sun397: missing in {root}: {' and '.join(missing)}. Fetch from {_PAGE} "
            "(research use)."
        )


def names(data_dir: Path) -> list[str]:
    """Categories as ClassName.txt has them, such as /a/abbey."""
    root = data_dir / "sun397"
    for path in _lists(root):
        if path.is_file():
            lines = path.read_text(encoding="utf-8").split()
            if odd := [x for x in lines if not x.startswith("/") or ".." in x]:
                raise UserError(f"{path}: {odd[0]}: expected names like /a/abbey.")
            return lines
    raise UserError(f"{root}: no {_NAMES}.")


def pick(sizes: dict[str, int], seed: int) -> list[str]:
    """CLASSES categories, by seed, whose training sizes (TEST less) have the ratio
    RATIO to two decimals. Raises UserError where there are none."""
    order = sorted(sizes)
    n = np.array([sizes[name] - TEST for name in order])
    rng = np.random.default_rng(seed)
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
            f"sun397: no two categories whose sizes have the ratio {RATIO}, with "
            f"{CLASSES - 2} more between them, among the {len(n)} found."
        )
    i, j = pairs[rng.integers(len(pairs))]
    between = np.flatnonzero((n >= n[j]) & (n <= n[i]))
    others = rng.permutation(np.setdiff1d(between, [i, j]))[: CLASSES - 2]
    return [order[k] for k in sorted([i, j, *others])]


def draw(data_dir: Path, seed: int, decode: bool = True) -> own.Own:
    """The categories of a seed and their images, TEST of each kept for testing.

    `decode` False: settings only, no image is opened. Raises UserError.
    """
    check(data_dir)
    root = (data_dir / "sun397" / "SUN397").resolve()
    files = {
        name: sorted(str(p) for p in root.joinpath(*name.split("/")).glob("*.jpg"))
        for name in names(data_dir)
    }
    chosen = pick({name: len(found) for name, found in files.items() if found}, seed)
    rng = np.random.default_rng([seed, 1])
    lines = []
    for label, name in enumerate(chosen):
        mine = files[name]
        test = set(rng.permutation(len(mine))[:TEST].tolist())
        lines += [
            ("test" if k in test else "train", p, label) for k, p in enumerate(mine)
        ]
    rows = pd.DataFrame(lines, columns=["set", "source", "label"])
    rows = rows.sort_values(["set", "label"], ascending=[False, True], kind="stable")
    titles = tuple(name.split("/", 2)[2].replace("/", "-") for name in chosen)
    settings = {
        "dataset": "sun397",
        "data": str(root),
        "patches": PATCHES,
        "batch_size": BATCH,
    }
    return own.of_files(
        settings, titles, SIZE, False, rows.reset_index(drop=True), decode=decode
    )

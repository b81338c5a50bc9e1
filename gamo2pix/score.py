"""How good, how varied and how new the generated images of a class are."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf

from gamo2pix import distances, novelty
from gamo2pix.extractors import Extractor
from gamo2pix.generate import Generated
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data.splits import Split
from gamo_tf.errors import printable
from gamo_tf.files import atomically, write_text

GAMO = "gamo"
LEAST = 4  # fewest real and test images of a class that is scored
_SINGLE = 0.9  # a sample with a larger weight has one parent
FEW = 20  # scores of fewer images are marked
_BLUR = 2  # a blurred image is left with so small a part of its side

# Controls: convex weights that no adversary chose, through the same VAE. A control is
# a Dirichlet distribution, whose concentration follows from the images n_i of the
# class. With "dirichlet-uniform" any point of the simplex is as likely; with many
# images the samples are near their mean. With "dirichlet-sparse" a sample has a few
# parents.
CONTROLS: dict[str, Callable[[int], float]] = {
    "dirichlet-uniform": lambda n: 1.0,
    "dirichlet-sparse": lambda n: 1.0 / n,
}

# Averaged over classes.
AVERAGED = (
    *("kid", "kid_error", "kid_floor", "kid_blurred", "frechet", "frechet_floor"),
    *("precision", "recall", "recall_floor", "coverage", "copies", "single_parent"),
    *("precision_floor", "density", "density_floor", "coverage_floor"),
    *("diversity", "copying_z"),
)
_NAME = 24  # characters of a name in the table for people, which has 79

# A label and a number m -> m images of the class by everything that generates some.
GenerateAll = Callable[[int, int], Mapping[str, Generated]]


def score(
    extractor: Extractor,
    real: np.ndarray,
    unseen: np.ndarray,
    generated: Mapping[str, Generated],
) -> list[dict]:
    """Compare the generated images of one class with its real ones.

    The floor of a score is that of real images which nothing was trained on, in the
    place of generated ones: a perfect generator scores the floor. Every generator has
    to give as many images as there are unseen ones, since the scores depend on the
    number.

    Args:
      extractor: of the features.
      real: training images of the class, uint8 [n, h, w, c], n at least 4.
      unseen: its test images, uint8 [m, h, w, c], m at least 4.
      generated: by the name of what generated them, m images each.

    Returns:
      A row for each name, which is its `source`; `features`, `n_real`, `n_fake`;
      `kid`, `kid_floor` (see `distances.kid`), and `kid_blurred`: that of the unseen
      images, `blurred`; their standard errors `kid_error`, `kid_floor_error` and
      `kid_blurred_error`;
      `frechet`, `frechet_floor` (see `distances.frechet`);
      `precision`, `recall`, `density`, `coverage`, each also with `_floor` (see
      `novelty.manifold`);
      `diversity`: mean distance between two generated images over that between two
      real ones;
      `copies`: share of copies (see `novelty.copies`; 0.05 of unseen images, by
      definition), and `copying_z` (see `novelty.copying_test`);
      `single_parent`: share with a convex weight above 0.9, NaN without weights.
    """
    base, floor = extractor(real), extractor(unseen)
    base_statistics = distances.statistics(base)
    kid_floor = distances.kid(base, floor)
    kid_blurred = distances.kid(base, extractor(blurred(unseen)))
    floors = {
        "kid_floor": kid_floor.value,
        "kid_floor_error": kid_floor.error,
        "kid_blurred": kid_blurred.value,
        "kid_blurred_error": kid_blurred.error,
        "frechet_floor": distances.frechet(
            base_statistics, distances.statistics(floor)
        ),
    }
    for name, value in novelty.manifold(base, floor)._asdict().items():
        floors[f"{name}_floor"] = value
    base_spacing = distances.spacing(base)
    same = novelty.duplicates(base)
    near_unseen = novelty.nearest_two(floor, base, same)
    rows = []
    for name, (images, weights) in generated.items():
        features = extractor(images)
        near = novelty.nearest_two(features, base, same)
        kid = distances.kid(base, features)
        frechet = distances.frechet(base_statistics, distances.statistics(features))
        rows.append(
            {
                "source": name,
                "features": extractor.name,
                "n_real": len(base),
                "n_fake": len(features),
                "kid": kid.value,
                "kid_error": kid.error,
                "frechet": frechet,
                **novelty.manifold(base, features)._asdict(),
                **floors,
                "diversity": distances.spacing(features) / base_spacing,
                "copies": novelty.copies(near_unseen, near),
                "copying_z": novelty.copying_test(near_unseen[:, 0], near[:, 0]),
                "single_parent": _single_parent(weights),
            }
        )
    return rows


def blurred(images: np.ndarray) -> np.ndarray:
    """Images that have lost their details: made small, and large again.

    Args:
      images: uint8 [n, h, w, c].

    Returns:
      Of the same shape and type.
    """
    side = images.shape[1:3]
    small = [length // _BLUR for length in side]
    lost = tf.image.resize(images.astype(np.float32), small, "area")
    again = tf.image.resize(lost, side, "bicubic")
    return np.clip(np.rint(again.numpy()), 0, 255).astype(np.uint8)


def few(row: Mapping) -> bool:
    """Whether a row of `score` rests on fewer than FEW images.

    Args:
      row: has `n_real` and `n_fake`.
    """
    return min(row["n_real"], row["n_fake"]) < FEW


def _single_parent(weights: np.ndarray | None) -> float:
    if weights is None:
        return math.nan
    return float(np.mean(weights.max(axis=1) > _SINGLE))


def score_classes(
    folder: Path,
    spec: DatasetSpec,
    split: Split,
    labels: Sequence[int],
    generate: GenerateAll,
    extractors: Sequence[Extractor],
) -> list[dict]:
    """Score several classes, print the scores, and write them to a folder.

    Args:
      folder: gets scores.csv, a line a class, source and kind of features, and
        scores.json, which has the means over classes too. Neither is written where
        no class can be scored.
      spec: of the dataset.
      split: the split that the run trained on.
      labels: of the classes.
      generate: gives images; it is asked for as many as the class has test images.
      extractors: each gives scores, if the class has images enough.

    Returns:
      Rows of `score`, each with `label` and `name` of the class.
    """
    rows = []
    for label in labels:
        real = split.images[split.labels == label]
        unseen = split.test_images[split.test_labels == label]
        n = len(unseen)
        if min(len(real), n) < LEAST:
            continue  # its verdict says so
        generated = generate(label, n)
        for extractor in extractors:
            if min(len(real), n) >= extractor.least:
                found = score(extractor, real, unseen, generated)
                rows += [
                    {"label": label, "name": spec.classes[label], **r} for r in found
                ]
    if not rows:
        return rows
    print(text(rows))
    print(f"all scores   {folder / 'scores.csv'}")
    record = {
        "features": {x.name: x.details for x in extractors},
        "rows": rows,
        "means": means(rows),
    }
    write_text(folder / "scores.json", json.dumps(record, indent=2) + "\n")
    atomically(
        folder / "scores.csv",
        lambda part: pd.DataFrame(rows).to_csv(part, index=False),
    )
    return rows


def means(rows: list[dict]) -> list[dict]:
    """The mean over classes of every score, for each source and kind of features.

    Classes have images of their own, so their errors are independent: that of a mean of
    k classes is the root of the sum of their squares, over k.

    Args:
      rows: of `score_classes`.

    Returns:
      A row a kind of features and source, with the columns that AVERAGED names.
    """
    table = pd.DataFrame(rows)
    columns = [name for name in AVERAGED if name in table]
    grouped = table.groupby(["features", "source"], sort=False)
    found = grouped[columns].mean()
    if "kid_error" in table:
        errors = grouped["kid_error"]
        found["kid_error"] = errors.agg(np.linalg.norm) / errors.count()
    return found.reset_index().to_dict("records")


def text(rows: list[dict]) -> str:
    """A table for people: GAMO by class, then the mean over classes of every source.

    A class with fewer than FEW images has a mark. Lines fit into 80 columns.

    Args:
      rows: of `score_classes`.
    """
    lines = []
    for features in dict.fromkeys(row["features"] for row in rows):
        lines.append(f"features: {features}")
        head = ("real/made", "KID", "floor", "blurred", "recall", "copies")
        lines.append(_line("class", *head))
        chosen = [row for row in rows if row["features"] == features]
        for row in chosen:
            if row["source"] == GAMO:
                mark = " *" * few(row)
                name = _shorten(printable(row["name"]), _NAME - len(mark) - 1) + mark
                lines.append(_scores(name, row, f"{row['n_real']}/{row['n_fake']}"))
        for row in means(chosen):
            source = "generated" if row["source"] == GAMO else row["source"]
            lines.append(_scores(f"mean, {source}", row, ""))
    if any(" *" in line for line in lines):
        lines.append(f"* of fewer than {FEW} images: hardly a score")
    return "\n".join(lines)


def _shorten(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 1] + "…"


def _scores(title: str, row: dict, counts: str) -> str:
    kid = f"{row['kid']:.3f} ± {row['kid_error']:.3f}"
    others = ("kid_floor", "kid_blurred", "recall", "copies")
    decimals = (3, 3, 2, 2)
    cells = [_number(row[key], n) for key, n in zip(others, decimals, strict=True)]
    return _line(title, counts, kid, *cells)


def _number(value: float, decimals: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{decimals}f}"


def _line(title: str, *cells: str) -> str:
    widths = (10, 15, 8, 8, 7, 7)
    padded = [f"{cell:>{n}}" for cell, n in zip(cells, widths, strict=True)]
    return f"{title:<{_NAME}}" + "".join(padded)

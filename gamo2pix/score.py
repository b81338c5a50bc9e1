"""How good, how varied and how new the generated images of a class are."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from gamo2pix import frechet
from gamo2pix.extractors import Extractor

GAMO = "gamo"
_SINGLE = 0.9  # a weight above: the sample has one parent
_COPY_QUANTILE = 0.05

# Weights that no adversary chose, through the same VAE: n_i -> concentration.
# "uniform": any point of the simplex is as likely; with many points it is near
# their mean. "sparse": a few parents a sample.
CONTROLS: dict[str, Callable[[int], float]] = {
    "dirichlet-uniform": lambda n: 1.0,
    "dirichlet-sparse": lambda n: 1.0 / n,
}

COLUMNS = {  # of the table for people: key -> title
    "kid": "KID",
    "kid_spread": "spread",
    "kid_floor": "floor",
    "frechet": "Frechet",
    "frechet_floor": "floor",
    "diversity": "diversity",
    "near_copies": "near copies",
    "single_parent": "one parent",
}


def score(
    extractor: Extractor,
    real: np.ndarray,
    held: np.ndarray,
    fakes: dict[str, tuple[np.ndarray, np.ndarray | None]],
) -> list[dict]:
    """A row a source of generated images, all of one class.

    Every source has as many images as `held`, unseen real images of the class:
    the floor is the score of these in the place of generated ones, so that a
    perfect generator scores the floor.

    Args:
      extractor: of the features.
      real: training images of the class, uint8.
      held: its test images.
      fakes: source -> images, and convex weights (None: it has none).

    Returns rows with
      kid, kid_spread, kid_subset, kid_floor; frechet, frechet_floor;
      diversity: mean distance between two generated over that between two real;
      near_copies: share nearer to a training image than 95% of `held` are (of
        unseen real images 0.05 by definition);
      single_parent: share with a convex weight above 0.9.
    """
    base, floor = extractor(real), extractor(held)
    base_statistics = frechet.statistics(base)
    kid_floor = frechet.kid(base, floor).value
    frechet_floor = frechet.frechet(base_statistics, frechet.statistics(floor))
    limit = np.quantile(nearest(floor, base), _COPY_QUANTILE)
    base_spacing = spacing(base)
    rows = []
    for source, (images, weights) in fakes.items():
        made = extractor(images)
        kid = frechet.kid(base, made)
        rows.append(
            {
                "source": source,
                "features": extractor.name,
                "n_real": len(base),
                "n_fake": len(made),
                "kid": kid.value,
                "kid_spread": kid.spread,
                "kid_subset": kid.subset,
                "kid_floor": kid_floor,
                "frechet": frechet.frechet(base_statistics, frechet.statistics(made)),
                "frechet_floor": frechet_floor,
                "diversity": spacing(made) / base_spacing,
                "near_copies": float(np.mean(nearest(made, base) < limit)),
                "single_parent": _single(weights),
            }
        )
    return rows


def _single(weights: np.ndarray | None) -> float:
    return (
        math.nan if weights is None else float(np.mean(weights.max(axis=1) > _SINGLE))
    )


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances [len(a), len(b)] of features, in float64."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2.0 * a @ b.T
    return np.sqrt(np.maximum(squares, 0.0))


def nearest(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distance of each of a to the nearest of b, [len(a)]."""
    return distances(a, b).min(axis=1)


def spacing(a: np.ndarray) -> float:
    """Mean distance between two different rows."""
    return float(distances(a, a).sum() / (len(a) * (len(a) - 1)))


def means(rows: list[dict]) -> list[dict]:
    """The mean over classes, for each source and kind of features."""
    table = pd.DataFrame(rows)
    keep = [k for k in COLUMNS if k in table]
    grouped = table.groupby(["features", "source"], sort=False)[keep].mean()
    return grouped.reset_index().to_dict("records")


def text(rows: list[dict]) -> str:
    """Rows of GAMO by class, then the mean over classes of every source."""
    lines = []
    for name in dict.fromkeys(row["features"] for row in rows):
        lines.append(f"features: {name}")
        lines.append(_line("class", "n_real", "n_fake", *COLUMNS.values()))
        mine = [row for row in rows if row["features"] == name]
        for row in mine:
            if row["source"] == GAMO:
                lines.append(_scores(row["name"], row, row["n_real"], row["n_fake"]))
        for row in means(mine):
            lines.append(_scores(f"mean, {row['source']}", row, "", ""))
    return "\n".join(lines)


def _scores(word: str, row: dict, *counts) -> str:
    return _line(word, *counts, *(_number(row[key]) for key in COLUMNS))


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _line(word: str, *cells) -> str:
    return f"{word:<24}" + "".join(f"{cell!s:>12}" for cell in cells)

"""How widely generated rows are spread, compared with the real rows of their class.

Three figures are measured of each class, each with a bound that plain methods keep:

- Standard deviations. SMOTE's blends of two random rows have 2/3 of the variance of
  real rows, a ratio of 0.82 between standard deviations. A median ratio below 0.6 is
  narrow: less than 0.36 of the variance is left.
- Parents. The effective number of parents is exp(entropy) of their mean weights.
  Random oversampling, one parent drawn for each row, reaches 0.56 of the parents (of
  the rows, where these are fewer) or more. Below 0.4 is narrow.
- Near copies. A row with more than 0.9 of its weight on one parent is nearly a copy of
  it. Among SMOTE's blends one in five is. More than half are too many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gamo_tf.inference.convex_sampler import MinoritySampler, Samples

ROWS = 20  # generated rows that a verdict needs: their SD then errs by 16 %
RATIO = 0.6  # of standard deviations
EFFECTIVE = 0.4  # of the parents, or of the rows
COPY = 0.9  # of the weight of a row
COPIES = 0.5  # of the rows


class Spread(NamedTuple):
    """What was measured of the generated rows of one class.

    Attributes:
      rows: generated rows.
      parents: real rows of the class.
      half: parents that carry half of all weight, the fewest that do.
      effective: exp(entropy) of the mean weights of the parents.
      near_copies: rows with more than `COPY` of their weight on one parent.
      ratio: the standard deviation of generated rows divided by that of real rows,
        median over the columns of numbers; NaN where there are none.
      column: the column with the smallest ratio; "" where there are none.
      deviation: the standard deviation of generated rows in this column.
      real_deviation: that of the real rows.
    """

    rows: int
    parents: int
    half: int
    effective: float
    near_copies: int
    ratio: float
    column: str
    deviation: float
    real_deviation: float

    @property
    def verdict(self) -> str:
        """ "narrow", "near copies", "ok", or "not judged" where rows are too few."""
        if self.rows < ROWS:
            return "not judged"
        few = self.effective < EFFECTIVE * min(self.rows, self.parents)
        if few or self.ratio < RATIO:
            return "narrow"
        return "near copies" if self.near_copies > COPIES * self.rows else "ok"

    def __str__(self) -> str:
        if self.verdict == "not judged":
            return f"not judged: {self.rows} generated rows; {ROWS} are needed"
        words = [f"half of the weight lies on {self.half} of {self.parents} parents"]
        if self.column:
            words.append(
                f"the standard deviation of {self.column} is {self.deviation:.3g} "
                f"where real rows have {self.real_deviation:.3g}"
            )
        if self.near_copies:
            words.append(f"{self.near_copies} of {self.rows} rows are near copies")
        return f"{self.verdict}: {'; '.join(words)}"


def measure(
    sampler: MinoritySampler, samples: Samples, columns: Mapping[int, str]
) -> dict[int, Spread]:
    """The spread of each class of generated rows.

    Args:
      sampler: that made the rows in its last call of `sample`.
      samples: these rows.
      columns: the names of the columns of numbers, by their positions.

    Returns:
      By label.
    """
    positions = list(columns)
    names = [columns[k] for k in positions]
    found = {}
    for label, used in sampler.used.items():
        real = sampler.points[sampler.rows[label]][:, positions]
        own = samples.labels == label
        found[label] = _of_class(
            real, samples.values[own][:, positions], samples.weights[own], used, names
        )
    return found


def table(found: Mapping[int, Spread], classes: Sequence | np.ndarray) -> pd.DataFrame:
    """The spread as a data frame.

    Args:
      found: by label.
      classes: the name of each label.

    Returns:
      A row for each class, with the attributes of `Spread` and ``verdict``.
    """
    lines: list[dict[str, Any]] = [
        {**one._asdict(), "verdict": one.verdict} for one in found.values()
    ]
    index = pd.Index([classes[label] for label in found], tupleize_cols=False)
    return pd.DataFrame(lines, index, [*Spread._fields, "verdict"])


def complaints(
    found: Mapping[int, Spread], classes: Sequence | np.ndarray
) -> list[str]:
    """A line for each class whose rows are narrow or near copies.

    Args:
      found: by label.
      classes: the name of each label.
    """
    return [
        f"generated rows of class {classes[label]} are {one}"
        for label, one in found.items()
        if one.verdict in ("narrow", "near copies")
    ]


def _of_class(
    real: np.ndarray,
    made: np.ndarray,
    weights: np.ndarray,
    used: np.ndarray,
    names: Sequence[str],
) -> Spread:
    """The spread of the rows `made` [m, k] of the rows `real` [n, k], whose five
    largest weights are `weights` and whose summed weights are `used` [n]."""
    shares = np.sort(used / used.sum())[::-1]
    some = shares[shares > 0]
    # Rounding must not make one more parent of a half that lies on whole ones.
    half = int((shares.cumsum() < 0.5 - 1e-6).sum()) + 1
    was, now = _deviations(real, made)
    ratios = np.divide(now, was, out=np.full(len(was), np.nan), where=was > 0)
    ratio, column, deviation, real_deviation = np.nan, "", np.nan, np.nan
    if np.isfinite(ratios).any():
        worst = int(np.nanargmin(ratios))
        ratio, column = float(np.nanmedian(ratios)), names[worst]
        deviation, real_deviation = float(now[worst]), float(was[worst])
    return Spread(
        rows=len(made),
        parents=len(real),
        half=half,
        effective=float(np.exp(-(some * np.log(some)).sum())),
        near_copies=int((weights[:, 0] > COPY).sum()),
        ratio=ratio,
        column=column,
        deviation=deviation,
        real_deviation=real_deviation,
    )


def _deviations(real: np.ndarray, made: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The standard deviations of the columns; 0 of real ones that differ by rounding
    alone. Distances are scaled, so that values of 1e300 do not overflow."""
    # Halves, because the distance of the extremes may overflow too.
    low, high = real.min(axis=0), real.max(axis=0)
    half_range = high / 2 - low / 2
    largest = np.maximum(np.abs(low), np.abs(high))
    flat = half_range <= 1e-12 * largest
    scale = np.where(flat, 1.0, half_range)
    was, now = (((x / 2 - low / 2) / scale).std(axis=0) for x in (real, made))
    return np.where(flat, 0, was * 2 * scale), now * 2 * scale

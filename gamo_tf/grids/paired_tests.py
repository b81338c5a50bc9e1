"""Two methods over the same seeds: paired tests, corrected, and intervals of means."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd
from scipy import special
from statsmodels.stats.multitest import multipletests

from gamo_tf.evaluation.metrics import METRICS

LEVEL = 0.95  # of the confidence intervals
SIGNIFICANT = 0.05  # a corrected p value below it gives a word
DIGITS = 6  # of metrics; differences that are alike to these do not scatter
# What a comparison is known by: in a table, the method and loss and the metric's name.
Key = TypeVar("Key", bound=Hashable)


class Paired(NamedTuple):
    """The difference of two methods over the seeds that both have.

    Attributes:
      seeds: how many both have.
      mean: of the differences.
      low, high: ends of the confidence interval, which no correction widens; NaN where
        the differences do not scatter, as with one seed.
      p: of the paired t test by itself; NaN with one seed.
      corrected: the p value after `holm`; NaN where it was not corrected.
    """

    seeds: int
    mean: float
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    corrected: float = math.nan

    @property
    def cells(self) -> list[str]:
        """The difference with its interval, the corrected p value, and the verdict."""
        text = f"{self.mean:+.3f}"
        if not math.isnan(self.low):
            text += f" ({self.low:+.3f} to {self.high:+.3f})"
        p = "<0.001" if self.corrected < 0.001 else f"{self.corrected:.3f}"
        return [text, "" if math.isnan(self.corrected) else p, self.verdict]

    @property
    def verdict(self) -> str:
        """What the corrected test shows of the first method, in words."""
        if self.seeds < 2:
            return "one seed"
        if self.corrected < SIGNIFICANT:  # NaN is not
            return "ahead" if self.mean > 0 else "behind"
        return "no difference shown"


def paired(
    first: Mapping[int, float], second: Mapping[int, float], overlap: float = 0.0
) -> Paired | None:
    """first - second, seed by seed: Student's t test and its interval at `LEVEL`.

    A seed decides the training images, which are the same for every method: a
    difference within a seed is free of how easy its images are.

    Args:
      first: a metric of one method by seed.
      second: of the other method.
      overlap: test rows over training rows where every seed splits the same rows
        anew (see `mean_interval`); 0 for seeds that are independent.

    Returns:
      The difference, whose p value is not corrected yet; None where no seed is in
      common. Differences that are the same for every seed give the test no scatter
      to measure them by: they get p = 1, so that few seeds show nothing by chance.
    """
    seeds = sorted(set(first) & set(second))
    if not seeds:
        return None
    one, other = (np.array([by[seed] for seed in seeds]) for by in (first, second))
    found = Paired(len(seeds), float((one - other).mean()))
    if len(seeds) < 2:
        return found
    if round(float(np.ptp(one - other)), DIGITS) == 0:
        return found._replace(p=1.0)
    mean, low, high, error = mean_interval(one - other, overlap)
    p = 2 * special.stdtr(len(seeds) - 1, -abs(mean) / error)
    return found._replace(low=low, high=high, p=float(p))


class Mean(NamedTuple):
    """A mean with its uncertainty.

    Attributes:
      mean: of some values.
      low, high: ends of its interval at `LEVEL`; NaN of one value.
      error: its standard error; NaN of one value.
    """

    mean: float
    low: float = math.nan
    high: float = math.nan
    error: float = math.nan


def mean_interval(values: np.ndarray, overlap: float = 0.0) -> Mean:
    """Student's interval of a mean over seeds.

    Splits of the same rows share most of their training rows, and scatter less than
    independent ones would. Nadeau and Bengio (Machine Learning 52, 2003) correct this:
    the variance of the mean is (1 / n + overlap) times that of the values.

    Args:
      values: [n].
      overlap: test rows over training rows of a split; 0 for independent seeds.
    """
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return Mean(mean)
    error = float(np.std(values, ddof=1) * math.sqrt(1 / n + overlap))
    reach = float(special.stdtrit(n - 1, (1 + LEVEL) / 2)) * error
    return Mean(mean, mean - reach, mean + reach, error)


def holm(pairs: Mapping[Key, Paired]) -> dict[Key, Paired]:
    """Correct the p values of all comparisons that stand in one table.

    Holm's step-down method (1979): the smallest of m p values is multiplied by m, the
    next one by m - 1, and so on, and none becomes smaller than the one before it. The
    chance that a table has any wrong word is then below `SIGNIFICANT`.

    Args:
      pairs: the comparisons of a table, those of one seed among them.

    Returns:
      The same in the same order, with `corrected` where there is a p value. Those of
      one seed are not tested, and do not count.
    """
    tested = [key for key, pair in pairs.items() if not math.isnan(pair.p)]
    found = dict(pairs)
    if tested:
        values = multipletests([pairs[key].p for key in tested], method="holm")[1]
        for key, value in zip(tested, values, strict=True):
            found[key] = pairs[key]._replace(corrected=float(value))
    return found


def against(
    ours: Key, groups: Iterable[tuple[Key, pd.DataFrame]]
) -> dict[Key, dict[str, Paired]]:
    """One less each other, over seeds, corrected by one `holm` over all of them.

    Args:
      ours: the key of the one.
      groups: keys, and lines with the column ``seed`` and one for each metric.

    Returns:
      Key -> metric's name -> the difference. What has no seed in common with ours is
      left out; all is where ours is not there.
    """
    by_seed = {
        key: {
            metric.name: rows.set_index("seed")[metric.name].dropna().to_dict()
            for metric in METRICS
        }
        for key, rows in groups
    }
    mine = by_seed.pop(ours, {})
    pairs = {
        (key, name): pair
        for key, other in by_seed.items()
        for name, values in mine.items()
        if (pair := paired(values, other[name]))
    }
    found: dict[Key, dict[str, Paired]] = {}
    for (key, name), pair in holm(pairs).items():
        found.setdefault(key, {})[name] = pair
    return found

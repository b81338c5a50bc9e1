"""How many splits would settle a difference that is not significant yet."""

from __future__ import annotations

import math

from scipy import special, stats

from gamo_tf.grids.paired_tests import LEVEL, SIGNIFICANT, Paired

_POWER = 0.8  # chance that the test finds the difference, if it is as observed
_MOST = 100  # splits that anybody would run


def splits_needed(pair: Paired, overlap: float, tests: int) -> int | None:
    """The number of splits at which the test would find the observed difference.

    The variance of the mean is (1 / n + overlap) times that of the differences
    (`paired_tests.mean_interval`), so that more splits of the same samples help less
    and less. Holm's correction is counted at its strictest.

    Args:
      pair: observed difference, with its interval.
      overlap: see `mean_interval`.
      tests: number of tests that are corrected together.

    Returns:
      None where no number of splits up to 100 would do, or where the differences do
      not scatter.
    """
    if math.isnan(pair.low) or not pair.mean:
        return None
    reach = float(special.stdtrit(pair.seeds - 1, (1 + LEVEL) / 2))
    error = (pair.high - pair.low) / 2 / reach
    deviation = error / math.sqrt(1 / pair.seeds + overlap)
    for n in range(pair.seeds + 1, _MOST + 1):
        effect = abs(pair.mean) / (deviation * math.sqrt(1 / n + overlap))
        limit = float(special.stdtrit(n - 1, 1 - SIGNIFICANT / max(tests, 1) / 2))
        if float(stats.nct.sf(limit, n - 1, effect)) >= _POWER:
            return n
    return None

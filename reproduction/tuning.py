"""Equal tuning: the same number of trials for every method, on validation rows alone.

Every trial is trained on the subsets of two seeds that no table uses, for the same
number of images through F's gradient, with augmentation and averaged weights. What
scores highest over all datasets is the setting that a method has in the main table.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options, resolve
from gamo_tf.config.tuned import RECIPE
from gamo_tf.errors import UserError
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.grids.result_store import ResultStore

SEEDS = (100, 101)  # tables have 0, 1, ...
# Updates of F (on MNIST of M) in a trial, by the sets of which settings are chosen. On
# Fashion-MNIST nothing is chosen.
UPDATES: Mapping[str, int] = {"mnist": 1000, "cifar10": 500}
RATES = (5e-4, 1e-3, 2e-3)


def _grid(**settings: Sequence) -> list[dict]:
    """All combinations of the values of some settings."""
    names = list(settings)
    return [
        dict(zip(names, values, strict=True)) for values in product(*settings.values())
    ]


_LOSSES = _grid(learning_rate=RATES, loss=("ls", "ce"))
TRIALS = len(_LOSSES)  # of every method
_SIX_RATES = _grid(learning_rate=(1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 4e-3))
# Six trials a method: three learning rates and two values of what else it has.
GRIDS: Mapping[str, list[dict]] = {
    **{
        name: _LOSSES
        for name in (
            *("cn", "ros", "class-weight", "crt", "eos"),
            *("mixup", "remix", "cmo", "gamo"),
        )
    },
    **{
        name: _grid(learning_rate=RATES, tau=(1.0, 0.8))
        for name in ("logit-adjust", "vector-scaling", "tau-norm")
    },
    **{
        name: _grid(learning_rate=RATES, sampling=(0.5, 0.25))
        for name in (
            *("gamo-balanced", "gamo-balanced-no-d"),
            *("balanced-pairs", "balanced-smote", "balanced-repeats"),
        )
    },
    **{name: _SIX_RATES for name in ("ldam-drw", "m2m")},
}


@dataclass(frozen=True)
class Trial:
    """One setting of a method on one dataset and seed.

    Attributes:
      method: a row of `METHODS`.
      number: of the trial in the method's grid.
      dataset: a row of `DATASETS`.
      seed: one of `SEEDS`.
    """

    method: str
    number: int
    dataset: str
    seed: int

    def options(self, updates: int | None = None) -> Options:
        """Every setting of the run.

        Args:
          updates: of F, or of M where F has nothing to learn; None: those of `UPDATES`.
        """
        chosen = GRIDS[self.method][self.number]
        updates = updates or UPDATES[self.dataset]
        return equal_options(self.method, chosen, self.dataset, self.seed, updates)


def equal_options(
    method: str, chosen: Mapping, dataset: str, seed: int, updates: int
) -> Options:
    """Every setting of a run on equal means, with the `RECIPE`.

    Args:
      method: a row of `METHODS`.
      chosen: settings of the method, such as a trial of its grid.
      dataset: a row of `DATASETS`.
      seed: of the subset and of the training.
      updates: of F; of M where F has nothing to learn.
    """
    iterations = equal_iterations(method, updates)
    known = {"dataset": dataset, "method": method, "seed": seed}
    often = {"evaluate_every": iterations, "checkpoint_every": iterations}
    usual = {"loss": METHODS[method].losses[0], "iterations": iterations}
    return resolve({**known, **usual, **often, **RECIPE, **chosen})


def equal_iterations(method: str, updates: int) -> int:
    """The iterations in which a method updates F so often.

    Args:
      method: a row of `METHODS`.
      updates: of F.
    """
    return math.ceil(updates / METHODS[method].f_share)


def trials(methods: Sequence[str], datasets: Sequence[str]) -> Iterator[Trial]:
    """All trials; the cheap ones come first, and a dataset is done before the next.

    Args:
      methods: of `GRIDS`.
      datasets: of `DATASETS`.
    """
    for dataset in datasets:
        for method in methods:
            for number in range(len(GRIDS[method])):
                for seed in SEEDS:
                    yield Trial(method, number, dataset, seed)


def in_words(chosen: Mapping) -> str:
    """Settings as a cell of a table shows them.

    Args:
      chosen: by name.
    """
    return ", ".join(f"{name} {value}" for name, value in chosen.items())


def score(result: Mapping) -> float:
    """What is maximised: the mean of ACSA and GM of the averaged weights on the
    validation rows.

    Args:
      result: a record of `ResultStore`.

    Raises:
      UserError: the run had no validation rows.
    """
    found = (result.get("ema") or {}).get("validation")
    if not found:
        raise UserError("a trial without validation rows cannot be scored.")
    return float(np.mean([found[metric.name] for metric in METRICS]))


def measured(result: Mapping) -> dict[str, float]:
    """The columns of a result: ``score``, and the validation metrics of the averaged
    weights.

    Args:
      result: a record of `ResultStore`.
    """
    found = result["ema"]["validation"]
    metrics = {metric.name: found[metric.name] for metric in METRICS}
    return {"score": score(result), **metrics}


def collect(store: ResultStore, updates: int | None = None) -> pd.DataFrame:
    """The scores of all trials that are known.

    Args:
      store: the results.
      updates: of F; None: those of `UPDATES`.

    Returns:
      A line for each trial: method, number, dataset, seed, and those of `measured`.
    """
    lines = []
    datasets = list(dict.fromkeys(options.dataset for options, _ in store))
    if updates is None:
        datasets = [dataset for dataset in datasets if dataset in UPDATES]
    for trial in trials(list(GRIDS), datasets):
        if result := store.get(trial.options(updates)):
            lines.append({**vars(trial), **measured(result)})
    return pd.DataFrame(lines)


def best(found: pd.DataFrame) -> dict[str, int]:
    """The trial that each method keeps: the highest mean over the sets of the mean over
    seeds.

    Args:
      found: of `collect`. Methods of which a trial is not known yet, on any set of
        `UPDATES` or seed, are left out: they have not been tuned equally.

    Returns:
      The number of the trial, by method.
    """
    kept = {}
    for method, mine in found[found["dataset"].isin(list(UPDATES))].groupby("method"):
        table = mine.pivot_table("score", "number", ["dataset", "seed"])
        whole = (len(GRIDS[str(method)]), len(UPDATES) * len(SEEDS))
        if table.shape == whole and not table.isna().any(axis=None):
            means = table.T.groupby(level="dataset").mean().mean()
            kept[str(method)] = int(means.idxmax())
    return kept


def ranking(found: pd.DataFrame) -> pd.Series:
    """What the methods score on validation rows with what they keep (see `best`).

    Args:
      found: of `collect`.

    Returns:
      The mean over the sets of the mean over seeds by method, the highest first.
    """
    scores = {}
    for method, number in best(found).items():
        mine = found[(found["method"] == method) & (found["number"] == number)]
        mine = mine[mine["dataset"].isin(list(UPDATES))]
        scores[method] = mine.groupby("dataset")["score"].mean().mean()
    return pd.Series(scores, dtype=float).sort_values(ascending=False)

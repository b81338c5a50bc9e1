"""Methods on the same rows and equal means: the runs that takes, and their figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from gamo_tf.config.options import Options
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.grids.result_store import ResultStore
from reproduction import tuning
from reproduction.runner import Wishes, train_missing

# Updates of F; on MNIST, where it has nothing to learn, of M.
UPDATES = {"mnist": 4000, "fashion-mnist": 3000, "cifar10": 3000}
SEEDS = {"mnist": 10, "fashion-mnist": 5, "cifar10": 5}
MEANS = ("f_updates", "m_updates", "f_images")  # what a run was given
_SET = "test_full"


@dataclass(frozen=True)
class Contest:
    """Methods on the same rows: a table of the page.

    Attributes:
      title: of the table.
      dataset: a row of `DATASETS`.
      seeds: how many, from 0 on.
      updates: of F by method.
      counts: class sizes; (): the paper's.
    """

    title: str
    dataset: str
    seeds: int
    updates: Mapping[str, int]
    counts: tuple[int, ...] = ()

    def runs(self, settings: Mapping[str, Mapping]) -> dict[tuple[int, str], Options]:
        """Options by seed and method.

        Args:
          settings: the tuned ones of each method.
        """
        sizes = {"counts": self.counts} if self.counts else {}
        return {
            (seed, method): tuning.equal_options(
                method, {**settings[method], **sizes}, self.dataset, seed, updates
            )
            for seed in range(self.seeds)
            for method, updates in self.updates.items()
        }


@dataclass(frozen=True)
class Rivals:
    """Who is compared, and how far.

    Attributes:
      store: gets the results.
      settings: the tuned ones of each method.
      methods: that are wanted.
      repeats: the most seeds of a dataset.
      wishes: datasets and the rest.
    """

    store: ResultStore
    settings: Mapping[str, Mapping]
    methods: Sequence[str]
    repeats: int
    wishes: Wishes

    @property
    def datasets(self) -> Sequence[str]:
        """Those that are asked for, or all of `SEEDS`."""
        return self.wishes.datasets or list(SEEDS)

    def contest(
        self,
        title: str,
        dataset: str,
        updates: Mapping[str, int] | None = None,
        counts: tuple[int, ...] = (),
    ) -> Contest:
        """A contest of all of them.

        Args:
          title: of its table.
          dataset: of `SEEDS`.
          updates: of F by method; None: those of `UPDATES`, or those asked for.
          counts: class sizes; (): the paper's.
        """
        alike = self.wishes.updates or UPDATES[dataset]
        seeds = min(self.repeats, SEEDS[dataset])
        updates = updates or dict.fromkeys(self.methods, alike)
        return Contest(title, dataset, seeds, updates, counts)

    def wanted(
        self, contests: Iterable[Contest]
    ) -> dict[tuple[str, int, str], Options]:
        """The runs of some contests, by title, seed and method.

        Args:
          contests: of these rivals.
        """
        return {
            (contest.title, *key): options
            for contest in contests
            for key, options in contest.runs(self.settings).items()
        }

    def results(self, contests: Iterable[Contest]) -> tuple[pd.DataFrame, int]:
        """Train the runs that the store lacks.

        Returns:
          `collect` of the contests, and how many runs failed; each says why.
        """
        wanted = self.wanted(contests)
        failed = train_missing(wanted.values(), self.wishes, self.store)
        return collect(self.store, wanted), failed


def collect(
    store: ResultStore, wanted: Mapping[tuple[str, int, str], Options]
) -> pd.DataFrame:
    """What is known of the runs of the table.

    Args:
      store: the results.
      wanted: options by dataset, seed and method.

    Returns:
      A line for each run: dataset, seed, method, metrics of the averaged weights on
      the full test set, updates of F and of M, images through F's gradient, seconds.
    """
    lines = []
    for (dataset, seed, method), each in wanted.items():
        if result := store.get(each):
            measured = result["ema"][_SET]
            lines.append(
                {
                    **{"dataset": dataset, "seed": seed, "method": method},
                    **{metric.name: measured[metric.name] for metric in METRICS},
                    **{name: result[name] for name in (*MEANS, "seconds")},
                }
            )
    return pd.DataFrame(lines)

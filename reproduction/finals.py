"""The final of equal tuning: which method is recommended, by validation rows alone.

Trials are short, and several methods come out of them nearly alike. Those that are near
the best are trained for as long as in the main table, with what they kept, on seeds
that no table uses. The highest score wins.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from gamo_tf.config.options import Options
from gamo_tf.errors import UserError, setting
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.files import atomically, write_text
from gamo_tf.grids import document
from gamo_tf.grids.result_store import ResultStore
from reproduction import tuning
from reproduction.contest import UPDATES
from reproduction.runner import Wishes, train_missing

SEEDS = (100, 101, 102, 103)
NEAR = 0.01  # of the best score; single runs differ by as much


def finalists(trials: ResultStore) -> dict[str, int]:
    """The trial that each method has kept which is near the best.

    Args:
      trials: of `tuning`.
    """
    scores = tuning.collect(trials)
    if scores.empty:
        return {}
    ranks, kept = tuning.ranking(scores), tuning.best(scores)
    return {name: kept[name] for name in ranks[ranks >= ranks.max() - NEAR].index}


def runs(
    trials: ResultStore, updates: int | None = None
) -> dict[tuple[int, str, str], Options]:
    """The runs of the final by seed, dataset and method.

    Args:
      trials: of `tuning`.
      updates: of F; None: those of the main table.
    """
    kept = finalists(trials)
    return {
        (seed, dataset, method): tuning.equal_options(
            *(method, tuning.GRIDS[method][number], dataset, seed),
            updates or UPDATES[dataset],
        )
        for seed in SEEDS
        for dataset in tuning.UPDATES  # on the others nothing is chosen
        for method, number in kept.items()
    }


def collect(
    store: ResultStore, trials: ResultStore, updates: int | None = None
) -> pd.DataFrame:
    """What is known of the final.

    Args:
      store: its results.
      trials: of `tuning`.
      updates: as for `runs`.

    Returns:
      A line for each run: method, dataset, seed, and those of `tuning.measured`.
    """
    lines = []
    for (seed, dataset, method), options in runs(trials, updates).items():
        if result := store.get(options):
            known = {"method": method, "dataset": dataset, "seed": seed}
            lines.append({**known, **tuning.measured(result)})
    return pd.DataFrame(lines)


def ranking(found: pd.DataFrame) -> pd.Series:
    """The mean score over sets and seeds by method, the highest first.

    Args:
      found: of `collect`. Methods of which a run is missing are left out.
    """
    wanted = len(tuning.UPDATES) * len(SEEDS)
    whole = found.groupby("method").filter(lambda mine: len(mine) == wanted)
    return whole.groupby("method")["score"].mean().sort_values(ascending=False)


def make(store: ResultStore, trials: ResultStore, repeats: int, wishes: Wishes) -> int:
    """Train the runs of the final that are missing, and write ``finals.md``.

    Args:
      store: gets the results.
      trials: of `tuning`.
      repeats: the most seeds that are trained now.
      wishes: methods in the place of all finalists, and more.

    Returns:
      How many runs failed; each says why.

    Raises:
      UserError: a method is none of `finalists`, or nothing is known.
    """
    if odd := set(wishes.methods) - set(finalists(trials)):
        raise UserError(
            f"{setting('methods')} {', '.join(sorted(odd))}: not among the best of "
            "tune."
        )
    wanted = [
        options
        for (seed, dataset, method), options in runs(trials, wishes.updates).items()
        if seed in SEEDS[:repeats]
        and method in (wishes.methods or [method])
        and dataset in (wishes.datasets or [dataset])
    ]
    failed = train_missing(wanted, wishes, store)
    found = collect(store, trials, wishes.updates)
    if found.empty:
        raise UserError(f"{store.path}: no run of the final is known; run tune first.")
    path = wishes.out / "finals.md"
    write_text(path, document.markdown(_page(found, trials, wishes)))
    atomically(path.with_suffix(".csv"), lambda part: found.to_csv(part, index=False))
    print(f"written: {path}")
    return failed


def _page(
    found: pd.DataFrame, trials: ResultStore, wishes: Wishes
) -> list[document.Block]:
    kept, scores = finalists(trials), ranking(found)
    datasets = list(tuning.UPDATES)
    lines = []
    for method in [*scores.index, *sorted(set(found["method"]) - set(scores.index))]:
        mine = found[found["method"] == method]
        cells = [method, tuning.in_words(tuning.GRIDS[method][kept[method]])]
        for dataset in datasets:
            rows = mine[mine["dataset"] == dataset]
            means = (f"{rows[metric.name].mean():.4f}" for metric in METRICS)
            cells.append(f"{' / '.join(means)} ({len(rows)})")
        score = scores.get(method, np.nan)
        lines.append([*cells, "" if np.isnan(score) else f"{score:.4f}"])
    lengths = {name: wishes.updates or UPDATES[name] for name in datasets}
    told = ", ".join(f"{n} on {name}" for name, n in lengths.items())
    note = (
        f"`{wishes.command}`: the methods whose score in [tuning.md](tuning.md) is "
        f"within {NEAR} of the best, with the setting that they kept there, trained as "
        "in the main table: updates of F (where it has nothing to learn, of M) "
        f"{told}. "
        f"{document.METRIC_TITLES} on validation rows, averaged weights, means over "
        f"the seeds {', '.join(map(str, SEEDS))}, of which no table has any. The score "
        "is the mean of all of them; the program recommends the first."
    )
    head = ["method", "setting", *datasets, "score"]
    return [
        document.Heading("The final", 1),
        document.Text(note),
        document.Table(head, lines),
    ]

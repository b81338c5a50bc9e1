"""The main table: equally tuned methods at equal images through F's gradient.

A method is in it once `tuning` has found its setting; a method that was tuned less than
another is not compared with it. All have augmentation and averaged weights, and are
measured by the averages on the full test set, once, after the last iteration.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from gamo_tf.config.options import Options
from gamo_tf.errors import UserError, setting
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.experiments import document, tuning
from gamo_tf.experiments.paired_tests import LEVEL, against
from gamo_tf.experiments.result_store import ResultStore, spreads
from gamo_tf.experiments.runner import Wishes, train_missing
from gamo_tf.files import atomically, write_text

OURS = "gamo-balanced"
# Updates of F; on MNIST, where it has nothing to learn, of M.
UPDATES = {"mnist": 4000, "fashion-mnist": 3000, "cifar10": 3000}
SEEDS = {"mnist": 10, "fashion-mnist": 5, "cifar10": 5}
_SET = "test_full"
_MEANS = ("f_updates", "m_updates", "f_images")  # what a run was given


def make(store: ResultStore, trials: ResultStore, repeats: int, wishes: Wishes) -> int:
    """Train the runs that the store lacks, and write ``main.md`` and ``main.csv``.

    Args:
      store: gets the results.
      trials: of `tuning`.
      repeats: the most seeds of a dataset, from 0 on.
      wishes: methods that are tuned, datasets of `SEEDS`, and the rest.

    Returns:
      How many runs failed; each says why.

    Raises:
      UserError: a method is not tuned yet, or no run is known.
    """
    scores = tuning.collect(trials)
    kept = tuning.best(scores) if len(scores) else {}
    settings = {method: tuning.GRIDS[method][number] for method, number in kept.items()}
    if odd := set(wishes.methods) - set(settings):
        raise UserError(
            f"{setting('methods')} {', '.join(sorted(odd))}: not tuned yet; run tune "
            "first."
        )
    datasets = wishes.datasets or list(SEEDS)
    updates = {name: wishes.updates or UPDATES[name] for name in datasets}
    wanted = {
        (dataset, seed, method): tuning.equal_options(
            method, settings[method], dataset, seed, updates[dataset]
        )
        for dataset in datasets
        for seed in range(min(repeats, SEEDS[dataset]))
        for method in wishes.methods or settings
    }
    failed = train_missing(wanted.values(), wishes, store)
    found = collect(store, wanted)
    if found.empty:
        raise UserError(f"{store.path}: no run of the main table is known.")
    page = [
        document.Heading("Main table", 1),
        document.Text(_note(wishes.command, updates)),
        *blocks(found, settings),
    ]
    paths = [wishes.out / "main.md", wishes.out / "main.csv"]
    write_text(paths[0], document.markdown(page))
    atomically(paths[1], lambda part: found.to_csv(part, index=False))
    for path in paths:
        print(f"written: {path}")
    return failed


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
                    **{name: result[name] for name in (*_MEANS, "seconds")},
                }
            )
    return pd.DataFrame(lines)


def blocks(
    found: pd.DataFrame, settings: Mapping[str, Mapping]
) -> list[document.Block]:
    """A table for each dataset, the highest mean of both metrics first.

    Args:
      found: of `collect`.
      settings: the tuned ones of each method.
    """
    page: list[document.Block] = []
    names = [metric.name for metric in METRICS]
    head = ["method", "setting", "seeds", document.METRIC_TITLES]
    for metric in METRICS:
        head += [f"{OURS} less it, {metric.title}", "corrected p", f"{OURS} is"]
    head += ["F updates", "M updates", "images through F", "seconds"]
    for dataset, mine in found.groupby("dataset", sort=False):
        by_method = mine.groupby("method")
        apart, lines = against(OURS, by_method), []
        means = by_method[names].mean().mean(axis=1)
        for method in means.sort_values(ascending=False).index:
            rows = by_method.get_group(method)
            cells = [
                method,
                tuning.in_words(settings.get(method, {})),
                str(len(rows)),
                document.metric_cell(spreads(rows)),
            ]
            for name in names:
                pair = apart.get(method, {}).get(name)
                cells += pair.cells if pair else ["", "", ""]
            cells += [f"{int(rows[name].median()):,}" for name in _MEANS]
            lines.append([*cells, f"{rows['seconds'].mean():.0f}"])
        page += [document.Heading(str(dataset)), document.Table(head, lines)]
    return page


def _note(command: str, updates: Mapping[str, int]) -> str:
    told = ", ".join(f"{n} on {name}" for name, n in updates.items())
    return (
        f"`{command}`: every method with the setting that `reproduce.py tune` kept, "
        "augmentation and averaged weights, updates of F (where it has nothing to "
        f"learn, of M): {told}; measured by the averages on the full test set. "
        f"Differences are paired over seeds, with {LEVEL:.0%} intervals; p values are "
        "those of the paired t test after Holm's correction over all comparisons of a "
        "dataset, and the words follow from them alone."
    )

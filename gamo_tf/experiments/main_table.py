"""The main table: equally tuned methods at equal images through F's gradient.

A method is in it once `tuning` has found its setting; a method that was tuned less than
another is not compared with it. All have augmentation and averaged weights, and are
measured by the averages on the full test set, once, after the last iteration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options, resolve
from gamo_tf.errors import UserError, setting
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.experiments import document, runner, tuning
from gamo_tf.experiments.report_statistics import LEVEL, Paired, holm, paired
from gamo_tf.experiments.result_store import ResultStore
from gamo_tf.files import atomically, write_text

OURS = "gamo-balanced"
UPDATES = 4000  # of F
SEEDS = {"mnist": 10, "fashion-mnist": 5, "cifar10": 5}
_SET = "test_full"


def options(
    method: str, chosen: Mapping, dataset: str, seed: int, updates: int
) -> Options:
    """Every setting of a run of the table.

    Args:
      method: a row of `METHODS`.
      chosen: its tuned settings.
      dataset: a row of `DATASETS`.
      seed: of the subset and of the training.
      updates: of F; of M where F has nothing to learn.
    """
    iterations = tuning.equal_iterations(method, updates)
    known = {"dataset": dataset, "method": method, "seed": seed}
    often = {"evaluate_every": iterations, "checkpoint_every": iterations}
    usual = {"loss": METHODS[method].losses[0], "iterations": iterations}
    return resolve({**known, **usual, **often, **tuning.RECIPE, **chosen})


def make(
    store: ResultStore,
    trials: ResultStore,
    *,
    methods: Sequence[str] | None,
    datasets: Sequence[str] | None,
    updates: int | None,
    repeats: int,
    known: bool,
    runs_dir: Path,
    data_dir: Path,
    command: str,
    out: Path,
) -> int:
    """Train the runs that the store lacks, and write ``main.md`` and ``main.csv``.

    Args:
      store: gets the results.
      trials: of `tuning`.
      methods: only these; None: all that are tuned.
      datasets: only these; None: those of `SEEDS`.
      updates: of F; None: `UPDATES`.
      repeats: the most seeds of a dataset, from 0 on.
      known: whether nothing is to be trained.
      runs_dir: directory of runs.
      data_dir: of the datasets' published files.
      command: that the page names as the one that made it.
      out: directory of the page.

    Returns:
      How many runs failed; each says why.

    Raises:
      UserError: a method is not tuned yet, or no run is known.
    """
    scores = tuning.collect(trials, tuning.UPDATES)
    kept = tuning.best(scores) if len(scores) else {}
    if odd := set(methods or ()) - set(kept):
        raise UserError(
            f"{setting('methods')} {', '.join(sorted(odd))}: not tuned yet; run tune "
            "first."
        )
    updates = updates or UPDATES
    wanted = {
        (dataset, seed, method): options(
            method, tuning.GRIDS[method][kept[method]], dataset, seed, updates
        )
        for dataset in datasets or SEEDS
        for seed in range(min(repeats, SEEDS[dataset]))
        for method in methods or kept
    }
    failed = 0
    for (dataset, _, method), each in wanted.items():
        try:
            if not known and not store.get(each):
                store.add(runner.train(each, runs_dir, data_dir))
        except UserError as err:
            failed += 1
            print(f"{method}, {dataset}: {err}", flush=True)
    found = collect(store, wanted)
    if found.empty:
        raise UserError(f"{store.path}: no run of the main table is known.")
    page = [
        document.Heading("Main table", 1),
        document.Text(_note(command, updates)),
        *blocks(found, {method: tuning.GRIDS[method][kept[method]] for method in kept}),
    ]
    paths = [out / "main.md", out / "main.csv"]
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
                    "f_updates": result["f_updates"],
                    "m_updates": result["m_updates"],
                    "f_images": result["f_images"],
                    "seconds": result["seconds"],
                }
            )
    return pd.DataFrame(lines)


def differences(mine: pd.DataFrame) -> dict[tuple[str, str], Paired]:
    """Ours less each other method on one dataset, corrected by `holm` over all of
    them and both metrics.

    Args:
      mine: the lines of a dataset.

    Returns:
      Method and metric's name -> the difference; empty where ours is not there.
    """
    by_method = {str(m): rows.set_index("seed") for m, rows in mine.groupby("method")}
    ours = by_method.pop(OURS, None)
    if ours is None:
        return {}
    pairs = {
        (method, metric.name): pair
        for method, rows in by_method.items()
        for metric in METRICS
        if (pair := paired(ours[metric.name].to_dict(), rows[metric.name].to_dict()))
    }
    return holm(pairs)


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
        apart, lines = differences(mine), []
        means = mine.groupby("method")[names].mean().mean(axis=1)
        for method in means.sort_values(ascending=False).index:
            rows = mine[mine["method"] == method]
            chosen = settings.get(str(method), {})
            spread = {name: rows[name].mean() for name in names}
            if len(rows) > 1:
                spread |= {f"{name}_sd": rows[name].std() for name in names}
            cells = [
                str(method),
                ", ".join(f"{name} {value}" for name, value in chosen.items()),
                str(len(rows)),
                document.metric_cell({**dict.fromkeys(names, math.nan), **spread}),
            ]
            for name in names:
                pair = apart.get((str(method), name))
                cells += [*pair.cells, pair.verdict] if pair else ["", "", ""]
            counts = ("f_updates", "m_updates", "f_images")
            cells += [f"{int(np.median(rows[name])):,}" for name in counts]
            lines.append([*cells, f"{rows['seconds'].mean():.0f}"])
        page += [document.Heading(str(dataset)), document.Table(head, lines)]
    return page


def _note(command: str, updates: int) -> str:
    return (
        f"`{command}`: every method with the setting that `reproduce.py tune` kept, "
        f"augmentation and averaged weights, {updates} updates of F (of M where F has "
        "nothing to learn), measured by the averages on the full test set. Differences "
        f"are paired over seeds, with {LEVEL:.0%} intervals; p values are those of the "
        "paired t test after Holm's correction over all comparisons of a dataset, and "
        "the words follow from them alone."
    )

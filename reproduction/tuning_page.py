"""The trials of equal tuning: trained where they are missing, and written as a page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from gamo_tf.errors import UserError, setting
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.files import atomically, write_text
from gamo_tf.grids import document
from gamo_tf.grids.result_store import ResultStore
from reproduction import tuning
from reproduction.runner import Wishes, train_missing


def make(store: ResultStore, wishes: Wishes) -> int:
    """Train the trials that the store has no result of, and write what is known.

    Args:
      store: gets the results.
      wishes: methods of `GRIDS`, datasets in the place of those of `UPDATES`, and more.

    Returns:
      How many trials failed; each says why.

    Raises:
      UserError: a method has no grid, or nothing is known.
    """
    if odd := set(wishes.methods) - set(tuning.GRIDS):
        raise UserError(
            f"{setting('methods')} {', '.join(sorted(odd))}: has no grid in "
            "gamo_tf/experiments/tuning.py."
        )
    odd = set(wishes.datasets) - set(tuning.UPDATES)
    if odd and not wishes.updates:
        raise UserError(
            f"{setting('datasets')} {', '.join(sorted(odd))}: nothing is chosen there; "
            f"{setting('updates')} tries it anyway."
        )
    wanted = tuning.trials(
        wishes.methods or list(tuning.GRIDS), wishes.datasets or list(tuning.UPDATES)
    )
    options = (trial.options(wishes.updates) for trial in wanted)
    failed = train_missing(options, wishes, store)
    for path in write(store, wishes.updates, wishes.command, wishes.out):
        print(f"written: {path}")
    return failed


def write(
    store: ResultStore, updates: int | None, command: str, out: Path
) -> list[Path]:
    """Write what is known as ``tuning.md`` and ``tuning.csv``.

    Args:
      store: the results.
      updates: of F; None: those of `UPDATES`.
      command: that the page names as the one that made it.
      out: directory.

    Returns:
      The two paths.

    Raises:
      UserError: nothing is known.
    """
    found = tuning.collect(store, updates)
    if found.empty:
        raise UserError(f"{store.path}: no such trial is known.")
    kept = tuning.best(found)
    seeds = " and ".join(map(str, tuning.SEEDS))
    lengths = {
        name: updates or tuning.UPDATES[name] for name in found["dataset"].unique()
    }
    told = ", ".join(f"{n} on {name}" for name, n in lengths.items())
    note = (
        f"`{command}`: {document.METRIC_TITLES} on validation rows, averaged weights, "
        f"means over the seeds {seeds}, which no other table uses; updates of F "
        f"(where it has nothing to learn, of M): {told}. Every method has "
        f"{tuning.TRIALS} trials. The one that is kept has the highest mean of both "
        "metrics over the datasets; a method keeps one only when all are known."
    )
    page: list[document.Block] = [
        document.Heading("Tuning", 1),
        document.Text(note),
        *_ranking(found, kept),
    ]
    datasets = list(dict.fromkeys(found["dataset"]))
    for method, mine in found.groupby("method", sort=False):
        lines = []
        for number, same in mine.groupby("number"):
            word = tuning.in_words(tuning.GRIDS[str(method)][int(number)])
            cells = []
            for dataset in datasets:
                rows = same[same["dataset"] == dataset]
                means = (f"{rows[metric.name].mean():.3f}" for metric in METRICS)
                cells.append(f"{' / '.join(means)} ({len(rows)})" if len(rows) else "")
            lines.append([word, *cells, "kept" * (kept.get(str(method)) == number)])
        page.append(document.Heading(str(method)))
        page.append(document.Table(["trial", *datasets, ""], lines))
    paths = [out / "tuning.md", out / "tuning.csv"]
    write_text(paths[0], document.markdown(page))
    atomically(paths[1], lambda part: found.to_csv(part, index=False))
    return paths


def _ranking(found: pd.DataFrame, kept: Mapping[str, int]) -> list[document.Block]:
    """What the methods reach with what they keep; the first go on to `finals`."""
    scores = tuning.ranking(found)
    lines = [
        [method, tuning.in_words(tuning.GRIDS[method][kept[method]]), f"{score:.3f}"]
        for method, score in scores.items()
    ]
    text = (
        "What methods keep, by the mean of both metrics over the validation rows of "
        "all sets. The first of them are trained for longer: [finals.md](finals.md)."
    )
    head = ["method", "setting", "score"]
    return [document.Text(text), document.Table(head, lines)] if lines else []

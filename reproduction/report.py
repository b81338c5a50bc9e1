"""All finished runs on one page: who is ahead of whom, by how much, at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import SETS, spec_of
from gamo_tf.errors import UserError, command
from gamo_tf.evaluation.metrics import METRICS, RANKED_BY
from gamo_tf.files import save_picture, write_text
from gamo_tf.grids import document
from gamo_tf.grids.paired_tests import LEVEL
from gamo_tf.grids.result_store import ResultStore, spreads
from gamo_tf.runs.run import Run
from reproduction import report_plots
from reproduction.published import TABLES
from reproduction.report_statistics import (
    Group,
    comparisons,
    lines,
    method_recalls,
    method_scores,
    seed_count,
)
from reproduction.report_words import (
    GLOSSARY,
    HOW_TO_READ,
    in_words,
    origins,
    section_title,
)


def gather(store: ResultStore, folders: Sequence[Path]) -> int:
    """Take the finished runs of directories into the store.

    Args:
      store: gets the results that it lacks.
      folders: directories of runs; one that is not there has none.

    Returns:
      How many runs have not finished or cannot be read; each is printed in a line.
    """
    unfinished = 0
    for folder in folders:
        for path in sorted(folder.glob("[!.]*/options.json")):
            run = Run(path.parent)
            try:
                options = run.options
                if run.finished:
                    store.add(run)
                elif store.get(options) is None:
                    unfinished += 1
                    resume = command("train", "--resume", run.path)
                    print(f"{run.path}: not finished, left out. Go on with: {resume}")
            except UserError as err:
                unfinished += 1
                print(f"left out: {err.message}")
    return unfinished


def write(
    store: ResultStore, folders: Sequence[Path], out: Path, command_line: str
) -> int:
    """Write ``results.md`` with its pictures, and the same page as ``index.html``.

    Args:
      store: gets the results of `folders`, and is what the page is made of.
      folders: directories of runs.
      out: directory of the page.
      command_line: that the page names as the one that made it.

    Returns:
      How many runs were left out, because they have not finished.

    Raises:
      UserError: where there is nothing to report.
    """
    unfinished = gather(store, folders)
    if not len(store):
        raise UserError(
            f"{', '.join(map(str, folders))}: no finished run. Train some first, for "
            f"example: {command('reproduce', 'table1')}"
        )
    blocks = page(lines(store), command_line, origins(store))
    for block in blocks:
        if isinstance(block, document.Picture):
            save_picture(out / block.name, block.pixels)
    write_text(out / "results.md", document.markdown(blocks))
    write_text(out / "index.html", document.html_page(blocks, "GAMO: measured"))
    print(f"written: {out / 'index.html'}, results.md: {len(store)} runs")
    return unfinished


def page(found: pd.DataFrame, command_line: str, made: str) -> list[document.Block]:
    """The whole page: a section for each group of runs that can be compared.

    Args:
      found: of `lines`.
      command_line: that the page names as the one that made it.
      made: of `origins`.
    """
    order = {name: k for k, name in enumerate(DATASETS)}
    groups = sorted(
        found["group"].unique(),
        key=lambda g: (order.get(g[0], len(order)), g[0], -g[2], g[1]),
    )
    parts = {group: found[found["group"] == group] for group in groups}
    names = dict.fromkeys(
        options.method for options in found["options"] if options.method in METHODS
    )
    blocks: list[document.Block] = [
        document.Heading("Measured: GAMO and what people would use instead", 1),
        document.Text(f"`{command_line}`. {made}"),
        document.Contents(),
        document.Heading("In words"),
        document.Items([in_words(mine, group) for group, mine in parts.items()]),
        document.Heading("What the words mean"),
        document.Items(list(GLOSSARY)),
        document.Heading("What the methods are"),
        document.Items([f"`{name}`: {METHODS[name].title}" for name in sorted(names)]),
        document.Heading("How to read the tables"),
        document.Text(
            "Within a section every method has the same F, M, "
            "optimizer family, batch, training images (by seed) and number of updates "
            "of M; the loss is least squares (LS) where not said otherwise; nothing "
            f"was tuned. {document.METRIC_TITLES}, mean ± standard deviation over "
            "seeds, of the weights that training ends on. A cell stands on as many "
            "seeds as its line says, or as it says itself in brackets. "
            f"{document.PROTOCOL_NOTE}"
        ),
        document.Text(HOW_TO_READ),
    ]
    for group, mine in parts.items():
        blocks += section(mine, group)
    return blocks


def section(mine: pd.DataFrame, group: Group) -> list[document.Block]:
    """The section of a group: figures, pictures, and GAMO against each other method.

    Args:
      mine: the lines of the group.
      group: what they have in common.
    """
    dataset, counts, updates = group
    title, stem = section_title(group), f"{dataset}-{updates}"
    spec = DATASETS.get(dataset)
    if spec and counts != spec.counts:
        stem += f"-{max(counts)}"
    blocks: list[document.Block] = [
        document.Heading(title),
        score_table(mine, dataset),
        document.Picture(
            f"{stem}.png",
            f"{_metric_titles()} by method, {title}",
            report_plots.scores(method_scores(mine), LEVEL, title),
        ),
        *comparison(mine),
    ]
    if counts:  # else every seed has classes of its own
        classes = spec_of(mine["options"].iloc[0]).classes
        order = np.argsort(counts)[::-1]
        picture = report_plots.recalls(
            method_recalls(mine, order),
            [classes[k] for k in order],
            [counts[k] for k in order],
            title,
        )
        alt = f"recall by class, the largest first, {title}"
        blocks.append(document.Picture(f"{stem}-recall.png", alt, picture))
    return blocks


def score_table(mine: pd.DataFrame, dataset: str) -> document.Table:
    """A line a method, the best on the full test set (by `RANKED_BY`) first.

    Args:
      mine: the lines of a group.
      dataset: of the group, whose published figures stand beside.
    """
    published = {
        (method, loss): figures
        for table in TABLES.values()
        for (name, loss, set_name), reported in table.items()
        if (name, set_name) == (dataset, "test")
        for method, figures in reported.items()
    }
    head = [
        "method",
        "seeds",
        "paper",
        SETS["test"],
        SETS["test_full"],
    ]
    head += [f"{SETS['test_full']}, EMA", "seconds"]
    table = []
    for (word, loss), rows in mine.groupby(["variant", "loss"], sort=False):
        sets = {key: lines for key, lines in rows.groupby(["weights", "set"])}
        raw = sets["", "test_full"]
        figures = published.get((word, loss))
        averaged = sets.get(("EMA", "test_full"))
        seeds = str(raw["seed"].nunique())
        cells = [
            document.method_cell(word, loss, ""),
            seeds,
            document.metric_cell(figures._asdict(), digits=2) if figures else "",
            _measured_cell(sets["", "test"], seeds),
            _measured_cell(raw, seeds),
            "" if averaged is None else _measured_cell(averaged, ""),
            document.seconds_cell(raw[["seconds", "extra_seconds"]].mean()),
        ]
        table.append((raw[RANKED_BY].mean(), cells))
    table.sort(key=lambda line: -line[0])
    return document.Table(head, [cells for _, cells in table])


def comparison(mine: pd.DataFrame) -> list[document.Block]:
    """GAMO less each other method, paired over seeds, on the full test set.

    Args:
      mine: the lines of a group.

    Returns:
      A text and a table for each kind of weights that GAMO has with another method.
    """
    blocks: list[document.Block] = []
    head = ["against", "seeds"]
    for metric in METRICS:
        head += [metric.title, "corrected p", "GAMO is"]
    titles = _metric_titles()
    for weights, title in (("", "raw weights"), ("EMA", "averaged weights")):
        table = []
        for (word, loss), by_metric in comparisons(mine, weights).items():
            seeds = [pair.seeds for pair in by_metric.values()]
            apart = dict.fromkeys(map(str, seeds))  # one number, as a rule
            cells = [document.method_cell(word, loss, ""), " / ".join(apart)]
            for metric in METRICS:
                pair = by_metric.get(metric.name)
                cells += pair.cells if pair else ["", "", ""]
            table.append(cells)
        if table:
            blocks.append(
                document.Text(
                    f"GAMO less each alternative, {title}, full test set: mean "
                    "difference over the seeds that both have, its "
                    f"{LEVEL:.0%} interval, and the p value of the paired t test after "
                    "Holm's correction, which is over all comparisons of this table "
                    f"that have two seeds or more, {titles} together."
                )
            )
            blocks.append(document.Table(head, table))
    return blocks


def _metric_titles() -> str:
    return " and ".join(metric.title for metric in METRICS)


def _measured_cell(runs: pd.DataFrame, seeds: str) -> str:
    """Metrics over seeds; behind them how many, where these are not `seeds`."""
    text, counted = document.metric_cell(spreads(runs)), seed_count(runs)
    return text if not text or counted == seeds else f"{text} ({counted})"

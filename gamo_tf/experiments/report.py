"""All finished runs on one page: who is ahead of whom, by how much, at what cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import SETS, spec_of
from gamo_tf.errors import UserError, command
from gamo_tf.evaluation.metrics import METRICS, RANKED_BY
from gamo_tf.experiments import document, report_plots
from gamo_tf.experiments.published import TABLES
from gamo_tf.experiments.report_statistics import (
    LEVEL,
    OURS,
    Group,
    Paired,
    lines,
    method_scores,
    paired,
    recall_curves,
)
from gamo_tf.experiments.result_store import ResultStore, spreads
from gamo_tf.files import save_picture, write_text
from gamo_tf.runs.run import Run


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
        for path in sorted(folder.glob("*/options.json")):
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
    blocks = page(lines(store), command_line)
    for block in blocks:
        if isinstance(block, document.Picture):
            save_picture(out / block.name, block.pixels)
    write_text(out / "results.md", document.markdown(blocks))
    write_text(out / "index.html", document.html_page(blocks, "GAMO: measured"))
    print(f"written: {out / 'index.html'}, results.md: {len(store)} runs")
    return unfinished


def page(found: pd.DataFrame, command_line: str) -> list[document.Block]:
    """The whole page: a section for each group of runs that can be compared.

    Args:
      found: of `lines`.
      command_line: that the page names as the one that made it.
    """
    blocks: list[document.Block] = [
        document.Heading("Measured: GAMO and what people would use instead", 1),
        document.Text(
            f"`{command_line}`. Within a section every method has the same F, M, "
            "optimizer family, batch, training images (by seed) and number of updates "
            "of M; the loss is least squares (LS) where not said otherwise; nothing "
            f"was tuned. {document.METRIC_TITLES}, mean ± standard deviation over "
            "seeds, of the weights that training ends on. "
            f"{document.PROTOCOL_NOTE}"
        ),
    ]
    order = {name: k for k, name in enumerate(DATASETS)}
    groups = sorted(
        found["group"].unique(),
        key=lambda g: (order.get(g[0], len(order)), g[0], -g[2], g[1]),
    )
    for group in groups:
        blocks += section(found[found["group"] == group], group)
    return blocks


def section(mine: pd.DataFrame, group: Group) -> list[document.Block]:
    """The section of a group: figures, pictures, and GAMO against each other method.

    Args:
      mine: the lines of the group.
      group: what they have in common.
    """
    dataset, counts, updates = group
    title, stem = f"{dataset}, {updates:,} updates of M", f"{dataset}-{updates}"
    spec = DATASETS.get(dataset)
    if spec and counts != spec.counts:
        title += f", {'/'.join(map(str, counts))} images"
        stem += f"-{max(counts)}"
    titles = " and ".join(metric.title for metric in METRICS)
    blocks: list[document.Block] = [
        document.Heading(title),
        score_table(mine, dataset),
        document.Picture(
            f"{stem}.png",
            f"{titles} by method, {title}",
            report_plots.scores(method_scores(mine)),
        ),
        *comparison(mine),
    ]
    if counts:  # else every seed has classes of its own
        classes = spec_of(mine["options"].iloc[0]).classes
        order = np.argsort(counts)[::-1]
        picture = report_plots.recalls(
            recall_curves(mine, order),
            [classes[k] for k in order],
            [counts[k] for k in order],
        )
        alt = f"recall by class size, {title}"
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
        cells = [
            document.method_cell(word, loss, ""),
            str(raw["seed"].nunique()),
            document.metric_cell(figures._asdict(), digits=2) if figures else "",
            document.metric_cell(spreads(sets["", "test"])),
            document.metric_cell(spreads(raw)),
            "" if averaged is None else document.metric_cell(spreads(averaged)),
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
    full = mine[mine["set"] == "test_full"]
    blocks: list[document.Block] = []
    for weights, title in (("", "raw weights"), ("EMA", "averaged weights")):
        some = full[full["weights"] == weights]
        by_seed = {
            key: {
                metric.name: rows.set_index("seed")[metric.name].dropna().to_dict()
                for metric in METRICS
            }
            for key, rows in some.groupby(["variant", "loss"], sort=False)
        }
        ours = by_seed.pop(OURS, None)
        if ours is None or not by_seed:
            continue
        table = []
        for (word, loss), other in by_seed.items():
            pairs = [paired(ours[m.name], other[m.name]) for m in METRICS]
            seeds = max((pair.seeds for pair in pairs if pair), default=0)
            if not seeds:
                continue
            cells = [document.method_cell(word, loss, ""), str(seeds)]
            for pair in pairs:
                cells += [_interval(pair), pair.verdict] if pair else ["", ""]
            table.append(cells)
        head = ["against", "seeds"]
        for metric in METRICS:
            head += [metric.title, "GAMO is"]
        blocks.append(
            document.Text(
                f"GAMO less each alternative, {title}, full test set: mean difference "
                f"over the seeds both have, and its {LEVEL:.0%} interval (paired t)."
            )
        )
        blocks.append(document.Table(head, table))
    return blocks


def _interval(pair: Paired) -> str:
    text = f"{pair.mean:+.3f}"
    if math.isnan(pair.low):
        return text
    return f"{text} ({pair.low:+.3f} to {pair.high:+.3f})"

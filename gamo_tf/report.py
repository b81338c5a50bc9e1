"""All finished runs on one page: who is ahead of whom, by how much, at what cost."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from gamo_tf import charts, pages, plots
from gamo_tf.errors import UserError
from gamo_tf.folder import atomically, write_text
from gamo_tf.options import Options, spec_of
from gamo_tf.paper import TABLES
from gamo_tf.records import SETS, Records, frame
from gamo_tf.runs import Run
from gamo_tf.specs import DATASETS, DRAWN

LEVEL = 0.95
# What says how a run was trained beside the method; other settings that differ from
# the default are named.
_USUAL = {"dataset", "method", "loss", "seed", "iterations", "counts", "ema"}
_USUAL |= {"test_per_class", "evaluate_every", "checkpoint_every", "deterministic"}
_USUAL |= {"data", "label", "test_data", "test_split", "patches", "classes", "shape"}


class Paired(NamedTuple):
    """Difference of two methods over the seeds that both have."""

    seeds: int
    mean: float
    low: float  # of the confidence interval; NaN with one seed
    high: float

    @property
    def verdict(self) -> str:
        if self.seeds < 2:
            return "one seed"
        if self.low > 0:
            return "ahead"
        return "behind" if self.high < 0 else "no difference shown"


def paired(own: dict[int, float], other: dict[int, float]) -> Paired | None:
    """own - other, seed by seed, with Student's t interval at LEVEL.

    A seed decides the training images, the same for every method. None: no seed in
    common.
    """
    seeds = sorted(set(own) & set(other))
    if not seeds:
        return None
    gaps = np.array([own[s] - other[s] for s in seeds])
    mean, n = float(gaps.mean()), len(gaps)
    if n < 2:
        return Paired(n, mean, np.nan, np.nan)
    half = stats.t.ppf((1 + LEVEL) / 2, n - 1) * gaps.std(ddof=1) / np.sqrt(n)
    return Paired(n, mean, mean - half, mean + half)


def gather(records: Records, folders: list[Path]) -> int:
    """Adds the finished runs of the folders; the number that have not finished, each
    told in a line."""
    unfinished = 0
    for folder in folders:
        for path in sorted(folder.glob("*/options.json")):
            run = Run(path.parent)
            try:
                options = run.options
                if run.finished:
                    records.add(run)
                elif records.get(options) is None:
                    unfinished += 1
                    print(
                        f"{run.path}: not finished, left out. Go on with: python "
                        f"train_gamo.py --resume {run.path}"
                    )
            except UserError as err:
                unfinished += 1
                print(f"left out: {err}")
    return unfinished


def name(options: Options) -> str:
    """The method, and every setting that is not the default."""
    apart = [
        f"{key.replace('_', '-')} {value}"
        for key, value in options.to_json().items()
        if key not in _USUAL and value != getattr(Options, key)
    ]
    return options.method + "".join(f", {word}" for word in apart)


def lines(records: Records) -> pd.DataFrame:
    """`records.frame` with a label a method and the group it is compared in: the same
    dataset, class sizes and number of updates of M."""
    found = frame(records)
    found["name"] = [name(o) for o in found["options"]]
    found["group"] = [
        (o.dataset, () if o.dataset == DRAWN else o.counts, u)
        for o, u in zip(found["options"], found["m_updates"], strict=True)
    ]
    found["label"] = [
        pages.label(n, loss, w)
        for n, loss, w in zip(
            found["name"], found["loss"], found["weights"], strict=True
        )
    ]
    return found


def write(records: Records, folders: list[Path], out: Path, command: str) -> int:
    """results.md with its pictures, and index.html; how many runs were left out.

    Raises UserError where there is nothing to report.
    """
    unfinished = gather(records, folders)
    if not len(records):
        raise UserError(
            f"{', '.join(map(str, folders))}: no finished run. Train some first, for "
            "example: python reproduce.py table1"
        )
    blocks = page(lines(records), command)
    for block in blocks:
        if isinstance(block, pages.Picture):
            atomically(
                out / block.name,
                lambda part, block=block: plots.save(block.pixels, part),
            )
    write_text(out / "results.md", pages.markdown(blocks))
    write_text(out / "index.html", pages.page(blocks, "GAMO: measured"))
    print(f"written: {out / 'index.html'}, results.md: {len(records)} runs")
    return unfinished


def page(found: pd.DataFrame, command: str) -> list[pages.Block]:
    blocks: list[pages.Block] = [
        pages.Heading("Measured: GAMO and what people would use instead", 1),
        pages.Text(
            f"`{command}`. Within a section every method has the same F, M, optimizer "
            "family, batch, training images (by seed) and number of updates of M; the "
            "loss is least squares (LS) where not said otherwise; nothing was tuned. "
            "ACSA / GM, mean ± standard deviation over seeds, of the weights that "
            f"training ends on. {pages.NOTE}"
        ),
    ]
    order = {d: k for k, d in enumerate(DATASETS)}
    groups = sorted(
        found["group"].unique(),
        key=lambda g: (order.get(g[0], len(order)), g[0], -g[2], g[1]),
    )
    for group in groups:
        blocks += section(found[found["group"] == group], group)
    return blocks


def section(mine: pd.DataFrame, group: tuple) -> list[pages.Block]:
    dataset, counts, updates = group
    title, stem = f"{dataset}, {updates:,} updates of M", f"{dataset}-{updates}"
    row = DATASETS.get(dataset)
    if row and counts != row.counts:
        title += f", {'/'.join(map(str, counts))} images"
        stem += f"-{max(counts)}"
    blocks: list[pages.Block] = [
        pages.Heading(title),
        scores(mine, dataset),
        pages.Picture(
            f"{stem}.png", f"ACSA and GM by method, {title}", charts.scores(mine)
        ),
        *comparison(mine),
    ]
    if counts:  # else every seed has classes of its own
        classes = spec_of(mine["options"].iloc[0]).classes
        picture = charts.recalls(mine, classes, counts)
        what = f"recall by class size, {title}"
        blocks.append(pages.Picture(f"{stem}-recall.png", what, picture))
    return blocks


def _spread(rows: pd.DataFrame) -> dict:
    """acsa, acsa_sd, gm, gm_sd over the seeds of one method and set."""
    return {
        key + end: value
        for key in ("acsa", "gm")
        for end, value in (("", rows[key].mean()), ("_sd", rows[key].std()))
    }


def scores(mine: pd.DataFrame, dataset: str) -> pages.Table:
    """A line a method, best GM on the full test set first, raw weights and averaged."""
    told = {
        (method, loss): result
        for table in TABLES.values()
        for (d, loss, s), reported in table.items()
        if (d, s) == (dataset, "test")
        for method, result in reported.items()
    }
    head = ["method", "seeds", "paper", SETS["test"], SETS["test_full"]]
    table = []
    for (word, loss), rows in mine.groupby(["name", "loss"], sort=False):
        sets = {key: one for key, one in rows.groupby(["weights", "set"])}
        raw = sets["", "test_full"]
        paper = told.get((word, loss))
        cells = [
            pages.label(word, loss, ""),
            str(raw["seed"].nunique()),
            pages.pair(paper._asdict(), digits=2) if paper else "",
            pages.pair(_spread(sets["", "test"])),
            pages.pair(_spread(raw)),
            pages.pair(_spread(sets["EMA", "test_full"]))
            if ("EMA", "test_full") in sets
            else "",
            pages.seconds(raw[["seconds", "extra_seconds"]].mean()),
        ]
        table.append((raw["gm"].mean(), cells))
    table.sort(key=lambda line: -line[0])
    head += [f"{SETS['test_full']}, EMA", "seconds"]
    return pages.Table(head, [cells for _, cells in table])


def comparison(mine: pd.DataFrame) -> list[pages.Block]:
    """GAMO less each other method, paired over seeds, on the full test set."""
    full = mine[mine["set"] == "test_full"]
    blocks: list[pages.Block] = []
    for weights, title in (("", "raw weights"), ("EMA", "averaged weights")):
        some = full[full["weights"] == weights]
        by = {
            key: {
                m: dict(zip(rows["seed"], rows[m], strict=True)) for m in ("acsa", "gm")
            }
            for key, rows in some.groupby(["name", "loss"], sort=False)
        }
        own = by.pop(("gamo", "ls"), None)
        if own is None or not by:
            continue
        table = []
        for (word, loss), other in by.items():
            pairs = [paired(own[m], other[m]) for m in ("acsa", "gm")]
            if pairs[0] is None:
                continue
            cells = [pages.label(word, loss, ""), str(pairs[0].seeds)]
            for pair in pairs:
                cells += [_interval(pair), pair.verdict]
            table.append(cells)
        head = ["against", "seeds", "ACSA", "GAMO is", "GM", "GAMO is"]
        blocks.append(
            pages.Text(
                f"GAMO less each alternative, {title}, full test set: mean difference "
                f"over the seeds both have, and its {LEVEL:.0%} interval (paired t)."
            )
        )
        blocks.append(pages.Table(head, table))
    return blocks


def _interval(pair: Paired) -> str:
    told = f"{pair.mean:+.3f}"
    if np.isnan(pair.low):
        return told
    return f"{told} ({pair.low:+.3f} to {pair.high:+.3f})"

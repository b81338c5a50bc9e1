"""The paper's tables: the runs that a table needs, then the table."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gamo_tf import datasets, pages
from gamo_tf.datasets import sun397
from gamo_tf.errors import UserError
from gamo_tf.folder import atomically, write_text
from gamo_tf.methods import METHODS
from gamo_tf.options import Options, resolve
from gamo_tf.paper import TABLES
from gamo_tf.records import SETS, Records, frame
from gamo_tf.runs import Run
from gamo_tf.specs import DATASETS, DRAWN

ROOT = Path(__file__).resolve().parent.parent
_LOOKS = 5  # evaluations of a run whose length is given: the tables use the last


@dataclass(frozen=True)
class Row:
    """A line of a table: a method, and the loss that it is trained with, which may
    be another than its table's (softmax methods in a table of LS)."""

    dataset: str
    loss: str  # of the part of the table
    method: str
    own_loss: str


@dataclass(frozen=True)
class Wish:
    """What to run of a table.

    Attributes:
      table: a name of TABLES.
      data_dir: of the datasets.
      repeats: seeds 0 to repeats - 1.
      updates: of M; None: as many as the dataset's default has.
      ema: decay of averaged weights, 0 for none.
      datasets, methods, losses: fewer, or other methods than the paper's; empty: its
        own.
    """

    table: str
    data_dir: Path
    repeats: int
    updates: int | None = None
    ema: float = 0.0
    datasets: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()

    def rows(self) -> list[Row]:
        found = {}
        for (dataset, loss, _), reported in TABLES[self.table].items():
            if self.datasets and dataset not in self.datasets:
                continue
            if self.losses and loss not in self.losses:
                continue
            for method in self.methods or reported:
                known = METHODS[method].losses
                own = loss if loss in known else known[0]
                found[Row(dataset, loss, method, own)] = None
        return list(found)

    def runs(self) -> Iterator[tuple[str, str, str, int]]:
        """Dataset, method, loss, seed of each run, seed by seed, so that all rows
        grow together."""
        for seed in range(self.repeats):
            yield from dict.fromkeys(
                (row.dataset, row.method, row.own_loss, seed) for row in self.rows()
            )

    def options(self, dataset: str, method: str, loss: str, seed: int) -> Options:
        """Of one of `runs`. Raises UserError where the method does not fit, or a
        dataset whose classes are drawn is missing."""
        given = {"dataset": dataset, "method": method, "loss": loss, "seed": seed}
        if dataset == DRAWN:
            given = sun397.draw(self.data_dir, seed, decode=False).settings | given
        if self.updates:
            n = max(1, self.updates // METHODS[method].m_updates)
            every = math.ceil(n / _LOOKS)
            given |= {"iterations": n, "evaluate_every": every}
            given["checkpoint_every"] = every
        return resolve({**given, "ema": self.ema})

    def check(self, dataset: str) -> None:
        """Raises UserError where its files are missing: which, and where they go."""
        if dataset == DRAWN:
            sun397.check(self.data_dir)
        else:
            datasets.check(DATASETS[dataset], self.data_dir)


def find(runs_dir: Path, options: Options) -> Run | None:
    """The run of exactly these options under `runs_dir`, finished or not."""
    tail = f"{options.dataset}-{options.method}-{options.loss}"
    for path in sorted(runs_dir.glob(f"*-{tail}/options.json")):
        run = Run(path.parent)
        if run.options == options:
            return run
    return None


def train(options: Options, runs_dir: Path, data_dir: Path) -> Run:
    """The finished run of these options: found, gone on with, or begun, in a process
    of its own. Raises UserError."""
    found = find(runs_dir, options)
    if found and found.finished:
        return found
    if found:
        flags = ["--resume", found.path]
    else:
        names = ("dataset", "method", "loss", "seed", "iterations", "ema")
        names += ("evaluate_every", "checkpoint_every")
        flags = ["--runs-dir", runs_dir]
        for name in names:
            flags += ["--" + name.replace("_", "-"), getattr(options, name)]
    command = [sys.executable, ROOT / "train_gamo.py", *flags, "--data-dir", data_dir]
    done = subprocess.run(
        list(map(str, command)), stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode == 130:
        raise KeyboardInterrupt
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise UserError(lines[-1].removeprefix("train_gamo.py: "))
    return find(runs_dir, options)


def run(wish: Wish, runs_dir: Path, records: Records) -> dict[tuple[str, str], str]:
    """Everything that is missing, into `records`. Returns what failed and why, by
    dataset and method ("": all of it); each failure is told once, the rest goes on."""
    failed: dict[tuple[str, str], str] = {}

    def fail(dataset: str, method: str, err: UserError) -> None:
        told = str(err).removeprefix(f"{dataset}: ")
        print(f"{dataset}{method and ', ' + method}: {told}", flush=True)
        failed[dataset, method] = str(err)

    known, wanted = 0, list(wish.runs())
    for dataset in dict.fromkeys(row.dataset for row in wish.rows()):
        try:
            wish.check(dataset)
        except UserError as err:
            fail(dataset, "", err)
    for dataset, method, loss, seed in wanted:
        if {(dataset, ""), (dataset, method)} & set(failed):
            continue
        try:
            options = wish.options(dataset, method, loss, seed)
            if records.get(options):
                known += 1
            else:
                records.add(train(options, runs_dir, wish.data_dir))
        except UserError as err:
            fail(dataset, method, err)
    if known:
        print(
            f"{known} of {len(wanted)} runs are known from {records.path}; to repeat "
            "them, give another --out"
        )
    return failed


# ---- the table ---------------------------------------------------------------


def collect(wish: Wish, records: Records) -> pd.DataFrame:
    """Means and deviations over seeds beside the paper's figures: a line for each
    row of the table, kind of weights and set."""
    found, lines = frame(records), []
    for row in wish.rows() if len(found) else ():
        wanted = set()
        for seed in range(wish.repeats):
            try:
                own = (row.dataset, row.method, row.own_loss, seed)
                wanted.add(wish.options(*own))
            except UserError:
                break  # told when it was to be run
        mine = found[[o in wanted for o in found["options"]]]
        for (weights, name), runs in mine.groupby(["weights", "set"], sort=False):
            key = (row.dataset, row.loss, name)
            told = None if weights else TABLES[wish.table].get(key, {}).get(row.method)
            lines.append(
                {
                    "dataset": row.dataset,
                    "table_loss": row.loss,
                    "method": row.method,
                    "loss": row.own_loss,
                    "weights": weights,
                    "set": name,
                    "seeds": runs["seed"].nunique(),
                    **{
                        k + end: get(runs[k])
                        for k in ("acsa", "gm")
                        for end, get in (("", pd.Series.mean), ("_sd", pd.Series.std))
                    },
                    **{
                        f"paper_{k}": v
                        for k, v in (told._asdict() if told else {}).items()
                    },
                    "m_updates": runs["m_updates"].iloc[0],
                    "seconds": runs["seconds"].mean(),
                    "extra_seconds": runs["extra_seconds"].mean(),
                }
            )
    return pd.DataFrame(lines)


def blocks(wish: Wish, found: pd.DataFrame) -> list[pages.Block]:
    """A table for each dataset and loss."""
    made: list[pages.Block] = []
    for (dataset, loss), mine in found.groupby(["dataset", "table_loss"], sort=False):
        updates = ", ".join(map(str, sorted(mine["m_updates"].unique())))
        made.append(pages.Heading(f"{dataset}, {loss.upper()}, {updates} updates of M"))
        reported = {s for d, _, s in TABLES[wish.table] if d == dataset}
        shown = [k for k in SETS if k != "train" or "train" in reported]
        heads = []
        for name in shown:
            heads += [f"paper, {SETS[name]}"] * (name in reported) + [SETS[name]]
        lines = []
        for (method, own, kind), rows in mine.groupby(
            ["method", "loss", "weights"], sort=False
        ):
            cells = []
            for name in shown:
                one = rows[rows["set"] == name].iloc[0]
                if name in reported:
                    cells.append("" if kind else pages.pair(one, "paper_", digits=2))
                cells.append(pages.pair(one))
            seconds = "" if kind else pages.seconds(one)
            word = pages.label(method, own, kind, loss)
            lines.append([word, str(one["seeds"]), *cells, seconds])
        made.append(pages.Table(["method", "seeds", *heads, "seconds"], lines))
    return made


def write(wish: Wish, records: Records, command: str, out: Path) -> list[Path]:
    """`out`/tableN.md and .csv; the paths. Raises UserError for an empty table."""
    found = collect(wish, records)
    if found.empty:
        raise UserError(f"{wish.table}: no run of it could be finished.")
    note = (
        f"`{command}`: ACSA / GM, mean ± standard deviation over seeds; {pages.NOTE} "
        "The paper's figures are of ten repeats."
    )
    title = pages.Heading(wish.table.replace("table", "Table "), 1)
    text = pages.markdown([title, pages.Text(note), *blocks(wish, found)])
    paths = [out / f"{wish.table}.md", out / f"{wish.table}.csv"]
    write_text(paths[0], text)
    atomically(paths[1], lambda part: found.to_csv(part, index=False))
    return paths

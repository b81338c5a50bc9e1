"""The paper's tables with this project's figures beside the published ones.

A `TableRequest` says which runs a table needs; `reproduction.runner` makes them
and `ResultStore` remembers them; `write` makes the table of what is remembered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import SETS, Options, resolve
from gamo_tf.data import load
from gamo_tf.errors import UserError
from gamo_tf.files import atomically, write_text
from gamo_tf.grids import document
from gamo_tf.grids.result_store import ResultStore, compared, frame, spreads
from reproduction.published import TABLES, PublishedTable

# A run whose length is asked for is evaluated so often; the tables use the last time.
_EVALUATIONS = 5
# Of every method in these tables, also of those with other defaults.
_PAPER = {"learning_rate": Options.learning_rate, "augment": False}


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
      dataset: that the method is trained on.
      table_loss: the loss of the table that the line stands in.
      method: a row of `METHODS`.
      loss: that the method is trained with. It is another than the table's where the
        method has only one, such as softmax methods in a table of least squares.
    """

    dataset: str
    table_loss: str
    method: str
    loss: str


@dataclass(frozen=True)
class TableRequest:
    """Which table is wanted, and how much of it.

    Attributes:
      table: its name, such as ``table1``.
      data_dir: of the datasets' published files.
      repeats: the seeds are 0 to repeats - 1.
      updates: of M, the same for every method; None: as many as the dataset's default
        length has.
      ema: decay of averaged weights an iteration; 0: none are kept.
      datasets: only these of the table's; empty: all of them.
      methods: these in the place of the table's; empty: the table's own.
      losses: only these of the table's; empty: all of them.
      published: what the paper reports; None: `published.TABLES` under the name. A
        name that is not there has no rows; its maker asks for runs one by one.
    """

    table: str
    data_dir: Path
    repeats: int
    updates: int | None = None
    ema: float = 0.0
    datasets: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    published: PublishedTable | None = None

    @property
    def reported(self) -> PublishedTable:
        """What the paper reports in this table."""
        if self.published is not None:
            return self.published
        return TABLES.get(self.table, {})

    def rows(self) -> list[Row]:
        """The lines of the table, each once, in the paper's order."""
        found: dict[Row, None] = {}  # a set that keeps the order
        for (dataset, table_loss, _), figures in self.reported.items():
            if self.datasets and dataset not in self.datasets:
                continue
            if self.losses and table_loss not in self.losses:
                continue
            for method in self.methods or figures:
                possible = METHODS[method].losses
                loss = table_loss if table_loss in possible else possible[0]
                found[Row(dataset, table_loss, method, loss)] = None
        return list(found)

    def runs(self) -> Iterator[tuple[str, str, str, int]]:
        """The runs that the rows need.

        Returns:
          Dataset, method, loss and seed of each run. All rows of a seed come before
          the next seed, so that a table that is not done yet compares like with like.
        """
        for seed in range(self.repeats):
            yield from dict.fromkeys(
                (row.dataset, row.method, row.loss, seed) for row in self.rows()
            )

    def options(self, dataset: str, method: str, loss: str, seed: int) -> Options:
        """The settings of one of `runs`.

        Args:
          dataset, method, loss, seed: as `runs` yields them.

        Raises:
          UserError: where the method does not fit the dataset, or the files of a
            dataset whose classes are drawn by the seed are missing.
        """
        chosen = {"dataset": dataset, "method": method, "loss": loss, "seed": seed}
        spec = DATASETS[dataset]
        if spec.draws_classes:
            drawn = load.draw_classes(spec, self.data_dir, seed, decode=False)
            chosen = drawn.settings | chosen
        if self.updates:
            iterations = max(1, self.updates // METHODS[method].m_updates)
            every = math.ceil(iterations / _EVALUATIONS)
            chosen |= {"iterations": iterations, "evaluate_every": every}
            chosen["checkpoint_every"] = every
        return resolve({**_PAPER, **chosen, "ema": self.ema})

    def check(self, dataset: str) -> None:
        """Look for the files of a dataset.

        Args:
          dataset: a row of `DATASETS`.

        Raises:
          UserError: where some are missing that cannot be fetched: which they are,
            and where they go.
        """
        load.check(DATASETS[dataset], self.data_dir)


def collect(request: TableRequest, store: ResultStore) -> pd.DataFrame:
    """The figures of a table.

    Args:
      request: the table.
      store: the results; runs that it lacks are left out.

    Returns:
      A line for each row of the table, kind of weights and set: each metric's mean
      and standard deviation over seeds under its name and with ``_sd``, the paper's
      likewise with ``paper_`` before the name, the number of seeds, updates of M, and
      mean seconds. Empty where the store has none of the runs.
    """
    lines = []
    for row in request.rows():
        wanted = _options(request, row)
        pairs = [(each, known) for each in wanted if (known := store.get(each))]
        if not pairs:
            continue
        mine = frame(pairs)
        for (weights, name), runs in mine.groupby(["weights", "set"], sort=False):
            key = (row.dataset, row.table_loss, name)
            reported = request.reported.get(key, {}).get(row.method)
            # The paper has no averaged weights to compare EMA with.
            figures = reported._asdict() if reported and not weights else {}
            lines.append(
                {
                    "dataset": row.dataset,
                    "table_loss": row.table_loss,
                    "method": row.method,
                    "loss": row.loss,
                    "weights": weights,
                    "set": name,
                    "seeds": runs["seed"].nunique(),
                    **spreads(runs),
                    **{f"paper_{field}": value for field, value in figures.items()},
                    "m_updates": runs["m_updates"].iloc[0],
                    "seconds": runs["seconds"].mean(),
                    "extra_seconds": runs["extra_seconds"].mean(),
                }
            )
    return pd.DataFrame(lines)


def _options(request: TableRequest, row: Row) -> list[Options]:
    """The options (`compared`) of a row's runs; none where they cannot be worked out,
    which was said when they were to be run."""
    wanted = []
    for seed in range(request.repeats):
        try:
            options = request.options(row.dataset, row.method, row.loss, seed)
            wanted.append(compared(options))
        except UserError:
            break
    return wanted


def blocks(request: TableRequest, found: pd.DataFrame) -> list[document.Block]:
    """A table for each dataset and loss, under a heading.

    Args:
      request: the table.
      found: of `collect`.
    """
    page: list[document.Block] = []
    for (dataset, loss), mine in found.groupby(["dataset", "table_loss"], sort=False):
        updates = ", ".join(map(str, sorted(mine["m_updates"].unique())))
        title = f"{dataset}, {loss.upper()}, {updates} updates of M"
        page.append(document.Heading(title))
        reported = {name for other, _, name in request.reported if other == dataset}
        # The training set is shown where the paper shows it (Table 3).
        shown = [name for name in SETS if name != "train" or "train" in reported]
        heads = []
        for name in shown:
            heads += [f"paper, {SETS[name]}"] * (name in reported) + [SETS[name]]
        lines = []
        for (method, trained, weights), rows in mine.groupby(
            ["method", "loss", "weights"], sort=False
        ):
            cells = []
            for name in shown:
                line = rows[rows["set"] == name].iloc[0]
                if name in reported:
                    paper = document.metric_cell(line, "paper_", digits=2)
                    cells.append("" if weights else paper)
                cells.append(document.metric_cell(line))
            # Averaged weights come from the same run: its seconds stand there once.
            seconds = "" if weights else document.seconds_cell(line)
            word = document.method_cell(method, trained, weights, loss)
            lines.append([word, str(line["seeds"]), *cells, seconds])
        page.append(document.Table(["method", "seeds", *heads, "seconds"], lines))
    return page


def write(
    request: TableRequest, store: ResultStore, command: str, out: Path
) -> list[Path]:
    """Write a table as Markdown and as CSV.

    Args:
      request: the table.
      store: the results.
      command: that the page names as the one that made it.
      out: directory; ``tableN.md`` and ``tableN.csv`` there are replaced.

    Returns:
      The two paths.

    Raises:
      UserError: where the store has none of the table's runs.
    """
    found = collect(request, store)
    if found.empty:
        raise UserError(f"{request.table}: no run of it could be finished.")
    note = (
        f"`{command}`: {document.METRIC_TITLES}, mean ± standard deviation over seeds; "
        f"{document.PROTOCOL_NOTE} The paper's figures are of ten repeats."
    )
    title = document.Heading(request.table.replace("table", "Table "), 1)
    page = [title, document.Text(note), *blocks(request, found)]
    paths = [out / f"{request.table}.md", out / f"{request.table}.csv"]
    write_text(paths[0], document.markdown(page))
    atomically(paths[1], lambda part: found.to_csv(part, index=False))
    return paths

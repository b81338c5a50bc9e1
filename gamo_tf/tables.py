"""The paper's tables: the runs that a table needs, then the table."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gamo_tf.errors import UserError
from gamo_tf.folder import atomically, write_text
from gamo_tf.methods import METHODS
from gamo_tf.options import Options, resolve
from gamo_tf.paper import TABLES
from gamo_tf.runs import Run
from gamo_tf.specs import DATASETS

ROOT = Path(__file__).resolve().parent.parent
SETS = {"test": "100 a class", "test_full": "full test set", "train": "training set"}


@dataclass(frozen=True)
class Wish:
    """What to run of a table.

    Attributes:
      table: a name of TABLES.
      repeats: seeds 0 to repeats - 1.
      updates: of M; None: as many as the dataset's default has.
      ema: decay of averaged weights, 0 for none.
      datasets, methods: fewer, or other methods than the paper's; empty: its own.
    """

    table: str
    repeats: int
    updates: int | None = None
    ema: float = 0.0
    datasets: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[str, str, str, str]]:
        """Set, dataset, method and loss of each row, each once."""
        seen = set()
        for (dataset, loss, which), reported in TABLES[self.table].items():
            if self.datasets and dataset not in self.datasets:
                continue
            for method in self.methods or reported:
                known = METHODS.get(method)
                own = loss if known is None or loss in known.losses else known.losses[0]
                row = (which, dataset, method, own)
                if row not in seen:
                    seen.add(row)
                    yield row

    def options(self) -> Iterator[Options]:
        """Of every run, seed by seed, so that all rows grow together. What this
        version has no dataset or method for is left out (see `absent`)."""
        for seed in range(self.repeats):
            done = set()
            for _, dataset, method, loss in self.rows():
                if dataset not in DATASETS or method not in METHODS:
                    continue
                if (dataset, method, loss) not in done:
                    done.add((dataset, method, loss))
                    yield self.setting(dataset, method, loss, seed)

    def setting(self, dataset: str, method: str, loss: str, seed: int) -> Options:
        given = {"dataset": dataset, "method": method, "loss": loss, "seed": seed}
        if self.updates:
            each = METHODS[method].m_updates
            given["iterations"] = max(1, self.updates // each)
        return resolve({**given, "ema": self.ema})

    def absent(self) -> list[str]:
        """Datasets and methods of the table that this version does not have."""
        rows = list(self.rows())
        sets = {d for _, d, _, _ in rows if d not in DATASETS}
        return sorted(sets | {m for _, _, m, _ in rows if m not in METHODS})


def find(runs_dir: Path, options: Options) -> Run | None:
    """The run of exactly these options under `runs_dir`, finished or not."""
    tail = f"{options.dataset}-{options.method}-{options.loss}"
    for path in sorted(runs_dir.glob(f"*-{tail}/options.json")):
        run = Run(path.parent)
        if run.options == options:
            return run
    return None


def train(options: Options, runs_dir: Path, data_dir: Path) -> None:
    """Run it, or go on with it, in a process of its own. Raises UserError."""
    found = find(runs_dir, options)
    if found and found.finished:
        return
    if found:
        flags = ["--resume", found.path]
    else:
        flags = ["--dataset", options.dataset, "--method", options.method]
        flags += ["--loss", options.loss, "--seed", options.seed]
        flags += ["--iterations", options.iterations, "--ema", options.ema]
        flags += ["--runs-dir", runs_dir]
    command = [sys.executable, ROOT / "train_gamo.py", *flags, "--data-dir", data_dir]
    done = subprocess.run(
        list(map(str, command)), stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode == 130:
        raise KeyboardInterrupt
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise UserError(lines[-1].removeprefix("train_gamo.py: "))


def collect(wish: Wish, runs_dir: Path) -> pd.DataFrame:
    """A line for each finished run, set and kind of weights (raw, EMA)."""
    lines = []
    for options in wish.options():
        run = find(runs_dir, options)
        if run is None or not run.finished:
            continue
        results = run.read_results()
        kinds = {"": results, "EMA": results.get("ema")}
        for kind, source in kinds.items():
            for name in SETS if source else ():
                lines.append(
                    {
                        "dataset": options.dataset,
                        "loss": options.loss,
                        "method": options.method,
                        "weights": kind,
                        "set": name,
                        "seed": options.seed,
                        "acsa": source[name]["acsa"],
                        "gm": source[name]["gm"],
                        "seconds": results["seconds"],
                        "m_updates": results["m_updates"],
                    }
                )
    return pd.DataFrame(lines)


def text(wish: Wish, found: pd.DataFrame) -> str:
    """Markdown: a table for each dataset and loss, beside the paper's figures."""
    blocks = []
    for (dataset, loss), mine in found.groupby(["dataset", "loss"], sort=False):
        updates = ", ".join(map(str, sorted(mine["m_updates"].unique())))
        blocks.append(f"### {dataset}, {loss.upper()}, {updates} updates of M\n")
        shown = [k for k in SETS if k != "train" or _reports_training(wish, dataset)]
        heads = [f"{kind}{SETS[k]}" for k in shown for kind in ("paper, ", "")]
        heads = [h for h in heads if h != "paper, full test set"]
        blocks.append(_line("method", "seeds", *heads, "seconds"))
        blocks.append(_line(*["---"] * (len(heads) + 3)))
        for (method, kind), rows in mine.groupby(["method", "weights"], sort=False):
            cells = []
            for name in shown:
                if name != "test_full":
                    key = (dataset, loss, name)
                    told = TABLES[wish.table].get(key, {}).get(method)
                    text = f"{told.acsa:.2f} / {told.gm:.2f}" if told else ""
                    cells.append("" if kind else text)
                one = rows[rows["set"] == name]
                cells.append(" / ".join(_spread(one[k]) for k in ("acsa", "gm")))
            seconds = "" if kind else f"{rows['seconds'].mean():.0f}"
            word = f"{method}, {kind}" if kind else method
            blocks.append(_line(word, rows["seed"].nunique(), *cells, seconds))
        blocks.append("")
    return "\n".join(blocks)


def _reports_training(wish: Wish, dataset: str) -> bool:
    return any(d == dataset and s == "train" for d, _, s in TABLES[wish.table])


def _spread(values: pd.Series) -> str:
    mean = f"{values.mean():.3f}"
    return f"{mean}±{values.std():.3f}" if len(values) > 1 else mean


def _line(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def write(wish: Wish, found: pd.DataFrame, command: str, out: Path) -> list[Path]:
    """`out`/tableN.md and .csv; the paths."""
    note = (
        f"# {wish.table.capitalize()}\n\n`{command}`: ACSA / GM, mean and standard "
        "deviation over seeds. EMA: averaged weights, which the paper does not have. "
        "Seconds: training, evaluation and pictures of one run.\n\n"
    )
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{wish.table}.md", out / f"{wish.table}.csv"]
    write_text(paths[0], note + text(wish, found) + "\n")
    atomically(paths[1], lambda part: found.to_csv(part, index=False))
    return paths


def run(wish: Wish, runs_dir: Path, data_dir: Path, out: Path, command: str) -> int:
    """Everything that is missing, then the table; the number of rows that failed."""
    failed: dict[tuple[str, str], str] = {}
    wanted: Iterable[Options] = list(wish.options())
    for options in wanted:
        key = (options.dataset, options.method)
        if key in failed or (options.dataset, "") in failed:
            continue
        try:
            train(options, runs_dir, data_dir)
        except UserError as err:
            print(f"{options.dataset}, {options.method}: {err}", flush=True)
            failed[key] = str(err)
    for name in wish.absent():
        print(f"{name}: this version does not have it; left out", flush=True)
    found = collect(wish, runs_dir)
    if found.empty:
        raise UserError(f"{wish.table}: no run of it could be finished.")
    for path in write(wish, found, command, out):
        print(f"written: {path}")
    return len(failed) + len(wish.absent())

"""GAMO and the plain classifier on the paper's sets: the runs, then a table.

python benchmarks/quality.py --data-dir ../shared/data     trains what is missing
python benchmarks/quality.py --table                       docs/quality.json and a table
Both take --variant NAME, a change to the game with runs and a JSON of its own.

A run that the JSON or --runs-dir has is not repeated; a killed one is resumed. To
repeat them all, delete both. Averaged weights are reported beside the raw ones and
do not change the game.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gamo_tf.paper import TABLES  # noqa: E402

SETS = {"mnist": "table1", "fashion-mnist": "table1", "cifar10": "table2"}
PAPER = {
    (dataset, method): TABLES[table][dataset, "ls", "test"][method]
    for dataset, table in SETS.items()
    for method in ("cn", "gamo")
}
VARIANTS = {  # what to try where a figure is not the paper's
    "authors": ["--generator-update", "per-class", "--label-noise", "0.1"],
    "equation": ["--weighting", "equation"],
}
EMA = "0.999"


def find(folder: Path, dataset: str, method: str, seed: int) -> Path | None:
    """The run of these settings under `folder`, finished or not."""
    for path in sorted(folder.glob(f"*-{dataset}-{method}-ls/options.json")):
        if json.loads(path.read_text())["seed"] == seed:
            return path.parent
    return None


def kept(out: Path) -> list[dict]:
    return json.loads(out.read_text()) if out.is_file() else []


def train(args: argparse.Namespace) -> None:
    folder = args.runs_dir
    done = {(r["dataset"], r["method"], r["seed"]) for r in kept(args.out)}
    for seed in args.seeds:
        for dataset, method in PAPER:
            if dataset not in args.datasets:
                continue
            if args.variant and method != "gamo":
                continue
            path = find(folder, dataset, method, seed)
            if (dataset, method, seed) in done:
                continue
            if path and (path / "results.json").is_file():
                continue
            if path:
                flags = ["--resume", str(path)]
            else:
                flags = ["--dataset", dataset, "--method", method]
                flags += ["--seed", str(seed), "--runs-dir", str(folder)]
                flags += ["--ema", EMA, *VARIANTS.get(args.variant, [])]
            flags += ["--data-dir", str(args.data_dir)]
            print("train_gamo.py", *flags, flush=True)
            command = [sys.executable, str(ROOT / "train_gamo.py"), *flags]
            subprocess.run(command, check=True)


def table(folder: Path, out: Path) -> None:
    """Adds finished runs' numbers to `out`; prints mean and deviation.

    "Late" is the full test set's ACSA over the last ten evaluations: how far M
    swings where it is stopped.
    """
    found = {(r["dataset"], r["method"], r["seed"]): r for r in kept(out)}
    for path in sorted(folder.glob("*/results.json")):
        run = json.loads(path.read_text())
        for source in (run, run.get("ema", {})):
            for name in {"test", "test_full", "train"} & set(source):
                keep = ("acsa", "gm", "recall")
                source[name] = {k: source[name][k] for k in keep}
        history = pd.read_csv(path.parent / "metrics.csv")
        run["late_acsa"] = history["test_full_acsa"].tail(10).tolist()
        found[run["dataset"], run["method"], run["seed"]] = run
    runs = [found[key] for key in sorted(found)]
    out.write_text(json.dumps(runs, indent=1) + "\n")
    print("| set | method | seeds | paper | 100 a class | full test set | late |")
    print("| --- | --- | --- | --- | --- | --- | --- |")

    def scores(sources: list[dict]) -> list[str]:
        """ACSA / GM of the protocol's set and of the full one."""
        return [
            " / ".join(spread([r[name][k] for r in sources]) for k in ("acsa", "gm"))
            for name in ("test", "test_full")
        ]

    for (dataset, method), told in PAPER.items():
        mine = [r for r in runs if (r["dataset"], r["method"]) == (dataset, method)]
        if not mine:
            continue
        cells = scores(mine)
        late = [x for r in mine for x in r["late_acsa"]]
        cells.append(f"{mean(late):.3f} ({min(late):.3f} to {max(late):.3f})")
        row = (dataset, method, len(mine), f"{told.acsa:.2f} / {told.gm:.2f}", *cells)
        print("|", " | ".join(map(str, row)), "|")
        averaged = [r["ema"] for r in mine if "ema" in r]
        if averaged:
            row = (dataset, f"{method}, EMA", len(averaged), "", *scores(averaged), "")
            print("|", " | ".join(map(str, row)), "|")


def spread(values: list[float]) -> str:
    text = f"{mean(values):.3f}"
    return text + (f"±{stdev(values):.3f}" if len(values) > 1 else "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data")
    parser.add_argument("--runs-dir", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--datasets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--variant", choices=sorted(VARIANTS))
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    name = f"quality-{args.variant}" if args.variant else "quality"
    args.runs_dir = args.runs_dir or ROOT / "runs" / name
    args.out = ROOT / "docs" / f"{name}.json"
    if args.table:
        table(args.runs_dir, args.out)
    else:
        train(args)

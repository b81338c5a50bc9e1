"""GAMO and the plain classifier on the paper's sets: the runs, then a table.

python benchmarks/quality.py --data-dir ../shared/data     trains what is missing
python benchmarks/quality.py --table                       docs/quality.json and a table

Finished runs are kept and not repeated; a killed one is resumed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev

ROOT = Path(__file__).resolve().parent.parent
PAPER = {  # ACSA / GM, LS: Table 1 and, for CIFAR-10, Table 2
    ("mnist", "cn"): (0.88, 0.86),
    ("mnist", "gamo"): (0.91, 0.90),
    ("fashion-mnist", "cn"): (0.81, 0.79),
    ("fashion-mnist", "gamo"): (0.83, 0.81),
    ("cifar10", "cn"): (0.45, 0.37),
    ("cifar10", "gamo"): (0.49, 0.43),
}


def find(folder: Path, dataset: str, method: str, seed: int) -> Path | None:
    """The run of these settings under `folder`, finished or not."""
    for path in sorted(folder.glob(f"*-{dataset}-{method}-ls/options.json")):
        if json.loads(path.read_text())["seed"] == seed:
            return path.parent
    return None


def train(folder: Path, data_dir: Path, seeds: int) -> None:
    for seed in range(seeds):
        for dataset, method in PAPER:
            path = find(folder, dataset, method, seed)
            if path and (path / "results.json").is_file():
                continue
            if path:
                flags = ["--resume", str(path)]
            else:
                flags = ["--dataset", dataset, "--method", method]
                flags += ["--seed", str(seed), "--runs-dir", str(folder)]
            flags += ["--data-dir", str(data_dir)]
            print("train_gamo.py", *flags, flush=True)
            command = [sys.executable, str(ROOT / "train_gamo.py"), *flags]
            subprocess.run(command, check=True)


def table(folder: Path, out: Path) -> None:
    """Writes every finished run's numbers to `out`, prints mean and deviation."""
    kept = []
    for path in sorted(folder.glob("*/results.json")):
        found = json.loads(path.read_text())
        for name in ("test", "test_full", "train"):
            found[name] = {k: found[name][k] for k in ("acsa", "gm", "recall")}
        kept.append(found)
    out.write_text(json.dumps(kept, indent=1) + "\n")
    print("| set | method | seeds | paper | 100 a class | full test set |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (dataset, method), (acsa, gm) in PAPER.items():
        mine = [r for r in kept if (r["dataset"], r["method"]) == (dataset, method)]
        if not mine:
            continue
        cells = [
            " / ".join(spread([r[name][k] for r in mine]) for k in ("acsa", "gm"))
            for name in ("test", "test_full")
        ]
        row = (dataset, method, len(mine), f"{acsa:.2f} / {gm:.2f}", *cells)
        print("|", " | ".join(map(str, row)), "|")


def spread(values: list[float]) -> str:
    text = f"{mean(values):.3f}"
    return text + (f"±{stdev(values):.3f}" if len(values) > 1 else "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data")
    parser.add_argument("--runs-dir", type=Path, default=ROOT / "runs/quality")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    if args.table:
        table(args.runs_dir, ROOT / "docs/quality.json")
    else:
        train(args.runs_dir, args.data_dir, args.seeds)

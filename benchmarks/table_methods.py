"""Which method to recommend for tables: six methods on tables of `resample.py`.

python benchmarks/table_methods.py WORK    needs benchmarks/requirements.txt

It takes the tables of at most 2,000 samples. Each is split into 60 % training, 20 %
validation and 20 % test samples, once for each seed. Every method gets the same number
of updates of M, at two learning rates: the one that tuning on images kept for most
methods, and the paper's. Scores go to WORK/scores.jsonl, where a stopped benchmark goes
on. Writes docs/table-methods.csv: validation scores recommend, test scores report.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import pandas as pd  # noqa: E402
from resample import LABEL, of_keel, of_scikit_learn  # noqa: E402
from sklearn.metrics import balanced_accuracy_score  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402

from gamo_tf import GAMOClassifier  # noqa: E402
from gamo_tf.config.methods import METHODS  # noqa: E402

UPDATES = 4000  # of M
LARGEST = 2000  # samples of a table
RATES = (1e-3, 2e-4)
COMPARED = (
    "cn",
    "class-weight",
    "logit-adjust",
    "balanced-repeats",
    "balanced-pairs",
    "gamo",
)


def scores(frame: pd.DataFrame, method: str, rate: float, seed: int) -> dict:
    """Balanced accuracy of one training.

    Args:
      frame: Features and labels.
      method: A row of `METHODS`.
      rate: Learning rate of Adam.
      seed: Seed of the split and of the training.

    Returns:
      Scores by "validation" and "test".
    """
    X, y = frame.drop(columns=LABEL), frame[LABEL].to_numpy()
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=seed
    )
    X, X_validation, y, y_validation = train_test_split(
        X, y, test_size=0.25, stratify=y, random_state=seed
    )
    model = GAMOClassifier(
        method,
        loss="ce",
        learning_rate=rate,
        iterations=UPDATES // METHODS[method].m_updates,
        random_state=seed,
    ).fit(X, y)
    return {
        "validation": balanced_accuracy_score(
            y_validation, model.predict(X_validation)
        ),
        "test": balanced_accuracy_score(y_test, model.predict(X_test)),
    }


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean scores of each method at each learning rate, the best first.

    Args:
      rows: Scores of all trainings.

    Returns:
      Columns "validation", "test", "tables", and "behind" with its "standard_error":
      the mean difference of validation scores to the first line, over tables.
    """
    lines = ["method", "rate"]
    tables = rows.pivot_table(index="table", columns=lines, values="validation")
    leader = tables[tables.mean().idxmax()]
    behind = tables.rsub(leader, axis=0)
    scores = rows.groupby([*lines, "table"])[["validation", "test"]].mean()
    board = scores.groupby(lines).mean()
    board["tables"] = len(tables)
    board["behind"], board["standard_error"] = behind.mean(), behind.sem()
    return board.sort_values("validation", ascending=False)


def main() -> None:
    """Train what is missing, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, metavar="WORK")
    parser.add_argument("--seeds", type=int, default=2)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    path = args.work / "scores.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    done = {(r["seed"], r["table"], r["method"], r["rate"]) for r in rows}
    warnings.simplefilter("ignore")
    tables = {**of_scikit_learn(), **of_keel()}
    small = {name: t for name, t in tables.items() if len(t) <= LARGEST}
    with path.open("a") as file:
        for seed in range(args.seeds):
            for name, frame in small.items():
                for method in COMPARED:
                    for rate in RATES:
                        key = (seed, name, method, rate)
                        if key in done:
                            continue
                        names = ("seed", "table", "method", "rate")
                        row = dict(zip(names, key, strict=True))
                        row |= scores(frame, method, rate, seed)
                        rows.append(row)
                        print(json.dumps(row), file=file, flush=True)
                print(f"seed {seed}: {name}", flush=True)
    board = summary(pd.DataFrame(rows))
    board.round(4).to_csv(ROOT / "docs" / "table-methods.csv")
    print(board.round(3).to_string())


if __name__ == "__main__":
    main()

"""fit_resample beside imbalanced-learn's oversamplers: recall, and seconds.

python benchmarks/resample.py            docs/resample.csv and two tables

Tables that scikit-learn ships, made imbalanced by dropping minority rows (seeded), and
one made by make_classification. Five random halves, the same for every sampler; each
resamples the training half; a logistic regression and gradient boosting are fitted on
standardised columns and tested on the other half. All samplers at their defaults.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gamo_tf.import_tensorflow import import_tensorflow  # noqa: E402

import_tensorflow()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from imblearn.over_sampling import SMOTE, RandomOverSampler  # noqa: E402
from sklearn.datasets import (  # noqa: E402
    load_breast_cancer,
    load_digits,
    load_wine,
    make_classification,
)
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import balanced_accuracy_score, recall_score  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from gamo_tf import GAMO  # noqa: E402

REPEATS = 5
SAMPLERS = {
    "none": None,
    "random": RandomOverSampler,
    "smote": SMOTE,
    "gamo": GAMO,
}
MODELS = {
    "logistic": lambda: LogisticRegression(max_iter=2000),
    "boosting": lambda: HistGradientBoostingClassifier(random_state=0),
}


def thin(X: np.ndarray, y: np.ndarray, keep: dict[int, int]) -> tuple:
    """Drop rows of some classes.

    Args:
      X: [n, d].
      y: int [n].
      keep: how many rows to keep, by label; they are drawn by a fixed seed. Classes
        that are not in it keep all of theirs.

    Returns:
      The kept rows and their labels, in the order that they had.
    """
    rng = np.random.default_rng(0)
    rows = [
        rng.permutation(np.flatnonzero(y == k))[: keep.get(k)] for k in np.unique(y)
    ]
    rows = np.sort(np.concatenate(rows))
    return X[rows], y[rows]


def tables() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The data, by name: rows and labels.

    Label 0 is the majority class; all others are minority classes.
    """
    X, y = load_breast_cancer(return_X_y=True)
    found = {"breast cancer, 357:40": thin(X, 1 - y, {1: 40})}
    X, y = load_digits(return_X_y=True)
    found["digits 8 or not, 1623:60"] = thin(X, (y == 8).astype(int), {1: 60})
    found["digits, 178:20 each"] = thin(X, y, {k: 20 for k in range(1, 10)})
    X, y = load_wine(return_X_y=True)
    found["wine, 71:20:20"] = thin(X, np.array([1, 0, 2])[y], {1: 20, 2: 20})
    X, y = make_classification(
        5000,
        20,
        n_informative=8,
        n_clusters_per_class=3,
        weights=[0.98],
        class_sep=0.8,
        random_state=0,
    )
    found["synthetic, 50:1"] = X, y
    return found


def score(
    X: np.ndarray, y: np.ndarray, name: str, sampler: type | None, seed: int
) -> list[dict]:
    """Resample one half of a table, fit each model on it and test it on the other.

    Args:
      X: [n, d].
      y: int [n].
      name: of the table.
      sampler: class of the oversampler; None: the half is left as it is.
      seed: of the halves and of the sampler.

    Returns:
      A row of results for each of MODELS.
    """
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=seed
    )
    scale = StandardScaler().fit(X)
    X, X_test = scale.transform(X), scale.transform(X_test)
    began = time.perf_counter()
    if sampler:
        X, y = sampler(random_state=seed).fit_resample(X, y)
    took = time.perf_counter() - began
    minority = np.setdiff1d(np.unique(y_test), [0])
    rows = []
    for model, make in MODELS.items():
        guess = make().fit(X, y).predict(X_test)
        recall = recall_score(y_test, guess, labels=minority, average="macro")
        rows.append(
            {
                "table": name,
                "model": model,
                "seed": seed,
                "minority_recall": recall,
                "balanced_accuracy": balanced_accuracy_score(y_test, guess),
                "seconds": took,
            }
        )
    return rows


def speed() -> float:
    """Seconds of fit_resample on 20,000 x 64, 50:1, at the defaults."""
    X, y = make_classification(
        20_000, 64, n_informative=20, weights=[50 / 51], flip_y=0, random_state=0
    )
    began = time.perf_counter()
    GAMO(random_state=0).fit_resample(X, y)
    return time.perf_counter() - began


def main() -> None:
    """Write all rows to a CSV file, and print the means as two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "resample.csv")
    args = parser.parse_args()
    rows = []
    for name, (X, y) in tables().items():
        for word, sampler in SAMPLERS.items():
            for seed in range(REPEATS):
                for row in score(X, y, name, sampler, seed):
                    rows.append({"sampler": word, **row})
        print(name, flush=True)
        pd.DataFrame(rows).round(4).to_csv(args.out, index=False)
    found = pd.DataFrame(rows)
    for key in ("minority_recall", "balanced_accuracy"):
        print(f"\n{key}: mean ± deviation over {REPEATS} halves\n")
        print("| table | model | " + " | ".join(SAMPLERS) + " |")
        print("| --- | --- |" + " ---: |" * len(SAMPLERS))
        for (name, model), group in found.groupby(["table", "model"], sort=False):
            cells = []
            for word in SAMPLERS:
                values = group[group["sampler"] == word][key]
                cells.append(f"{values.mean():.3f}±{values.std():.3f}")
            print(f"| {name} | {model} | " + " | ".join(cells) + " |")
    print(f"\nfit_resample, 20,000 x 64, 50:1: {speed():.1f} s")


if __name__ == "__main__":
    main()

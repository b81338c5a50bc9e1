"""A balanced table of features on disk: the user's rows, then generated ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf.datasets import own_features
from gamo_tf.folder import atomically
from gamo_tf.runs import Run
from gamo_tf.topping import PARENTS, top_up


def save(run: Run, path: Path, seed: int = 0) -> dict[str, int]:
    """The training rows of a finished run on a table and, for every smaller class, as
    many generated rows as the largest has more; in the kind of file that came.

    Beside the columns of the file: `row` (line of the file, -1: generated),
    `synthetic`, and `parent_1` ... and `weight_1` ..., the heaviest parents, as lines
    of the file. An .npz holds them as arrays row, synthetic, parents and weights.
    Test rows are left out. Returns the number of generated rows of each class.
    """
    options, lines = run.options, run.sources()
    table = own_features.read(Path(options.data), options.label)
    split = run.load_split(run.arrays(Path()))
    lines = lines[split.train_index]
    largest = max(options.counts)
    wanted = {k: largest - n for k, n in enumerate(options.counts) if n < largest}
    made = top_up(run.load_model("G"), split.images, split.labels, wanted, seed)
    made = made._replace(parents=np.where(made.parents < 0, -1, lines[made.parents]))
    X = np.concatenate([split.images, made.samples])
    y = table.values[np.concatenate([split.labels, made.labels])]
    row = np.concatenate([lines, np.full(len(made.labels), -1)])
    parents = np.concatenate([np.full((len(lines), PARENTS), -1), made.parents])
    weights = np.concatenate([np.zeros((len(lines), PARENTS)), made.weights])
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        arrays = {"X": X, options.label: y, "row": row, "synthetic": row < 0}
        arrays |= {"parents": parents, "weights": weights}
        atomically(path, lambda part: np.savez(part, **arrays))
    else:
        frame = pd.DataFrame(X, columns=list(table.columns))
        frame[options.label] = y
        frame["row"], frame["synthetic"] = row, row < 0
        for k in range(PARENTS):
            frame[f"parent_{k + 1}"] = parents[:, k]
            frame[f"weight_{k + 1}"] = np.round(weights[:, k], 6)
        kind = "to_csv" if path.suffix == ".csv" else "to_parquet"
        atomically(path, lambda part: getattr(frame, kind)(part, index=False))
    return {options.classes[k]: n for k, n in wanted.items()}

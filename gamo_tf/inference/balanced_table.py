"""A balanced table of feature vectors on disk: the user's rows and generated ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gamo_tf.data import feature_table
from gamo_tf.errors import UserError
from gamo_tf.files import atomically
from gamo_tf.inference.convex_sampler import LISTED_PARENTS, ConvexSampler
from gamo_tf.networks.saved import load_network
from gamo_tf.runs.run import Run


def save(run: Run, path: Path, seed: int = 0) -> dict[str, int]:
    """Write the training rows of a run and, for every minority class, as many generated
    rows as it lacks to the largest.

    The file has the columns of the user's table and these:

    - ``row``: the row of the user's table, counted from 0; -1 for a generated row.
    - ``synthetic``: whether the row was generated.
    - ``parent_1`` to ``parent_5``: the rows of the user's table that weigh most in a
      generated row, heaviest first; -1 where there is none.
    - ``weight_1`` to ``weight_5``: the convex weights of these (Eq. 1).

    An .npz has X [n, d] and the labels, and the same as the arrays ``row`` [n],
    ``synthetic`` [n], ``parents`` [n, 5] and ``weights`` [n, 5]. Rows that were kept
    for testing are left out.

    Args:
      run: a finished run on a table, of a method with a convex generator.
      path: of the file, a .csv, .parquet or .npz as the user's table is; folders
        above it are created.
      seed: of the generated rows.

    Returns:
      The number of generated rows of each minority class, by its name.

    Raises:
      UserError: where the run was not on a table, has no G, or the table has changed
        since.
    """
    options, sources = run.options, run.row_sources()
    if sources is None or not options.label:
        raise UserError(f"{run.path}: was not trained on a table of features.")
    table = feature_table.read(Path(options.data), options.label)
    split = run.load_split(run.arrays(Path()))
    table_rows = sources[split.train_index]
    counts = options.class_counts
    wanted = {label: counts.deficits[label] for label in counts.minority}
    G = load_network(run.model("G"))
    samples = ConvexSampler(G, split.images, split.labels).sample(wanted, seed)

    # Generated rows stand behind the real ones, which have no parents.
    n, m = len(table_rows), len(samples.labels)
    X = np.concatenate([split.images, samples.values])
    y = table.values[np.concatenate([split.labels, samples.labels])]
    row = np.concatenate([table_rows, np.full(m, -1)])
    parents = np.full((n + m, LISTED_PARENTS), -1)
    parents[n:] = np.where(samples.parents < 0, -1, table_rows[samples.parents])
    weights = np.zeros((n + m, LISTED_PARENTS))
    weights[n:] = samples.weights

    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        arrays = {"X": X, options.label: y, "row": row, "synthetic": row < 0}
        arrays |= {"parents": parents, "weights": weights}
        atomically(path, lambda part: np.savez(part, **arrays))
    else:
        frame = pd.DataFrame(X, columns=list(table.columns))
        frame[options.label] = y
        frame["row"], frame["synthetic"] = row, row < 0
        for k in range(LISTED_PARENTS):
            frame[f"parent_{k + 1}"] = parents[:, k]
            frame[f"weight_{k + 1}"] = np.round(weights[:, k], 6)
        kind = "to_csv" if path.suffix == ".csv" else "to_parquet"
        atomically(path, lambda part: getattr(frame, kind)(part, index=False))
    return {options.classes[k]: n for k, n in wanted.items()}

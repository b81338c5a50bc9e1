"""A balanced table of feature vectors on disk: the user's rows and generated ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gamo_tf.data import column_types, table_files, table_identity
from gamo_tf.data.feature_table import FeatureTable
from gamo_tf.errors import UserError
from gamo_tf.files import atomically
from gamo_tf.inference.convex_sampler import LISTED_PARENTS, Samples
from gamo_tf.inference.players import load_sampler
from gamo_tf.runs.run import Run


class Saved(NamedTuple):
    """What `save` has written.

    Attributes:
      added: the number of generated rows of each minority class, by its name.
      prefix: what the names of the columns that were added begin with, where the
        user's table has one of them already; mostly "".
    """

    added: dict[str, int]
    prefix: str


def save(run: Run, path: Path, seed: int = 0) -> Saved:
    """Write the training rows of a run and, for every minority class, as many generated
    rows as it lacks to the largest.

    The training rows are those of the user's file to the letter, and in generated rows
    every column has its own type (see `data.column_types`). The file has the columns
    of the user's table in their order, and then these:

    - ``row``: the row of the user's table, counted from 0; -1 for a generated row.
    - ``synthetic``: whether the row was generated.
    - ``parent_1`` to ``parent_5``: the rows of the user's table that weigh most in a
      generated row, heaviest first; -1 where there is none.
    - ``weight_1`` to ``weight_5``: the convex weights of these (Eq. 1).

    An .npz has the user's two arrays, by their names, and the same as the arrays
    ``row`` [n], ``synthetic`` [n], ``parents`` [n, 5] and ``weights`` [n, 5]. Where
    the user's table has one of these names, all of them get a prefix. Rows that were
    kept for testing are left out, and so are columns that the run was not trained on.

    Args:
      run: a finished run on a table, of a method with a convex generator.
      path: of the file, a .csv, .parquet or .npz as the user's table is; folders
        above it are created.
      seed: of the generated rows.

    Raises:
      UserError: where the run was not on a table, has no G, or the table has changed
        since.
    """
    options, sources = run.options, run.row_sources()
    if sources is None or not options.label:
        raise UserError(f"{run.path}: was not trained on a table of features.")
    split = run.load_split(run.arrays(Path()))
    # What is copied is what was compared, whatever happens to the file in between.
    table = table_identity.read_again(options, run.identity)
    rows = sources[split.train_index].astype(np.int64)
    table_identity.check_labels(options, table, rows, split.labels)
    counts = options.class_counts
    wanted = {label: counts.deficits[label] for label in counts.minority}
    samples = load_sampler(run, table.X[rows], split.labels).sample(wanted, seed)

    path.parent.mkdir(parents=True, exist_ok=True)
    columns = _columns(table, rows, split.labels, samples)
    ours = _ours(rows, samples, path.suffix == ".npz")
    prefix = _free_prefix(ours, table.content.names)
    ours = {prefix + name: values for name, values in ours.items()}
    if path.suffix == ".npz":
        table_files.write_npz(path, {**dict(columns), **ours})
    else:
        # Made of a list: a table may have names of other types than text.
        frame = pd.concat(
            [*(values for _, values in columns), pd.DataFrame(ours)], axis=1
        )
        frame.columns = pd.Index([*(name for name, _ in columns), *ours], dtype=object)
        kind = "to_csv" if path.suffix == ".csv" else "to_parquet"
        atomically(path, lambda part: getattr(frame, kind)(part, index=False))
    return Saved({options.classes[k]: n for k, n in wanted.items()}, prefix)


def _ours(rows: np.ndarray, samples: Samples, arrays: bool) -> dict[str, np.ndarray]:
    """The columns that are added, generated rows behind the real ones, which have no
    parents; parents and weights as one column each, or as `arrays`."""
    n, m = len(rows), len(samples.labels)
    row = np.concatenate([rows, np.full(m, -1)])
    parents = np.full((n + m, LISTED_PARENTS), -1)
    parents[n:] = np.where(samples.parents < 0, -1, rows[samples.parents])
    weights = np.zeros((n + m, LISTED_PARENTS))
    weights[n:] = samples.weights
    found = {"row": row, "synthetic": row < 0}
    if arrays:
        return {**found, "parents": parents, "weights": weights}
    for k in range(LISTED_PARENTS):
        found[f"parent_{k + 1}"] = parents[:, k]
        found[f"weight_{k + 1}"] = np.round(weights[:, k], 6)
    return found


def _free_prefix(ours: Iterable[str], taken: Iterable) -> str:
    """What our names have to begin with so that none of the user's is among them."""
    names, prefix = {str(name) for name in taken}, ""
    while any(prefix + name in names for name in ours):
        prefix += "gamo_"
    return prefix


def _columns(
    table: FeatureTable, rows: np.ndarray, labels: np.ndarray, samples: Samples
) -> list[tuple]:
    """Names and values of the user's columns, or arrays: the rows of the table, and
    behind them the generated ones."""
    content, heaviest = table.content, samples.parents[:, 0]

    def of_parent(real: Any) -> Any:
        whole = np.concatenate([rows, rows[heaviest]])
        if isinstance(real, np.ndarray):
            return real[whole]
        return real.iloc[whole].reset_index(drop=True)

    def joined(real: Any, combined: np.ndarray) -> Any:
        real = of_parent(real)[: len(rows)]
        new = column_types.generated(real, labels, combined, samples.labels, heaviest)
        if isinstance(real, np.ndarray):
            # Joining arrays makes big-endian numbers native.
            return np.concatenate([real, new]).astype(real.dtype)
        return pd.concat([real, new], ignore_index=True)

    def as_text(text: pd.Series, values: pd.Series) -> pd.Series:
        written = of_parent(text)
        if column_types.kind_of(values.dtype) in ("integer", "float"):
            new = values.iloc[len(rows) :].tolist()
            written.iloc[len(rows) :] = [repr(value) for value in new]
        return written

    if isinstance(content.features, np.ndarray):
        return [
            (content.table, joined(content.features, samples.values)),
            (content.label, of_parent(content.labels)),
        ]
    found: list[tuple] = []
    for name, title in zip(content.names, content.titles, strict=True):
        if name == content.label:
            found.append((name, of_parent(content.labels)))
        elif title in table.columns:
            combined = samples.values[:, table.columns.index(title)]
            values = joined(content.features[title], combined)
            if content.text is not None:
                values = as_text(content.text[title], values)
            found.append((name, values))
    return found

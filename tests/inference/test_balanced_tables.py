"""Balanced tables: real rows as they were, generated rows within the hull."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gamo_tf.errors import UserError
from gamo_tf.inference import balanced_table


def read_balanced(path, columns: list[str]) -> dict[str, np.ndarray]:
    """The same arrays of each kind of file."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as found:
            return dict(found)
    frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    assert list(frame.columns[: len(columns)]) == columns
    return {
        "X": frame[columns[:-1]].to_numpy(),
        "parents": frame[[f"parent_{k}" for k in range(1, 6)]].to_numpy(),
        "weights": frame[[f"weight_{k}" for k in range(1, 6)]].to_numpy(),
        **{name: frame[name].to_numpy() for name in ("kind", "synthetic", "row")},
    }


@pytest.mark.parametrize(
    "suffix",
    [
        ".csv",
        pytest.param(".parquet", marks=pytest.mark.slow),
        pytest.param(".npz", marks=pytest.mark.slow),
    ],
)
def test_the_same_kind_of_file_comes_back(suffix, table_run, cells, tmp_path):
    run = table_run(suffix)
    assert run.options.counts == (286, 16) and run.options.shape == (30,)
    path = tmp_path / "new" / f"balanced{suffix}"
    assert balanced_table.save(run, path) == {"malignant": 270}
    found = read_balanced(path, list(cells.columns))
    X, kind, row = found["X"], found["kind"], found["row"]
    new = found["synthetic"]
    assert new.sum() == 270 and (kind == "malignant").sum() == 286
    assert (row[new] == -1).all()

    real = cells.drop(columns="kind").to_numpy()
    np.testing.assert_allclose(X[~new], real[row[~new]], rtol=1e-4)
    kinds = cells["kind"].to_numpy()
    assert (kinds[row[~new]] == kind[~new]).all()
    assert (kinds[found["parents"][new]] == "malignant").all()
    assert (found["parents"][~new] == -1).all() and not found["weights"][~new].any()
    # Parents are rows that were trained on: those kept for testing are left out.
    assert set(found["parents"][new].ravel()) <= set(row[~new])
    # Within the hull: between the extremes of the training rows of the class.
    rows = real[row[~new & (kind == "malignant")]]
    tolerance = 1e-4 * np.abs(rows).max(axis=0)
    assert (X[new] <= rows.max(axis=0) + tolerance).all()
    assert (X[new] >= rows.min(axis=0) - tolerance).all()
    weights = found["weights"]
    assert (weights[new] >= 0).all() and (weights.sum(axis=1) < 1.0001).all()


def test_a_seed_repeats_the_generated_rows(table_run, tmp_path):
    run = table_run(".csv")
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        balanced_table.save(run, tmp_path / f"{name}.csv", seed)
    a, b, c = (
        pd.read_csv(tmp_path / f"{name}.csv").drop(columns="kind").to_numpy()
        for name in "abc"
    )
    np.testing.assert_array_equal(a, b)
    assert (a[-270:] != c[-270:]).any() and (a[:-270] == c[:-270]).all()


def test_a_run_on_images_has_no_table(image_run, tmp_path):
    with pytest.raises(UserError, match="not trained on a table"):
        balanced_table.save(image_run, tmp_path / "x.csv")
    assert not list(tmp_path.iterdir())

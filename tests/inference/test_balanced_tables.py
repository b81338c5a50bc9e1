"""Balanced tables: real rows as they were, generated rows within the hull."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gamo_tf import train
from gamo_tf.config.options import resolve
from gamo_tf.data import user_data
from gamo_tf.errors import UserError
from gamo_tf.inference import balanced_table
from gamo_tf.runs.run import Run

pytestmark = pytest.mark.slow


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
    saved = balanced_table.save(run, path)
    assert (saved.added, saved.prefix) == ({"malignant": 270}, "")
    assert saved.spread["malignant"].rows == 270
    found = read_balanced(path, list(cells.columns))
    X, kind, row = found["X"], found["kind"], found["row"]
    new = found["synthetic"]
    assert new.sum() == 270 and (kind == "malignant").sum() == 286
    assert (row[new] == -1).all()

    real = cells.drop(columns="kind").to_numpy()
    np.testing.assert_array_equal(X[~new], real[row[~new]])
    kinds = cells["kind"].to_numpy()
    assert (kinds[row[~new]] == kind[~new]).all()
    assert (kinds[found["parents"][new]] == "malignant").all()
    assert (found["parents"][~new] == -1).all() and not found["weights"][~new].any()
    # Parents are rows that were trained on: those kept for testing are left out.
    assert set(found["parents"][new].ravel()) <= set(row[~new])
    # Within the hull: between the extremes of the training rows of the class.
    rows = real[row[~new & (kind == "malignant")]]
    assert (X[new] <= rows.max(axis=0)).all() and (X[new] >= rows.min(axis=0)).all()
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


N = 60  # rows of `mixed`, of which 12 are rare


def mixed() -> pd.DataFrame:
    """Columns of every kind; some have names of ours."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": 123456789 + rng.permutation(N),
            "row": rng.normal(size=N),
            "large": 2**60 + rng.integers(0, 10**6, N),
            "three": 3,
            "small": rng.integers(0, 255, N).astype(np.uint8),
            "maybe": pd.array(rng.integers(0, 9, N), dtype="Int64"),
            "half": rng.normal(size=N).astype(np.float32),
            "tenths": rng.integers(0, 99, N) / 10,
            "kind": np.where(np.arange(N) % 5 == 0, "rare", "often"),
            "flag": rng.random(N) < 0.5,
            "colour": rng.choice(["red", "green", "blue"], N),
            "level": pd.Categorical(rng.choice(["low", "high"], N)),
            "day": pd.Timestamp("2020-02-28") + pd.to_timedelta(np.arange(N), "D"),
            "weight_1": rng.normal(size=N),
        }
    )


@pytest.fixture
def balance(tmp_path):
    """``balance(path)``: the balanced table of a run on the table `path`."""

    def run(path, label="kind"):
        found = user_data.from_feature_table(path, label, 0.2, 0)
        options = resolve({**found.settings, "iterations": 2})
        finished = train.run(options, tmp_path, tmp_path / "runs", found)
        out = tmp_path / f"out{path.suffix}"
        return balanced_table.save(finished, out), out

    return run


def check_generated(frame: pd.DataFrame, real: pd.DataFrame, prefix: str) -> None:
    """What is true of generated rows of every kind of file."""
    made = frame[frame[f"{prefix}synthetic"]]
    training = real.iloc[frame.loc[~frame[f"{prefix}synthetic"], f"{prefix}row"]]
    own = training[training["kind"] == "rare"]
    assert len(made) > 20 and (made["kind"] == "rare").all()
    assert (made["three"] == 3).all()
    assert not set(made["id"]) & set(real["id"]) and made["id"].is_unique
    assert (made["tenths"].round(1) == made["tenths"]).all()
    for name in ("row", "large", "small", "maybe", "half", "tenths", "weight_1"):
        assert made[name].between(own[name].min(), own[name].max()).all(), name
    parents = real.iloc[made[f"{prefix}parent_1"]]
    for name in ("flag", "day", "colour", "level"):
        if name in made:
            assert made[name].tolist() == parents[name].tolist(), name


def test_parquet_keeps_every_type_and_name(balance, tmp_path):
    real = mixed()
    real.to_parquet(tmp_path / "t.parquet", index=False)
    saved, out = balance(tmp_path / "t.parquet")
    found = pd.read_parquet(out)
    assert saved.prefix == "gamo_"
    assert list(found.columns[: real.shape[1]]) == list(real.columns)
    assert list(found.columns[real.shape[1] :][:3]) == [
        "gamo_row",
        "gamo_synthetic",
        "gamo_parent_1",
    ]
    assert (found.dtypes[: real.shape[1]] == real.dtypes).all()
    kept = found[~found["gamo_synthetic"]]
    expected = real.iloc[kept["gamo_row"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept[real.columns], expected)
    check_generated(found, real, "gamo_")


def test_csv_keeps_every_cell_as_it_is_written(balance, tmp_path):
    real = mixed().drop(columns="day")
    text = real.astype(str)
    text["id"] = "0" + text["id"]
    text["half"] = text["half"] + "0"
    text["kind"] = text["kind"].map({"rare": "007", "often": "7"})
    text.to_csv(tmp_path / "t.csv", index=False)
    saved, out = balance(tmp_path / "t.csv")
    assert (list(saved.added), saved.prefix) == (["007"], "gamo_")
    cells = pd.read_csv(out, dtype=str, keep_default_na=False)
    kept = cells["gamo_synthetic"] == "False"
    rows = cells.loc[kept, "gamo_row"].astype(int)
    expected = text.iloc[rows].reset_index(drop=True).astype(str)
    pd.testing.assert_frame_equal(cells.loc[kept, text.columns], expected)
    assert (cells.loc[~kept, "kind"] == "007").all()
    assert cells.loc[~kept, "id"].str.fullmatch(r"\d{9}").all()
    assert set(cells.loc[~kept, "flag"]) <= {"True", "False"}
    typed = pd.read_csv(out, dtype={"kind": str}).replace({"kind": {"007": "rare"}})
    check_generated(typed, real, "gamo_")


@pytest.mark.parametrize(
    "dtype", ["i2", *(pytest.param(k, marks=pytest.mark.slow) for k in (">f4", "?"))]
)
def test_npz_keeps_its_arrays(dtype, balance, tmp_path):
    rng = np.random.default_rng(0)
    X = (rng.random((N, 3)) * 100 - 50).astype("f8" if dtype != "?" else "i2")
    X = (X > 0 if dtype == "?" else X).astype(dtype)
    y = np.where(np.arange(N) % 5 == 0, 7, 10).astype(np.int16)
    np.savez(tmp_path / "t.npz", parents=X, row=y, X=np.zeros(3))
    saved, out = balance(tmp_path / "t.npz", "row")
    with np.load(out) as found:
        assert set(found) == {
            "parents",
            "row",
            *(f"gamo_{k}" for k in ("row", "synthetic", "parents", "weights")),
        }
        assert found["parents"].dtype == X.dtype and found["row"].dtype == y.dtype
        new, rows = found["gamo_synthetic"], found["gamo_row"]
        assert (found["parents"][~new] == X[rows[~new]]).all()
        assert (found["row"][~new] == y[rows[~new]]).all()
        assert (found["row"][new] == 7).all() and sum(saved.added.values()) == new.sum()
        own = X[rows[~new]][y[rows[~new]] == 7]
        assert (found["parents"][new] <= own.max(axis=0)).all()
        assert (found["parents"][new] >= own.min(axis=0)).all()


def test_a_table_that_has_changed_is_not_copied(balance, tmp_path):
    path = tmp_path / "t.csv"
    real = mixed().drop(columns="day")
    real.to_csv(path, index=False)
    balance(path)
    run = Run(next((tmp_path / "runs").glob("0*")))
    more = pd.concat([real, real.head(2)])
    more.assign(new="text").to_csv(path, index=False)  # is left out, and no harm
    balanced_table.save(run, tmp_path / "a.csv")
    assert "new" not in pd.read_csv(tmp_path / "a.csv")
    real.sort_values("id").to_csv(path, index=False)
    with pytest.raises(UserError, match="rows 0 to 59 are not those"):
        balanced_table.save(run, tmp_path / "b.csv")
    assert not (tmp_path / "b.csv").exists()


def test_a_run_on_images_has_no_table(image_run, tmp_path):
    with pytest.raises(UserError, match="not trained on a table"):
        balanced_table.save(image_run, tmp_path / "x.csv")
    assert not list(tmp_path.iterdir())

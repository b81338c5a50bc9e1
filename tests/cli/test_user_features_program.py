"""A user's tables, from the command line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import predict
import train_gamo
import train_gamo2pix
from gamo_tf.config.methods import RECOMMENDED_FOR_TABLES
from gamo_tf.networks.saved import load_network
from gamo_tf.runs.run import Run

PARENTS = range(1, 6)


def save(frame: pd.DataFrame, path: Path) -> None:
    """The table as a file of the suffix; labels are in "kind"."""
    if path.suffix == ".npz":
        X = frame.drop(columns="kind").to_numpy()
        np.savez(path, X=X, kind=frame["kind"].to_numpy(str))
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)


def load(path: Path, names: list[str]) -> dict[str, np.ndarray]:
    """The arrays of a balanced table, by the names that they have in .npz."""
    if path.suffix == ".npz":
        return dict(np.load(path, allow_pickle=False))
    frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    assert list(frame.columns[: len(names) + 1]) == [*names, "kind"]
    arrays = {name: frame[name].to_numpy() for name in ("kind", "synthetic", "row")}
    arrays["X"] = frame[names].to_numpy()
    arrays["parents"] = frame[[f"parent_{k}" for k in PARENTS]].to_numpy()
    arrays["weights"] = frame[[f"weight_{k}" for k in PARENTS]].to_numpy()
    return arrays


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_features_in_features_out(suffix, cells, tmp_path):
    table, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    save(cells, table)
    flags = ["--features", str(table), "--label", "kind", "--iterations", "40"]
    flags += ["--save-balanced", str(target), "--runs-dir", str(tmp_path / "r")]
    assert train_gamo.main(flags) == 0
    options = Run.open(tmp_path / "r" / "00000-in-balanced-pairs-ce").options
    assert options.counts == (286, 16) and options.shape == (30,)
    features = cells.drop(columns="kind")
    found = load(target, list(features.columns))
    synthetic, kind, rows = found["synthetic"], found["kind"], found["row"]
    assert synthetic.sum() == 270 and (kind == "malignant").sum() == 286
    X = features.to_numpy()
    np.testing.assert_allclose(found["X"][~synthetic], X[rows[~synthetic]], rtol=1e-4)
    parents = found["parents"][synthetic]
    assert (parents[:, :2] >= 0).all() and (parents[:, 2:] == -1).all()  # pairs
    assert (cells["kind"].to_numpy()[parents[:, :2]] == "malignant").all()
    # Within the hull: between the extremes of the training rows of the class.
    of_class = X[rows[~synthetic & (kind == "malignant")]]
    generated = found["X"][synthetic]
    room = 1e-4 * np.abs(of_class).max(axis=0)
    assert (generated <= of_class.max(axis=0) + room).all()
    assert (generated >= of_class.min(axis=0) - room).all()
    weights = found["weights"]
    assert (weights[synthetic] >= 0).all() and (weights.sum(axis=1) < 1.0001).all()


@pytest.mark.slow
def test_vectors_are_standardised_inside_the_model(cells, tmp_path, capsys):
    table = tmp_path / "cells.csv"
    save(cells, table)
    flags = ["--features", str(table), "--label", "kind", "--iterations", "20"]
    assert train_gamo.main([*flags, "--runs-dir", str(tmp_path)]) == 0
    run = Run.open(tmp_path / f"00000-cells-{RECOMMENDED_FOR_TABLES}-ce")
    split = run.load_split(run.arrays(tmp_path))
    scaled = load_network(run.model("F"))(split.images).numpy()
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(scaled.std(0), 1, atol=1e-3)
    assert not list((run.path / "samples").iterdir())
    bare = cells.drop(columns="kind").head(4)
    bare.to_csv(tmp_path / "new.csv", index=False)
    capsys.readouterr()
    assert predict.main(["--run", str(run.path), str(tmp_path / "new.csv")]) == 0
    assert capsys.readouterr().out.count("new.csv:") == 4
    bare.iloc[:, :3].to_csv(tmp_path / "few.csv", index=False)
    assert predict.main(["--run", str(run.path), str(tmp_path / "few.csv")]) == 2
    assert "lacks the columns" in capsys.readouterr().err
    assert train_gamo2pix.main(["--class", "malignant", "--run", str(run.path)]) == 2
    assert "trained on vectors" in capsys.readouterr().err


# ---- bad input ---------------------------------------------------------------------

TABLE = {"a": np.arange(40.0), "b": 1.0, "kind": [0] * 30 + [1] * 10}
BAD = {
    "one class": ({"kind": 1}, "one class only"),
    "one sample": ({"kind": [1] * 39 + [0]}, "class 0: 1 sample(s)"),
    "equal": ({"kind": [0] * 20 + [1] * 20}, "no minority class"),
    "missing value": ({"a": [np.nan] + [0.0] * 39}, "missing values: 1 row(s), in a"),
    "infinite": ({"a": [np.inf] + [0.0] * 39}, "infinite values: 1 row(s), in a"),
    "no number": ({"a": ["?", *map(str, range(39))]}, "holds numbers, and '?'"),
    "no label": ({"kind": [None] + [1] * 9 + [0] * 30}, "1 row(s) have no kind"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tables(case, tmp_path, capsys):
    change, message = BAD[case]
    table = tmp_path / "t.csv"
    save(pd.DataFrame({**TABLE, **change}), table)
    flags = ["--features", str(table), "--label", "kind"]
    assert train_gamo.main([*flags, "--runs-dir", str(tmp_path / "r")]) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("target", "more", "message"),
    [
        ("out.npz", [], "expected .csv, as --features"),
        ("t.csv", [], "is there already"),
        ("out.csv", ["--method", "cn"], "cn has no convex generator"),
    ],
)
def test_a_balanced_table_that_could_not_be_written(
    target, more, message, tmp_path, capsys
):
    table = tmp_path / "t.csv"
    save(pd.DataFrame(TABLE), table)
    flags = ["--features", str(table), "--label", "kind", *more]
    flags += ["--runs-dir", str(tmp_path / "r")]
    assert train_gamo.main([*flags, "--save-balanced", str(tmp_path / target)]) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "r").exists()

"""The user's own tables, from the command line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

import predict
import train_gamo
import train_gamo2pix
from gamo_tf.datasets import own, own_features
from gamo_tf.errors import UserError
from gamo_tf.runs import Run


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    frame = load_breast_cancer(as_frame=True).frame
    frame["kind"] = frame.pop("target").map({0: "malignant", 1: "benign"})
    rare = frame[frame["kind"] == "malignant"].head(20)
    frame = pd.concat([frame[frame["kind"] == "benign"], rare])
    path = tmp_path_factory.mktemp("table") / "cells.csv"
    frame.sample(frac=1, random_state=0).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_features_in_features_out(suffix, table, tmp_path):
    source, target = (tmp_path / name for name in (f"in{suffix}", f"out{suffix}"))
    frame = pd.read_csv(table)
    if suffix == ".npz":
        np.savez(
            source,
            X=frame.drop(columns="kind").to_numpy(),
            kind=frame["kind"].to_numpy(str),
        )
    else:
        getattr(frame, "to_csv" if suffix == ".csv" else "to_parquet")(
            source, index=False
        )
    flags = ["--features", str(source), "--label", "kind", "--iterations", "40"]
    flags += ["--save-balanced", str(target), "--runs-dir", str(tmp_path / "r")]
    assert train_gamo.main(flags) == 0
    run = Run(tmp_path / "r" / "00000-in-gamo-ls")
    assert run.options.counts == (286, 16) and run.options.shape == (30,)
    if suffix == ".npz":
        made = dict(np.load(target, allow_pickle=False))
        X, kind, synthetic, row = (made[k] for k in ("X", "kind", "synthetic", "row"))
        parents, weights = made["parents"], made["weights"]
    else:
        got = pd.read_csv(target) if suffix == ".csv" else pd.read_parquet(target)
        assert list(got.columns[:31]) == list(frame.columns)
        X, kind = got[frame.columns[:30]].to_numpy(), got["kind"].to_numpy()
        synthetic, row = got["synthetic"].to_numpy(), got["row"].to_numpy()
        parents = got[[f"parent_{k}" for k in range(1, 6)]].to_numpy()
        weights = got[[f"weight_{k}" for k in range(1, 6)]].to_numpy()
    assert synthetic.sum() == 270 and (kind == "malignant").sum() == 286
    given = frame.drop(columns="kind").to_numpy()
    np.testing.assert_allclose(X[~synthetic], given[row[~synthetic]], rtol=1e-4)
    assert (frame["kind"].to_numpy()[parents[synthetic]] == "malignant").all()
    # Within the hull: between the extremes of the training rows of the class.
    own_rows = given[row[~synthetic & (kind == "malignant")]]
    room = 1e-4 * np.abs(own_rows).max(axis=0)
    assert (X[synthetic] <= own_rows.max(axis=0) + room).all()
    assert (X[synthetic] >= own_rows.min(axis=0) - room).all()
    assert (weights[synthetic] >= 0).all() and (weights.sum(axis=1) < 1.0001).all()


def test_vectors_are_standardised_inside_the_model(table, tmp_path, capsys):
    flags = ["--features", str(table), "--label", "kind", "--iterations", "20"]
    assert train_gamo.main([*flags, "--runs-dir", str(tmp_path)]) == 0
    run = Run(tmp_path / "00000-cells-gamo-ls")
    F = run.load_model("F")
    split = run.load_split(run.arrays(Path()))
    scaled = F(split.images).numpy()
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(scaled.std(0), 1, atol=1e-3)
    assert not list((run.path / "samples").iterdir())
    bare = pd.read_csv(table).drop(columns="kind").head(4)
    bare.to_csv(tmp_path / "new.csv", index=False)
    capsys.readouterr()
    assert predict.main(["--run", str(run.path), str(tmp_path / "new.csv")]) == 0
    assert capsys.readouterr().out.count("new.csv:") == 4
    bare.iloc[:, :3].to_csv(tmp_path / "few.csv", index=False)
    assert predict.main(["--run", str(run.path), str(tmp_path / "few.csv")]) == 2
    assert "lacks the columns" in capsys.readouterr().err
    assert train_gamo2pix.main(["--class", "malignant", "--run", str(run.path)]) == 2
    assert "trained on vectors" in capsys.readouterr().err


def test_a_column_of_one_value_does_not_divide_by_zero(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=40), "b": 3.0, "y": [0] * 30 + [1] * 10})
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = own.features(tmp_path / "t.csv", "y", 0.2, 0)
    from gamo_tf.networks import standardiser

    assert np.isfinite(standardiser(found.arrays[0])(found.arrays[0]).numpy()).all()


# ---- bad input -----------------------------------------------------------------


def write_table(path: Path, **change) -> list[str]:
    frame = pd.DataFrame({"a": np.arange(40.0), "b": 1.0, "y": [0] * 30 + [1] * 10})
    for name, value in change.items():
        frame[name] = value
    frame.to_csv(path, index=False)
    return ["--features", str(path), "--label", "y"]


BAD = {
    "one class": ({"y": 1}, "one class only"),
    "one sample": ({"y": [1] * 39 + [0]}, "class 0: 1 sample(s)"),
    "equal": ({"y": [0] * 20 + [1] * 20}, "no minority class"),
    "missing value": ({"a": [np.nan] + [0.0] * 39}, "1 row(s) with missing"),
    "infinite": ({"a": [np.inf] + [0.0] * 39}, "infinite values, in a"),
    "text": ({"c": "word"}, "no numbers: c"),
    "no label": ({"y": [None] + [1] * 9 + [0] * 30}, "1 row(s) have no y"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tables(case, tmp_path, capsys):
    change, told = BAD[case]
    flags = write_table(tmp_path / "t.csv", **change)
    assert train_gamo.main([*flags, "--runs-dir", str(tmp_path / "r")]) == 2
    err = capsys.readouterr().err
    assert told in err and not (tmp_path / "r").exists()


def test_labels_and_rows_that_do_not_match(tmp_path):
    np.savez(tmp_path / "t.npz", X=np.zeros((5, 2)), y=np.zeros(4))
    with pytest.raises(UserError, match="a label a row is needed"):
        own_features.read(tmp_path / "t.npz", "y")
    held = np.empty(5, object)
    np.savez(tmp_path / "o.npz", X=np.zeros((5, 2)), y=held)
    with pytest.raises(UserError, match="cannot be read"):  # never unpickled
        own_features.read(tmp_path / "o.npz", "y")

"""Tables of feature vectors: what is read of them, and which are refused."""

import numpy as np
import pandas as pd
import pytest

from gamo_tf.data import feature_table
from gamo_tf.errors import UserError, speaking_to


def save(frame: pd.DataFrame, path, label: str):
    if path.suffix == ".npz":
        X = frame.drop(columns=label).to_numpy()
        np.savez(path, **{"X": X, label: frame[label].to_numpy(str)})
    else:
        writer = frame.to_csv if path.suffix == ".csv" else frame.to_parquet
        writer(path, index=False)
    return path


@pytest.mark.parametrize("suffix", feature_table.SUFFIXES)
def test_a_table_in_each_format(suffix, cells, tmp_path):
    path = save(cells, tmp_path / f"cells{suffix}", "kind")
    table = feature_table.read(path, "kind")
    numbers = cells.drop(columns="kind")
    assert table.X.dtype == np.float32
    np.testing.assert_array_equal(table.X, numbers.to_numpy(np.float32))
    assert table.classes == ("benign", "malignant")
    assert (table.values[table.y] == cells["kind"]).all()
    names = () if suffix == ".npz" else tuple(numbers.columns)
    assert table.columns == names
    assert feature_table.columns(path, "kind") == (names or None)


def test_vectors_of_another_table(cells, tmp_path):
    path = save(cells, tmp_path / "cells.csv", "kind")
    names, bare = feature_table.columns(path, "kind"), cells.drop(columns="kind")
    turned = save(bare[bare.columns[::-1]], tmp_path / "turned.csv", "")
    X = feature_table.vectors(turned, "kind", names, 30)
    np.testing.assert_array_equal(X, bare.to_numpy(np.float32))
    few = save(bare.iloc[:, :3], tmp_path / "few.csv", "")
    with pytest.raises(UserError, match="lacks the columns"):
        feature_table.vectors(few, "kind", names, 30)
    with pytest.raises(UserError, match="3 columns; trained on 30"):
        feature_table.vectors(few, "kind", None, 30)


def test_columns_of_a_file_that_is_gone(tmp_path):
    assert feature_table.columns(tmp_path / "gone.csv", "y") is None


# ---- bad input ---------------------------------------------------------------------

BAD = {
    "one class": ({"y": 1}, "y has one class only"),
    "missing value": ({"a": [np.nan] + [0.0] * 39}, r"1 row\(s\) with missing"),
    "infinite": ({"a": [np.inf] + [0.0] * 39}, "infinite values, in a"),
    "text": ({"c": "word"}, "no numbers: c"),
    "no label": ({"y": [None] + [1] * 9 + [0] * 30}, r"1 row\(s\) have no y"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tables(case, tmp_path):
    change, message = BAD[case]
    frame = pd.DataFrame({"a": np.arange(40.0), "b": 1.0, "y": [0] * 30 + [1] * 10})
    path = save(frame.assign(**change), tmp_path / "t.csv", "y")
    with speaking_to("gamo"), pytest.raises(UserError, match=message) as caught:
        feature_table.read(path, "y")
    assert str(caught.value).startswith(f"--features {path}: ")


def test_files_that_are_no_tables(tmp_path):
    with pytest.raises(UserError, match=r"^features .*x.csv: no such file"):
        feature_table.read(tmp_path / "x.csv", "y")
    (tmp_path / "x.txt").write_text("a,y\n")
    with pytest.raises(UserError, match=r"expected one of .npz, .csv, .parquet"):
        feature_table.read(tmp_path / "x.txt", "y")
    (tmp_path / "x.parquet").write_text("no parquet")
    with pytest.raises(UserError, match="cannot be read"):
        feature_table.read(tmp_path / "x.parquet", "y")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"^label y: not in .*x.csv, which has a, b"):
        feature_table.read(tmp_path / "x.csv", "y")
    (tmp_path / "x.csv").write_text("y\n1\n2\n")
    with pytest.raises(UserError, match="no column beside the labels"):
        feature_table.read(tmp_path / "x.csv", "y")


def test_arrays_that_do_not_fit(tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, X=np.zeros((5, 2)), y=np.zeros(4))
    with pytest.raises(UserError, match="a label a row is needed"):
        feature_table.read(path, "y")
    np.savez(path, X=np.zeros((5, 2)), Z=np.zeros((5, 2)), y=np.zeros(5))
    with pytest.raises(UserError, match=r"one array .* found X, Z"):
        feature_table.read(path, "y")
    np.savez(path, X=np.zeros((5, 2)), y=np.empty(5, object))
    with pytest.raises(UserError, match="cannot be read"):  # never unpickled
        feature_table.read(path, "y")

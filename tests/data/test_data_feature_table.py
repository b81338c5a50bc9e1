"""Tables of feature vectors: what is read of them, and which are refused."""

import io
import json
import os
import zipfile

import numpy as np
import pandas as pd
import pytest

from gamo_tf.config.options import resolve
from gamo_tf.data import feature_table, table_identity, user_data
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
    assert table.X.dtype == np.float64
    np.testing.assert_array_equal(table.X, numbers.to_numpy())
    assert table.classes == ("benign", "malignant") and table.notes == []
    assert (np.array(table.classes)[table.y] == cells["kind"]).all()
    names = () if suffix == ".npz" else tuple(numbers.columns)
    assert table.columns == names and set(table.types) == {"float64"}


def test_vectors_of_another_table(cells, tmp_path):
    bare = cells.drop(columns="kind")
    known = {"columns": list(bare.columns), "types": ["float64"] * 30}
    turned = save(bare[bare.columns[::-1]].assign(more="x"), tmp_path / "t.csv", "")
    X = feature_table.vectors(turned, "kind", known, 30)
    np.testing.assert_array_equal(X, bare.to_numpy())
    few = save(bare.iloc[:, :3], tmp_path / "few.csv", "")
    with pytest.raises(UserError, match="lacks the columns"):
        feature_table.vectors(few, "kind", known, 30)
    with pytest.raises(UserError, match="3 columns; trained on 30"):
        feature_table.vectors(few, "kind", {}, 30)


def write(path, text: str):
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_are_text_as_it_is_written(tmp_path):
    labels = ["007", "7", "010", "1E2", "NA", "nan", "True", " 7", "007"]
    lines = "".join(f"{k},{label}\n" for k, label in enumerate(labels))
    table = feature_table.read(write(tmp_path / "t.csv", f"a,y\n{lines}"), "y")
    assert table.classes == tuple(sorted(set(labels))) and len(table.classes) == 8
    assert [table.classes[k] for k in table.y] == labels
    write(tmp_path / "t.csv", "a,y\n1,p\n2,\n3,q\n4\n")
    with pytest.raises(UserError, match=r"2 row\(s\) have no y, the first is line 3"):
        feature_table.read(tmp_path / "t.csv", "y")


def test_cells_are_kept_as_text_beside_their_numbers(tmp_path):
    path = write(tmp_path / "t.csv", "id,x,y\n007,1.50,a\n9007199254740993,1E2,b\n")
    table = feature_table.read(path, "y")
    assert table.types == ("int64", "float64")
    assert table.X[:, 1].tolist() == [1.5, 100.0]
    assert table.content.features["id"].tolist() == [7, 9007199254740993]
    assert table.content.text.to_numpy().tolist() == [
        ["007", "1.50", "a"],
        ["9007199254740993", "1E2", "b"],
    ]


def test_a_label_column_that_is_a_number(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({0: [1.0, 2.0], 1: [7, 10]}).to_parquet(path, index=False)
    table = feature_table.read(path, "1")
    assert table.classes == ("7", "10") and table.columns == ("0",)
    assert table.content.labels.dtype == np.int64


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_a_saved_index_is_pointed_out(name, tmp_path):
    path = write(tmp_path / "t.csv", f"{name},a,y\n0,1,p\n1,2,q\n")
    (note,) = feature_table.read(path, "y").notes
    assert note.startswith("columns that identify rows: Unnamed: 0.")
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": [1, 2], "y": [0, 1]}, index=["r", "s"]).to_parquet(path)
    (note,) = feature_table.read(path, "y").notes
    assert "index of the table" in note


def test_columns_of_every_kind_become_numbers(tmp_path):
    day = pd.to_datetime(["1970-01-02 00:00:00", "1970-01-01 00:00:01"])
    frame = pd.DataFrame(
        {
            "flag": [True, False],
            "maybe": pd.array([True, False], dtype="boolean"),
            "n": pd.array([1, 2], dtype="Int64"),
            "level": pd.Categorical([20, 10]),
            "day": day,
            "zone": day.tz_localize("UTC"),
            "took": pd.to_timedelta(["1min", "1s"]),
            "y": ["a", "b"],
        }
    )
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    table = feature_table.read(tmp_path / "t.parquet", "y")
    # Parquet keeps categories of text only; others come back as the numbers they are.
    expected = [[1, 1, 1, 20, 86400, 86400, 60], [0, 0, 2, 10, 1, 1, 1]]
    assert table.X.tolist() == expected
    frame.assign(day=[1, 2]).to_parquet(tmp_path / "t.parquet", index=False)
    known = {"columns": list(table.columns), "types": list(table.types)}
    with pytest.raises(
        UserError, match=r"column day holds numbers \(1\); it held dates without"
    ):
        feature_table.vectors(tmp_path / "t.parquet", "y", known, 7)


# ---- the table of an earlier run ----------------------------------------------------


def identity_of(path):
    table = feature_table.read(path, "y")
    return table_identity.identity(path, table)


def compare(path, known):
    table_identity.check(path, feature_table.read(path, "y", known), known)


@pytest.fixture
def long() -> pd.DataFrame:
    """2,500 rows: blocks of 1024, 1024 and 452."""
    rng = np.random.default_rng(0)
    y = np.where(np.arange(2500) % 5 == 0, "rare", "often")
    ids = 2**60 + np.arange(2500)
    return pd.DataFrame({"x": rng.normal(size=2500), "id": ids, "y": y})


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_that_is_the_same_or_longer(suffix, long, tmp_path):
    path = save(long, tmp_path / f"t{suffix}", "y")
    known = json.loads(json.dumps(identity_of(path)))
    assert known["rows"] == 2500 and len(known["digests"]) == 3
    compare(path, known)
    more = pd.concat([long, long.head(3).assign(y="new class", x=0.5)])
    save(more.assign(note="text")[["note", "y", "id", "x"]], path, "y")
    compare(path, known)


CHANGED = {
    "a value": (lambda t: t.assign(x=t["x"].where(t.index != 1500, 0)), "rows 1024 to"),
    "a large id": (lambda t: t.assign(id=t["id"] + (t.index == 2)), "rows 0 to 1023"),
    "a label": (lambda t: t.assign(y=t["y"].where(t.index != 2499, "rare")), "2048 to"),
    "sorted": (lambda t: t.sort_values("x"), "rows 0 to 1023 .*2 blocks more"),
    "shorter": (lambda t: t.head(2000), "2000 rows; the run was begun with 2500"),
    "a column less": (lambda t: t.drop(columns="x"), "lacks the columns x"),
    "text": (lambda t: t.assign(x="word"), "column x holds text such as 'word'"),
    "a class": (lambda t: t.assign(y=t["y"].replace("rare", "r")), "classes are not"),
}


@pytest.mark.parametrize("case", CHANGED)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_that_has_changed(case, suffix, long, tmp_path):
    change, message = CHANGED[case]
    path = save(long, tmp_path / f"t{suffix}", "y")
    known = identity_of(path)
    save(change(long), path, "y")
    with pytest.raises(UserError, match=message) as caught:
        compare(path, known)
    assert str(path) in caught.value.message and not caught.value.details


def test_a_run_that_kept_no_digests_compares_labels(long, tmp_path, capsys):
    long = long.drop(columns="id")  # which such runs have trained on
    path = save(long, tmp_path / "t.csv", "y")
    found = user_data.from_feature_table(path, "y", 0.2, 0)
    options = resolve(found.settings)
    again = user_data.reload(options, found.rows, {})
    np.testing.assert_array_equal(again.images, found.arrays.images)
    assert capsys.readouterr().out.count("note: ") == 1
    save(long.sort_values("x"), path, "y")
    with pytest.raises(UserError, match=r"row \d+ has another label than in the run"):
        user_data.reload(options, found.rows, {})
    save(long.assign(y=long["y"].replace("rare", "r")), path, "y")
    with pytest.raises(UserError, match="is not the file that the run was begun with"):
        user_data.reload(options, found.rows, {})


@pytest.mark.parametrize("row", [-1, 2500])
def test_a_row_that_is_not_there(row, long, tmp_path):
    path = save(long, tmp_path / "t.csv", "y")
    found = user_data.from_feature_table(path, "y", 0.2, 0)
    rows = found.rows.assign(source=found.rows["source"].where(lambda s: s != 3, row))
    with pytest.raises(UserError, match="has 2500 rows; the run uses others too"):
        user_data.reload(resolve(found.settings), rows, found.identity)


def test_a_type_that_has_changed(long, tmp_path):
    path = save(long, tmp_path / "t.parquet", "y")
    known = identity_of(path)
    save(long.assign(x=long["x"].astype(np.float32)), path, "y")
    with pytest.raises(UserError, match="x is float32 now; the run knows it as float"):
        compare(path, known)
    np.savez(tmp_path / "t.npz", X=long[["x"]].to_numpy(), y=long["y"].to_numpy(str))
    known = identity_of(tmp_path / "t.npz")
    np.savez(tmp_path / "t.npz", X=-long[["x"]].to_numpy(), y=long["y"].to_numpy(str))
    with pytest.raises(UserError, match="rows 0 to 1023 are not those"):
        compare(tmp_path / "t.npz", known)


# ---- bad input ---------------------------------------------------------------------

BAD = {
    "one class": ({"y": 1}, "y has one class only"),
    "missing value": ({"a": [np.nan] + [0.0] * 39}, r"missing values: 1 row.*in a"),
    "missing name": ({"a": ["NA"] + ["x"] * 39}, r"missing values: 1 row.*in a"),
    "infinite": ({"a": [np.inf] + [0.0] * 39}, r"infinite values: 1 row\(s\), in a"),
    "no number": ({"a": ["?", *map(str, range(39))]}, r"column a holds .* and '\?'"),
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
    with pytest.raises(UserError, match="y holds Python objects"):  # never unpickled
        feature_table.read(path, "y")
    np.savez(path, X=np.ones((5, 2)) * 1j, y=[0, 0, 0, 1, 1])
    with pytest.raises(UserError, match="complex128 values are no numbers"):
        feature_table.read(path, "y")


def test_only_the_two_arrays_of_an_npz_are_read(tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, X=np.eye(4), y=[0, 0, 1, 1], other=np.zeros(3), objects=np.array({}))
    table = feature_table.read(path, "y")
    assert table.X.tolist() == np.eye(4).tolist()
    assert table.content.names == ["X", "y", "other", "objects"]


def test_an_npz_that_announces_more_than_it_has(tmp_path):
    path, header = tmp_path / "t.npz", io.BytesIO()
    announced = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**3)}
    np.lib.format.write_array_header_1_0(header, announced)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", header.getvalue() + bytes(80))
    with pytest.raises(UserError, match=r"X: \d+ bytes there, 8000000000\d+ announced"):
        feature_table.read(path, "y")


HOSTILE = {
    "not UTF-8": (lambda p: p.write_bytes(b"a,y\n1,caf\xe9\n2,x\n"), "UTF-8"),
    "a directory": (lambda p: p.mkdir(), "not a regular file"),
    "a pipe": (lambda p: os.mkfifo(p), "not a regular file"),
    "twins": (lambda p: p.write_text("a,a,y\n1,2,p\n"), "same name: 'a'"),
    "a long line": (lambda p: p.write_text("a,y\n1,p,3\n"), "cannot be read"),
    "empty": (lambda p: p.write_text(""), "cannot be read"),
    "the header only": (lambda p: p.write_text("a,y\n"), "no rows"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files(case, tmp_path):
    make, message = HOSTILE[case]
    make(tmp_path / "t.csv")
    with pytest.raises(UserError, match=message) as caught:
        feature_table.read(tmp_path / "t.csv", "y")
    assert "t.csv" in caught.value.message and "\n" not in str(caught.value)

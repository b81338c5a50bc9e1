"""What a column is follows from the training: a matrix of kinds and readers."""

from __future__ import annotations

import datetime
import json
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gamo_tf.data import column_kinds, feature_table, table_identity
from gamo_tf.errors import UserError

N = 24
Y = ["u"] * 16 + ["v"] * 8
DAY = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(N) // 2, "D")
PYTHON_DATES = [datetime.date(2020, 1, 1 + k // 2) for k in range(N)]

# The same values in every type that may hold them, by the kind that they are.
SAME = {
    column_kinds.NUMBER: {
        "floats": np.arange(N) / 2,
        "Decimal": [Decimal(k) / 2 for k in range(N)],
        "Float64": pd.array(np.arange(N) / 2, dtype="Float64"),
        "decimal of Arrow": pd.array(
            [Decimal(k) / 2 for k in range(N)],
            dtype=pd.ArrowDtype(pa.decimal128(10, 1)),
        ),
        "text": [str(k / 2) for k in range(N)],
        "text with spaces": [f" {k / 2}" for k in range(N)],
    },
    column_kinds.BOOLEAN: {
        "bool": np.arange(N) % 2 == 0,
        "boolean": pd.array(np.arange(N) % 2 == 0, dtype="boolean"),
        "objects": pd.Series(np.arange(N) % 2 == 0, dtype=object),
    },
    column_kinds.NAME: {
        "text": ["a", "b"] * 12,
        "category": pd.Categorical(["a", "b"] * 12),
        "bytes": [b"a", b"b"] * 12,
        "categories of bytes": pd.Categorical([b"a", b"b"] * 12),
        "binary of Arrow": pd.array(
            [b"a", b"b"] * 12, dtype=pd.ArrowDtype(pa.binary())
        ),
    },
    column_kinds.DATE: {
        "datetime64": DAY,
        "date": PYTHON_DATES,
        "datetime": pd.Series(list(DAY.to_pydatetime()), dtype=object),
        "date of Arrow": pd.array(PYTHON_DATES, dtype=pd.ArrowDtype(pa.date32())),
        "timestamp of Arrow": pd.array(DAY, dtype=pd.ArrowDtype(pa.timestamp("us"))),
    },
    column_kinds.ZONED: {
        "UTC": DAY.tz_localize("UTC"),
        "Paris": DAY.tz_localize("UTC").tz_convert("Europe/Paris"),
        "objects": pd.Series(list(DAY.tz_localize("UTC")), dtype=object),
    },
    column_kinds.DURATION: {
        "timedelta64": pd.to_timedelta(np.arange(N), "h"),
        "objects": pd.Series(
            [datetime.timedelta(hours=k) for k in range(N)], dtype=object
        ),
    },
    column_kinds.TIME: {
        "objects": [datetime.time(k % 24, 30) for k in range(N)],
        "time of Arrow": pd.array(
            [datetime.time(k % 24, 30) for k in range(N)],
            dtype=pd.ArrowDtype(pa.time64("us")),
        ),
    },
}
FIRST = {kind: next(iter(each.values())) for kind, each in SAME.items()}
FIRST[column_kinds.NAME] = SAME[column_kinds.NAME]["text"]


def write(tmp_path, name: str, values, label=Y):
    """A .parquet, because it has a type for every kind."""
    path = tmp_path / f"{name}.parquet"
    frame = pd.DataFrame({"c": values, "x": np.arange(N) % 5 / 4})
    if label is not None:
        frame["y"] = label
    frame.to_parquet(path, index=False)
    return path


def identity_of(path):
    found = table_identity.identity(path, feature_table.read(path, "y"))
    return json.loads(json.dumps(found))


@pytest.mark.parametrize("kind", SAME)
def test_every_type_of_a_kind_is_the_same_in_a_later_table(kind, tmp_path):
    known = identity_of(write(tmp_path, "first", FIRST[kind]))
    assert known["kinds"][0] == kind
    expected = feature_table.vectors(tmp_path / "first.parquet", "y", known, 2)
    for name, values in SAME[kind].items():
        later = write(tmp_path, "later", values, None)
        found = feature_table.vectors(later, "y", known, 2)
        np.testing.assert_array_equal(found, expected, name)
        if not name.startswith("text w") and (kind, name) != ("numbers", "text"):
            again = feature_table.read(write(tmp_path, "own", values), "y")
            assert again.learned[0].kind == kind, name
            np.testing.assert_array_equal(again.X, expected, name)


@pytest.mark.parametrize("given", FIRST)
@pytest.mark.parametrize("trained", FIRST)
def test_another_kind_is_refused_by_name(trained, given, tmp_path):
    """The line of the message converts the column, where it can be converted."""
    known = identity_of(write(tmp_path, "first", FIRST[trained]))
    later = write(tmp_path, "later", FIRST[given], None)
    if trained == given:
        feature_table.vectors(later, "y", known, 2)
        return
    with pytest.raises(UserError, match="column c holds ") as caught:
        feature_table.vectors(later, "y", known, 2)
    assert not caught.value.details and "in training" in caught.value.message
    _, _, line = caught.value.message.partition("Convert it: ")
    if column_kinds.NAME in (trained, given) or not line:
        return  # 'a' is no number, and no text is one of the names
    t = pd.read_parquet(later)
    exec(line, {"pd": pd, "t": t})
    t.to_parquet(later, index=False)
    feature_table.vectors(later, "y", known, 2)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("trained", "given", "expected"),
    [
        (range(N), ["high"] * N, "column c holds text such as 'high'"),
        (np.arange(N) / 2, [f"{k},5" for k in range(N)], "str.replace(',', '.')"),
        (np.arange(N) / 2, [True] * N, "holds booleans"),
        (["red", "blue"] * 12, [0, 1] * 12, "it held names such as 'blue', 'red'"),
        ([True, False] * 12, [0, 1] * 12, "it held booleans"),
        ([True, False] * 12, ["yes", "no"] * 12, "it held booleans"),
    ],
)
def test_values_that_do_not_fit(trained, given, expected, suffix, tmp_path):
    def save(name, values, **more):
        frame = pd.DataFrame({"c": values, "x": np.arange(N) / 4, **more})
        path = tmp_path / f"{name}{suffix}"
        write = frame.to_csv if suffix == ".csv" else frame.to_parquet
        write(path, index=False)
        return path

    trained = np.tile(np.asarray(trained)[: N // 2], 2)
    known = identity_of(save("first", trained, y=Y))
    with pytest.raises(UserError) as caught:
        feature_table.vectors(save("later", given), "y", known, 2)
    assert expected in caught.value.message


def test_arrays_are_compared_too(tmp_path):
    path = tmp_path / "t.npz"
    X = np.arange(2.0 * N).reshape(N, 2)
    np.savez(path, X=X, y=Y)
    known = identity_of(path)
    for same in (X.astype(np.float32), X.astype(int), X.astype(str), X.astype("S")):
        np.savez(path, X=same)
        np.testing.assert_array_equal(feature_table.vectors(path, "y", known, 2), X)
    for other in (X > 3, X.astype("M8[s]"), X.astype("m8[s]"), np.full((N, 2), "a")):
        np.savez(path, X=other)
        with pytest.raises(UserError, match="column 0 holds"):
            feature_table.vectors(path, "y", known, 2)
    # An array has no names: it is refused where names were trained.
    names = identity_of(write(tmp_path, "names", ["a", "b"] * 12))
    np.savez(path, X=X)
    with pytest.raises(UserError, match="column c holds numbers"):
        feature_table.vectors(path, "y", names, 2)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([[1]] * N, "lists|arrays"),
        ([{"a": 1}] * N, "dicts"),
        (pd.period_range("2020", periods=N, freq="D"), "periods"),
    ],
)
def test_what_cannot_be_trained_on_is_named(values, words, tmp_path):
    with pytest.raises(UserError, match=f"column c holds ({words})"):
        feature_table.read(write(tmp_path, "t", values), "y")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, datetime.date(2020, 1, 1)] * 12, "integers and dates"),
        ([(1, 2)] * N, "tuples"),
        ([True, 0.5] * 12, "booleans and numbers"),
        ([1j] * N, "complex numbers"),
        ([object()] * N, "values of type object"),
        ([b"\xff\xfe"] * N, "bytes that are no text in UTF-8"),
    ],
)
def test_objects_are_named_by_their_types(values, words):
    with pytest.raises(column_kinds.Unfit, match=words):
        column_kinds.examine(pd.Series(values, dtype=object))


def test_names_that_are_uuids():
    values = [uuid.UUID(int=k % 2) for k in range(N)]
    kind, text = column_kinds.examine(pd.Series(values))
    assert kind == column_kinds.NAME and text[1].endswith("0001")


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
def test_labels_that_are_bytes(suffix, tmp_path):
    path, labels = tmp_path / f"t{suffix}", [c.encode() for c in Y]
    if suffix == ".npz":
        np.savez(path, X=np.eye(N), y=np.array(labels))
    else:
        pq.write_table(pa.table({"a": np.arange(N) / 2, "y": pa.array(labels)}), path)
    assert feature_table.read(path, "y").classes == ("u", "v")
    if suffix == ".npz":
        np.savez(path, X=np.eye(N), y=np.array([b"\xff", *labels[1:]]))
    else:
        wrong = pa.array([b"\xff", *labels[1:]])
        pq.write_table(pa.table({"a": np.arange(N) / 2, "y": wrong}), path)
    with pytest.raises(UserError, match="y holds bytes that are no text in UTF-8"):
        feature_table.read(path, "y")


def test_labels_that_are_lists(tmp_path):
    with pytest.raises(UserError, match="y holds arrays, which are no labels"):
        feature_table.read(write(tmp_path, "t", range(N), [[1], [2]] * 12), "y")


def test_runs_of_earlier_versions_kept_no_kinds(tmp_path):
    path = write(tmp_path, "t", DAY)
    known = identity_of(path)
    del known["kinds"]
    assert feature_table.vectors(path, "y", known, 2).shape == (N, 2)
    later = write(tmp_path, "later", DAY.tz_localize("UTC"), None)
    with pytest.raises(UserError, match="column c holds dates with a time zone"):
        feature_table.vectors(later, "y", known, 2)


# ---- lines of a .csv -----------------------------------------------------------------

LINES = {
    "newlines in quotes": ('a,y\n"x\nz",u\n"p\n\nq",\nw,v\n', 6),
    "a label before them": ('y,a\nu,"x\nz"\n,"p\n\nq"\nv,w\n', 4),
    "blank lines": ("a,y\n\nx,u\n  \n\nx,\n", 6),
    "CRLF": ('a,y\r\n"x\r\nz",u\r\nx,\r\n', 4),
    "a mark of the order of bytes": ('\ufeffa,y\n"x\nz",u\nx,\n', 4),
    "a header of two lines": ('"a\nb",y\nx,u\nx,\n', 4),
    "a line that is too short": ('a,y\n"x\nz",u\nx\n', 4),
}


@pytest.mark.parametrize("case", LINES)
def test_the_line_of_a_missing_label(case, tmp_path):
    text, line = LINES[case]
    (tmp_path / "t.csv").write_bytes(text.encode())
    with pytest.raises(UserError, match=rf"no y, the first is line {line}\."):
        feature_table.read(tmp_path / "t.csv", "y")


def test_the_line_of_too_many_cells(tmp_path):
    (tmp_path / "t.csv").write_text('a,y\n"x\nz",u\n\n1,2,3\n')
    with pytest.raises(UserError, match="line 5 has 3 cells, the header has 2"):
        feature_table.read(tmp_path / "t.csv", "y")

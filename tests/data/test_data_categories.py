"""Columns of names: which they are, and their positions, worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamo_tf.data import categories, column_checks, feature_table, table_identity
from gamo_tf.errors import UserError
from gamo_tf.networks.feature_extractor import standardiser


def test_positions_by_hand():
    """ "c" has one row only, and "d" is not known: they are none of the categories."""
    column = pd.Series(["b", "a", "b", "c", "a", None])
    known = categories.found(column)
    assert known == ("a", "b")
    found = categories.positions(column, known)
    np.testing.assert_array_equal(found, [1, 0, 1, -1, 0, np.nan])
    later = pd.Series(["d", "a"], dtype="category")
    assert categories.positions(later, known).tolist() == [-1, 0]
    assert categories.texts(column) == ["b", "a", "b", "c", "a", ""]


def test_a_value_is_the_same_whatever_holds_it():
    columns = [
        pd.Series([1, 2, 2, 1], dtype="category"),
        pd.Series([1.0, 2.0, 2.0, 1.0], dtype="category"),
        pd.Series(["1", "2", "2", "1"]),
        pd.Series([1, "2", 2.0, "1"], dtype=object),
    ]
    for column in columns:
        assert categories.is_nominal(column)
        assert categories.found(column) == ("1", "2")
        assert categories.positions(column, ("1", "2")).tolist() == [0, 1, 1, 0]
    assert categories.texts(pd.Series([True, 0.5], dtype=object)) == ["True", "0.5"]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, 2]),
        pd.Series([0.5]),
        pd.Series([True]),
        pd.Series(pd.to_datetime(["2020-01-01"])),
        pd.Series([1j]),
        pd.Series([["a"], ["b"]]),
        pd.Series(pd.period_range("2020", periods=2, freq="D")),
    ],
    ids=["integers", "floats", "booleans", "dates", "complex", "lists", "periods"],
)
def test_what_holds_no_names(column):
    assert not categories.is_nominal(column)


def test_the_most_frequent_categories():
    column = pd.Series([f"v{k:03}" for k in range(60) for _ in range(2 + k)])
    known = categories.found(column)
    assert known == tuple(f"v{k:03}" for k in range(10, 60))


MIXED = {
    "a few grades": (["1", "2", "3+"] * 9, ""),
    "many numbers": ([*map(str, range(40)), "?"], r"holds numbers, and '\?'"),
    "all numbers": (list(map(str, range(40))), "40 different numbers as text"),
    "codes with letters": ([f"{k}a" for k in range(40)], ""),
}


@pytest.mark.parametrize("case", MIXED)
def test_numbers_that_were_read_as_text(case):
    values, expected = MIXED[case]
    said = column_checks.complaint(pd.Series(values), "t['a']")
    assert bool(said) == bool(expected)
    if expected:
        assert pd.Series([said]).str.contains(expected).all()
    column = pd.Series(values, dtype="category")
    assert not column_checks.complaint(column, "t['a']")


@given(st.lists(st.sampled_from(["a", "b", "ä", "", "A b"]), min_size=2, max_size=30))
def test_positions_lead_back_to_the_values(values):
    column = pd.Series(values, dtype=object)
    known = categories.found(column)
    for value, k in zip(values, categories.positions(column, known), strict=True):
        assert (known[int(k)] == value) if k >= 0 else values.count(value) < 2


# ---- in tables -----------------------------------------------------------------------


def write(path, **columns):
    frame = pd.DataFrame(columns)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_another_table_gets_the_positions_of_the_first(suffix, tmp_path):
    """In the second table the column happens to hold digits only."""
    path = write(
        tmp_path / f"t{suffix}", n=[1, 2, 3, 4], g=list("1x1x"), y=[0, 0, 1, 1]
    )
    table = feature_table.read(path, "y")
    assert table.X.tolist() == [[1, 0], [2, 1], [3, 0], [4, 1]]
    assert table.sizes == (0, 2)
    assert table.notes == ["columns of names, with their categories: g (2)"]
    known = json.loads(json.dumps(table_identity.identity(path, table)))
    other = write(tmp_path / f"o{suffix}", g=["1", "7", "1"], n=[5, 6, 7])
    X = feature_table.vectors(other, "y", known, 2)
    assert X.tolist() == [[5, 0], [6, -1], [7, 0]]
    write(other, g=["x"], n=["five"])
    with pytest.raises(UserError, match=r"column n holds text such as 'five'"):
        feature_table.vectors(other, "y", known, 2)


def test_a_value_that_became_another_is_seen(tmp_path):
    """Even where both are none of the categories."""
    path = write(tmp_path / "t.csv", g=["a", "a", "b", "c"], y=[0, 0, 1, 1])
    known = table_identity.identity(path, feature_table.read(path, "y"))
    write(path, g=["a", "a", "b", "d"], y=[0, 0, 1, 1])
    with pytest.raises(UserError, match="rows 0 to 3 are not those"):
        table_identity.check(path, feature_table.read(path, "y", known), known)


def test_a_column_that_tells_rows_apart_is_named(tmp_path):
    path = write(
        tmp_path / "t.csv", id=["p1", "p2", "p3", "p4"], g=list("aabb"), y=[0, 0, 1, 1]
    )
    notes = feature_table.read(path, "y").notes
    assert notes[0].startswith("columns that identify rows: id.")
    assert "names, with their categories: g (2)" in notes[1] and len(notes) == 2


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_the_two_lines_fill_the_missing_values(suffix, tmp_path):
    path = tmp_path / f"t's{suffix}"
    if suffix == ".npz":
        np.savez(path, X=np.array([[1, np.nan], [2, 5], [3, 7]]), y=["a", "b", "b"])
    else:
        write(
            path,
            n=[1.0, None, 3.0, 8.0],
            g=["a", None, "a", "b"],
            flag=pd.array([True, None, True, False], dtype="boolean"),
            whole=pd.array([1, None, 2, 2], dtype="Int64"),
            y=["007", "7", "7", "7"],
        )
    with pytest.raises(UserError, match=r"missing values: 1 row\(s\), in ") as caught:
        feature_table.read(path, "y")
    assert len(caught.value.details) == 2
    exec("\n".join(caught.value.details), {})
    filled = feature_table.read(tmp_path / f"t's-filled{suffix}", "y")
    assert filled.X[:, 1].tolist() == ([6, 5, 7] if suffix == ".npz" else [0, 0, 0, -1])
    assert len(filled.classes) == 2


# ---- in F ----------------------------------------------------------------------------


def test_features_of_names_by_hand():
    """Four rows, three with category 0: indicators of means 3/4 and 1/4, of variance
    3/16 each, so that both are divided by the root of 6/16."""
    rows = np.array([[1.0, 0], [1, 0], [-1, 0], [-1, 1]])
    F = standardiser(rows, (0, 2))
    scale = np.sqrt(16 / 6)
    often, rarely = np.array([1 / 4, -1 / 4]) * scale, np.array([-3 / 4, 3 / 4]) * scale
    expected = [[1, *often], [1, *often], [-1, *often], [-1, *rarely]]
    np.testing.assert_allclose(F(rows), expected, atol=1e-6)
    neither = np.array([-3 / 4, -1 / 4]) * scale
    np.testing.assert_allclose(F(np.array([[1.0, -1]])), [[1, *neither]], atol=1e-6)


def test_names_and_numbers_count_alike():
    rng = np.random.default_rng(0)
    rows = np.stack([rng.integers(-1, 7, 500), rng.normal(size=500) * 9], axis=1)
    features = standardiser(rows, (7, 0))(rows).numpy()
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-6)
    assert features[:, 0].var() == pytest.approx(1, abs=1e-5)  # of numbers, which lead
    assert features[:, 1:].var(axis=0).sum() == pytest.approx(1, abs=1e-5)

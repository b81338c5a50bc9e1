"""Columns that identify rows, and what is none."""

from __future__ import annotations

import json
import uuid

import numpy as np
import pandas as pd
import pytest

from gamo_tf.data import feature_table, identifiers, table_identity
from gamo_tf.errors import UserError

N = 40
RNG = np.random.default_rng(0)
TEXT = [f"p{k:03}" for k in range(N)]
FOUND = {
    "row numbers": pd.Series(range(N), name="a"),
    "shuffled": pd.Series(RNG.permutation(N) + 1000, name="number"),
    "some are gone": pd.Series(RNG.permutation(60)[:N], name="n"),
    "nullable": pd.Series(range(N), dtype="Int64", name="a"),
    "of Arrow": pd.Series(range(N), dtype="int32[pyarrow]", name="a"),
    "far apart": pd.Series(RNG.integers(0, 10**9, 9) * 7, name="patient_id"),
    "two visits": pd.Series(np.repeat(range(500, 520), 2), name="PatientID"),
    "text": pd.Series(TEXT, name="who"),
    "a name twice": pd.Series([*TEXT, "p001"], name="who"),
    "bytes": pd.Series([t.encode() for t in TEXT], name="who"),
    "UUIDs": pd.Series([uuid.UUID(int=k) for k in range(N)], name="a"),
    "categories": pd.Series(TEXT, dtype="category", name="who"),
    "many digits": pd.Series([10**21 + k for k in range(N)], name="a"),
    "an index": pd.Series([5, 9, 1], name="Unnamed: 0"),
}
NONE = {
    "floats": pd.Series(np.arange(N) / 1.0, name="id"),
    "few rows": pd.Series(range(9), name="score"),
    "seconds": pd.Series(range(0, 100 * N, 100), name="seconds"),
    "people": pd.Series(RNG.choice(10**6, N, replace=False), name="population"),
    "ages": pd.Series(RNG.integers(18, 90, N), name="age"),
    "regions": pd.Series(np.arange(N * 10) % 6, name="region_id"),
    "booleans": pd.Series([True, False], name="id"),
    "dates": pd.Series(pd.date_range("2020", periods=N), name="id"),
    "dates as text": pd.Series(pd.date_range("2020", periods=N).astype(str), name="d"),
    "names": pd.Series(TEXT[:20] * 2, name="city"),
    "an index of masses": pd.Series(RNG.choice(500, N, False), name="mass_index"),
}


@pytest.mark.parametrize("case", [*FOUND, *NONE])
def test_which_columns(case):
    column = {**FOUND, **NONE}[case]
    assert identifiers.is_identifier(column) == (case in FOUND)


def test_names_of_columns():
    for name in ("id", "ID", "patientId", "customer_key", "Case No.", "uuid", "index"):
        assert identifiers.is_named_like_one(name), name
    for name in ("acid", "humid", "NO", "number_of_cells", "heat_index", "grid", "age"):
        assert not identifiers.is_named_like_one(name), name


@pytest.mark.parametrize("case", FOUND)
def test_generated_rows_have_no_real_one(case):
    real = FOUND[case]
    values = identifiers.blank(real, 5)
    assert values.dtype == real.dtype and len(values) == 5
    assert not set(values.dropna()) & set(real) and values.dropna().is_unique
    if isinstance(real.dtype, np.dtype) and real.dtype.kind == "i":
        assert values.tolist() == [*range(real.max() + 1, real.max() + 6)]
    else:
        assert values.isna().all()


def test_integers_without_room():
    assert identifiers.blank(pd.Series([100, 120], dtype="int8"), 9)[0] == 99
    with pytest.raises(ValueError, match="int8 has no room for 300"):
        identifiers.blank(pd.Series([100, 120], dtype="int8"), 300)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables(suffix, tmp_path):
    def save(name, frame):
        write = frame.to_csv if suffix == ".csv" else frame.to_parquet
        write(tmp_path / f"{name}{suffix}", index=False)
        return tmp_path / f"{name}{suffix}"

    frame = pd.DataFrame({"id": range(N), "who": TEXT, "x": RNG.normal(size=N)})
    frame["y"] = np.arange(N) % 4 // 3
    path = save("t", frame)
    table = feature_table.read(path, "y")
    assert table.X[:, :2].tolist() == [[-1, -1]] * N and table.sizes == ()
    (note,) = table.notes
    assert note.startswith("columns that identify rows: id, who.")
    assert note.endswith("t['id'] = t['id'].astype(float)")
    known = json.loads(json.dumps(table_identity.identity(path, table)))
    # A later table may have others, or none.
    for later in (frame.assign(id="new", who=7), frame[["x"]]):
        X = feature_table.vectors(save("later", later), "y", known, 3)
        np.testing.assert_array_equal(X, table.X)
    # The line keeps the column.
    kept = feature_table.read(save("t", frame.assign(id=frame["id"] / 1.0)), "y")
    assert kept.X[:, 0].tolist() == list(range(N))
    # Another identifier is another table.
    changed = save("t", frame.assign(id=frame["id"].replace(3, 99)))
    with pytest.raises(UserError, match="rows 0 to 39 are not those"):
        again = feature_table.read(changed, "y", known)
        table_identity.check(changed, again, known)


def test_a_table_of_identifiers_alone(tmp_path):
    frame = pd.DataFrame({"id": [10**21 + k for k in range(N)], "y": [0, 1] * 20})
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UserError, match=r"every column identifies rows \(id\)"):
        feature_table.read(tmp_path / "t.csv", "y")

"""Every type comes back as it went in, and real rows exactly as they were."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gamo_tf import GAMO, GAMOClassifier
from gamo_tf.data import column_types

N, RARE = 60, 15
Y = np.repeat([0, 1], [N - RARE, RARE])


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    day = pd.Timestamp("2024-02-28") + pd.to_timedelta(rng.integers(0, 99, N), "D")
    found = pd.DataFrame(
        {
            "a": rng.normal(size=N),
            "n": 3,
            "large": 2**60 + rng.integers(0, 1000, N),
            "largest": np.uint64(2**64 - 1) - rng.integers(0, 9, N).astype(np.uint64),
            "byte": rng.integers(-128, 128, N).astype(np.int8),
            "Int64": pd.array(rng.integers(0, 9, N), dtype="Int64"),
            "Float32": pd.array(rng.normal(size=N), dtype="Float32"),
            "half": rng.normal(size=N).astype(np.float16),
            "int[pyarrow]": pd.array(rng.integers(0, 9, N), dtype="int32[pyarrow]"),
            "float[pyarrow]": pd.array(rng.normal(size=N), dtype="double[pyarrow]"),
            "flag": rng.random(N) < 0.5,
            "maybe": pd.array(rng.random(N) < 0.5, dtype="boolean"),
            "word": pd.Categorical(rng.choice(list("xyz"), N), categories=list("wxyz")),
            "text": rng.choice(["no", "yes", "perhaps"], N),
            "level": pd.Categorical(rng.choice([10, 20], N), ordered=True),
            "day": day,
            "zone": day.tz_localize("Europe/Paris"),
            "took": pd.to_timedelta(rng.integers(0, 99, N), "h"),
            "objects": pd.Series(rng.integers(0, 5, N), dtype=object),
            "sparse": pd.arrays.SparseArray(rng.integers(0, 2, N)),
        }
    )
    found.index = range(100, 100 + N)
    return found


WHOLE = ("flag", "maybe", "word", "text", "level", "day", "zone", "took")


def test_a_data_frame_of_every_type():
    X = frame()
    sampler = GAMO(iterations=2, random_state=0)
    X_new, y_new = sampler.fit_resample(X, pd.Series(Y, index=X.index, name="y"))
    pd.testing.assert_frame_equal(X_new.iloc[:N], X.reset_index(drop=True))
    assert (X_new.dtypes == X.dtypes).all()
    assert X_new.index.equals(pd.RangeIndex(2 * (N - RARE)))
    assert y_new.name == "y" and y_new.index.equals(X_new.index)
    assert (y_new[N:] == 1).all() and (X_new["n"] == 3).all()
    made, own = X_new[N:], X[Y == 1]
    parents = X.iloc[sampler.sample_parents_[:, 0]]
    for name in X:
        if name in WHOLE:
            assert made[name].tolist() == parents[name].tolist(), name
        else:
            assert made[name].between(own[name].min(), own[name].max()).all(), name


LABELS = {
    "ints": Y,
    "booleans": Y.astype(bool),
    "text": np.array(["a", "b"])[Y],
    "objects": np.array(["a", "b"], object)[Y],
    "a list": Y.tolist(),
    "bytes": Y.astype(np.int8),
    "Int64": pd.Series(Y, dtype="Int64"),
    "category": pd.Series(Y, dtype="category"),
    "str": pd.Series(np.array(["a", "b"])[Y]),
    "dates": pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01"])[Y]),
    "a frame": pd.DataFrame({"y": Y.astype(np.int16)}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", LABELS)
def test_labels_of_every_type(case):
    y, X = LABELS[case], np.random.default_rng(0).normal(size=(N, 2))
    _, found = GAMO(iterations=2, random_state=0).fit_resample(X, y)
    assert type(found) is type(y) and len(found) == 2 * (N - RARE)
    expected = pd.DataFrame(y).squeeze().iloc[[*range(N), *[N - 1] * (N - 2 * RARE)]]
    found_frame = pd.DataFrame(found).squeeze()
    pd.testing.assert_series_equal(found_frame, expected.reset_index(drop=True))


ARRAYS = ["?", "i1", "u2", "i8", "u8", "f2", "f4", "g", ">f4", "O", "M8[D]", "m8[s]"]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ARRAYS)
def test_arrays_of_every_type(dtype):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 100, (N, 3)).astype(dtype)
    X_new, _ = GAMO(iterations=2, random_state=0).fit_resample(X, Y)
    assert X_new.dtype == X.dtype
    np.testing.assert_array_equal(X_new[:N], X)
    own = X[Y == 1]
    assert (X_new[N:] >= own.min(axis=0)).all() and (X_new[N:] <= own.max(axis=0)).all()


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_sparse_matrices(dtype):
    X = sparse.random(N, 4, 0.5, "csc", random_state=0, dtype=np.float64) * 50
    X = X.astype(dtype)
    found, _ = GAMO(iterations=2, random_state=0).fit_resample(X, Y)
    assert found.dtype == dtype and found.format == "csc"
    assert (found[:N] != X).nnz == 0


REFUSED = {
    "lists": (
        pd.DataFrame({"a": 1.0, "t": [[1]] * N}),
        "column 't' holds lists",
    ),
    "numbers as text": (pd.DataFrame({"t": list(map(str, range(N)))}), "'t' holds 60"),
    "complex": (pd.DataFrame({"z": np.ones(N) * 1j}), "column 'z'"),
    "complex array": (np.ones((N, 2)) * 1j, "Complex data not supported"),
    "missing": (pd.DataFrame({"n": pd.array([None] * N, dtype="Int64")}), "NaN"),
    "no date": (np.full((N, 1), "NaT", "M8[s]"), "NaN"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_refused(case):
    X, message = REFUSED[case]
    for fit in (GAMO(iterations=2).fit_resample, GAMOClassifier(iterations=2).fit):
        with pytest.raises(ValueError, match=message):
            fit(X, Y)


def test_a_classifier_of_every_type():
    X = frame()
    model = GAMOClassifier("cn", iterations=30, random_state=0).fit(X, Y)
    assert list(model.feature_names_in_) == list(X.columns)
    shuffled = X.astype({"text": object}).sample(frac=1, random_state=0)
    p = pd.DataFrame(model.predict_proba(X), index=X.index)
    expected = p.loc[shuffled.index].to_numpy()
    np.testing.assert_array_equal(model.predict_proba(shuffled), expected)


@pytest.mark.parametrize(
    ("real", "combined", "expected"),
    [
        ([1, 4], [0.2, 1.5, 2.5, 3.5, 3.501, 9.0], [1, 2, 2, 4, 4, 4]),
        ([2**62 + 1, 2**62 + 3], [2.0**62] * 6, [2**62 + 3] * 6),
        ([-0.5, 0.25], [-1, 0, 0.25, 0.3, 0.1, -0.5], [-0.5, 0, 0.25, 0.25, 0.1, -0.5]),
    ],
)
def test_values_worked_out_by_hand(real, combined, expected):
    """The first row is of another class, whose range does not count."""
    column = np.array([-100 * abs(real[0]) // 100, *real])
    labels = np.array([0, 1, 1])
    found = column_types.generated(
        column, labels, np.array(combined), np.full(6, 1), np.full(6, 1)
    )
    assert found.tolist() == expected
    whole = column_types.generated(
        np.array([True, False, True]),
        labels,
        np.array(combined),
        np.full(6, 1),
        np.array([1, 2, 2, 1, 1, 2]),
    )
    assert whole.tolist() == [False, True, True, False, False, True]

"""Generated rows: numbers of any type are combined; decimals, identifiers, spread."""

from __future__ import annotations

import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from imblearn.pipeline import Pipeline
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from gamo_tf import GAMO, GAMOClassifier

N, RARE = 60, 15
Y = np.repeat([0, 1], [N - RARE, RARE])
TENTHS = np.random.default_rng(0).integers(100, 900, (N, 2))
NARROW = pytest.mark.filterwarnings("ignore:generated rows")  # after few iterations

KINDS = {
    "float": lambda tenths: float(tenths / 10),
    "Decimal": lambda tenths: Decimal(int(tenths)) / 10,
    "Fraction": lambda tenths: Fraction(int(tenths), 10),
    "int": int,
    "large": lambda tenths: 10**21 * int(tenths),
    "text": lambda tenths: f"{tenths / 10:.1f}",
    "NumPy": lambda tenths: np.float32(tenths / 10),
    "mixed": lambda tenths: int(tenths) if tenths % 2 else Decimal(int(tenths)) / 10,
}


def objects(kind: str) -> np.ndarray:
    found = np.empty((N, 2), object)
    for place in np.ndindex(N, 2):
        found[place] = KINDS[kind](TENTHS[place])
    return found


def resampled(X) -> np.ndarray:
    """The generated rows; `fit` takes X too."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "generated rows")
        found, _ = GAMO(iterations=2, random_state=0).fit_resample(X, Y)
    assert GAMO().fit(X, Y).sampling_strategy_ == {1: N - 2 * RARE}
    if isinstance(X, pd.DataFrame):
        pd.testing.assert_frame_equal(found[:N], X)
        assert (found.dtypes == X.dtypes).all()
    return np.asarray(found, object)[N:]


def check_combined(made: np.ndarray, real: np.ndarray) -> None:
    """No row is a copy, and all lie within the range of the class."""
    numbers, own = made.astype(float), real[Y == 1].astype(float)
    assert not (numbers[:, None] == own).all(axis=2).any()
    assert (numbers >= own.min(axis=0)).all() and (numbers <= own.max(axis=0)).all()
    assert len(np.unique(numbers, axis=0)) > 5


@pytest.mark.parametrize("kind", KINDS)
def test_an_array_of_objects(kind):
    X = objects(kind)
    made = resampled(X)
    check_combined(made, X)
    expected = {"NumPy": float, "mixed": Decimal}.get(kind, type(X[0, 0]))
    assert {type(value) for value in made.ravel()} <= {expected}


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in ("text", "large")]
)
def test_a_data_frame_of_objects(kind):
    X = pd.DataFrame(objects(kind), columns=["a", "b"])
    check_combined(resampled(X), X.to_numpy(object))


@pytest.mark.parametrize("kind", ["Decimal", "large"])
def test_a_list_of_objects(kind):
    X = objects(kind)
    check_combined(resampled(X.tolist()), X)


TYPES = {
    "Int64": "Int64",
    "Float64": "Float64",
    "half": "float16",
    "sparse": pd.SparseDtype(float),
    "double[pyarrow]": "double[pyarrow]",
    "int64[pyarrow]": "int64[pyarrow]",
    "decimal[pyarrow]": pd.ArrowDtype(pa.decimal128(9, 1)),
}


@pytest.mark.parametrize("name", TYPES)
def test_types_of_pandas_and_arrow(name):
    values = TENTHS if name.lower().startswith("int") else TENTHS / 10
    X = pd.DataFrame(values, columns=["a", "b"]).astype(TYPES[name])
    made = resampled(X)
    check_combined(made, X.to_numpy(object))
    if name not in ("half", "Int64", "int64[pyarrow]"):
        found = [float(v) for v in made.ravel()]
        assert [round(value, 1) for value in found] == found


def test_a_date_of_arrow_is_that_of_the_heaviest_parent():
    days = pd.Series(pd.to_datetime("2020-01-01") + pd.to_timedelta(np.arange(N), "D"))
    X = pd.DataFrame({"a": TENTHS[:, 0], "d": days.astype(pd.ArrowDtype(pa.date32()))})
    made = resampled(X)
    assert set(made[:, 1]) <= set(X["d"][Y == 1])


@NARROW
def test_decimals_and_identifiers_of_a_data_frame():
    X = pd.DataFrame(
        {
            "patient_id": np.arange(N) + 500,
            "code": [f"P{k}" for k in range(N)],
            "a": TENTHS[:, 0] / 10,
            "narrow": (TENTHS[:, 1] / 10).astype(np.float32),
            "whole": TENTHS[:, 1].astype(float),
            "many": np.random.default_rng(0).normal(size=N),
        }
    )
    sampler = GAMO(iterations=2, random_state=0)
    made = sampler.fit_resample(X, Y)[0].iloc[N:]
    assert not set(made["patient_id"]) & set(X["patient_id"])
    assert made["code"].isna().all()
    for name, k in (("a", 1), ("narrow", 1), ("whole", 0)):
        shown = made[name].to_numpy().astype(str)  # float32 as the shortest text
        assert all(len(text.partition(".")[2]) <= 1 for text in shown), name
        assert (made[name].round(k) == made[name]).all(), name
    assert (made["many"].round(6) != made["many"]).any()
    assert list(sampler.get_feature_names_out()) == list(X.columns)
    assert sampler.spread_.loc[1, "column"] not in ("patient_id", "code")
    model = GAMOClassifier("gamo", iterations=2, random_state=0).fit(X, Y)
    alone = model.sample(1, 5)
    assert not set(alone["patient_id"]) & set(X["patient_id"])
    assert (alone["a"].round(1) == alone["a"]).all()


@NARROW
def test_arrays_are_combined_exactly():
    X = TENTHS / 10
    made = GAMO(iterations=2, random_state=0).fit_resample(X, Y)[0][N:]
    assert (np.round(made, 1) != made).any()


MIXED = pd.DataFrame({"a": TENTHS[:, 0] / 10, "t": list("pq") * (N // 2)})
STRATEGIES = {
    "auto": "auto",
    "dict": {1: 30},
    "float": 0.5,
    "callable": lambda y: {1: 40},
}


@pytest.mark.parametrize("case", STRATEGIES)
def test_fit_takes_a_data_frame_and_every_strategy(case):
    sampler = GAMO(sampling_strategy=STRATEGIES[case])
    for y in (Y, pd.Series(Y, dtype="Int64"), pd.Series(Y, dtype="category")):
        assert list(sampler.fit(MIXED, y).sampling_strategy_) == [1]
    assert not hasattr(sampler, "G_")
    assert list(sampler.feature_names_in_) == ["a", "t"]


def test_fit_refuses_what_fit_resample_refuses():
    for X, y in (
        (MIXED.assign(a=np.nan), Y),
        (MIXED.assign(a=[[1]] * N), Y),
        (MIXED, np.where(Y, np.nan, 0.0)),
    ):
        for call in (GAMO().fit, GAMO(iterations=2).fit_resample):
            with pytest.raises(ValueError, match=r"NaN|holds lists"):
                call(X, y)


@NARROW
def test_a_pipeline_takes_a_data_frame():
    encode = FunctionTransformer(pd.get_dummies)
    pipe = Pipeline(
        [
            ("gamo", GAMO(iterations=2, random_state=0)),
            ("encode", encode),
            ("model", LogisticRegression()),
        ]
    )
    assert pipe.fit(MIXED, Y).predict(MIXED).shape == (N,)


def test_narrow_rows_are_a_warning():
    X = pd.DataFrame({"age": TENTHS[:, 0], "flag": TENTHS[:, 1] > 400})
    sampler = GAMO(iterations=2, random_state=0)
    with pytest.warns(UserWarning, match="rows of class 1 are narrow: half of the"):
        sampler.fit_resample(X, Y)
    found = sampler.spread_.loc[1]
    assert found["verdict"] == "narrow" and found["column"] == "age"
    assert found["deviation"] < 0.6 * found["real_deviation"]
    assert (found["rows"], found["parents"]) == (N - 2 * RARE, RARE)
    model = GAMOClassifier("gamo", iterations=2, random_state=0).fit(X, Y)
    with pytest.warns(UserWarning, match="standard deviation of age"):
        model.sample(1, 30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.sample(1, 5)
    assert model.spread_.loc[1, "verdict"] == "not judged"


@pytest.fixture(scope="module")
def of_images() -> GAMOClassifier:
    X = np.random.default_rng(0).integers(0, 256, (N, 8, 8, 1)).astype(np.float32)
    return GAMOClassifier("cn", iterations=2, random_state=0).fit(X, Y)


@pytest.mark.parametrize("value", [0, 1])
def test_a_dark_image_is_dark_in_every_type(value, of_images):
    expected = of_images.predict_proba(np.full((1, 8, 8, 1), value, np.uint8))
    for dtype in ("f2", "f4", "f8", "i2", "i8"):
        X = np.full((1, 8, 8, 1), value, dtype)
        np.testing.assert_array_equal(of_images.predict_proba(X), expected)


def test_an_image_alone_is_judged_as_among_others(of_images):
    X = np.zeros((2, 8, 8, 1), np.float32)
    X[0] = 200
    both = of_images.predict_proba(X)
    np.testing.assert_allclose(of_images.predict_proba(X[1:]), both[1:], atol=1e-6)
    assert of_images.score(X[1:], of_images.predict(X[1:])) == 1


def test_images_scaled_to_1_are_pointed_out(of_images):
    with pytest.warns(UserWarning, match="between 0 and 1"):
        of_images.predict(np.full((2, 8, 8, 1), 0.5))
    with pytest.raises(ValueError, match="expected 0 to 255"):
        of_images.predict(np.full((2, 8, 8, 1), 256.0))

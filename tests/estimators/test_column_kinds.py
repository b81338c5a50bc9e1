"""A fitted estimator keeps what each column of its data frame was."""

from __future__ import annotations

import datetime
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from gamo_tf import GAMO, GAMOClassifier

N = 40
Y = np.repeat([0, 1], [30, 10])
DAY = pd.Series(pd.date_range("2020", periods=N // 2).repeat(2))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "patient_id": rng.permutation(N) + 700,
            "age": rng.integers(18, 80, N),
            "member": rng.random(N) < 0.5,
            "colour": rng.choice(["red", "blue"], N),
            "day": DAY.to_numpy(),
            "zone": DAY.dt.tz_localize("UTC").array,
        }
    )


@pytest.fixture(scope="module")
def model(frame) -> GAMOClassifier:
    with pytest.warns(UserWarning, match="columns that identify rows: patient_id"):
        return GAMOClassifier("cn", iterations=30, random_state=0).fit(frame, Y)


SAME = {
    "text of numbers": lambda X: X.assign(age=X["age"].astype(str)),
    "Decimal": lambda X: X.assign(age=[Decimal(int(v)) for v in X["age"]]),
    "objects": lambda X: X.astype(object),
    "bytes": lambda X: X.assign(colour=[v.encode() for v in X["colour"]]),
    "dates of Python": lambda X: X.assign(day=X["day"].dt.date),
    "other identifiers": lambda X: X.assign(patient_id="new"),
}
OTHER = {
    "high": (lambda X: X.assign(age="high"), "'age' holds text such as 'high'"),
    "thousands": (lambda X: X.assign(age="1,000"), r"str.replace\(',', ''\)"),
    "booleans": (lambda X: X.assign(age=True), "'age' holds booleans"),
    "numbers": (lambda X: X.assign(member=1), "'member' holds numbers"),
    "codes": (lambda X: X.assign(colour=1), "it held names such as 'blue', 'red'"),
    "categories of codes": (
        lambda X: X.assign(colour=pd.Categorical([1, 2] * 20)),
        "holds categories that are numbers",
    ),
    "a zone": (lambda X: X.assign(day=X["zone"]), "'day' holds dates with a time"),
    "no zone": (lambda X: X.assign(zone=X["day"]), "'zone' holds dates without"),
    "dates as text": (lambda X: X.assign(day="2020-01-01"), "pd.to_datetime"),
    "seconds": (lambda X: X.assign(day=5.0), "'day' holds numbers"),
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_values_in_another_type(case, model, frame):
    X = SAME[case](frame)
    expected = model.predict_proba(frame)
    np.testing.assert_array_equal(model.predict_proba(X), expected)


@pytest.mark.parametrize("case", OTHER)
def test_another_kind_is_refused_by_name(case, model, frame):
    change, message = OTHER[case]
    with pytest.raises(ValueError, match=message) as caught:
        model.predict(change(frame))
    assert "in training" in str(caught.value) and "X[" in str(caught.value)


def test_an_array_lacks_the_names(model, frame):
    with pytest.raises(ValueError, match="pass a data frame"):
        model.predict(np.zeros((2, frame.shape[1])))
    plain = GAMOClassifier("cn", iterations=2).fit(np.arange(2.0 * N).reshape(N, 2), Y)
    with pytest.raises(ValueError, match="holds text such as 'high'"):
        plain.predict(pd.DataFrame({"a": ["high"], "b": 1}))


REFUSED = {
    "numbers as text": ([f"{9000 + k:,}" for k in range(N)], "40 different numbers as"),
    "kilograms": ([f"{k} kg" for k in range(N)], r"str.replace\('kg', ''\)"),
    "lists": ([[1]] * N, "'c' holds lists"),
    "dicts": ([{}] * N, "'c' holds dicts"),
    "mixed": ([1.5, datetime.date(2020, 1, 1)] * 20, "'c' holds numbers and dates"),
    "no text": ([b"\xff"] * N, "no text in UTF-8"),
    "identifiers alone": (range(N), "every column identifies rows"),
    "long integers": ([10**21 + k % 9 for k in range(N)], "integers of 22 digits"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_trained_on(case):
    values, message = REFUSED[case]
    X = pd.DataFrame({"c": list(values)})
    for fit in (GAMO(iterations=2).fit_resample, GAMOClassifier(iterations=2).fit):
        with pytest.raises(ValueError, match=message):
            fit(X, Y)


def test_arrays_have_no_identifiers():
    X = np.stack([np.arange(N), np.arange(N)], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "generated rows of class")
        GAMO(iterations=2, random_state=0).fit_resample(X, Y)
        GAMO(iterations=2, random_state=0).fit_resample(pd.DataFrame(X), Y)


@pytest.mark.parametrize("make", [np.array, list])
def test_labels_that_are_bytes_come_back(make):
    X = np.random.default_rng(0).normal(size=(N, 2))
    y = make([b"cat", b"lynx"])
    y = y[Y] if isinstance(y, np.ndarray) else [y[k] for k in Y]
    found = GAMOClassifier("cn", iterations=2, random_state=0).fit(X, y).predict(X)
    assert set(found.tolist()) <= {b"cat", b"lynx"}
    _, labels = GAMO(iterations=2, random_state=0).fit_resample(X, y)
    assert type(labels) is type(y) and labels[-1] == b"lynx" and len(labels) == 60

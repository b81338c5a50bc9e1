"""What the estimators refuse, and how their messages name parameters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gamo_tf import GAMO, GAMOClassifier

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(9, 2))
Y = [0] * 6 + [1] * 3
BAD = {
    "one class": (RNG.normal(size=(9, 2)), [0] * 9, "one class|1 class"),
    "one sample": (RNG.normal(size=(9, 2)), [0] * 8 + [1], "has 1 sample"),
    "missing": (np.array([[np.nan, 0]] * 9), Y, "NaN"),
    "infinite": (np.array([[np.inf, 0]] * 9), Y, "infinity"),
    "text": (np.array([["a", "b"]] * 9), Y, "could not convert|numeric"),
    "lengths": (RNG.normal(size=(9, 2)), [0, 1], "inconsistent|numbers of samples"),
    "no labels": (RNG.normal(size=(9, 2)), None, "y|label"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("kind", [GAMO, GAMOClassifier])
def test_rows_and_labels(kind, case):
    X, y, message = BAD[case]
    fit = "fit_resample" if kind is GAMO else "fit"
    with pytest.raises(ValueError, match=message):
        getattr(kind(iterations=2), fit)(X, y)


TEXT = ["a"] * 5 + ["b"] * 3
MISSING = {
    "NaN": [np.nan, *Y[1:]],
    "NaN beside text": np.array([np.nan, *TEXT], object),
    "NA beside text": [pd.NA, *TEXT],
    "NaT beside text": [pd.NaT, *TEXT],
    "category": pd.Series(pd.Categorical([None, *TEXT])),
    "Int64": pd.Series([None, *Y[1:]], dtype="Int64"),
    "boolean": pd.array([None, *map(bool, Y[1:])], dtype="boolean"),
    "text": pd.Series([None, *TEXT], dtype="str"),
    "a frame": pd.DataFrame({"y": [pd.NA, *TEXT]}),
    "dates": np.array(["NaT", *["2020-01-01"] * 5, *["2021-01-01"] * 3], "M8[D]"),
}


@pytest.mark.parametrize("case", MISSING)
@pytest.mark.parametrize("kind", [GAMO, GAMOClassifier])
def test_missing_labels(kind, case):
    fit = "fit_resample" if kind is GAMO else "fit"
    with pytest.raises(ValueError, match="Input y contains NaN"):
        getattr(kind(iterations=2), fit)(VECTORS, MISSING[case])


def test_images():
    with pytest.raises(ValueError, match="finite numbers from 0 to 255"):
        GAMOClassifier(iterations=2).fit(np.full((9, 8, 8, 1), 9 + 1j), Y)
    with pytest.raises(ValueError, match="0 to 255"):
        GAMOClassifier(iterations=2).fit(RNG.random((9, 8, 8, 1)), Y)
    with pytest.raises(ValueError, match="9 images and 4 labels"):
        GAMOClassifier(iterations=2).fit(np.zeros((9, 8, 8, 1), np.uint8), Y[:4])


COLOUR = RNG.integers(0, 256, (9, 8, 8, 3)).astype(np.uint8)
SETTINGS = {
    "a loss that the method lacks": (
        {"method": "focal", "loss": "ls"},
        VECTORS,
        "loss ls: focal has only ce; leave loss out.",
    ),
    "images for vectors": (
        {"method": "augment"},
        VECTORS,
        "method augment: needs images, not feature vectors.",
    ),
    "grey images for colour": (
        {"method": "cgan"},
        COLOUR,
        "method cgan: memory has colour images.",
    ),
    "a learning rate that diverges": (
        {"learning_rate": 1e30, "iterations": 2},
        VECTORS,
        "smaller learning_rate",
    ),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_messages_name_parameters_and_no_flags(case):
    parameters, X, message = SETTINGS[case]
    with pytest.raises(ValueError) as caught:
        GAMOClassifier(**parameters).fit(X, Y)
    assert message in str(caught.value)
    assert "--" not in str(caught.value) and "train_gamo" not in str(caught.value)


@pytest.mark.slow
def test_the_oversampler_names_its_parameters_too():
    with pytest.raises(ValueError, match="smaller learning_rate"):
        GAMO(learning_rate=1e30, iterations=3).fit_resample(VECTORS, Y)

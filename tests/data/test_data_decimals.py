"""Decimals of columns of floating-point numbers."""

from __future__ import annotations

import numpy as np
import pytest

from gamo_tf.data import column_types, decimals


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([25.3, 7.0], 1),
        ([1.0, 40.0], 0),
        ([0.123456, 2.0], 6),
        ([0.1234567, 2.0], -1),
        ([1e300, -2e300], 0),
        ([12345678901.25, 0.5], 2),
        ([1.2e-7], -1),
    ],
)
@pytest.mark.parametrize("dtype", ["f8", ">f8"])
def test_the_decimals_of_a_column(values, expected, dtype):
    assert decimals.of_columns(np.array(values, dtype)) == expected


def test_float32_has_the_decimals_that_it_is_written_with():
    real = np.array([[25.3, 1.25], [7.1, 2.0]], np.float32)
    assert decimals.of_columns(real).tolist() == [1, 2]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_generated_values_have_them_too(dtype):
    """25.29 would be rounded to 25.3, which lies above the largest of the class."""
    real = np.array([99.1, 25.1, 25.2], dtype)
    labels, new = np.array([0, 1, 1]), np.full(3, 1)
    combined = np.array([25.12345, 25.17, 25.29])
    found = column_types.generated(real, labels, combined, new, new)
    assert found.dtype == dtype
    assert found.tolist() == np.array([25.1, 25.2, 25.2], dtype).tolist()
    exact = column_types.generated(real, labels, combined, new, new, exact=True)
    assert exact[0] == dtype(25.12345)


def test_each_column_of_an_array_by_itself():
    found = decimals.rounded(np.full((2, 3), 1.23456), np.array([1, -1, 0]))
    assert found.tolist() == [[1.2, 1.23456, 1.0]] * 2

"""Numbers that a column holds as objects, and convex combinations of them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gamo_tf.data import categories, column_types

BIG = 10**21
CASES = {  # the column, combinations of its values, and what has to come back
    "Decimal": ([Decimal("1.50"), Decimal("2")], [1.6789, 9.0], ["1.68", "2"]),
    "Decimal and int": ([Decimal("1.5"), 3], [1.6789, 9.0], ["1.7", "3"]),
    "Fraction": ([Fraction(1, 4), Fraction(1)], [0.5, 0.1], ["1/2", "1/4"]),
    "large": ([BIG, 3 * BIG], [2e21, 4e21], [str(2 * BIG), str(3 * BIG)]),
    "bool and int": ([True, 4], [2.2, 0.0], ["2", "1"]),
    "Decimal and float": ([Decimal("1.5"), 3.0], [1.75, 9.0], ["1.75", "3.0"]),
    "NumPy": ([np.int16(1), 2.5, np.float32(3)], [1.79, 9.0], ["1.8", "3.0"]),
}


@pytest.mark.parametrize("case", CASES)
def test_combinations_have_the_type_of_the_column(case):
    values, combined, expected = CASES[case]
    column = pd.Series(values, dtype=object)
    assert column_types.holds_numbers(column_types.settled(column))
    assert not categories.is_nominal(column)
    labels, new = np.ones(len(values), int), np.ones(2, int)
    found = column_types.generated(column, labels, np.array(combined), new, new * 0)
    assert found.dtype == object and [str(value) for value in found] == expected


def test_a_decimal_of_arrow_stays_one():
    dtype = pd.ArrowDtype(pa.decimal128(9, 2))
    column = pd.Series([Decimal("1.50"), Decimal("2.25")], dtype=dtype)
    ones = np.ones(2, int)
    found = column_types.generated(column, ones, np.array([1.6789, 9]), ones, ones)
    assert found.dtype == dtype and found.tolist() == [Decimal("1.68"), Decimal("2.25")]
    settled = column_types.settled(column)
    assert column_types.numbers(settled).tolist() == [1.5, 2.25]


def test_missing_ones_are_nan_and_text_is_no_number():
    column = pd.Series([Decimal("1.5"), None], dtype=object)
    np.testing.assert_array_equal(column_types.numbers(column), [1.5, np.nan])
    for values in ([1, "a"], [True, False], [1j, 2]):
        assert not column_types.holds_numbers(
            column_types.settled(pd.Series(values, dtype=object))
        )

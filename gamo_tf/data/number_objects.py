"""Columns of Python objects that are numbers: Decimal, Fraction, integers of any size,
and mixtures of these that neither NumPy nor pandas has a type for."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext
from fractions import Fraction
from numbers import Integral, Rational, Real
from typing import Any

import numpy as np
import pandas as pd

_DENOMINATOR = 10**6  # the largest of a generated Fraction
_DIGITS = 1000  # of a Decimal while it is rounded: more than float64 has


def are_numbers(values: Iterable) -> bool:
    """Whether all values are real numbers and one of them is no boolean.

    Args:
      values: without missing ones.
    """
    found = list(values)
    real = (Real, Decimal, np.bool_)
    return all(isinstance(value, real) for value in found) and any(
        not isinstance(value, (bool, np.bool_)) for value in found
    )


def numbers(column: pd.Series) -> np.ndarray:
    """The values as float64 [n]; NaN where one is missing.

    Args:
      column: objects of which `are_numbers` holds, and missing values.
    """
    values = column.to_numpy(object)
    missing = np.asarray(column.isna())
    return np.array(
        [np.nan if gone else float(v) for v, gone in zip(values, missing, strict=True)]
    )


def generated(combined: np.ndarray, of_class: Iterable, real: Iterable) -> list[Any]:
    """Convex combinations as objects of the type that a column has.

    Integers are rounded half to even. A Decimal has as many decimals as the column.
    Numbers of several types become floats, but integers follow the other type.

    Args:
      combined: float64 [m].
      of_class: the values of the class; the results stay between its extremes.
      real: all values of the column.

    Returns:
      [m] of int, Decimal, Fraction or float.
    """
    kind = _kind(real)
    low, high = (_as(kind, pick(of_class, key=float)) for pick in (min, max))
    if kind is Decimal:
        exponents = [v.as_tuple().exponent for v in real if isinstance(v, Decimal)]
        step = Decimal(1).scaleb(min(0, *map(int, exponents), 0))
    found = []
    with localcontext(prec=_DIGITS):
        for value in combined.tolist():
            new: Any = value
            if kind is int:
                new = round(value)
            elif kind is Fraction:
                new = Fraction(value).limit_denominator(_DENOMINATOR)
            elif kind is Decimal:
                new = Decimal(repr(value)).quantize(step)
            found.append(min(max(new, low), high))
    return found


def _kind(values: Iterable) -> type:
    """The one type that stands for all values."""
    kinds = {_kind_of(value) for value in values} - {int}
    return kinds.pop() if len(kinds) == 1 else float if kinds else int


def _kind_of(value: object) -> type:
    if isinstance(value, (Integral, np.bool_)):
        return int
    if isinstance(value, Decimal):
        return Decimal
    return Fraction if isinstance(value, Rational) else float


def _as(kind: type, value: Any) -> Any:
    """A number in another type, without loss where that type has it."""
    if kind is not float and isinstance(value, (Integral, np.bool_)):
        value = int(value)
    return value if isinstance(value, kind) else kind(value)

"""Rows as a user passed them, with generated rows of the same types behind them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gamo_tf.data import column_types, identifiers
from gamo_tf.inference.convex_sampler import Samples


def extend(X: Any, labels: np.ndarray, samples: Samples) -> Any:
    """Rows, and behind them generated ones.

    Columns of a data frame keep their decimals; those of other tables are combined
    exactly, as by the other samplers of imbalanced-learn.

    Parameters
    ----------
    X : {array-like, dataframe, sparse matrix} of shape (n, d)
        As the user passed it; it is not changed.
    labels : ndarray of int, shape (n,)
        Of its rows.
    samples : Samples
        Their parents are rows of X.

    Returns
    -------
    ndarray, list, dataframe or sparse matrix of shape (n + m, d)
        What X is, with its types. The rows of X are as they were.
    """
    if isinstance(X, pd.DataFrame):
        new = _columns(X, labels, samples)
        real = (X.iloc[:, k].reset_index(drop=True) for k in range(X.shape[1]))
        pairs = zip(real, new, strict=True)
        return _frame([pd.concat(pair, ignore_index=True) for pair in pairs], X)
    if sparse.issparse(X):
        rows = _rows(X.toarray(), labels, samples)
        return sparse.vstack([X, sparse.csr_matrix(rows)], format=X.format)
    if isinstance(X, list):
        return [*X, *_rows(np.asarray(X), labels, samples).tolist()]
    X = np.asarray(X)
    # Joining arrays makes big-endian numbers native.
    return np.concatenate([X, _rows(X, labels, samples)]).astype(X.dtype)


def alone(X: pd.DataFrame, labels: np.ndarray, samples: Samples) -> pd.DataFrame:
    """Generated rows as a data frame, without the real ones.

    Parameters
    ----------
    X, labels, samples
        As of `extend`.

    Returns
    -------
    dataframe of shape (m, d)
        With the columns and types of X.
    """
    return _frame(_columns(X, labels, samples), X)


def number_columns(X: Any) -> dict[int, str]:
    """The columns whose generated values are combined.

    Parameters
    ----------
    X : {array-like, dataframe, sparse matrix} of shape (n, d)
        As the user passed it.

    Returns
    -------
    dict
        Of their positions, the names that messages call them by.
    """
    if isinstance(X, pd.DataFrame):
        identifies = identifiers.columns_of(X)
        return {
            k: str(name)
            for k, name in enumerate(X.columns)
            if not identifies[k]
            and column_types.holds_numbers(column_types.settled(X.iloc[:, k]))
        }
    if not sparse.issparse(X):
        X = np.asarray(X)
    if X.ndim != 2 or X.dtype.kind in "bmM":
        return {}
    return {k: f"column {k}" for k in range(X.shape[1])}


def _columns(X: pd.DataFrame, labels: np.ndarray, samples: Samples) -> list[pd.Series]:
    """Of each column of X, what it has in the generated rows, with its type."""
    found = []
    for k, identifies in enumerate(identifiers.columns_of(X)):
        real = X.iloc[:, k].reset_index(drop=True)
        if identifies:
            new = identifiers.blank(real, len(samples.labels))
        else:
            new = _made(real, labels, samples, samples.values[:, k])
        found.append(new)
    return found


def _rows(X: np.ndarray, labels: np.ndarray, samples: Samples) -> np.ndarray:
    """Generated rows [m, d] of an array, of its type."""
    if X.dtype != object:
        return _made(X, labels, samples, samples.values, exact=True)
    found = np.empty(samples.values.shape, object)
    for k in range(X.shape[1]):
        real, text = _parsed(X[:, k])
        new = _made(real, labels, samples, samples.values[:, k], exact=True)
        found[:, k] = [format(v, "f") if text else v for v in new]
    return found


def _parsed(values: np.ndarray) -> tuple[pd.Series, bool]:
    """A column of objects with numbers instead of text, which scikit-learn takes for
    numbers too; and whether all was text."""
    read = [v.decode() if isinstance(v, bytes) else v for v in values]
    found = [Decimal(v) if isinstance(v, str) else v for v in read]
    return pd.Series(found, dtype=object), all(isinstance(v, str) for v in values)


def _made(
    real: Any,
    labels: np.ndarray,
    samples: Samples,
    values: np.ndarray,
    exact: bool = False,
) -> Any:
    heaviest = samples.parents[:, 0]
    return column_types.generated(real, labels, values, samples.labels, heaviest, exact)


def _frame(columns: list[pd.Series], X: pd.DataFrame) -> pd.DataFrame:
    """Columns side by side under the names of X, which need not differ."""
    whole = pd.concat(columns, axis=1)
    whole.columns = X.columns
    return whole


def take(y: Any, rows: np.ndarray) -> Any:
    """Labels of some rows.

    Parameters
    ----------
    y : array-like of shape (n,)
        As the user passed it.
    rows : ndarray of int, shape (m,)

    Returns
    -------
    array-like of shape (m,)
        What y is, with its type; the index of a series or a data frame is new.
    """
    if isinstance(y, (pd.Series, pd.DataFrame)):
        return y.iloc[rows].reset_index(drop=True)
    if isinstance(y, list):
        return [y[row] for row in rows]
    if not isinstance(y, (pd.api.extensions.ExtensionArray, pd.Index)):
        y = np.asarray(y)
        y = y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y
    return y[rows]

"""Rows as a user passed them, with generated rows of the same types behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from gamo_tf.data import column_types
from gamo_tf.inference.convex_sampler import Samples


def extend(X: Any, labels: np.ndarray, samples: Samples) -> Any:
    """Rows, and behind them generated ones.

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
        new = sparse.csr_matrix(_made(X.toarray(), labels, samples, samples.values))
        return sparse.vstack([X, new], format=X.format)
    if isinstance(X, list):
        return [*X, *_made(np.asarray(X), labels, samples, samples.values).tolist()]
    X = np.asarray(X)
    if X.dtype == object:
        return extend(pd.DataFrame(X), labels, samples).to_numpy(object)
    # Joining arrays makes big-endian numbers native.
    new = _made(X, labels, samples, samples.values)
    return np.concatenate([X, new]).astype(X.dtype)


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


def _columns(X: pd.DataFrame, labels: np.ndarray, samples: Samples) -> list[pd.Series]:
    """Of each column of X, what it has in the generated rows, with its type."""
    found = []
    for k in range(X.shape[1]):
        real = X.iloc[:, k].reset_index(drop=True)
        values = samples.values[:, k]
        new = _made(real.infer_objects(), labels, samples, values)
        found.append(new.astype(real.dtype))
    return found


def _made(real: Any, labels: np.ndarray, samples: Samples, values: np.ndarray) -> Any:
    heaviest = samples.parents[:, 0]
    return column_types.generated(real, labels, values, samples.labels, heaviest)


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

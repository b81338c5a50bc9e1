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

    def made(real: Any, combined: np.ndarray) -> Any:
        heaviest = samples.parents[:, 0]
        return column_types.generated(real, labels, combined, samples.labels, heaviest)

    if isinstance(X, pd.DataFrame):
        columns = []
        for k in range(X.shape[1]):
            real = X.iloc[:, k].reset_index(drop=True)
            new = made(real.infer_objects(), samples.values[:, k]).astype(real.dtype)
            columns.append(pd.concat([real, new], ignore_index=True))
        whole = pd.concat(columns, axis=1)
        whole.columns = X.columns
        return whole
    if sparse.issparse(X):
        new = sparse.csr_matrix(made(X.toarray(), samples.values))
        return sparse.vstack([X, new], format=X.format)
    if isinstance(X, list):
        return [*X, *made(np.asarray(X), samples.values).tolist()]
    X = np.asarray(X)
    if X.dtype == object:
        return extend(pd.DataFrame(X), labels, samples).to_numpy(object)
    # Joining arrays makes big-endian numbers native.
    return np.concatenate([X, made(X, samples.values)]).astype(X.dtype)


def alone(X: pd.DataFrame, labels: np.ndarray, samples: Samples) -> pd.DataFrame:
    """Generated rows as a data frame.

    Parameters
    ----------
    X : dataframe of shape (n, d)
        The rows that they are made of; it is not changed.
    labels : ndarray of int, shape (n,)
        Of its rows.
    samples : Samples
        Their parents are rows of X.

    Returns
    -------
    dataframe of shape (m, d)
        With the columns and types of X.
    """
    return extend(X, labels, samples).iloc[len(X) :].reset_index(drop=True)


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

"""What comes into the estimators: rows of any type, labels and images, checked."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from gamo_tf.data import (
    column_checks,
    column_kinds,
    column_types,
    identifiers,
    missing,
)
from gamo_tf.data.column_kinds import (
    DATE,
    DURATION,
    IDENTIFIER,
    NUMBER,
    Column,
    Unfit,
)


def as_numbers(
    X: Any, known: tuple[Column, ...] | None = None
) -> tuple[Any, tuple[Column, ...]]:
    """A data frame, or an array of dates, as the numbers that are trained on.

    Parameters
    ----------
    X : array-like of shape (n, d)
    known : tuple or None, default=None
        What was learned of each column of the rows that were trained on; () where
        these were an array of numbers. None: X is what is trained on.

    Returns
    -------
    numbers : DataFrame of float64, ndarray of float64, or X itself
        Columns of names are positions among their categories (see `data.categories`),
        identifiers are a constant. What is neither a data frame nor dates is left to
        scikit-learn's checks.
    columns : tuple
        What was learned of each column of X; () for an array of numbers.

    Raises
    ------
    ValueError
        For a column that cannot be trained on, or is of another kind than in the
        training, and for missing values, by the names of the columns; and for rows
        that are no data frame where the training had columns of names.
    """
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "mM" and not known:
        return column_types.numbers(X), _dates(X)
    if not isinstance(X, pd.DataFrame):
        if not known or all(column.kind == NUMBER for column in known):
            return X, ()
        if any(column.categories for column in known):
            raise ValueError(
                "X: trained on columns of names; pass a data frame of these."
            )
        X = pd.DataFrame(X)
    # Other columns than those of the training are refused by scikit-learn's checks.
    if known is not None and len(known or X.columns) == X.shape[1]:
        learned = known or (Column(NUMBER),) * X.shape[1]
    else:
        learned = tuple(_learn(X.iloc[:, k]) for k in range(X.shape[1]))
    if learned and all(column.kind == IDENTIFIER for column in learned):
        raise ValueError("X: every column identifies rows; none is left to train on.")
    found = [_numbers(X.iloc[:, k], column) for k, column in enumerate(learned)]
    numbers = np.stack(found, axis=1) if found else np.zeros(X.shape)
    if (wrong := np.isnan(numbers)).any():
        lines = "\n".join(missing.lines_of_frame("X"))
        raise ValueError(
            f"Input X contains NaN: {missing.rows_of(wrong, list(X.columns))}. Fill "
            f"them, such as by\n{lines}"
        )
    return pd.DataFrame(numbers, index=X.index, columns=X.columns), learned


def sizes(columns: tuple[Column, ...]) -> tuple[int, ...]:
    """The number of categories of each column, as `Options` has it.

    Parameters
    ----------
    columns : tuple
        As `as_numbers` returns it.
    """
    found = tuple(len(column.categories or ()) for column in columns)
    return found if any(found) else ()


def warn_of_identifiers(X: Any, columns: tuple[Column, ...]) -> None:
    """Warn of columns that identify rows, on behalf of the caller of the estimator.

    Parameters
    ----------
    X : array-like of shape (n, d)
    columns : tuple
        As `as_numbers` returns it.
    """
    named = [X.iloc[:, k] for k, c in enumerate(columns) if c.kind == IDENTIFIER]
    if named:
        warnings.warn(identifiers.note(named, "X") + ".", UserWarning, stacklevel=3)


def _dates(X: np.ndarray) -> tuple[Column, ...]:
    """What is learned of an array of dates, or of durations."""
    return (Column(DURATION if X.dtype.kind == "m" else DATE),) * X.shape[1]


def _learn(column: pd.Series) -> Column:
    try:
        return column_checks.learn(column, f"X[{column.name!r}]")[0]
    except Unfit as err:
        raise ValueError(f"X: column {column.name!r} {err}") from err


def _numbers(column: pd.Series, learned: Column) -> np.ndarray:
    try:
        values = column_checks.conform(column, learned, f"X[{column.name!r}]")
    except Unfit as err:
        raise ValueError(f"X: column {column.name!r} {err}") from err
    return column_kinds.numbers(values, learned)


def refuse_parameters(params: dict) -> None:
    """Raise for what `fit` was passed beside X and y.

    Parameters
    ----------
    params : dict
        By name.

    Raises
    ------
    ValueError
        For `sample_weight`: no method has a meaning for it.
    TypeError
        For anything else.
    """
    if params.pop("sample_weight", None) is not None:
        raise ValueError(
            "sample_weight: no method weighs single rows, and a game has no meaning "
            "for it. The methods class-weight, class-balanced and ldam-drw weigh "
            "classes."
        )
    if params:
        raise TypeError(f"fit has no parameter {', '.join(sorted(params))}.")


def refuse_missing(y: Any) -> None:
    """Raise ValueError for NaN, NaT or NA among labels, as scikit-learn does.

    None beside text is a label like any other.

    Parameters
    ----------
    y : array-like of shape (n,)
    """
    if isinstance(y, (list, tuple)):
        y = _objects(list(y))
    y = plain(y)
    missing = np.asarray(pd.isna(y))
    if not missing.ndim:
        return  # no labels at all, which scikit-learn's checks refuse
    if getattr(y, "dtype", np.dtype(float)).kind == "O":
        missing = np.array([value is not None for value in np.asarray(y)[missing]])
    if missing.any():
        raise ValueError("Input y contains NaN.")


def plain(y: Any) -> Any:
    """Labels as scikit-learn's checks take them, which know not all types of pandas.

    Parameters
    ----------
    y : array-like of shape (n,)
        Without missing values.

    Returns
    -------
    array-like of shape (n,)
        An array for what is of pandas, else y itself.
    """
    known = (pd.Series, pd.DataFrame, pd.Index, pd.api.extensions.ExtensionArray)
    return np.asarray(y) if isinstance(y, known) else y


def as_text(y: Any) -> Any:
    """Labels that are bytes as text, which imbalanced-learn's checks need.

    Parameters
    ----------
    y : array-like of shape (n,)
        As `plain` returns it.

    Returns
    -------
    array-like of shape (n,)
        Text where all labels are bytes, else y itself.
    """
    values = np.asarray(y) if isinstance(y, (list, tuple, np.ndarray)) else None
    if values is None or values.ndim != 1 or values.dtype.kind not in "OS":
        return y
    if not len(values) or not all(isinstance(value, bytes) for value in values):
        return y
    # Latin-1 has a letter for every byte, so that no two labels become one.
    return np.array([value.decode("latin-1") for value in values])


def _objects(values: list) -> np.ndarray:
    """A list as an array [n] of objects, tuples too."""
    column = np.empty(len(values), object)
    column[:] = values
    return column


def label_column(y: Any) -> np.ndarray:
    """Labels of any hashable kind as an array.

    Parameters
    ----------
    y : array-like of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
        Of dtype object for a list of tuples or of mixed types.

    Raises
    ------
    ValueError
        For more than one column, missing labels, or numbers that are no classes.
    """
    refuse_missing(y)
    # NumPy would make a matrix of tuples, and text of [1, "one"].
    if isinstance(y, list) and (
        any(isinstance(v, tuple) for v in y) or len({type(v) for v in y}) > 1
    ):
        return _objects(y)
    column = column_or_1d(plain(y), warn=True)
    if column.dtype.kind not in "OS":  # which scikit-learn's check does not know
        check_classification_targets(column)
    return column


def encode(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes of a label column, and each label as a position among them.

    Parameters
    ----------
    y : ndarray of shape (n,)

    Returns
    -------
    classes : ndarray of shape (c,)
        Sorted, or in the order of their first appearance where labels such as None
        and text cannot be compared.
    codes : ndarray of int, shape (n,)
    """
    try:
        classes, codes = np.unique(y, return_inverse=True)
        return classes, codes
    except TypeError:
        position = {label: k for k, label in enumerate(dict.fromkeys(y))}
        classes = np.empty(len(position), object)
        classes[:] = list(position)
        return classes, np.array([position[label] for label in y])


def check_images(X: np.ndarray, fitting: bool = False) -> np.ndarray:
    """Images as F takes them.

    Parameters
    ----------
    X : ndarray of shape (n, h, w, c)
        Values 0 to 255, of any numeric dtype.
    fitting : bool, default=False
        Whether these are the images to train on. Their range is the only one that can
        be judged: a single dark image looks like one of values from 0 to 1.

    Returns
    -------
    ndarray of shape (n, h, w, c)
        uint8 as it is, everything else as float32.

    Raises
    ------
    ValueError
        For text, complex numbers, missing or infinite values, values outside 0 to
        255, and training images that were scaled to 0 to 1.

    Warns
    -----
    UserWarning
        Where images to predict look like ones that were scaled to 0 to 1. They are
        taken as they are.
    """
    if X.dtype.kind not in "iuf" or not np.isfinite(X).all():
        raise ValueError("images: expected finite numbers from 0 to 255.")
    if X.size and (X.min() < 0 or X.max() > 255):
        raise ValueError(f"images: {X.min():g} to {X.max():g}; expected 0 to 255.")
    if X.dtype.kind == "f" and X.size and X.max() <= 1:
        if fitting:
            raise ValueError(
                "images: no value above 1; expected 0 to 255. Multiply them by 255."
            )
        if ((X > 0) & (X < 1)).any():
            warnings.warn(
                "images: all values lie between 0 and 1. The classifier knows values "
                "from 0 to 255, and takes these images for black. Multiply them by "
                "255 if you scaled them.",
                UserWarning,
                stacklevel=5,
            )
    return X if X.dtype == np.uint8 else X.astype(np.float32)


def check_images_of(X: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Images of one shape as F takes them.

    Parameters
    ----------
    X : array-like of shape (n, h, w, c)
    shape : tuple (h, w, c)
        Of the images that were trained on.

    Raises
    ------
    ValueError
        For images of another shape, and as `check_images`.
    """
    X = np.asarray(X)
    if X.shape[1:] != shape:
        raise ValueError(f"images {X.shape[1:]}; trained on {shape}.")
    return check_images(X)

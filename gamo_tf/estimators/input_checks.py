"""What comes into the estimators: rows of any type, labels and images, checked."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from gamo_tf.data import categories, column_types, missing
from gamo_tf.data.categories import Names


def as_numbers(
    X: Any, known: tuple[Names, ...] | None = None
) -> tuple[Any, tuple[Names, ...]]:
    """A data frame, or an array of dates, as the numbers that are trained on.

    Parameters
    ----------
    X : array-like of shape (n, d)
    known : tuple or None, default=None
        The categories of each column of the rows that were trained on; None for these
        themselves.

    Returns
    -------
    numbers : DataFrame of float64, ndarray of float64, or X itself
        Columns of names are positions among their categories (see `data.categories`).
        What is neither a data frame nor dates is left to scikit-learn's checks.
    categories : tuple
        Of each column of a data frame its categories, None for one of numbers; ()
        where there is no column of names.

    Raises
    ------
    ValueError
        For a column that holds neither numbers nor names and for missing values, by
        the names of the columns; and for rows that are no data frame where the
        training had columns of names.
    """
    if known and not isinstance(X, pd.DataFrame):
        raise ValueError("X: trained on columns of names; pass a data frame of these.")
    if isinstance(X, np.ndarray) and X.dtype.kind in "mM":
        return column_types.numbers(X), ()
    if not isinstance(X, pd.DataFrame):
        return X, ()
    # A column of objects may hold numbers alone.
    columns = [column_types.settled(X.iloc[:, k]) for k in range(X.shape[1])]
    # Other columns than those of the training are refused by scikit-learn's checks.
    if known and len(known) == len(columns):
        chosen = known
    else:
        chosen = tuple(map(_categories, columns))
    found = [
        _numbers(column, those) for column, those in zip(columns, chosen, strict=True)
    ]
    numbers = np.stack(found, axis=1) if found else np.zeros(X.shape)
    if (wrong := np.isnan(numbers)).any():
        lines = "\n".join(missing.lines_of_frame("X"))
        raise ValueError(
            f"Input X contains NaN: {missing.rows_of(wrong, list(X.columns))}. Fill "
            f"them, such as by\n{lines}"
        )
    if all(those is None for those in chosen):
        chosen = ()
    return pd.DataFrame(numbers, index=X.index, columns=X.columns), chosen


def sizes(known: tuple[Names, ...]) -> tuple[int, ...]:
    """The number of categories of each column, as `Options` has it.

    Parameters
    ----------
    known : tuple
        As `as_numbers` returns it.
    """
    return tuple(len(those or ()) for those in known)


def _categories(column: pd.Series) -> Names:
    if not categories.is_nominal(column):
        return None
    if wrong := categories.complaint(column):
        raise ValueError(f"column {column.name!r} {wrong}")
    return categories.found(column)


def _numbers(column: pd.Series, known: Names) -> np.ndarray:
    kind = column_types.kind_of(column.dtype)
    kind = kind or ("float" if column_types.holds_numbers(column) else "")
    named = known is not None or (kind and kind != "category")
    if not named or not column_types.is_usable(column):
        raise ValueError(
            f"column {column.name!r}: could not convert {column.dtype} to numbers; "
            "encode or remove it."
        )
    return column_types.numbers(column, known)


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
    if column.dtype != object:
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
                stacklevel=4,
            )
    return X if X.dtype == np.uint8 else X.astype(np.float32)

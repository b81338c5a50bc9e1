"""Missing values are refused, with the two lines of Python that would fill them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

_LISTED = 10  # columns in a message


def rows_of(wrong: np.ndarray, names: Sequence[str]) -> str:
    """How many rows have wrong values, and in which columns.

    Args:
      wrong: bool [n, d], some of them True.
      names: of the d columns.
    """
    where = [str(names[k]) for k in np.flatnonzero(wrong.any(axis=0)).tolist()]
    more = f" and {len(where) - _LISTED} more" if len(where) > _LISTED else ""
    count = int(wrong.any(axis=1).sum())
    return f"{count} row(s), in {', '.join(where[:_LISTED])}{more}"


def lines_of_frame(name: str) -> tuple[str, str]:
    """What fills the missing values of a data frame: floating-point numbers by the
    median of their column, everything else by its most frequent value.

    Args:
      name: of the variable that holds it.
    """
    return (
        f'{name} = {name}.fillna({name}.select_dtypes("float").median())',
        f"{name} = {name}.fillna({name}.mode().iloc[0])",
    )


def lines_of_file(path: Path, label: str) -> tuple[str, str]:
    """The same for a file, of which a filled copy is written beside it.

    Args:
      path: of the .csv, .parquet or .npz.
      label: the column of the labels, which stay text as they are.
    """
    old, new = repr(str(path)), repr(str(path.with_stem(f"{path.stem}-filled")))
    if path.suffix == ".npz":
        return (
            f"import numpy as np; t = dict(np.load({old})); y = t.pop({label!r})",
            f"np.savez({new}, **{{{label!r}: y}}, **{{k: np.where(np.isnan(X), "
            "np.nanmedian(X, axis=0), X) for k, X in t.items()})",
        )
    kind = "csv" if path.suffix == ".csv" else "parquet"
    typed = f", dtype={{{label!r}: str}}" if kind == "csv" else ""
    return (
        f"import pandas as pd; t = pd.read_{kind}({old}{typed})",
        't.fillna(t.select_dtypes("float").median()).fillna(t.mode().iloc[0])'
        f".to_{kind}({new}, index=False)",
    )

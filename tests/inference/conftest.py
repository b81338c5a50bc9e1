"""Finished runs on a user's images and on a user's table.

The images (`image_root`) and the table (`cells`) are those of `tests/conftest.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gamo_tf import train
from gamo_tf.config.options import resolve
from gamo_tf.data import user_data
from gamo_tf.runs.run import Run

ITERATIONS = 3  # of a run: too few to learn much, enough to have all files


@pytest.fixture(scope="session")
def image_run(image_root, tmp_path_factory) -> Run:
    """A finished run on grey images of 16 x 16 pixels."""
    found = user_data.from_image_folder(image_root, 16, True, None, 0.2, 0, False)
    options = resolve({**found.settings, "iterations": ITERATIONS})
    return train.run(options, Path(), tmp_path_factory.mktemp("runs"), found)


@pytest.fixture(scope="session")
def table_run(cells, tmp_path_factory) -> Callable[[str], Run]:
    """A function that makes a finished run on the cells in a file of a suffix."""
    found: dict[str, Run] = {}

    def make(suffix: str) -> Run:
        if suffix not in found:
            path = tmp_path_factory.mktemp("table") / f"cells{suffix}"
            write_table(cells, path)
            table = user_data.from_feature_table(path, "kind", 0.2, 0)
            options = resolve({**table.settings, "iterations": ITERATIONS})
            found[suffix] = train.run(
                options, Path(), tmp_path_factory.mktemp("runs"), table
            )
        return found[suffix]

    return make


def write_table(frame: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".npz":
        X = frame.drop(columns="kind").to_numpy()
        np.savez(path, X=X, kind=frame["kind"].to_numpy(str))
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path, index=False)

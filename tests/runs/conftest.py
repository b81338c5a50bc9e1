"""What the tests of runs share: a new run of digits, and rows of it."""

from pathlib import Path

import pytest

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import resolve
from gamo_tf.data import load
from gamo_tf.data.splits import draw_split
from gamo_tf.runs.run import Run

SPEC = DATASETS["digits"]


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path, resolve({"dataset": "digits"}))


@pytest.fixture
def arrays():
    return load.read(SPEC, Path())


@pytest.fixture
def split(arrays):
    return draw_split(arrays, SPEC, SPEC.counts, 25, 3, SPEC.validation_per_class)

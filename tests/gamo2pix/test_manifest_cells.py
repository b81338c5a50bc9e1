"""Names in manifest.csv: no spreadsheet takes one for a formula."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gamo2pix.generate import Generated
from gamo2pix.manifest import Manifest, cell
from gamo2pix.real_files import RealSet
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import resolve
from gamo_tf.data import load
from gamo_tf.data.splits import draw_split

SPEC = DATASETS["digits"]
FORMULAS = ["=1+1", "+a", "-x", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-1+2", "--1", "+"]


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_what_begins_as_a_formula_has_an_apostrophe(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "-1", "+1.5", "-2e-3", "7", "a b", "漢"])
def test_all_else_is_written_as_it_is(text):
    assert cell(text) == text


def test_a_name_that_is_no_text_can_be_written():
    assert cell("a\udcff").encode() == rb"a\udcff"


@pytest.fixture
def run() -> SimpleNamespace:
    options = resolve({"dataset": "digits"})
    return SimpleNamespace(path=Path("runs/-run"), options=options)


def test_names_sources_and_runs_are_cells(run):
    arrays = load.read(SPEC, Path())
    split = draw_split(arrays, SPEC, SPEC.counts, 25, 0)
    spec = replace(SPEC, classes=("=0", *SPEC.classes[1:]))
    sources = np.array([f"@photos/{k}.jpg" for k in split.train_index])
    real = RealSet(
        "train", split.images, split.labels, split.train_index, sources, "copy"
    )
    manifest = Manifest(run, spec, real, 0)
    line = dict(zip(manifest.header(), next(manifest.real(0)), strict=True))
    assert line["file"].startswith("train/=0/real-") and line["name"] == "'=0"
    assert line["source"].startswith("'@photos/") and line["run"] == "'-run"
    n = SPEC.counts[9]
    samples = Generated(np.zeros((1, *SPEC.shape), np.uint8), np.full((1, n), 1 / n))
    cells = next(manifest.generated(9, np.arange(1), samples, None))
    line = dict(zip(manifest.header(), cells, strict=False))
    assert line["parent_1_source"].startswith("'@photos/") and line["name"] == "9"
    assert line["parent_1"].startswith("train/9/real-") and line["run"] == "'-run"

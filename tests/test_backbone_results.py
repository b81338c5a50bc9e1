"""docs/results/backbones.md has the figures of the committed files."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pandas as pd

from gamo_tf.config.methods import recommended

ROOT = Path(__file__).parents[1]


def benchmark():
    path = ROOT / "benchmarks" / "backbones.py"
    spec = importlib.util.spec_from_file_location("backbones_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_of_the_files():
    module = benchmark()
    text = module.PAGE.read_text(encoding="utf-8")
    assert module.filled(text) == text
    named = set(re.findall(r"<!-- (\S+) -->", text))
    files = {path.stem for path in module.OUT.glob("*.csv")}
    assert named == files


def test_rates_and_roundings_are_as_the_page_says():
    module = benchmark()
    text = " ".join(module.PAGE.read_text(encoding="utf-8").split())
    found = json.loads((module.OUT / "rate.json").read_text())
    assert f"ran at {found['extraction']:.0f} images a second" in text
    assert f"`model.predict` ran at {found['predict']:.0f}" in text
    for scores in json.loads((module.OUT / "half.json").read_text()).values():
        assert f"({scores['acsa']:.3f} / {scores['gm']:.3f} each)" in text


def test_the_readme_says_the_same():
    module = benchmark()
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    best = pd.read_csv(module.OUT / "cifar10.csv").set_index("method")
    row = best.loc[best["acsa_validation"].idxmax()]
    run = json.loads((module.OUT / "tune.json").read_text())[0]
    assert f"`{row.name}` reaches {row.acsa:.3f} / {row.gm:.3f}" in text
    assert f"{run['test_full_acsa']:.3f} / {run['test_full_gm']:.3f}" in text
    assert row.name == recommended(images=True, pretrained=True)


def test_fine_tuning_is_as_the_page_says():
    module = benchmark()
    text = module.PAGE.read_text(encoding="utf-8")
    for run in json.loads((module.OUT / "tune.json").read_text()):
        words = f"{run['test_full_acsa']:.3f} / {run['test_full_gm']:.3f}"
        assert words in text and f"{run['seconds'] / 60:.0f} minutes" in text

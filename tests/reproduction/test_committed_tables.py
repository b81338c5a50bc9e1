"""Tables 1 and 2, and README's of untuned methods, are those of the committed runs."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from gamo_tf.grids.result_store import ResultStore
from reproduction import report_statistics, reproduce
from reproduction.published import TABLES

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results"
SEEDS = {"mnist": 10, "fashion-mnist": 5, "cifar10": 5}  # as the paper, and half


@pytest.mark.parametrize(
    "flags", [("table1", "--repeats", "10"), ("table2", "--datasets", "cifar10")]
)
def test_the_stored_runs_make_the_committed_tables(flags, tmp_path):
    shutil.copy(RESULTS / "runs.jsonl", tmp_path)
    known = ("--updates", "8000", "--ema", "0.999", "--known", "--out", str(tmp_path))
    assert reproduce.main([*flags, *known]) == 0
    made, kept = (folder / f"{flags[0]}.csv" for folder in (tmp_path, RESULTS))
    assert made.read_text() == kept.read_text()


@pytest.mark.parametrize("table", ["table1", "table2"])
def test_every_method_of_the_paper_has_its_repeats(table):
    found = pd.read_csv(RESULTS / f"{table}.csv", keep_default_na=False)
    full = found[found["set"] == "test_full"]
    seeds = full.groupby(["dataset", "table_loss", "method", "weights"])["seeds"].sum()
    wanted = {
        (dataset, loss, method, weights): SEEDS[dataset]
        for (dataset, loss, _), figures in TABLES[table].items()
        if dataset in SEEDS
        for method in figures
        for weights in ("", "EMA")
    }
    assert seeds.to_dict() == wanted


def test_the_table_of_untuned_methods_in_the_readme():
    runs = report_statistics.lines(ResultStore(RESULTS / "runs.jsonl"))
    runs = runs[(runs["set"] == "test_full") & (runs["weights"] == "")]
    runs = runs[[group[2] == 8000 for group in runs["group"]]]
    text = (ROOT / "README.md").read_text()
    rows = {
        "plain classifier": ("cn", "ls"),
        "GAMO": ("gamo", "ls"),
        "random convex weights, no adversary": ("convex-random", "ls"),
        "SMOTE on F(x), no adversary": ("smote-features", "ls"),
        "random oversampling": ("ros", "ls"),
        "logit adjustment": ("logit-adjust", "ce"),
    }
    for title, (method, loss) in rows.items():
        mine = runs[(runs["variant"] == method) & (runs["loss"] == loss)]
        cells = []
        for dataset, seeds in SEEDS.items():
            each = mine[[group[0] == dataset for group in mine["group"]]]
            assert each["seed"].nunique() == seeds
            cells.append(f"{each['acsa'].mean():.3f} / {each['gm'].mean():.3f}")
        assert f"| {title} | {' | '.join(cells)} |" in text

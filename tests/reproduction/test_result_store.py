"""runs.jsonl: what is kept of a run, and what is read again."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from gamo_tf.config.options import MEASURED, SETS, resolve
from gamo_tf.errors import UserError
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.grids import result_store
from gamo_tf.grids.result_store import ResultStore, compared
from gamo_tf.runs.run import Run
from reproduction.tables import TableRequest, collect

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "results" / "runs.jsonl"


def test_the_committed_results_load():
    store = ResultStore(COMMITTED)
    assert len(store) == len(COMMITTED.read_text().splitlines()) >= 150
    frame = result_store.frame(store)
    assert set(frame["set"]) == set(MEASURED)
    assert set(frame["weights"]) == {"", "EMA"}
    assert not frame[[metric.name for metric in METRICS]].isna().any(axis=None)


def test_a_run_is_kept_with_the_fields_of_the_committed_ones(digits_run, tmp_path):
    run = Run(digits_run.path)
    store = ResultStore(tmp_path / "new" / "runs.jsonl")
    assert not len(store) and store.get(run.options) is None
    store.add(run)
    results = run.read_results()
    kept = ResultStore(store.path).get(run.options)
    known = [json.loads(line) for line in COMMITTED.read_text().splitlines()]
    younger = {"validation", "f_updates", "f_images"}
    keys = [key for key in kept if key not in younger]
    assert keys == next(list(row) for row in known if "ema" in row)
    for line, found in ((kept, results), (kept["ema"], results["ema"])):
        for name in MEASURED:
            assert list(line[name]) == list(known[0]["test"])
            for key in line[name]:
                assert line[name][key] == pytest.approx(found[name][key], abs=1e-6)
    late = pd.read_csv(run.metrics)["validation_acsa"]
    assert kept["late_acsa"] == pytest.approx(late.tolist(), abs=1e-6)
    frame = result_store.frame(ResultStore(store.path))
    assert frame["set"].tolist() == 2 * list(MEASURED)


@pytest.mark.parametrize(
    ("sheet", "late"),
    [
        ({"test_full_acsa": [0.25, 0.5], "test_acsa": [0.1, 0.1]}, [0.25, 0.5]),
        # Begun by an earlier version, and gone on with by this one.
        ({"test_full_acsa": [0.25, None], "train_acsa": [0.5, 0.75]}, [0.25]),
        ({"validation_acsa": [0.5, 0.75], "train_acsa": [1, 1]}, [0.5, 0.75]),
        ({"train_acsa": [0.5, 0.75]}, None),
    ],
)
def test_the_last_values_are_of_the_set_that_the_run_was_watched_on(
    sheet, late, tmp_path, perfect_results
):
    options = resolve({"dataset": "digits"})
    run = Run.create(tmp_path, options)
    pd.DataFrame({"iteration": [1, 2], **sheet}).to_csv(run.metrics, index=False)
    run.write_results(perfect_results(options))
    kept = result_store.record(run)
    assert kept.get("late_acsa") == late and "validation" not in kept


def test_the_number_of_validation_rows_makes_no_other_run(store_of, tmp_path):
    """Results of earlier versions, which had none, are found and not made again."""
    older = resolve({"dataset": "digits", "validation_per_class": 0})
    store = store_of({older: (0.125, None)})
    today = resolve({"dataset": "digits"})
    assert today.validation_per_class == 25 and store.get(today) is store.get(older)
    run = Run.create(tmp_path / "runs", today)
    before = store.path.read_text()
    store.add(run)
    assert store.path.read_text() == before
    assert [options for options, _ in store] == [older]


def test_where_validation_rows_decide_their_number_counts():
    few, many = (
        resolve({"dataset": "digits", "best": True, "validation_per_class": n})
        for n in (5, 10)
    )
    assert compared(few) != compared(many)
    assert compared(replace(few, best=False)) == compared(replace(many, best=False))


def test_raw_results_are_found_whatever_averages_a_run_had(store_of, tmp_path):
    """Averages of a certain decay need a run with that decay."""
    plain, averaged, other = (
        resolve({"dataset": "digits", "ema": ema}) for ema in (0.0, 0.999, 0.9)
    )
    store = store_of({averaged: (0.5, 0.75)})
    found = store.get(plain)
    assert found["test"]["acsa"] == 0.5 and "ema" not in found
    assert store.get(averaged)["ema"]["test"]["acsa"] == 0.75
    assert store.get(other) is None
    assert store.get(replace(plain, seed=1)) is None
    before = store.path.read_text()
    store.add(Run.create(tmp_path / "runs", plain))  # a duplicate
    assert store.path.read_text() == before and len(store) == 1
    # A record of exactly these settings comes first, and has no averages.
    both = store_of({averaged: (0.5, 0.75), plain: (0.25, None)})
    assert both.get(plain)["test"]["acsa"] == 0.25
    assert store_of({plain: (0.25, None)}).get(averaged) is None


def test_averages_are_added_to_a_raw_result(store_of, tmp_path, perfect_results):
    plain, averaged = (resolve({"dataset": "digits", "ema": ema}) for ema in (0.0, 0.9))
    store = store_of({plain: (0.5, None)})
    run = Run.create(tmp_path / "runs", averaged)
    run.metrics.write_text("iteration,test_full_acsa\n1,1.0\n")
    found = perfect_results(averaged)
    run.write_results({**found, "ema": {"decay": 0.9, **found}})
    store.add(run)
    assert [options.ema for options, _ in ResultStore(store.path)] == [0.0, 0.9]
    assert store.get(plain)["test"]["acsa"] == 0.5


@pytest.mark.parametrize(
    "chosen",
    [
        *({"method": name} for name in ("crt", "eos", "gamo-balanced")),
        *({"method": "cn", **choice} for choice in ({"best": True}, {"patience": 3})),
    ],
)
def test_where_averages_decide_the_end_they_have_to_agree(chosen, store_of):
    averaged = resolve({"dataset": "digits", "ema": 0.9, **chosen})
    store = store_of({averaged: (0.5, 0.5)})
    assert store.get(replace(averaged, ema=0.0)) is None
    assert store.get(averaged) is not None


def test_the_readmes_command_finds_the_recorded_runs():
    store = ResultStore(COMMITTED)
    raw = [replace(options, ema=0.0) for options, _ in store]
    missed = {options.method for options in raw if store.get(options) is None}
    assert missed == {"crt"} and len(raw) >= 150
    request = TableRequest("table1", Path(), repeats=3, updates=8000)
    wanted = [request.options(*run) for run in request.runs()]
    assert sum(store.get(options) is not None for options in wanted) >= 45
    table = collect(request, store)
    assert set(table["weights"]) == {""}
    with_averages = collect(replace(request, ema=0.999), store)
    alike = with_averages[with_averages["weights"] == ""].reset_index(drop=True)
    pd.testing.assert_frame_equal(table, alike)


def test_a_result_that_is_known_is_not_replaced(digits_run, store_of):
    run = Run(digits_run.path)
    store = store_of({run.options: (0.125, None)})
    before = store.path.read_text()
    store.add(run)
    assert store.path.read_text() == before and len(store) == 1
    assert [options for options, _ in store] == [compared(run.options)]


def test_two_writers_lose_no_record(tmp_path, perfect_results):
    """Both have read the file before either of them writes."""
    path = tmp_path / "runs.jsonl"
    runs = []
    for seed in (0, 1):
        options = resolve({"dataset": "digits", "seed": seed})
        runs.append(Run.create(tmp_path / "runs", options))
        runs[-1].metrics.write_text("iteration,test_full_acsa\n1,1.0\n")
        runs[-1].write_results(perfect_results(options))
    stores = [ResultStore(path), ResultStore(path)]
    for store, run in zip(stores, runs, strict=True):
        store.add(run)
    assert [options.seed for options, _ in ResultStore(path)] == [0, 1]
    changed = path.read_text().replace('"seconds": 1', '"seconds": 2', 1)
    path.write_text(changed)
    with pytest.raises(UserError, match=r"runs\.jsonl, line 1: .*not as it was"):
        ResultStore(path)


def test_a_metric_that_was_not_measured_yet_is_left_open(store_of, digits_run):
    options = Run(digits_run.path).options
    path = store_of({options: (0.5, None)}).path
    result = json.loads(path.read_text())
    for name in SETS:
        del result[name][METRICS[-1].name]
    path.write_text(json.dumps(result))
    frame = result_store.frame(ResultStore(path))
    assert frame[METRICS[-1].name].isna().all()
    assert (frame[METRICS[0].name] == 0.5).all()


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "runs.jsonl"
    for line in ('{"options": {"dataset": "digits"}}', "[1, 2]", "{"):
        path.write_text(line + "\n")
        with pytest.raises(UserError, match=r"runs\.jsonl, line 1: not a record"):
            ResultStore(path)

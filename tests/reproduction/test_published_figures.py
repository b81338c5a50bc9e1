"""What the paper reports, as printed, in this project's names."""

import pytest

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import SETS, resolve
from gamo_tf.evaluation.metrics import METRICS
from reproduction.published import FID, TABLES, Reported


def test_the_papers_figures_as_printed():
    mnist = TABLES["table1"]["mnist", "ls", "test"]
    assert mnist["gamo"] == (0.91, 0.01, 0.90, 0.01)
    assert mnist["cg-d"] == (0.85, 0.02, 0.82, 0.02)
    assert TABLES["table3"]["lsun-large", "ls", "test"]["gamo"].gm == 0.68
    assert TABLES["table4"]["sun397", "ls", "test"]["cdcgan"].gm == 0
    assert FID["celeba-small"]["cdcgan"] == (15.12, 0.05)
    for table in TABLES.values():
        for reported in table.values():
            assert all(0 <= r.gm <= r.acsa <= 1 for r in reported.values())


def test_figures_are_found_by_the_names_of_the_metrics():
    names = {metric.name for metric in METRICS}
    fields = set(Reported._fields)
    assert fields >= names and fields >= {f"{name}_sd" for name in names}


@pytest.mark.parametrize("table", TABLES)
def test_every_published_row_can_be_run(table):
    for (dataset, loss, name), reported in TABLES[table].items():
        assert name in SETS and set(reported) <= set(METHODS)
        if not DATASETS[dataset].draws_classes:
            for method in reported:
                resolve({"dataset": dataset, "method": method, "loss": loss})
    assert set(FID) <= set(DATASETS)

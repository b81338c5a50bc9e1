"""What the tests of the experiments share: a table of two methods, and fake results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gamo_tf.config.options import SETS, Options
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.grids.result_store import ResultStore
from reproduction.published import PublishedTable, Reported


@pytest.fixture(scope="session")
def toy_table() -> PublishedTable:
    """Two methods on digits, as if the paper had a table of them."""
    return {
        ("digits", "ls", "test"): {
            "cn": Reported(0.12, 0.01, 0.11, 0.01),
            "gamo": Reported(0.34, 0.01, 0.33, 0.01),
        }
    }


@pytest.fixture
def store_of(tmp_path) -> Callable[..., ResultStore]:
    """Write results and read them.

    ``store_of({options: (test, ema)})``: all metrics and recalls of a run are `test`,
    those of averaged weights `ema`; None: there are none.
    """

    def measured(value: float, classes: int) -> dict:
        metrics = {metric.name: value for metric in METRICS}
        return {name: {**metrics, "recall": [value] * classes} for name in SETS}

    def write(runs: dict[Options, tuple[float, float | None]]) -> ResultStore:
        lines = []
        for options, (value, ema) in runs.items():
            classes = len(options.counts)
            result = {
                "options": options.to_json(),
                "m_updates": 40,
                "seconds": 12.3,
                "extra_seconds": 4.0 if options.method == "cdcgan" else 0.0,
                **measured(value, classes),
            }
            if ema is not None:
                result["ema"] = measured(ema, classes)
            lines.append(json.dumps(result) + "\n")
        path = Path(tmp_path) / "fake" / "runs.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(lines))
        return ResultStore(path)

    return write

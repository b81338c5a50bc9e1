"""The line that a training rewrites on a terminal."""

import sys

import pytest

from gamo_tf.runs.metric_logger import MetricLogger
from gamo_tf.runs.run_directory import RunDirectory


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_it_is_never_wider_than_the_terminal(columns, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    logger = MetricLogger(RunDirectory(tmp_path), 800, lambda row: "x" * 200)
    logger.progress(80, False)
    logger.history.append({"iteration": 80})
    logger.progress(80, True)
    first, second = capsys.readouterr().out.removeprefix("\r").split("\r")
    assert first.startswith("iteration     80/800  ")
    assert len(first) == columns - 1 and second.endswith("x\n")
    assert len(second) == columns

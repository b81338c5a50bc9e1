"""What a person is told at the end of a run."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gamo_tf.errors import speaking_to
from gamo_tf.evaluation import metrics, results

GOOD = np.diag([3, 2])


def report(matrix, classes=("a", "b"), **changes) -> str:
    summary = {**metrics.summarise(matrix), **changes}
    found = {"seconds": 1.0, "classes": list(classes), "sets": {"test": "all images"}}
    run = SimpleNamespace(
        path=Path("runs/0"),
        tensorboard=Path("runs/0/tensorboard"),
        read_results=lambda: {**found, "test": summary},
    )
    with speaking_to("gamo"):
        return results.report(run)


def test_classes_that_are_never_predicted_are_named_with_a_cure():
    text = report([[3, 0], [2, 0]])
    assert "    never predicted: b\n" in text and "collapsed" in text
    assert "--iterations" in text and "--learning-rate (0.0002 is the default)" in text
    assert "never predicted" not in report(GOOD)


def test_results_of_older_versions_have_the_matrix_only():
    summary = metrics.summarise([[3, 0], [2, 0]])
    del summary["never_predicted"]
    run = SimpleNamespace(
        path=Path("runs/0"),
        tensorboard=Path("runs/0/tensorboard"),
        read_results=lambda: {
            "seconds": 1.0,
            "classes": ["a", "b"],
            "sets": {"test": "all"},
            "test": summary,
        },
    )
    assert "never predicted: b" in results.report(run)


def test_of_many_classes_ten_are_named():
    matrix = np.zeros((30, 30), int)
    matrix[:, 0] = 1
    names = [f"c{k}" for k in range(30)]
    assert "never predicted: c1, c2, c3," in report(matrix, names)
    assert "c10 and 19 more\n" in report(matrix, names)


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J", "c" * 300, "\udcff"])
def test_names_stay_on_their_lines(name):
    lines = report([[0, 3], [0, 2]], (name, "other")).splitlines()
    assert len(lines) == len(report([[0, 3], [0, 2]]).splitlines())
    assert all("\x1b" not in line and len(line) < 200 for line in lines)
    "\n".join(lines).encode()

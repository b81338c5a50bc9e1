"""`import gamo_tf` is quiet and fast; TensorFlow comes with the first estimator."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gamo_tf

ROOT = Path(gamo_tf.__file__).parents[1]


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a process of its own, where TensorFlow has not been imported."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    environment["PYTHONPATH"] = str(ROOT)
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def test_names_of_the_package():
    assert set(gamo_tf.__all__) <= set(dir(gamo_tf))
    assert "fit_resample" in dir(gamo_tf.GAMO)
    with pytest.raises(AttributeError, match="has no attribute 'gan'"):
        gamo_tf.gan  # noqa: B018


@pytest.mark.slow
def test_importing_the_package_imports_no_tensorflow():
    done = run(
        "import sys, gamo_tf\n"
        "print(gamo_tf.__version__, dir(gamo_tf).count('GAMO'))\n"
        "assert not {'tensorflow', 'keras', 'sklearn', 'numpy'} & set(sys.modules)\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [gamo_tf.__version__, "1"]


@pytest.mark.slow
def test_using_it_prints_nothing():
    done = run(
        "import numpy as np\n"
        "from gamo_tf import GAMO, GAMOClassifier\n"
        "X, y = np.eye(9, 4), np.repeat([0, 1], (6, 3))\n"
        "GAMOClassifier(iterations=2, random_state=0).fit(X, y).predict(X)\n"
        "GAMO(iterations=2, random_state=0).fit_resample(X, y)\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
def test_a_worker_process_is_as_quiet_as_its_parent():
    """A worker inherits our setting of the level, which is not the user's."""
    child = "import gamo_tf.estimators.classifier"
    done = run(
        "import subprocess, sys\n"
        "from gamo_tf import GAMO\n"
        f"worker = subprocess.run([sys.executable, '-c', '{child}'])\n"
        "sys.exit(worker.returncode)\n"
    )
    assert (done.returncode, done.stderr) == (0, "")

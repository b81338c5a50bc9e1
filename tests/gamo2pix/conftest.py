"""Runs of GAMO that look finished and were not trained: what GAMO2pix begins with."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import Options, resolve, spec_of
from gamo_tf.data import load
from gamo_tf.data.splits import Split, draw_split
from gamo_tf.methods.build import build
from gamo_tf.networks.saved import save_network
from gamo_tf.runs.run import Run


class UntrainedRun(NamedTuple):
    """A run whose networks are as they were initialised, and its split."""

    run: Run
    split: Split


@pytest.fixture(scope="session")
def digits_reference(quick_reference, tmp_path_factory) -> Callable[[Path], None]:
    """``digits_reference(runs_dir)``: gives a folder of runs the reference classifier
    of digits."""
    folder = tmp_path_factory.mktemp("reference")
    spec = DATASETS["digits"]
    quick_reference(spec, load.read(spec, folder), folder)

    def give(runs_dir: Path) -> None:
        shutil.copytree(folder / "reference", runs_dir / "reference")

    return give


@pytest.fixture(scope="session")
def write_run(perfect_results) -> Callable[[Path, Options, Split], Run]:
    """``write_run(runs_dir, options, split)``: a run of these, finished at once."""

    def write(runs_dir: Path, options: Options, split: Split) -> Run:
        spec = spec_of(options)
        run = Run.create(runs_dir, options)
        run.save_data(run.options, split, None)
        for name, network in build(options, spec).networks.items():
            save_network(run.model(name), network)
        run.write_results(perfect_results(options))
        return run

    return write


@pytest.fixture(scope="session")
def digits_split() -> Split:
    """The rows that a run on digits draws with seed 0."""
    spec = DATASETS["digits"]
    arrays = load.read(spec, Path())
    return draw_split(arrays, spec, spec.counts, spec.test_per_class, 0)


@pytest.fixture(scope="session")
def untrained(write_run, digits_split, tmp_path_factory) -> UntrainedRun:
    """A run on digits. Not to be changed."""
    options = resolve({"dataset": "digits", "iterations": 30})
    runs_dir = tmp_path_factory.mktemp("untrained")
    return UntrainedRun(write_run(runs_dir, options, digits_split), digits_split)


@pytest.fixture(scope="session")
def flat_run(write_run, tmp_path_factory) -> UntrainedRun:
    """A run on images of MNIST's shape, made of noise, whose features are pixels.
    Not to be changed."""
    spec = DATASETS["mnist"]
    counts = (20, 12, 9, 8, 7, 6, 5, 5, 4, 3)
    options = resolve({"dataset": "mnist", "counts": counts, "iterations": 20})
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), counts)
    test_labels = np.repeat(np.arange(10), 6)
    images, test_images = (
        rng.integers(0, 256, (n, *spec.shape), np.uint8)
        for n in (len(labels), len(test_labels))
    )
    split = Split(
        images,
        labels,
        test_images,
        test_labels,
        train_index=100 + np.arange(len(labels)),
        protocol_index=np.arange(len(test_labels)),
    )
    return UntrainedRun(
        write_run(tmp_path_factory.mktemp("flat"), options, split), split
    )


@pytest.fixture
def elsewhere(tmp_path) -> Callable[..., list]:
    """``elsewhere(library, code, **values)``: what `code` prints as JSON, in a process
    that has the arrays as `values`; without the library the test is skipped.

    The libraries are not among the requirements: they bring PyTorch, and a process that
    has TensorFlow too can crash.
    """

    def run(library: str, code: str, **values: object) -> list:
        if importlib.util.find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
        np.savez(tmp_path / "values.npz", **values)
        begin = "import json, sys\nimport numpy as np\nvalues = np.load(sys.argv[1])\n"
        done = subprocess.run(
            [sys.executable, "-c", begin + code, tmp_path / "values.npz"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run

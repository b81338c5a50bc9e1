"""What tests of several rooms share: programs in separate processes, and data."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
# Of this session and of the processes that it starts: no test finds another's features.
_CACHE = tempfile.TemporaryDirectory(prefix="gamo-tests-")
os.environ["GAMO_CACHE_DIR"] = _CACHE.name
DIGIT = {"eight": 8, "one": 1, "three": 3}
SHORT_RUN = (
    *("--dataset", "digits", "--iterations", "40", "--checkpoint-every", "10"),
    *("--evaluate-every", "20", "--ema", "0.9", "--deterministic"),
)
VIRTUAL_CPUS = """
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration()] * {n},
)
"""
DIES = """
import os, signal
from {module} import {trainer}
epoch, begun = {trainer}.epoch, []
def epoch_or_death(self, *data, steps):
    begun.append(steps)
    if len(begun) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return epoch(self, *data, steps=steps)
{trainer}.epoch = epoch_or_death
"""
KILL = """
import os, signal
from gamo_tf.runs.run_directory import RunDirectory
save_checkpoint = RunDirectory.save_checkpoint
def save_then(self, iteration, state, history):
    path = save_checkpoint(self, iteration, state, history)
    if iteration == {n}:
        {how}
    return path
RunDirectory.save_checkpoint = save_then
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need a whole run are slow, since the first of them trains it."""
    for item in items:
        if {"digits_run", "images_run"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


# ---- programs ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def cli() -> Callable[..., subprocess.CompletedProcess]:
    """Run a program in a separate process.

    ``cli(program, *arguments, code="", cwd=ROOT)``: `program` is a module with a
    function `main`, such as ``train_gamo`` or ``gamo_tf.cli.main``; `code` is executed
    in the process before, at the top level.
    """

    def run(
        program: str, *arguments: object, code: str = "", cwd: Path = ROOT
    ) -> subprocess.CompletedProcess:
        script = f"import sys, {program}\n{code}\nsys.exit({program}.main())"
        return subprocess.run(
            [sys.executable, "-c", script, *map(str, arguments)],
            cwd=cwd,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    return run


@pytest.fixture(scope="session")
def two_machines() -> Callable[..., list[tuple[int, str]]]:
    """Run a program in two processes that train together by `TF_CONFIG`.

    ``two_machines(program, *arguments, code="", second="")``: as `cli`; `second` is
    executed in the second process alone, after `code`. Returns exit code and standard
    error of both.
    """

    def run(
        program: str, *arguments: object, code: str = "", second: str = ""
    ) -> list[tuple[int, str]]:
        ports = []
        for _ in range(2):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                ports.append(free.getsockname()[1])
        workers = [f"127.0.0.1:{port}" for port in ports]
        begun = []
        for index, more in enumerate(("", second)):
            task = {"type": "worker", "index": index}
            config = json.dumps({"cluster": {"worker": workers}, "task": task})
            script = (
                f"import sys, {program}\n{code}\n{more}\nsys.exit({program}.main())"
            )
            begun.append(
                subprocess.Popen(
                    [sys.executable, "-c", script, *map(str, arguments)],
                    env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CONFIG": config},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        said = [process.communicate()[1] for process in begun]
        return [(p.returncode, text) for p, text in zip(begun, said, strict=True)]

    return run


@pytest.fixture(scope="session")
def dies_in_fourth_epoch() -> Callable[[str, str], str]:
    """``dies_in_fourth_epoch(module, trainer)``: code for `two_machines` that kills the
    process when trainers of that class begin their fourth epoch."""

    def code(module: str, trainer: str) -> str:
        return DIES.format(module=module, trainer=trainer)

    return code


@pytest.fixture(scope="session")
def kill_after_checkpoint() -> Callable[..., str]:
    """Code for `cli` that strikes when a checkpoint has been saved.

    ``kill_after_checkpoint(how, n=20)``: `how` is the name of a signal that the
    process sends itself ("KILL", "INT"), or a Python statement, which sees the
    checkpoint as `state`; `n` is the iteration of the checkpoint.
    """

    def code(how: str, n: int = 20) -> str:
        if how.isidentifier():
            how = f"os.kill(os.getpid(), signal.SIG{how})"
        return KILL.format(how=how, n=n)

    return code


@pytest.fixture(scope="session")
def virtual_cpus() -> Callable[[int], str]:
    """``virtual_cpus(n)``: code for `cli` that makes so many devices of the CPU."""

    def code(n: int) -> str:
        return VIRTUAL_CPUS.format(n=n)

    return code


@pytest.fixture(scope="session")
def weights() -> Callable[[Path, str], list[np.ndarray]]:
    """``weights(directory, name)``: the weights of a saved network, such as "F"."""

    def load(directory: Path, name: str) -> list[np.ndarray]:
        from gamo_tf.networks.saved import load_network
        from gamo_tf.runs.run_directory import RunDirectory

        return load_network(RunDirectory(directory).model(name)).get_weights()

    return load


@pytest.fixture(scope="session")
def short_run() -> tuple[str, ...]:
    """Flags of a short run of GAMO on digits, with everything in it."""
    return SHORT_RUN


class FinishedRun(NamedTuple):
    """A run of GAMO on digits, and what the program printed."""

    path: Path
    stdout: str


@pytest.fixture(scope="session")
def digits_run(cli, tmp_path_factory) -> FinishedRun:
    """A finished run with the flags of `short_run`. Not to be changed."""
    runs = tmp_path_factory.mktemp("runs")
    done = cli("train_gamo", *SHORT_RUN, "--runs-dir", runs)
    assert done.returncode == 0, done.stderr
    return FinishedRun(runs / "00000-digits-gamo-ls", done.stdout)


@pytest.fixture(scope="session")
def perfect_results() -> Callable[[object], dict]:
    """``perfect_results(options)``: results.json of a run that errs nowhere."""

    def make(options: object) -> dict:
        from gamo_tf.config.options import SETS, spec_of
        from gamo_tf.evaluation.metrics import summarise

        spec = spec_of(options)
        matrix = np.eye(len(spec.classes), dtype=int)
        same = ("dataset", "method", "loss", "seed", "iterations")
        return {
            **{name: getattr(options, name) for name in same},
            "m_updates": 2 * options.iterations,
            "seconds": 1,
            "classes": list(spec.classes),
            "counts": list(options.counts),
            "sets": {name: "made up" for name in SETS},
            **{name: summarise(matrix) for name in SETS},
            "versions": {},
            "date": "2026-11-28",
        }

    return make


@pytest.fixture(scope="session")
def quick_reference() -> Callable[..., None]:
    """``quick_reference(spec, arrays, runs_dir)``: puts a reference classifier where
    GAMO2pix looks for it before it trains one.

    It was trained a little only: the real one takes a minute, and no test that uses it
    asks how good it is.
    """

    def write(spec: object, arrays: object, runs_dir: Path) -> None:
        from gamo2pix.reference_classifier import RECIPE, Recipe, reference

        recipe = Recipe(RECIPE.name, epochs=1, updates=40)
        reference(spec, arrays, runs_dir, recipe)

    return write


# ---- data --------------------------------------------------------------------------


@pytest.fixture
def real_data() -> Path:
    """The folder of the published files; without it the test is skipped."""
    folder = os.environ.get("GAMO_DATA_DIR")
    if not folder:
        pytest.skip("GAMO_DATA_DIR is not set")
    return Path(folder).resolve()


@pytest.fixture
def determinism(monkeypatch) -> list[str]:
    """An entry for each time that it is asked for; TensorFlow is not told of it."""
    import tensorflow as tf

    asked: list[str] = []
    monkeypatch.setattr(
        tf.config.experimental, "enable_op_determinism", lambda: asked.append("on")
    )
    return asked


@pytest.fixture
def offline(monkeypatch) -> None:
    """Every download fails."""

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(urllib.request, "urlopen", fail)


@pytest.fixture(scope="session")
def small_backbone(tmp_path_factory) -> Path:
    """A pretrained network, as a user has it: 16 x 16 pixels in colour to a map
    [4, 4, 80], and to features [80]. Not to be changed."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    image = x = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 255)(x)
    for filters in (8, 80):
        x = layers.Conv2D(filters, 3, strides=2, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
    path = tmp_path_factory.mktemp("backbone") / "small.keras"
    keras.Model(image, layers.GlobalAveragePooling2D()(x)).save(path)
    return path


@pytest.fixture(scope="session")
def image_sizes() -> dict[str, int]:
    """Images in each class folder of `image_root`."""
    return {"eight": 60, "one": 14, "three": 9}


@pytest.fixture(scope="session")
def image_root(image_sizes, tmp_path_factory) -> Path:
    """Real digits in folders, with sizes and formats mixed. Not to be changed."""
    from sklearn.datasets import load_digits

    root = tmp_path_factory.mktemp("user") / "My Digits"
    images, labels = load_digits(return_X_y=True)
    for name, n in image_sizes.items():
        (root / name).mkdir(parents=True)
        for k, row in enumerate(images[labels == DIGIT[name]][:n]):
            image = Image.fromarray((row * 15.9).astype(np.uint8).reshape(8, 8))
            image = image.resize((16 + k % 3, 20), Image.Resampling.NEAREST)
            suffix = ("png", "jpg", "bmp", "gif", "webp")[k % 5]
            image.save(root / name / f"{k:03d}.{suffix}")
    (root / "one" / "Thumbs.db").write_bytes(b"left by a file manager")
    return root


@pytest.fixture(scope="session")
def cells() -> pd.DataFrame:
    """357 benign and 20 malignant rows of 30 features, mixed; labels in "kind"."""
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame
    frame["kind"] = frame.pop("target").map({0: "malignant", 1: "benign"})
    rare = frame[frame["kind"] == "malignant"].head(20)
    frame = pd.concat([frame[frame["kind"] == "benign"], rare])
    return frame.sample(frac=1, random_state=0).reset_index(drop=True)


@pytest.fixture(scope="session")
def images_run(image_root, tmp_path_factory) -> Path:
    """A finished run of GAMO on `image_root`, 16 x 16 grey. Not to be changed."""
    import train_gamo

    runs = tmp_path_factory.mktemp("image-runs")
    flags = ["--image-folder", str(image_root), "--image-size", "16", "--color", "gray"]
    flags += ["--iterations", "14", "--runs-dir", str(runs)]
    flags += ["--method", "gamo", "--loss", "ls", "--learning-rate", "2e-4"]
    assert train_gamo.main([*flags, "--ema", "0", "--no-augment"]) == 0
    return runs / "00000-my-digits-gamo-ls"

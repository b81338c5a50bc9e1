"""Settings that a person has for other work neither reach ours nor are changed."""

import json
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import keras
import matplotlib as mpl
import numpy as np
import pytest
import tensorflow as tf

from gamo_tf import GAMO, GAMOClassifier
from gamo_tf.errors import UserError
from gamo_tf.evaluation.plots import confusion_matrix
from gamo_tf.own_settings import check_backend, own_settings

ROOT = Path(__file__).resolve().parent.parent
DEFAULTS = ("float32", "float32", "channels_last", 1e-7, None, False)


def settings() -> tuple:
    config = keras.config
    return (
        config.floatx(),
        config.dtype_policy().name,
        config.image_data_format(),
        config.epsilon(),
        config.max_epochs(),
        tf.config.functions_run_eagerly(),
        np.geterr(),
        list(warnings.filters),
        dict(mpl.rcParams.copy()),
        os.environ.get("MPLBACKEND"),
    )


@pytest.fixture
def plain():
    """Puts every setting back."""
    config = keras.config
    before, policy = settings(), config.dtype_policy()
    with np.errstate():
        yield
    config.set_floatx(before[0])
    config.set_dtype_policy(policy)
    config.set_image_data_format(before[2])
    config.set_epsilon(before[3])
    config.set_max_epochs(before[4])
    tf.config.run_functions_eagerly(before[5])


CHANGES = {
    "float64": lambda: keras.config.set_floatx("float64"),
    "float16": lambda: keras.config.set_floatx("float16"),
    "policy": lambda: keras.config.set_dtype_policy("mixed_float16"),
    "policy64": lambda: keras.config.set_dtype_policy("float64"),
    "first": lambda: keras.config.set_image_data_format("channels_first"),
    "epsilon": lambda: keras.config.set_epsilon(0.1),
    "epochs": lambda: keras.config.set_max_epochs(1),
    "eager": lambda: tf.config.run_functions_eagerly(True),
    "numpy": lambda: np.seterr(all="raise"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_within_all_is_as_by_default_and_afterwards_as_before(change, plain):
    CHANGES[change]()
    before = settings()
    with own_settings():
        with own_settings():
            assert settings()[:6] == DEFAULTS
            assert np.geterr()["divide"] == "warn"
        assert settings()[:6] == DEFAULTS
    assert settings() == before
    with pytest.raises(KeyError), own_settings():
        raise KeyError
    assert settings() == before


def test_threads_that_overlap_leave_the_settings_of_the_person(plain):
    keras.config.set_floatx("float64")
    before, inside, leave = settings(), threading.Event(), threading.Event()

    def work():
        with own_settings():
            inside.set()
            leave.wait(60)
            seen.append(settings()[:3])

    seen: list = []
    thread = threading.Thread(target=work)
    with own_settings():
        thread.start()
        assert inside.wait(60)
    leave.set()
    thread.join()
    assert seen == [DEFAULTS[:3]] and settings() == before


@pytest.fixture(scope="module")
def fitted():
    r = np.random.default_rng(0)
    y = np.repeat([0, 1], [40, 12])
    X = r.normal(size=(52, 3)) + y[:, None]
    images = r.integers(0, 255, (52, 8, 8, 3)).astype("uint8")

    def fit():
        classifier = GAMOClassifier(iterations=4, random_state=0).fit(X, y)
        found = [classifier.predict_proba(X)]
        found.append(GAMO(iterations=4, random_state=0).fit_resample(X, y)[0])
        of_images = GAMOClassifier("cn", iterations=2, random_state=0).fit(images, y)
        return [*found, of_images.predict_proba(images)]

    return fit


@pytest.fixture(scope="module")
def expected(fitted):
    return fitted()


@pytest.mark.parametrize("change", ["float64", "float16", "policy", "first", "numpy"])
def test_estimators_find_the_same_whatever_is_set(change, fitted, expected, plain):
    CHANGES[change]()
    before = settings()
    for value, usual in zip(fitted(), expected, strict=True):
        np.testing.assert_array_equal(value, usual)
        assert value.dtype == usual.dtype
    assert settings() == before


@pytest.mark.parametrize(
    "rc",
    [
        {"text.usetex": True},
        {"figure.dpi": 20, "font.size": 60, "savefig.bbox": "tight"},
        {"figure.facecolor": "black", "text.color": "white"},
        {"image.cmap": "gray", "axes.grid": True, "figure.autolayout": True},
    ],
    ids=lambda rc: next(iter(rc)),
)
def test_pictures_are_the_same_whatever_style_is_set(rc):
    usual = confusion_matrix([[3, 1], [0, 2]], ["cat", "lynx"], "t")
    with mpl.rc_context(rc):
        before = dict(mpl.rcParams.copy())
        drawn = confusion_matrix([[3, 1], [0, 2]], ["cat", "lynx"], "t")
        assert dict(mpl.rcParams.copy()) == before
    np.testing.assert_array_equal(drawn, usual)


# ---- Keras's backend ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "file", "message"),
    [
        ("torch", {}, r"^KERAS_BACKEND=torch: .* set KERAS_BACKEND=tensorflow\.$"),
        ("nonsense", {"backend": "tensorflow"}, "^KERAS_BACKEND=nonsense"),
        ("", {"backend": "jax"}, r"keras\.json: backend is 'jax'.*write tensorflow"),
        ("tensorflow", {"backend": "jax"}, ""),
        ("", {"floatx": "float8"}, r"keras\.json: floatx is 'float8'"),
        ("", {"image_data_format": 1}, r"keras\.json: image_data_format is 1"),
        ("", {"epsilon": "a"}, r"keras\.json: epsilon is 'a'"),
        ("", {"floatx": "float64", "image_data_format": "channels_first"}, ""),
        ("", [], ""),
    ],
)
def test_what_cannot_be_lived_with_is_one_line(
    variable, file, message, tmp_path, monkeypatch
):
    (tmp_path / "keras.json").write_text(json.dumps(file))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", variable)
    monkeypatch.delitem(sys.modules, "keras")
    if not message:
        check_backend()
        return
    with pytest.raises(UserError, match=message) as caught:
        check_backend()
    assert "\n" not in str(caught.value)


def run(*words, **variables):
    return subprocess.run(
        [sys.executable, *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_another_backend_is_refused_in_the_shell_and_in_python(tmp_path):
    train, runs = ROOT / "train_gamo.py", tmp_path / "runs"
    flags = ["--dataset", "digits", "--runs-dir", runs]
    done = run(train, *flags, KERAS_BACKEND="torch")
    assert done.returncode == 2 and not runs.exists()
    assert done.stderr.startswith("train_gamo.py: KERAS_BACKEND=torch: ")
    assert done.stderr.count("\n") == 1
    done = run("-c", "from gamo_tf import GAMO", KERAS_BACKEND="torch")
    assert "ImportError: KERAS_BACKEND=torch: " in done.stderr
    assert run(train, "--help", KERAS_BACKEND="torch").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "variables",
    [
        {"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
        {"PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2"},
    ],
    ids=lambda variables: "-".join(variables),
)
def test_a_whole_run_under_settings_for_other_work(variables, tmp_path):
    home = {"floatx": "float64", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(home))
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nfigure.dpi: 7\n")
    variables |= {
        "KERAS_HOME": str(tmp_path),
        "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
    }
    runs = tmp_path / "runs"
    flags = ["--dataset", "digits", "--runs-dir", runs, "--iterations", "4"]
    done = run(ROOT / "train_gamo.py", *flags, "--ema", "0.9", **variables)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert (runs / "00000-digits-gamo-ls" / "curves.png").is_file()
    flags = ["--run", "0", "--runs-dir", runs, "--export", tmp_path / "model"]
    done = run(ROOT / "predict.py", *flags, **variables)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_python_with_warnings_as_errors():
    code = (
        "import numpy as np\nfrom gamo_tf import GAMO\ny = np.repeat([0, 1], [30, 9])\n"
        "X = np.random.default_rng(0).normal(size=(39, 3))\n"
        "import warnings\nwarnings.filterwarnings('ignore', 'generated rows of')\n"
        "print(GAMO(iterations=3, random_state=0).fit_resample(X, y)[0].shape)"
    )
    done = run("-c", code, PYTHONWARNINGS="error", MPLBACKEND="nonsense")
    assert done.stdout == "(60, 3)\n", done.stderr

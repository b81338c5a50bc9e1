"""Settings that a person has for other work do not reach ours, and stay as they are.

Keras, TensorFlow and NumPy have settings of the whole process: the type of weights, the
place of colours in an image, what a division by zero does. Everything here is written
for their defaults.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np

from gamo_tf.errors import UserError

_FLOATX, _FORMAT, _EPSILON = "float32", "channels_last", 1e-7  # Keras's defaults
_FLOATS = ("float16", "float32", "float64")
_FORMATS = ("channels_first", _FORMAT)
# What these say to their own maintainers is no error of ours, nor of the user.
_LIBRARIES = r"(absl|google|h5py|keras|ml_dtypes|numpy|tensorboard|tensorflow)(\.|$)"

# Several threads may be within `own_settings`: the last one to leave restores.
_lock = threading.RLock()
_within = 0
_undo = ExitStack()
_applied = False


@contextmanager
def own_settings() -> Iterator[None]:
    """Within it, Keras, TensorFlow and NumPy have their default settings.

    Afterwards they are as before. It takes effect on Keras once that is imported,
    which `import_tensorflow` does. It also decorates functions.
    """
    global _within, _undo
    policy = _policy() if "keras" in sys.modules else None
    with _lock:
        _within += 1
        if _within == 1:
            _undo = ExitStack()
            _undo.enter_context(_without_deprecations())
    try:
        apply()
        with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"):
            yield
    finally:
        with _lock:
            _within -= 1
            if not _within:
                _restore()
        if policy:
            policy()  # of this thread; the last, since it follows floatx at first


def apply() -> None:
    """Give Keras and TensorFlow their defaults, if they are imported and within."""
    global _applied
    if not (_within and "keras" in sys.modules and "tensorflow" in sys.modules):
        return
    import keras
    import tensorflow as tf

    config = keras.config
    with _lock:
        if not _applied:
            _applied = True
            for get, set_, value in (
                (config.dtype_policy, config.set_dtype_policy, _FLOATX),
                (config.floatx, config.set_floatx, _FLOATX),
                (config.image_data_format, config.set_image_data_format, _FORMAT),
                (config.epsilon, config.set_epsilon, _EPSILON),
                (config.max_epochs, config.set_max_epochs, None),
                (
                    config.max_steps_per_epoch,
                    config.set_max_steps_per_epoch,
                    None,
                ),
                (
                    tf.config.functions_run_eagerly,
                    tf.config.run_functions_eagerly,
                    False,
                ),
            ):
                _undo.callback(set_, get())
                set_(value)
    config.set_dtype_policy(_FLOATX)  # each thread has its own


def _restore() -> None:
    global _applied
    _applied = False
    _undo.close()


def _policy() -> Callable[[], None]:
    """What gives this thread its present policy back."""
    import keras

    policy = keras.config.dtype_policy()
    return lambda: keras.config.set_dtype_policy(policy)


@contextmanager
def _without_deprecations() -> Iterator[None]:
    with warnings.catch_warnings():
        for category in (DeprecationWarning, PendingDeprecationWarning):
            warnings.filterwarnings("ignore", category=category, module=_LIBRARIES)
        yield


@contextmanager
def without_backend() -> Iterator[None]:
    """Within it, Matplotlib can be imported whatever backend MPLBACKEND names.

    Keras imports Matplotlib too. Afterwards Matplotlib has that backend, if it is one.
    """
    backend = os.environ.get("MPLBACKEND")
    if not backend or "matplotlib" in sys.modules:
        yield
        return
    del os.environ["MPLBACKEND"]
    try:
        yield
    finally:
        os.environ["MPLBACKEND"] = backend
    if "matplotlib" in sys.modules:
        import matplotlib

        with suppress(ValueError):
            matplotlib.rcParams["backend"] = backend


def check_backend() -> None:
    """Make sure that Keras runs, or will run, on TensorFlow.

    Raises:
      UserError: it does not, or keras.json has a value that Keras refuses.
    """
    need = "This program needs Keras on TensorFlow"
    if "keras" in sys.modules:
        import keras

        if (backend := keras.config.backend()) != "tensorflow":
            raise UserError(
                f"Keras runs on {backend} in this process. {need}: start Python anew "
                "with KERAS_BACKEND=tensorflow."
            )
        return
    path, settings = _keras_json()
    for name, allowed in (("floatx", _FLOATS), ("image_data_format", _FORMATS)):
        if settings.get(name, allowed[0]) not in allowed:
            raise UserError(
                f"{path}: {name} is {settings[name]!r}; Keras takes one of "
                f"{', '.join(allowed)}. Correct it there."
            )
    if not isinstance(settings.get("epsilon", 0.0), float):
        raise UserError(
            f"{path}: epsilon is {settings['epsilon']!r}; Keras takes a number such as "
            "1e-07. Correct it there."
        )
    if backend := os.environ.get("KERAS_BACKEND"):
        if backend != "tensorflow":
            raise UserError(
                f"KERAS_BACKEND={backend}: {need}. Unset that variable, or set "
                "KERAS_BACKEND=tensorflow."
            )
    elif (backend := settings.get("backend", "tensorflow")) != "tensorflow":
        raise UserError(
            f"{path}: backend is {backend!r}. {need}: write tensorflow there, or set "
            "KERAS_BACKEND=tensorflow."
        )


def _keras_json() -> tuple[Path, dict]:
    """Keras's file of settings, and what Keras reads there."""
    home = os.environ.get("KERAS_HOME")
    folder = Path(home) if home else Path("~/.keras").expanduser()
    path = folder / "keras.json"
    try:
        settings = json.loads(path.read_bytes())
    except (OSError, ValueError):  # Keras too goes on without
        return path, {}
    return path, settings if isinstance(settings, dict) else {}

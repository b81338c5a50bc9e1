"""Importing TensorFlow without the notes that it writes while it is loaded."""

from __future__ import annotations

import logging
import os
import sys
import tempfile

from gamo_tf.own_settings import apply, check_backend, without_backend

# Set where TF_CPP_MIN_LOG_LEVEL is ours and not the user's. Processes that are started
# from this one inherit both.
_OURS = "GAMO_TF_SET_LOG_LEVEL"


def import_tensorflow() -> None:
    """Import TensorFlow with standard error set aside, and show it if that fails.

    TensorFlow's C++ parts write to file descriptor 2 while they are loaded, before any
    setting of Python's reaches them. A user who sets TF_CPP_MIN_LOG_LEVEL gets all of
    it: then nothing is done here.

    Keras gets its default settings within `own_settings`.

    Raises:
      UserError: Keras is set to another backend.
      Exception: whatever the import raises, after what was written has been shown.
    """
    check_backend()
    with without_backend():
        _import()
        import keras  # noqa: F401
    apply()


def _import() -> None:
    # Else the first process takes all of a GPU's memory.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    by_user = "TF_CPP_MIN_LOG_LEVEL" in os.environ and _OURS not in os.environ
    if by_user or "tensorflow" in sys.modules:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = os.environ[_OURS] = "3"
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except BaseException:
            aside.seek(0)
            os.write(stderr, aside.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
    logging.getLogger("tensorflow").addFilter(_unless_of_retracing)


def _unless_of_retracing(record: logging.LogRecord) -> bool:
    """Whether a note of TensorFlow is worth a user's while. Several trainings in one
    process have compiled functions of their own, which TensorFlow counts as one."""
    return "triggered tf.function retracing" not in record.getMessage()

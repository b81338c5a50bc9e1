"""Imports TensorFlow without the notes that it writes before it can be told not to."""

from __future__ import annotations

import os
import sys
import tempfile


def import_tensorflow() -> None:
    """`import tensorflow` with file descriptor 2 aside; shown if the import fails.

    TF_CPP_MIN_LOG_LEVEL set by the user turns all of it on again.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except BaseException:
            aside.seek(0)
            os.write(kept, aside.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)

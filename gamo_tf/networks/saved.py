"""Networks on disk. Files from strangers are loaded in Keras's safe mode only."""

from __future__ import annotations

from pathlib import Path

import keras

import gamo_tf.networks.classifier
import gamo_tf.networks.convex_generator  # noqa: F401  both register their layers
from gamo_tf.errors import UserError
from gamo_tf.files import atomically


def load_network(path: Path) -> keras.Model:
    """A network that `save_network` wrote.

    Args:
      path: a ``.keras`` file.

    Raises:
      UserError: where the file is missing.
    """
    if not path.is_file():
        raise UserError(
            f"{path}: missing; the run has not finished, "
            f"or its method has no {path.stem}."
        )
    return keras.saving.load_model(path, safe_mode=True, compile=False)


def save_network(path: Path, network: keras.Model) -> None:
    """Write a network to the ``.keras`` file `path`, all of it or nothing.

    Args:
      path: of the file.
      network: a functional model.
    """
    atomically(path, network.save)

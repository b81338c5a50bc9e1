"""Networks on disk. Files from strangers are loaded in Keras's safe mode only."""

from __future__ import annotations

import errno
import json
import zipfile
from pathlib import Path
from typing import Any

import keras

import gamo_tf.networks.classifier
import gamo_tf.networks.convex_generator  # noqa: F401  both register their layers
from gamo_tf.errors import UserError, first_line
from gamo_tf.files import atomically
from gamo_tf.stored import check_zip, reading, regular_size

_SLACK = 2**20  # bytes: a layer that only reshapes has no weights
# Numbers in a configuration that stand for objects and random states, not for sizes.
_NAMES = {"shared_object_id", "seed"}


def load_network(path: Path) -> keras.Model:
    """A network that `save_network` wrote.

    Args:
      path: a ``.keras`` file.

    Raises:
      UserError: where the file is missing, damaged, or no network of ours.
    """
    if not path.exists():
        raise UserError(
            f"{path}: missing; the run has not finished, "
            f"or its method has no {path.stem}."
        )
    with reading(path):
        # Keras does not compress what it saves. It reads parts of the archive, and
        # would not notice a changed byte.
        size = regular_size(path)
        check_zip(path, 2 * size)
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
        # A layer of k units has k weights or more: memory for layers that the file
        # has no weights for is not taken.
        if 4 * _largest(config) > size + _SLACK:
            raise UserError("announces layers that are larger than the file.")
        return keras.saving.load_model(path, safe_mode=True, compile=False)


def _largest(config: Any) -> int:
    """The largest whole number in a network's configuration that may be a size."""
    if isinstance(config, dict):
        config = [value for name, value in config.items() if name not in _NAMES]
    if isinstance(config, list):
        return max(map(_largest, config), default=0)
    return config if isinstance(config, int) else 0


def save_network(path: Path, network: keras.Model) -> None:
    """Write a network to the ``.keras`` file `path`, all of it or nothing.

    Args:
      path: of the file.
      network: a functional model.

    Raises:
      OSError: it cannot be written.
    """

    def write(part: Path) -> None:
        try:
            network.save(part)
        except OSError:
            raise
        except Exception as err:  # h5py has kinds of its own for full disks
            raise OSError(errno.EIO, first_line(err)) from err

    atomically(path, write)

"""Networks on disk. Files from strangers are loaded in Keras's safe mode only."""

from __future__ import annotations

import errno
from pathlib import Path

import keras

import gamo_tf.networks.classifier
import gamo_tf.networks.convex_generator  # noqa: F401  both register their layers
from gamo_tf.errors import UserError, first_line
from gamo_tf.files import atomically
from gamo_tf.stored import check_zip, reading

_MOST = 2**31  # bytes of a network; ours have some 10 MB


def load_network(path: Path) -> keras.Model:
    """A network that `save_network` wrote.

    Args:
      path: a ``.keras`` file.

    Raises:
      UserError: where the file is missing, damaged, or no network of ours.
    """
    if not path.is_file():
        raise UserError(
            f"{path}: missing; the run has not finished, "
            f"or its method has no {path.stem}."
        )
    # Keras reads parts of the archive, and would not notice a changed byte.
    check_zip(path, _MOST)
    with reading(path):
        return keras.saving.load_model(path, safe_mode=True, compile=False)


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

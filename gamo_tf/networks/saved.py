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
    return load_checked(path)


def load_checked(path: Path) -> keras.Model:
    """A network from a ``.keras`` file of any origin. No code in it is executed.

    Args:
      path: of the file.

    Raises:
      UserError: the file is missing, damaged or no ``.keras`` file, or its layers
        need code that Keras does not have.
    """
    with reading(path):
        # Keras does not compress what it saves. It reads parts of the archive, and
        # would not notice a changed byte.
        size = regular_size(path)
        if not zipfile.is_zipfile(path):
            raise UserError("not a .keras file, or a damaged one.")
        check_zip(path, 2 * size)
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
        _refuse_code(config)
        # A layer of k units has k weights or more: memory for layers that the file
        # has no weights for is not taken.
        if 4 * _largest(config) > size + _SLACK:
            raise UserError("announces layers that are larger than the file.")
        return keras.saving.load_model(path, safe_mode=True, compile=False)


def _refuse_code(config: Any) -> None:
    """Raise `UserError` where a network's configuration needs code of a stranger."""
    if isinstance(config, list):
        for value in config:
            _refuse_code(value)
    if not isinstance(config, dict):
        return
    kind, module = config.get("class_name"), config.get("module")
    values = config.get("config")
    name = values.get("name", "") if isinstance(values, dict) else values
    if kind in ("Lambda", "__lambda__"):
        raise UserError(
            f"has a Lambda layer{f', {name}' if name else ''}, whose code is never "
            "executed. Save the network with layers of Keras in its place."
        )
    is_function = kind == "function"
    if "registered_name" in config and (is_function or module != "builtins"):
        registered = config["registered_name"] or kind
        known = name if is_function and registered == kind else registered
        of_keras = str(module).split(".")[0] == "keras"
        if not of_keras and keras.saving.get_registered_object(known) is None:
            raise UserError(
                f"needs {known if is_function else kind}, which Keras does not have. "
                "Save the network with layers of Keras in its place."
            )
    for key, value in config.items():
        if key != "compile_config":  # an optimizer and losses, which are not loaded
            _refuse_code(value)


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

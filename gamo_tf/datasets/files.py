"""Files that are there are used as they are; missing ones are downloaded."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from gamo_tf.errors import UserError


class Remote(NamedTuple):
    """A published file: its address and SHA-256."""

    url: str
    sha256: str


def default_data_dir() -> Path:
    """``GAMO_DATA_DIR`` if set, else ``data/``."""
    return Path(os.environ.get("GAMO_DATA_DIR") or "data")


def locate(folder: Path, remote: Remote, also: str = "") -> Path:
    """Path of the remote's file in `folder`, downloaded if it is not there.

    The download goes to a temporary folder and is renamed once its checksum
    holds. Checksums are for downloads, never for files that the user placed.

    Raises:
      UserError: no network, or a wrong checksum; names URL and place.
    """
    name = remote.url.rsplit("/", 1)[-1]
    path = folder / name
    if path.is_file():
        return path
    from keras.utils import get_file

    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = get_file(
            name + ".part", remote.url, cache_dir=str(folder), cache_subdir=".download"
        )
    except Exception as err:  # urllib and Keras raise plain Exception here
        place = f"{path}" + (f" ({also})" if also else "")
        raise UserError(
            f"{name} is missing and could not be downloaded ({err}). "
            f"Fetch {remote.url} and put it at {place}, or give --data-dir."
        ) from err
    found = hashlib.sha256(Path(part).read_bytes()).hexdigest()
    if found != remote.sha256:
        Path(part).unlink()
        raise UserError(
            f"{remote.url}: SHA-256 {found} downloaded, {remote.sha256} expected. "
            "Nothing was kept; try again."
        )
    os.replace(part, path)
    return path

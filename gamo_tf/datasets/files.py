"""Files that are there are used as they are; missing ones are downloaded."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from gamo_tf.errors import UserError

_BLOCK = 2**20
_TIMEOUT = 60  # seconds without a byte


class Remote(NamedTuple):
    """A published file: its address and SHA-256."""

    url: str
    sha256: str


def default_data_dir() -> Path:
    """``GAMO_DATA_DIR`` if set, else ``data/``."""
    return Path(os.environ.get("GAMO_DATA_DIR") or "data")


def locate(folder: Path, remote: Remote, also: str = "") -> Path:
    """Path of the remote's file in `folder`, downloaded if it is not there.

    The download goes to a name of its own, from where it goes on if it was broken off,
    and is renamed once its checksum holds. Checksums are for downloads, never for
    files that the user placed.

    Raises:
      UserError: no network, or a wrong checksum; names URL and place.
    """
    path = folder / remote.url.rsplit("/", 1)[-1]
    if path.is_file():
        return path
    part = path.with_name(path.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fetch(remote.url, part)
    except (OSError, http.client.HTTPException) as err:
        place = f"{path}" + (f" ({also})" if also else "")
        raise UserError(
            f"{path.name} is missing and could not be downloaded ({err}). "
            f"Fetch {remote.url} and put it at {place}, or give --data-dir."
        ) from err
    found = _digest(part)
    if found != remote.sha256:
        part.unlink()
        raise UserError(
            f"{remote.url}: SHA-256 {found} downloaded, {remote.sha256} expected. "
            "Nothing was kept; try again."
        )
    os.replace(part, path)
    return path


def _fetch(url: str, part: Path) -> None:
    """Into `part`, behind what it has already if the server can do that."""
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url)
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as err:
        if have and err.code == 416:  # nothing is left to fetch
            return
        raise
    with answer:
        more = answer.status == 206
        rest = int(answer.headers.get("Content-Length") or 0)
        bar = tqdm(
            total=rest + have * more or None,
            initial=have * more,
            desc=part.stem,
            unit="B",
            unit_scale=True,
            disable=None,
        )
        got = 0
        with bar, open(part, "ab" if more else "wb") as file:
            while block := answer.read(_BLOCK):
                file.write(block)
                got += len(block)
                bar.update(len(block))
    if got < rest:
        raise OSError(f"broken off after {got} of {rest} bytes; try again")


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Published files: what is there is used as it is, what is missing is downloaded."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from gamo_tf.errors import UserError, setting
from gamo_tf.files import flush
from gamo_tf.stored import regular_size

_BLOCK = 2**20  # bytes read at a time
_TIMEOUT = 60  # seconds without a byte


class Remote(NamedTuple):
    """A published file.

    Attributes:
      url: its address; the last part is the file's name.
      sha256: its digest, in hexadecimal digits.
    """

    url: str
    sha256: str


def default_data_dir() -> Path:
    """The folder ``GAMO_DATA_DIR`` if that is set, else ``data/``."""
    return Path(os.environ.get("GAMO_DATA_DIR") or "data")


def locate(folder: Path, remote: Remote, also: str = "") -> Path:
    """Find a published file, and download it if it is not there.

    The download goes to a temporary name, where a later call continues it if it was
    broken off, and is renamed once its checksum is right. Only downloads are checked:
    a file that the user placed may be any.

    Args:
      folder: where the file belongs; created if need be.
      remote: the published file.
      also: a remark beside the place in the message, such as the file's size.

    Returns:
      The path of the file in `folder`.

    Raises:
      UserError: the network failed, the file cannot be written, or its checksum is
        wrong; the message names the address and the place. What lies there is no file.
    """
    path = folder / remote.url.rsplit("/", 1)[-1]
    if path.exists():
        regular_size(path)
        return path
    part = path.with_name(path.name + ".part")
    # A link would lead the download to another place, a pipe would never end.
    if part.is_symlink() or (part.exists() and not part.is_file()):
        raise UserError(f"{part}: not a regular file; remove it.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fetch(remote.url, part)
        flush(part)
        found = _digest(part)
    except (OSError, ValueError, http.client.HTTPException) as err:
        place = f"{path}" + (f" ({also})" if also else "")
        raise UserError(
            f"{path.name} is missing and could not be downloaded ({err}). "
            f"Fetch {remote.url} and put it at {place}, or give {setting('data_dir')}."
        ) from err
    if found != remote.sha256:
        # A damaged file must not be continued by the next attempt.
        part.unlink()
        raise UserError(
            f"{remote.url}: SHA-256 {found} downloaded, {remote.sha256} expected. "
            "Nothing was kept; try again."
        )
    os.replace(part, path)
    return path


def _fetch(url: str, part: Path) -> None:
    """Download to `part`, behind the bytes it has already if the server can do that."""
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url)
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as err:
        if have and err.code == 416:  # the range is empty: nothing is left to fetch
            return
        raise
    with answer:
        # Status 206 sends the range; a server without ranges sends all, with 200.
        continues = answer.status == 206
        rest = int(answer.headers.get("Content-Length") or 0)
        bar = tqdm(
            total=rest + have * continues or None,
            initial=have * continues,
            desc=part.stem,
            unit="B",
            unit_scale=True,
            disable=None,
        )
        got = 0
        with bar, open(part, "ab" if continues else "wb") as file:
            while block := answer.read(_BLOCK):
                file.write(block)
                got += len(block)
                bar.update(len(block))
    # A connection that breaks ends the answer without an error.
    if got < rest:
        raise OSError(f"broken off after {got} of {rest} bytes; try again")


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

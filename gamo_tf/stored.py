"""Reading files that this program wrote once, and that anything may have happened to.

There is one way: check what the file is and how large, read it, parse it, check what it
says. Whatever goes wrong on it becomes a `UserError` that begins with the file's name.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gamo_tf.errors import UserError, first_line
from gamo_tf.files import write_text

_MOST_TEXT = 2**28  # bytes of a text file; the largest real ones have some 10 MB
# 24 to 32 hexadecimal digits; SHA-256, which settings may have, are 64.
_PART_OF_DIGEST = re.compile("(?<![0-9a-f])[0-9a-f]{24,32}(?![0-9a-f])")
_CHANGED = "is not as it was written; damaged or edited."
_DIGEST = "digest"  # the entry of a JSON file that checks all others


@contextmanager
def reading(path: Path, advice: str = "") -> Iterator[None]:
    """Within it, any exception becomes a `UserError` that names a file.

    Args:
      path: of the file that is read, parsed or checked.
      advice: what to do about it; it must never cost the user anything.
    """
    try:
        yield
    except UserError as err:
        # What was read within another file's `reading` is named already.
        begin = "" if str(path) in err.message else f"{path}: "
        raise UserError(f"{begin}{err.message}", err.details) from err
    except FileNotFoundError as err:
        raise UserError(f"{path}: no such file. {advice}".strip()) from err
    except Exception as err:  # parsers raise many kinds for damaged files
        reason = getattr(err, "strerror", None) or first_line(err)
        raise UserError(f"{path}: cannot be read ({reason}). {advice}".strip()) from err


def regular_size(path: Path) -> int:
    """The size of a file, in bytes.

    Args:
      path: of the file; links are followed.

    Raises:
      UserError: it is not there, or is no regular file. A named pipe would be waited
        for without end.
    """
    with reading(path):
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise UserError(f"{path}: not a regular file.")
        return found.st_size


def read_bytes(path: Path) -> bytes:
    """The content of a file.

    Args:
      path: of the file.

    Raises:
      UserError: it is no regular file, or cannot be read.
    """
    with reading(path):
        regular_size(path)
        return path.read_bytes()


def read_text(path: Path, most: int = _MOST_TEXT) -> str:
    """The text of a file in UTF-8.

    Args:
      path: of the file.
      most: bytes that it may have.

    Raises:
      UserError: it is no regular file, too large, not there or not UTF-8.
    """
    with reading(path):
        size = regular_size(path)
        if size > most:
            raise UserError(f"{path}: {size} bytes; expected at most {most}.")
        return path.read_text(encoding="utf-8")


def read_json(path: Path, always_sealed: bool = False) -> Any:
    """The content of a JSON file; a digest in it (see `sealed`) is checked.

    Args:
      path: of the file.
      always_sealed: whether every version has written a digest.

    Raises:
      UserError: it cannot be read, or is not as it was written.
    """
    with reading(path):
        values = json.loads(read_text(path))
        if always_sealed and not (isinstance(values, dict) and _DIGEST in values):
            raise UserError(_CHANGED)
        return unsealed(values)


def read_object(path: Path, always_sealed: bool = False) -> dict[str, Any]:
    """The content of a JSON file of values by name (see `read_json`).

    Args:
      path: of the file.
      always_sealed: as in `read_json`.

    Raises:
      UserError: as `read_json`, or it holds something else.
    """
    with reading(path):
        values = read_json(path, always_sealed)
        if not isinstance(values, dict):
            raise UserError("expected values by name.")
        return values


def write_json(path: Path, values: Mapping) -> None:
    """Write settings or results, `sealed`.

    Args:
      path: of the file.
      values: what JSON can hold.
    """
    write_text(path, json.dumps(sealed(values), indent=2) + "\n")


def sealed(values: Mapping) -> dict:
    """Values with a digest of them, by which damage is noticed.

    Args:
      values: what JSON can hold.

    Returns:
      The values as JSON gives them back (a list for a tuple), and ``digest``.
    """
    plain = json.loads(json.dumps(values))
    return {**plain, _DIGEST: digest(_as_bytes(plain))}


def unsealed(values: Any) -> Any:
    """What `sealed` was given.

    Args:
      values: of a JSON file; what has no digest is returned as it is, because earlier
        versions wrote none.

    Raises:
      UserError: the digest is not that of the values.
    """
    if not isinstance(values, dict):
        return values
    if _DIGEST not in values:
        # Damage may have hit the very name of the digest.
        texts = [x for x in values.values() if isinstance(x, str)]
        if any(map(_PART_OF_DIGEST.search, texts)):
            raise UserError(_CHANGED)
        return values
    plain = {name: value for name, value in values.items() if name != _DIGEST}
    check_digest(_as_bytes(plain), values[_DIGEST])
    return plain


def _as_bytes(values: Mapping) -> bytes:
    return json.dumps(values, sort_keys=True).encode()


def check_digest(data: bytes, known: object) -> None:
    """Make sure that contents are those that a digest was made of.

    Args:
      data: the contents now.
      known: the digest.

    Raises:
      UserError: they are others. The message begins with no name: see `reading`.
    """
    if known != digest(data):
        raise UserError(_CHANGED)


def digest(data: bytes) -> str:
    """32 hexadecimal digits that tell contents apart (BLAKE2b).

    Args:
      data: the contents.
    """
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def check_zip(path: Path, most: int) -> None:
    """Make sure that a zip (.npz, .keras) is whole and not larger than expected.

    Args:
      path: of the file.
      most: bytes that its members may have together, once unpacked.

    Raises:
      UserError: a member is damaged, or they are larger.
    """
    with reading(path):
        regular_size(path)
        with zipfile.ZipFile(path) as archive:
            size = sum(item.file_size for item in archive.infolist())
            if size > most:
                raise UserError(f"{path}: {size} bytes unpacked; at most {most} known.")
            if (bad := archive.testzip()) is not None:
                raise UserError(f"{path}: damaged, in {bad}.")


def read_arrays(
    path: Path, names: tuple[str, ...], most: int, optional: tuple[str, ...] = ()
) -> list[np.ndarray]:
    """Arrays of an .npz file that this program wrote. Nothing is unpickled.

    Args:
      path: of the file.
      names: of the arrays.
      most: bytes that all arrays of the file may have together.
      optional: of more arrays, which an earlier version did not write: all or none.

    Returns:
      The arrays, in the order of `names`, and of `optional` if there is one of them.

    Raises:
      UserError: the file cannot be read, is larger, or lacks an array.
    """
    check_zip(path, most)
    with reading(path), np.load(path, allow_pickle=False) as found:
        if any(name in found for name in optional):
            names += optional
        if missing := [name for name in names if name not in found]:
            raise UserError(f"{path}: lacks {', '.join(missing)}.")
        return [found[name] for name in names]

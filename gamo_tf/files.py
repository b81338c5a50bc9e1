"""Files that are whole or not there; how long and how large something is, in words."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from gamo_tf.errors import UserError

_LONGEST = 255  # bytes of a name that file systems take
_LONGEST_SUFFIX = 16  # bytes; what is longer is no suffix


def short_name(name: str, most: int = _LONGEST) -> str:
    """A name that a file system takes, the same one for the same name.

    Args:
      name: of a file or folder.
      most: bytes that it may have, 32 or more.

    Returns:
      The name itself if it fits; else its beginning, cut between characters, a dash
      and 8 hexadecimal digits of the whole name, and its suffix.
    """
    data = os.fsencode(name)
    if len(data) <= most:
        return name
    suffix = short_suffix(Path(name))
    tail = f"-{hashlib.blake2b(data, digest_size=4).hexdigest()}{suffix}"
    begin = data[: most - len(os.fsencode(tail))].decode("utf-8", "ignore")
    return begin + tail


def short_suffix(path: Path) -> str:
    """The suffix of a file's name; "" for one that is too long to be one.

    Args:
      path: of the file.
    """
    suffix = path.suffix
    return suffix if len(os.fsencode(suffix)) <= _LONGEST_SUFFIX else ""


def beside(path: Path, prefix: str) -> Path:
    """A temporary name beside a file or folder, which keeps its suffix.

    Args:
      path: of the file or folder.
      prefix: of the temporary name, ASCII.
    """
    return path.with_name(prefix + short_name(path.name, _LONGEST - len(prefix)))


def atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name beside `path`, then rename it.

    A reader sees the old content or the new, never a part, even after a power cut: the
    content is flushed to the disk before the rename. The temporary name keeps the
    suffix, which np.savez, Keras and Pillow go by.

    Args:
      path: file to be written; what is there is replaced.
      write: gets the temporary path and writes all of the content there.

    Raises:
      OSError: it cannot be written; the error names `path`, and nothing is left.
    """
    part = beside(path, ".part-")
    with _named(path):
        try:
            # A link that lies there would lead the content to another place.
            remove(part)
            write(part)
            flush(part)
            os.replace(part, path)
            flush(path.parent)
        except BaseException:
            remove(part)
            raise


def replace_folder(path: Path, write: Callable[[Path], object]) -> None:
    """Write a folder under a temporary name beside `path`, then put it in its place.

    What is at `path` is renamed aside before and removed last, so that at every moment
    the old folder or the new one is there, whole. `mend` puts right what a process
    leaves that is killed between the two renames.

    Args:
      path: folder to be written; what is there is replaced.
      write: gets the temporary folder, empty, and writes all of the content there.

    Raises:
      UserError: another process is writing the same folder.
      OSError: it cannot be written; the error names `path`, which is as it was.
    """
    mend(path)
    part = beside(path, ".part-")
    with _named(path):
        if part.is_symlink() or part.is_file():
            remove(part)
        part.mkdir(exist_ok=True)
        with locked(part, f"{path}: another process is writing it."):
            if leftovers := list(part.iterdir()):
                print(f"{path}: an earlier attempt was broken off; it is begun anew")
            for leftover in leftovers:
                remove(leftover)
            try:
                write(part)
                flush_all(part)
                put_in_place(part, path)
            except BaseException:
                remove(part)
                raise


def put_in_place(new: Path, path: Path) -> None:
    """Give a whole folder the name `path`; what has that name is removed last.

    Args:
      new: the folder, beside `path`.
      path: its name from now on.
    """
    old = beside(path, ".old-")
    if path.exists():
        os.rename(path, old)
    os.rename(new, path)
    flush(path.parent)
    remove(old)


def mend(path: Path) -> None:
    """Put right what `put_in_place` leaves if it is killed, and say so.

    Args:
      path: of the folder that was to be replaced.
    """
    old = beside(path, ".old-")
    if not old.is_dir() or old.is_symlink():
        return
    if path.exists():
        remove(old)
        print(f"{path}: the folder that it replaced was still there; removed now")
    else:
        os.rename(old, path)
        print(f"{path}: a replacement was broken off; the old folder is back")


def remove(path: Path) -> None:
    """Remove a file, a link (not what it leads to) or a folder, if it is there.

    Args:
      path: of it.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Wait until a file, or the list of a folder, is on the disk.

    Args:
      path: of the file or folder.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as err:
        if err.errno != errno.EINVAL:  # a file system that cannot: nothing to wait for
            raise
    finally:
        os.close(descriptor)


def flush_all(path: Path) -> None:
    """`flush` a folder and everything in it.

    Args:
      path: of the folder.
    """
    for folder, _, names in os.walk(path):
        for name in names:
            flush(Path(folder, name))
        flush(Path(folder))


@contextmanager
def locked(folder: Path, busy: str = "") -> Iterator[None]:
    """Within it, no other process is within it too for the same folder.

    The lock ends with the process, however that ends. It leaves no file. Where the
    file system has no locks, a line says so.

    Args:
      folder: that is worked on.
      busy: what to say where another process has the lock; "": wait for it.

    Raises:
      UserError: another process has the lock, and `busy` is given.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            how = fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0)
            fcntl.flock(descriptor, how)
        except BlockingIOError as err:
            raise UserError(busy) from err
        except OSError as err:  # some network file systems
            print(
                f"note: {folder}: no lock can be had there ({err.strerror}); see to it "
                "that no other process works on it"
            )
        yield
    finally:
        os.close(descriptor)


def inside(folder: Path, path: Path) -> Path:
    """`path`, once it is clear that it lies below a folder, links followed.

    Args:
      folder: below which it should be.
      path: of a file or folder, there or not.

    Raises:
      UserError: it leads to another place.
    """
    if folder.resolve() not in path.resolve().parents:
        raise UserError(f"{path}: leads out of {folder}; nothing is written there.")
    return path


def check_apart(output: Path, inputs: Iterable[Path | str], name: str) -> None:
    """Refuse an output that would replace an input, or what lies in one.

    Links, hard links and file systems that ignore case are seen through: two paths are
    the same if they lead to the same file.

    Args:
      output: a file or folder that will be written, there or not.
      inputs: files and folders that are read; what is not there is ignored.
      name: what the message calls the output, such as ``--out photos.csv``.

    Raises:
      UserError: `output` is an input, holds one, or lies in a folder that is one. The
        message names both.
    """
    place = Path(os.path.realpath(output))
    above = [found for p in (place, *place.parents) if (found := _identity(p))]
    own, is_folder = _identity(place), place.is_dir()
    for path in inputs:
        identity = _identity(path)
        if identity is None:
            continue
        if identity == own:
            what = "is an input, which it would replace"
        elif identity in above:
            what = f"lies in the input {path}"
        elif is_folder and own in map(_identity, Path(os.path.realpath(path)).parents):
            what = f"holds the input {path}"
        else:
            continue
        raise UserError(f"{name}: {what}. Give another place.")


def _identity(path: Path | str) -> tuple[int, int] | None:
    """What a file or folder has whatever its name; None: it cannot be looked at."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # also a name that no file can have
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Within it, an OSError names `path`: those of writing do not."""
    try:
        yield
    except OSError as err:
        raise OSError(err.errno, err.strerror or str(err), str(path)) from err


def write_text(path: Path, text: str) -> None:
    """Write `text` to the file `path` as UTF-8, all of it or nothing.

    Args:
      path: of the file.
      text: all of its content.
    """
    atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def png(picture: np.ndarray) -> bytes:
    """The bytes of a PNG file.

    Args:
      picture: uint8 [h, w, 3] (RGB), or [h, w] (grey).
    """
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    return buffer.getvalue()


def save_picture(path: Path, picture: np.ndarray) -> None:
    """Write a picture (see `png`) to the file `path`, all of it or nothing.

    Args:
      path: of the file.
      picture: uint8 [h, w, 3], or [h, w].
    """
    atomically(path, lambda part: part.write_bytes(png(picture)))


def clock(seconds: float) -> str:
    """A duration for people: ``4m05s`` or ``2h10m``.

    Args:
      seconds: the duration, rounded to whole seconds.
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{seconds:02d}s"


def mebibytes(size: int) -> str:
    """A number of bytes for people: ``12.3 MiB``.

    Args:
      size: bytes.
    """
    return f"{size / 2**20:.1f} MiB"

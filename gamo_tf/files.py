"""Files that are whole or not there, and how long something took, in words."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np


def atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file or folder under a temporary name beside `path`, then rename it.

    A reader sees the old content or the new, never a part. The temporary name keeps
    the suffix, which np.savez, Keras and Pillow go by.

    Args:
      path: file or folder to be written; what is there is replaced.
      write: gets the temporary path and writes all of the content there.
    """
    part = path.with_name(f".part-{path.name}")
    write(part)
    if path.is_dir():
        shutil.rmtree(path)
    os.replace(part, path)


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

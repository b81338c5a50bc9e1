"""Reading a row of DATASETS by the reader that the row names.

A reader is a module of `gamo_tf.data.readers`. It has ``read(spec, data_dir)``, or
``draw(spec, data_dir, seed, decode)`` where the classes follow from the seed, and may
have ``check(spec, data_dir)``.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data.splits import Arrays

if TYPE_CHECKING:  # pandas, behind it, takes a while to import
    from gamo_tf.data.user_data import UserData


def read(spec: DatasetSpec, data_dir: Path) -> Arrays:
    """Read a published dataset; files that may be fetched are, where they are missing.

    Args:
      spec: a row of DATASETS whose classes are fixed.
      data_dir: folder of the published files.

    Returns:
      All images, uint8 [n, h, w, c], and labels [n], for training and for testing.
      Those of a pooled row are a memory map.

    Raises:
      UserError: a file is missing, damaged or not in the published format.
      ValueError: the classes of the row follow from the seed (see `draw_classes`).
    """
    if spec.draws_classes:
        raise ValueError(f"{spec.name}: its classes are drawn by seed (draw_classes).")
    return _reader(spec).read(spec, Path(data_dir))


def check(spec: DatasetSpec, data_dir: Path) -> None:
    """Make sure, before anything is trained, that the published files can be read.

    What may be fetched and is large is downloaded here; readers of small files have
    nothing to check.

    Args:
      spec: a row of DATASETS.
      data_dir: folder of the published files.

    Raises:
      UserError: a file is missing that only the user can fetch; the message names
        the file, its page, its terms and its place.
    """
    reader = _reader(spec)
    if hasattr(reader, "check"):
        reader.check(spec, Path(data_dir))


def draw_classes(
    spec: DatasetSpec, data_dir: Path, seed: int, decode: bool = True
) -> UserData:
    """Draw the classes of a row whose classes follow from the seed, and their rows.

    From here on such a dataset is handled like a user's data: its run keeps the list
    of its files.

    Args:
      spec: a row of DATASETS with `draws_classes`.
      data_dir: folder of the published files.
      seed: of the draw.
      decode: False gives the settings and the list of files and opens no image.

    Returns:
      Settings, rows and images of the drawn classes.

    Raises:
      UserError: a file is missing or cannot be read.
    """
    return _reader(spec).draw(spec, Path(data_dir), seed, decode)


def _reader(spec: DatasetSpec) -> ModuleType:
    return import_module(f"gamo_tf.data.readers.{spec.reader}")

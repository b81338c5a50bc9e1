"""LSUN scenes: an lmdb for each category, its values JPEG or WebP files.

The user places the unpacked databases in ``<data-dir>/lsun``. Images are decoded once
(`gamo_tf.data.decoded_pool`).
"""

from __future__ import annotations

import struct
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data import decoded_pool, image_folder
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError
from gamo_tf.stored import reading, regular_size

PATCH = 224  # side of the central patch in pixels (paper, Section 4.3)
_PAGE = "http://dl.yf.io/lsun/scenes/"
_META = struct.Struct("<16xIIQQ48s48sQQ")  # a meta page: header and MDB_meta of LMDB
_MAGIC = (0xBEEFC0DE, 1)  # with the version
_PAGES = [2**k for k in range(9, 17)]  # sizes that a page may have, in bytes
_SIZES = {  # of the categories, in label order
    "classroom": "3.3 GB",
    "church_outdoor": "2.4 GB",
    "conference_room": "4.0 GB",
    "dining_room": "11.6 GB",
    "tower": "12.0 GB",
}


def _folder(data_dir: Path, name: str) -> Path:
    return data_dir / "lsun" / f"{name}_train_lmdb"


def check(spec: DatasetSpec, data_dir: Path) -> None:
    """Make sure that the five databases are there, and the package that reads them.

    Args:
      spec: the row "lsun-small" or "lsun-large".
      data_dir: the databases are in its folder ``lsun``.

    Raises:
      UserError: one is missing; the message says where to fetch it and where it goes.
    """
    missing = [
        f"{name}_train_lmdb.zip ({size})"
        for name, size in _SIZES.items()
        if not (_folder(data_dir, name) / "data.mdb").is_file()
    ]
    if missing:
        raise UserError(
            f"{spec.name}: missing in {data_dir / 'lsun'}, unpacked: "
            f"{', '.join(missing)}. Fetch from {_PAGE} (it states no licence), unzip."
        )
    try:
        import lmdb  # noqa: F401
    except ImportError as err:
        raise UserError(
            f"{spec.name}: needs the package lmdb: pip install lmdb"
        ) from err


def read(spec: DatasetSpec, data_dir: Path) -> Arrays:
    """The decoded images of the five categories, each its central patch, scaled.

    Args:
      spec: the row "lsun-small" or "lsun-large".
      data_dir: the databases are in its folder ``lsun``.

    Returns:
      As `decoded_pool.pool`, images of [64, 64, 3].

    Raises:
      UserError: a database is missing or damaged, or a category has too few images.
    """
    check(spec, data_dir)
    import lmdb

    databases: dict[str, lmdb.Environment] = {}
    keys: list[list[str]] = []
    sizes: dict[str, int] = {}
    with ExitStack() as stack:
        for name in _SIZES:
            path = _folder(data_dir, name)
            with reading(path, "Fetch it again."):
                _check_size(path / "data.mdb")
                # Without its lock file, so that a read-only disk will do.
                database = lmdb.open(
                    str(path), readonly=True, lock=False, max_readers=64
                )
                stack.callback(database.close)
                with database.begin() as view:
                    found = [bytes(key) for key in view.cursor().iternext(values=False)]
            databases[name], sizes[name] = database, len(found)
            # Keys in the database are bytes, those of a pool are text.
            keys.append([f"{name}/{key.hex()}" for key in found])

        def decode(key: str) -> np.ndarray:
            name, code = key.split("/")
            with databases[name].begin() as view:
                data = view.get(bytes.fromhex(code), b"")
            with image_folder.open_image(data) as image:
                return image_folder.crop_and_scale(
                    image.convert("RGB"), spec.shape[0], (PATCH,)
                )

        origin = {"source": "lsun", "patch": PATCH, "sizes": sizes}
        return decoded_pool.pool(spec, data_dir, keys, decode, origin, "images")


def _check_size(path: Path) -> None:
    """Raises ValueError for a database that is shorter than its newest state says.

    LMDB reads a file through a memory map, which would end the process beyond the
    file's end.
    """
    size = regular_size(path)
    with open(path, "rb") as file:
        first = _META.unpack(file.read(_META.size))
        page = int.from_bytes(first[4][:4], "little")  # its size in bytes
        if first[:2] != _MAGIC or page not in _PAGES:
            raise ValueError("not a database of LMDB")
        file.seek(page)
        second = _META.unpack(file.read(_META.size))
    if second[:2] != _MAGIC:
        raise ValueError("not a database of LMDB")
    last = max(first, second, key=lambda meta: meta[-1])[-2]
    if size < (last + 1) * page:
        raise ValueError(f"cut off: {size} bytes of {(last + 1) * page}")

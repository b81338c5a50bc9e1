"""LSUN scenes: an lmdb for each category, its values JPEG or WebP files."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from gamo_tf.datasets import own_images, prepared
from gamo_tf.errors import UserError
from gamo_tf.specs import DatasetSpec

PATCH = 224  # side of the central patch (paper, Section 4.3)
_PAGE = "http://dl.yf.io/lsun/scenes/"
_SIZES = {
    "classroom": "3.3 GB",
    "church_outdoor": "2.4 GB",
    "conference_room": "4.0 GB",
    "dining_room": "11.6 GB",
    "tower": "12.0 GB",
}


def _folder(data_dir: Path, name: str) -> Path:
    return data_dir / "lsun" / f"{name}_train_lmdb"


def check(spec: DatasetSpec, data_dir: Path) -> None:
    """Raises UserError where a category is missing: what it is, where it goes."""
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


def read(spec: DatasetSpec, data_dir: Path) -> tuple[np.ndarray, ...]:
    """Train images, train labels, test images, test labels of the prepared pool."""
    check(spec, data_dir)
    import lmdb

    books, keys, sizes = {}, [], {}
    for name in _SIZES:
        path = _folder(data_dir, name)
        try:
            book = lmdb.open(str(path), readonly=True, lock=False, max_readers=64)
            with book.begin() as deal:
                found = [bytes(key) for key in deal.cursor().iternext(values=False)]
        except lmdb.Error as err:
            raise UserError(f"{path}: cannot be read ({err}). Fetch it again.") from err
        books[name], sizes[name] = book, len(found)
        keys.append([f"{name}/{key.hex()}" for key in found])

    def decode(key: str) -> np.ndarray:
        name, code = key.split("/")
        with books[name].begin() as deal:
            data = deal.get(bytes.fromhex(code))
        with Image.open(BytesIO(data)) as image:
            return own_images.fit(image.convert("RGB"), spec.shape[0], (PATCH,))

    source = {"source": "lsun", "patch": PATCH, "sizes": sizes}
    images = prepared.pool(spec, data_dir, keys, decode, source, "images")
    for book in books.values():
        book.close()
    return images

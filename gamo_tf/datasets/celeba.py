"""CelebA: five hair colours, from the attribute file and the aligned images."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from gamo_tf.datasets import prepared
from gamo_tf.errors import UserError
from gamo_tf.specs import DatasetSpec

_PAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
_HAIR = ("Blond_Hair", "Black_Hair", "Bald", "Brown_Hair", "Gray_Hair")
_LIST, _IMAGES = "list_attr_celeba.txt", "img_align_celeba"


def check(spec: DatasetSpec, data_dir: Path) -> None:
    """Raises UserError where a file is missing: what it is and where it goes."""
    folder = data_dir / "celeba"
    places = {
        f"{_LIST} (27 MB)": [folder / _LIST],
        f"{_IMAGES}.zip (1.4 GB), or it unpacked": [
            folder / f"{_IMAGES}.zip",
            folder / _IMAGES,
        ],
    }
    missing = [k for k, paths in places.items() if not any(p.exists() for p in paths)]
    if missing:
        raise UserError(
            f"{spec.name}: missing in {folder}: {' and '.join(missing)}. Fetch from "
            f"{_PAGE} (non-commercial research; its terms forbid us to fetch it)."
        )


def attributes(path: Path) -> list[list[str]]:
    """Files of each hair colour: exactly one of the five is 1. Raises UserError.

    First line: the number of images; second: names of attributes; then a line an
    image: its file, and 1 or -1 for each, with any number of spaces between.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        n, names = int(lines[0]), lines[1].split()
        columns = [names.index(name) for name in _HAIR]
    except (IndexError, ValueError) as err:
        raise UserError(
            f"{path}: its first two lines should be the number of images and the names "
            f"of attributes, {', '.join(_HAIR)} among them ({err})."
        ) from err
    found: list[list[str]] = [[] for _ in _HAIR]
    rows = [line.split() for line in lines[2:] if line.strip()]
    if len(rows) != n:
        raise UserError(f"{path}: {n} images announced, {len(rows)} found; damaged.")
    for number, row in enumerate(rows, 3):
        if len(row) != len(names) + 1 or not set(row[1:]) <= {"1", "-1"}:
            raise UserError(f"{path}, line {number}: expected a file and 1 or -1.")
        own = [k for k, column in enumerate(columns) if row[column + 1] == "1"]
        if len(own) == 1:
            found[own[0]].append(row[0])
    return found


def read(spec: DatasetSpec, data_dir: Path) -> tuple[np.ndarray, ...]:
    """Train images, train labels, test images, test labels of the prepared pool."""
    check(spec, data_dir)
    folder = data_dir / "celeba"
    keys = attributes(folder / _LIST)
    return prepared.pool(
        spec,
        data_dir,
        keys,
        _decoder(folder, spec),
        {"source": "celeba", "scaled": "whole image"},
        "images with exactly one of the five hair colours",
    )


def _decoder(folder: Path, spec: DatasetSpec) -> Callable[[str], np.ndarray]:
    size = (spec.shape[1], spec.shape[0])

    def scale(source) -> np.ndarray:
        with Image.open(source) as image:
            small = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
        return np.asarray(small)

    if (folder / _IMAGES).is_dir():
        return lambda key: scale(folder / _IMAGES / key)
    path = folder / f"{_IMAGES}.zip"
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as err:
        raise UserError(f"{path}: not a whole zip ({err}). Fetch it again.") from err
    lock = threading.Lock()

    def unpack(key: str) -> np.ndarray:
        with lock:
            data = archive.read(f"{_IMAGES}/{key}")
        return scale(BytesIO(data))

    return unpack

"""CelebA: five hair colours, from the attribute file and the aligned images.

The terms of the dataset forbid fetching it for the user, who places both files in
``<data-dir>/celeba``. Images are decoded once (`gamo_tf.data.decoded_pool`).
"""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data import decoded_pool, image_folder
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError, first_line
from gamo_tf.stored import read_text, regular_size

_PAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
_FOLDER = "celeba"
_HAIR = ("Blond_Hair", "Black_Hair", "Bald", "Brown_Hair", "Gray_Hair")  # label order
_MOST_LIST = 2**27  # bytes of the attribute file; the published one has 27 MB
_MOST_IMAGE = 2**26  # bytes of an image in the zip; published ones have some 10 kB
_LIST, _IMAGES = "list_attr_celeba.txt", "img_align_celeba"


def check(spec: DatasetSpec, data_dir: Path) -> None:
    """Make sure that the two files are there.

    Args:
      spec: the row "celeba-small" or "celeba-large".
      data_dir: the files are in its folder ``celeba``.

    Raises:
      UserError: one is missing; the message says where to fetch it and where it goes.
    """
    folder = data_dir / _FOLDER
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
    """The images of each hair colour: those with exactly one of the five.

    Args:
      path: of the attribute file. Its first line is the number of images, the second
        the names of the attributes; then there is a line for each image with its file
        and 1 or -1 for each attribute, with any number of spaces between.

    Returns:
      For each of the five classes, in label order, the names of its files.

    Raises:
      UserError: the file is not in this format, is cut off, or names a file twice or
        one in another folder.
    """
    lines = read_text(path, _MOST_LIST).split("\n")
    try:
        n, names = int(lines[0]), lines[1].split()
        columns = [names.index(name) for name in _HAIR]
    except (IndexError, ValueError) as err:
        raise UserError(
            f"{path}: its first two lines should be the number of images and the names "
            f"of attributes, {', '.join(_HAIR)} among them ({err})."
        ) from err
    found: list[list[str]] = [[] for _ in _HAIR]
    rows = sum(bool(line.strip()) for line in lines[2:])
    if rows != n:
        raise UserError(f"{path}: {n} images announced, {rows} found; damaged.")
    seen: set[str] = set()
    for number, line in enumerate(lines[2:], 3):
        if not (row := line.split()):
            continue
        if len(row) != len(names) + 1 or not set(row[1:]) <= {"1", "-1"}:
            raise UserError(f"{path}, line {number}: expected a file and 1 or -1.")
        # The name becomes a path, which must not lead out of the folder.
        if ".." in row[0] or row[0] == "." or set(row[0]) & set("/\\\0"):
            raise UserError(f"{path}, line {number}: {row[0]}: no name of a file.")
        if row[0] in seen:  # it could be trained on and tested on
            raise UserError(f"{path}, line {number}: {row[0]} is there twice.")
        seen.add(row[0])
        labels = [k for k, column in enumerate(columns) if row[column + 1] == "1"]
        if len(labels) == 1:
            found[labels[0]].append(row[0])
    return found


def read(spec: DatasetSpec, data_dir: Path) -> Arrays:
    """The decoded images of the five hair colours, each scaled as a whole.

    Args:
      spec: the row "celeba-small" or "celeba-large".
      data_dir: the files are in its folder ``celeba``.

    Returns:
      As `decoded_pool.pool`, images of [64, 64, 3].

    Raises:
      UserError: a file is missing or damaged, or a class has too few images.
    """
    check(spec, data_dir)
    folder = data_dir / _FOLDER
    return decoded_pool.pool(
        spec,
        data_dir,
        attributes(folder / _LIST),
        _decoder(folder, spec),
        {"source": "celeba", "scaled": "whole image"},
        "images with exactly one of the five hair colours",
    )


def _decoder(folder: Path, spec: DatasetSpec) -> Callable[[str], np.ndarray]:
    """What turns a file's name into its image, from the folder or from the zip."""
    size = (spec.shape[1], spec.shape[0])

    def scale(data: bytes) -> np.ndarray:
        with image_folder.open_image(data) as image:
            scaled = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
        return np.asarray(scaled)

    if (folder / _IMAGES).is_dir():
        return lambda key: scale(image_folder.file_bytes(folder / _IMAGES / key))
    path = folder / f"{_IMAGES}.zip"
    regular_size(path)
    try:
        archive = zipfile.ZipFile(path)
    except Exception as err:  # it raises many kinds for damaged files
        raise UserError(
            f"{path}: not a whole zip ({first_line(err)}). Fetch it again."
        ) from err
    # The threads share one open file and its position; decoding is the slow part.
    lock = threading.Lock()

    def unpack(key: str) -> np.ndarray:
        with lock:
            member = archive.getinfo(f"{_IMAGES}/{key}")
            if member.file_size > _MOST_IMAGE:
                raise ValueError(f"{member.file_size} bytes unpacked")
            data = archive.read(member)
        return scale(data)

    return unpack

"""Own images: a folder a class, anything that Pillow reads.

Every image is turned as its EXIF orientation says; transparent parts are laid on
white; palettes, CMYK and other modes become RGB or grey; 16-bit grey is divided by
257; the central square is scaled to the size asked for (bicubic, antialiased).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from gamo_tf.errors import UserError, first_line

_IGNORED = {"thumbs.db", "desktop.ini"}  # what file managers leave behind
_LISTED = 10  # unreadable files named in a complaint


def scan(
    folder: Path, known: tuple[str, ...] | None = None, flag: str = "--image-folder"
) -> tuple[tuple[str, ...], list[tuple[str, int]]]:
    """Class names, sorted, and (file, label) of all files below their folders.

    `known`: classes that are expected, for a test folder; no other may be there.
    Raises UserError for a folder without classes, or a class without files.
    """
    if not folder.is_dir():
        raise UserError(f"{flag} {folder}: no such folder.")
    found = sorted(p.name for p in folder.iterdir() if p.is_dir() and not _hidden(p))
    if known is not None and set(found) - set(known):
        odd = ", ".join(sorted(set(found) - set(known)))
        raise UserError(
            f"{flag} {folder}: {odd}: no such class in training ({', '.join(known)})."
        )
    if known is None and len(found) < 2:
        raise UserError(
            f"{flag} {folder}: {len(found)} class folder(s) found, 2 or more expected: "
            "a folder for each class, with its images."
        )
    classes, files = known or tuple(found), []
    for name in found:
        label = classes.index(name)
        mine = sorted(
            str(p) for p in (folder / name).rglob("*") if p.is_file() and not _hidden(p)
        )
        if not mine:
            raise UserError(f"{folder / name}: no image in this class folder.")
        files += [(path, label) for path in mine]
    if not files:
        raise UserError(f"{flag} {folder}: no class folder in it.")
    return classes, files


def _hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in _IGNORED


def read(
    files: Iterable[str], size: int, gray: bool, patches: tuple[int, ...] = ()
) -> tuple[np.ndarray, dict[str, str]]:
    """Images uint8 [n, size, size, channels]; and, of unreadable files, the reason
    (their place in the array is black)."""
    files = list(files)
    images = np.zeros((len(files), size, size, 1 if gray else 3), np.uint8)
    bad = {}

    def one(k: int) -> None:
        try:
            images[k] = load(files[k], size, gray, patches)
        except Exception as err:  # Pillow raises of many kinds for bad files
            bad[files[k]] = first_line(err)

    with ThreadPoolExecutor() as pool:
        many = len(files) > 2000
        work = pool.map(one, range(len(files)))
        list(
            tqdm(work, total=len(files), desc="images", disable=None if many else True)
        )
    return images, {path: bad[path] for path in files if path in bad}


def load(
    path: str | Path, size: int, gray: bool, patches: tuple[int, ...] = ()
) -> np.ndarray:
    """One image uint8 [size, size, channels]. Raises what Pillow raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path) as opened:
            image = flatten(ImageOps.exif_transpose(opened))
    return fit(image.convert("L" if gray else "RGB"), size, patches)


def fit(image: Image.Image, size: int, patches: tuple[int, ...] = ()) -> np.ndarray:
    """The central square scaled to uint8 [size, size, channels]: its side the largest
    of `patches` that the image has room for; without one, as large as it can be."""
    room = min(image.size)
    side = next((p for p in sorted(patches, reverse=True) if p <= room), room)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    image = image.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(size, size, -1)


def flatten(image: Image.Image) -> Image.Image:
    """8 bits a channel, and nothing transparent."""
    if image.mode.startswith("I"):
        wide = np.asarray(image).astype(np.float64)
        if wide.min() < 0 or wide.max() > 65535:
            raise ValueError("32-bit grey values beyond 16 bits: not converted")
        return Image.fromarray(np.rint(wide / 257).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("floating-point grey values: not converted")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image)
    return image


def complaint(bad: dict[str, str], resumed: bool = False) -> str:
    """What to tell of unreadable files."""
    lines = [f"  {path}: {why}" for path, why in list(bad.items())[:_LISTED]]
    more = [f"  and {len(bad) - _LISTED} more"] * (len(bad) > _LISTED)
    wish = (
        "The run was begun with these; put them back."
        if resumed
        else "Mend or remove them, or give --skip-bad to leave them out."
    )
    return "\n".join(
        [f"{len(bad)} file(s) cannot be read as images. {wish}", *lines, *more]
    )

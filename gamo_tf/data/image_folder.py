"""A user's images: a folder for each class, with anything that Pillow reads.

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

from gamo_tf.errors import UserError, first_line, setting

_IGNORED = {"thumbs.db", "desktop.ini"}  # what file managers leave behind
_LISTED = 10  # unreadable files named in a complaint
_SHOW_PROGRESS = 2000  # images above which a progress bar is worth its line


def scan(
    folder: Path, known: tuple[str, ...] | None = None, name: str = "image_folder"
) -> tuple[tuple[str, ...], list[tuple[str, int]]]:
    """Find the classes of a folder and their files, without opening any.

    Args:
      folder: has a folder for each class; files may lie at any depth below it.
      known: the classes of training, where `folder` is to be tested on: it may lack
        some of them, and have no other.
      name: the setting that `folder` is the value of, for messages.

    Returns:
      Class names in label order (alphabetical, or `known`), and path and label of
      every file, sorted by both.

    Raises:
      UserError: there is no such folder, it has fewer than two classes (a test folder:
        none, or one that is not known), or a class without files.
    """
    place = f"{setting(name)} {folder}"
    if not folder.is_dir():
        raise UserError(f"{place}: no such folder.")
    found = sorted(p.name for p in folder.iterdir() if p.is_dir() and not _hidden(p))
    if known is not None and set(found) - set(known):
        odd = ", ".join(sorted(set(found) - set(known)))
        raise UserError(
            f"{place}: {odd}: no such class in training ({', '.join(known)})."
        )
    if known is None and len(found) < 2:
        raise UserError(
            f"{place}: {len(found)} class folder(s) found, 2 or more expected: "
            "a folder for each class, with its images."
        )
    classes = known or tuple(found)
    files: list[tuple[str, int]] = []
    for class_name in found:
        label = classes.index(class_name)
        # Sorted, because file systems list files in any order and a seed draws by
        # position.
        paths = sorted(
            str(p)
            for p in (folder / class_name).rglob("*")
            if p.is_file() and not _hidden(p)
        )
        if not paths:
            raise UserError(f"{folder / class_name}: no image in this class folder.")
        files += [(path, label) for path in paths]
    if not files:
        raise UserError(f"{place}: no class folder in it.")
    return classes, files


def _hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in _IGNORED


def read(
    files: Iterable[str], size: int, gray: bool, patches: tuple[int, ...] = ()
) -> tuple[np.ndarray, dict[str, str]]:
    """Read many images, in parallel (see `load`).

    Args:
      files: paths.
      size: side of the images that are returned, in pixels.
      gray: one channel in the place of three (RGB).
      patches: sides of the central square, see `crop_and_scale`.

    Returns:
      Images uint8 [n, size, size, channels], in the order of `files`, and of every
      unreadable file the reason; its place in the array is black.
    """
    files = list(files)
    images = np.zeros((len(files), size, size, 1 if gray else 3), np.uint8)
    bad: dict[str, str] = {}

    def one(k: int) -> None:
        try:
            images[k] = load(files[k], size, gray, patches)
        except Exception as err:  # Pillow raises many kinds for bad files
            bad[files[k]] = first_line(err)

    with ThreadPoolExecutor() as workers:
        # None: tqdm draws a bar where the output is a terminal.
        disable = None if len(files) > _SHOW_PROGRESS else True
        done = workers.map(one, range(len(files)))
        list(tqdm(done, total=len(files), desc="images", disable=disable))
    # Threads finish in any order; reasons are listed in the order of the files.
    return images, {path: bad[path] for path in files if path in bad}


def load(
    path: str | Path, size: int, gray: bool, patches: tuple[int, ...] = ()
) -> np.ndarray:
    """Read one image, cut and scaled as this module says.

    Args:
      path: of the file.
      size: side of the image that is returned, in pixels.
      gray: one channel in the place of three (RGB).
      patches: sides of the central square, see `crop_and_scale`.

    Returns:
      uint8 [size, size, channels].

    Raises:
      Exception: whatever Pillow raises for the file, in many kinds; ValueError for
        grey values that have no 8-bit counterpart (see `to_eight_bits`).
    """
    with warnings.catch_warnings():
        # Pillow only warns of an image so large that it may be an attack on memory.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path) as opened:
            image = to_eight_bits(ImageOps.exif_transpose(opened))
    return crop_and_scale(image.convert("L" if gray else "RGB"), size, patches)


def crop_and_scale(
    image: Image.Image, size: int, patches: tuple[int, ...] = ()
) -> np.ndarray:
    """Cut the central square out of an image and scale it.

    Args:
      image: of mode L or RGB.
      size: side of the result, in pixels.
      patches: sides that the square may have, in pixels. It gets the largest that the
        image has room for; without such a one it is as large as it can be.

    Returns:
      uint8 [size, size, channels].
    """
    room = min(image.size)
    side = next((p for p in sorted(patches, reverse=True) if p <= room), room)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    image = image.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(size, size, -1)


def to_eight_bits(image: Image.Image) -> Image.Image:
    """An image with 8 bits a channel and nothing transparent.

    Args:
      image: of any mode.

    Returns:
      16-bit grey values divided by 257, so that 65535 becomes 255; transparent parts
      laid on white; any other image as it is.

    Raises:
      ValueError: grey values beyond 16 bits, or in floating point, whose range cannot
        be known.
    """
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
    """The message about unreadable files.

    Args:
      bad: path and reason of each, as `read` returns them.
      resumed: whether a run that was begun with these files is to go on.

    Returns:
      How many there are and what to do, and a line for each of the first 10.
    """
    lines = [f"  {path}: {why}" for path, why in list(bad.items())[:_LISTED]]
    more = [f"  and {len(bad) - _LISTED} more"] * (len(bad) > _LISTED)
    advice = (
        "The run was begun with these; put them back."
        if resumed
        else f"Mend or remove them, or give {setting('skip_bad')} to leave them out."
    )
    return "\n".join(
        [f"{len(bad)} file(s) cannot be read as images. {advice}", *lines, *more]
    )

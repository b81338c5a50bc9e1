"""A user's images: a folder for each class, with images of the usual formats.

Every image is turned as its EXIF orientation says; transparent parts are laid on
white; palettes, CMYK and other modes become RGB or grey; 16-bit grey is divided by
257 (`image_modes`); of several pages or frames the first is taken; the central square
is scaled to the size asked for (bicubic, antialiased).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from tqdm import tqdm

from gamo_tf import stored
from gamo_tf.data import folder_rules, image_modes, mapped_rows
from gamo_tf.data.names import canonical, look_alike, quoted
from gamo_tf.errors import UserError, first_line, printable, setting

# Named one by one: of others, Pillow would start programs (PostScript) or guess.
FORMATS = (
    *("PNG", "JPEG", "JPEG2000", "GIF", "BMP", "DIB", "TIFF", "WEBP", "AVIF"),
    *("PPM", "ICO", "PCX", "TGA"),
)
# Pixels that any file may announce, and those for each of its bytes if it is large: an
# empty page of black and white has some 8,000 as PNG, photographs have fewer than 50.
_PIXELS, _DENSE = 2**23, 10_000
_MOST_BYTES = 2**29  # of the file of an image
_LISTED = 10  # files named in a complaint
# What `decoded_once` keeps, by file, size, colours and patches.
_decoded: dict[tuple, tuple[np.ndarray, bool, str]] | None = None
_SHOW_PROGRESS = 2000  # images above which a progress bar is worth its line


class Images(NamedTuple):
    """What was read of a list of files.

    Attributes:
      pixels: uint8 [n, size, size, channels], in the order of the files; black where
        a file could not be read.
      bad: of every unreadable file the reason.
      digests: [n], of the content of each file (`stored.digest`); "" where there is
        none.
      several: the files that have more pages or frames than the one that was read.
    """

    pixels: np.ndarray
    bad: dict[str, str]
    digests: list[str]
    several: list[str]


def scan(
    folder: Path, known: tuple[str, ...] | None = None, name: str = "image_folder"
) -> tuple[tuple[str, ...], list[tuple[str, int]]]:
    """Find the classes of a folder and their files, without opening any.

    Args:
      folder: has a folder for each class; files may lie at any depth below it (see
        `folder_rules`).
      known: the classes of training, where `folder` is to be tested on: it may lack
        some of them, and have no other.
      name: the setting that `folder` is the value of, for messages.

    Returns:
      Class names in label order (alphabetical and in Unicode form NFC, or `known`),
      and path and label of every file, sorted by both.

    Raises:
      UserError: there is no such folder, it has fewer than two classes (a test folder:
        none, or one that is not known), a class without files, or it is the folder
        above the one that was meant.
    """
    place = setting(name, folder)
    if not folder.is_dir():
        raise UserError(f"{place}: no such folder.")
    folder_rules.check_input(folder, name)
    # In the form in which names are kept; the folders keep that of the disk.
    on_disk = {canonical(x): x for x in folder_rules.class_folders(folder)}
    found = sorted(on_disk)
    odd = [x for x in found if x not in map(canonical, known or ())]
    folder_rules.check_level(folder, [on_disk[x] for x in odd], name)
    if known is not None and odd:
        names = ", ".join(quoted(x, (*known, *odd)) for x in odd)
        hints = "".join(f" {pair}" for pair in look_alike(odd, known))
        raise UserError(
            f"{place}: {names}: no such class in training "
            f"({', '.join(quoted(x, odd) for x in known)}).{hints}"
        )
    if known is None and len(found) < 2:
        raise UserError(
            f"{place}: {len(found)} class folder(s) found, 2 or more expected: a "
            f"folder for each class, with its images.{folder_rules.own_beside(folder)}"
        )
    classes = known or tuple(found)
    labels = {canonical(x): label for label, x in enumerate(classes)}
    files: list[tuple[str, int]] = []
    for class_name in found:
        path = folder / on_disk[class_name]
        # Sorted, because file systems list files in any order and a seed draws by
        # position.
        paths = folder_rules.files_below(path)
        if not paths:
            raise UserError(f"{path}: no image in this class folder.")
        files += [(file, labels[class_name]) for file in paths]
    if not files:
        raise UserError(f"{place}: no class folder in it.")
    return classes, files


def notes(folder: Path) -> list[str]:
    """What a person should know of a folder that `scan` accepts (a line each).

    Args:
      folder: has a folder for each class.
    """
    kinds = Image.registered_extensions().items()
    return folder_rules.notes(folder, {end for end, kind in kinds if kind in FORMATS})


def read(
    files: Iterable[str], size: int, gray: bool, patches: tuple[int, ...] = ()
) -> Images:
    """Read many images, in parallel (see `load`).

    Args:
      files: paths.
      size: side of the images that are returned, in pixels.
      gray: one channel in the place of three (RGB).
      patches: sides of the central square, see `crop_and_scale`.
    """
    files = list(files)
    pixels = mapped_rows.zeros((len(files), size, size, 1 if gray else 3))
    reasons: dict[str, str] = {}
    digests, several = [""] * len(files), [False] * len(files)

    def one(k: int) -> None:
        try:
            key = (files[k], size, gray, patches)
            if (known := (_decoded or {}).get(key)) is None:
                data = file_bytes(files[k])
                digests[k] = stored.digest(data)
                known = *_decode(data, size, gray, patches), digests[k]
                if _decoded is not None:
                    _decoded[key] = known
            pixels[k], several[k], digests[k] = known
        except Exception as err:  # Pillow raises many kinds for bad files
            why = getattr(err, "strerror", None) or first_line(err)
            reasons[files[k]] = why.removeprefix(f"{files[k]}: ")

    with warnings.catch_warnings(), ThreadPoolExecutor() as workers:
        # Of what Pillow can read in spite of small faults; too large images are
        # refused by `open_image`.
        warnings.simplefilter("ignore")
        # None: tqdm draws a bar where the output is a terminal.
        disable = None if len(files) > _SHOW_PROGRESS else True
        done = workers.map(one, range(len(files)))
        list(tqdm(done, total=len(files), desc="images", disable=disable))
    # Threads finish in any order; reasons are listed in the order of the files.
    bad = {path: reasons[path] for path in files if path in reasons}
    paged = [path for path, more in zip(files, several, strict=True) if more]
    return Images(pixels, bad, digests, paged)


@contextmanager
def decoded_once() -> Iterator[None]:
    """Within it, `read` decodes each file once and keeps the small images in memory.

    A comparison reads one folder for each of its trainings.
    """
    global _decoded
    _decoded = {}
    try:
        yield
    finally:
        _decoded = None


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
      Exception: whatever Pillow raises for the file, in many kinds; UserError for what
        is no regular file or too large; ValueError for another format and for grey
        values that have no 8-bit counterpart (see `image_modes.to_eight_bits`).
    """
    return _decode(file_bytes(path), size, gray, patches)[0]


def _decode(
    data: bytes, size: int, gray: bool, patches: tuple[int, ...]
) -> tuple[np.ndarray, bool]:
    """The first image of a file, and whether the file has more."""
    mode = "L" if gray else "RGB"
    # No copy is made where none is needed: photographs can be large.
    with open_image(data) as opened:
        more = image_modes.has_more_pages(opened)
        image_modes.fit_transparent_colour(opened)
        ImageOps.exif_transpose(opened, in_place=True)
        image = image_modes.to_eight_bits(opened)
        image = image if image.mode == mode else image.convert(mode)
        return crop_and_scale(image, size, patches), more


def file_bytes(path: str | Path) -> bytes:
    """The content of an image's file.

    Args:
      path: of the file.

    Raises:
      UserError: it is no regular file, or larger than any image that is read.
      OSError: it cannot be read.
    """
    size = stored.regular_size(Path(path))
    if size > _MOST_BYTES:
        raise UserError(f"{path}: {size} bytes; at most {_MOST_BYTES} are read.")
    return Path(path).read_bytes()


def open_image(data: bytes) -> Image.Image:
    """Open an image of one of `FORMATS`; its pixels are not decoded yet.

    Args:
      data: content of its file.

    Raises:
      ValueError: it is of no such format, or so large that it may be an attack on
        memory (`PIL.Image.MAX_IMAGE_PIXELS`; of a small file, _PIXELS).
      Exception: whatever Pillow raises for damaged files.
    """
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as err:
        raise ValueError("cannot identify the format of an image in it") from err
    # Pillow only warns here, and of a damaged header not at all.
    size, pixels = f"{image.width} x {image.height}", image.width * image.height
    if pixels > (Image.MAX_IMAGE_PIXELS or np.inf):
        raise ValueError(f"{size} pixels are too many")
    if pixels > max(_PIXELS, _DENSE * len(data)):
        raise ValueError(f"{size} pixels are too many for {len(data)} bytes")
    return image


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
    if image.size != (side, side):
        image = image.crop((left, top, left + side, top + side))
    image = image.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(size, size, -1)


def complaint(bad: dict[str, str], resumed: bool = False) -> UserError:
    """The error about unreadable files.

    Args:
      bad: path and reason of each, as `read` returns them.
      resumed: whether a run that was begun with these files is to go on.

    Returns:
      Which it is and what to do; of several how many there are, and a line for each of
      the first 10.
    """
    advice = (
        "The run was begun with these; put them back."
        if resumed
        else f"Mend or remove them, or give {setting('skip_bad')} to leave them out."
    )
    message = f"{len(bad)} file(s) cannot be read as images. {advice}"
    lines = [f"{path}: {why}" for path, why in bad.items()]
    if len(lines) == 1:
        return UserError(f"{lines[0].rstrip('.')}. {message}")
    return UserError(message, listed(lines))


def listed(lines: list[str]) -> list[str]:
    """The details of an error: the first 10 lines, and how many more there are.

    Args:
      lines: one for each file.
    """
    shown = [f"  {printable(line)}" for line in lines[:_LISTED]]
    return shown + [f"  and {len(lines) - _LISTED} more"] * (len(lines) > _LISTED)

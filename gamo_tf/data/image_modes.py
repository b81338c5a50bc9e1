"""Images of any mode become images of 8 bits a channel without transparency.

One picture gives the same array, within one level, whether its file has 1, 2, 4, 8, 12
or 16 bits a channel.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from PIL import Image

# Grey levels of a PNG of few bits: Pillow scales its pixels to 0..255, and not the
# transparent colour.
_PNG_STEPS = {"L;2": 85, "L;4": 17}
_WHITE = 255
_BITS, _PHOTOMETRIC = 258, 262  # tags of a TIFF
# Formats whose further images are pages or frames. Those of MPO and ICO are previews,
# depth maps or smaller copies.
_PAGED = ("TIFF", "GIF", "WEBP", "PNG", "AVIF")


def fit_transparent_colour(image: Image.Image) -> None:
    """Give the transparent colour of a PNG the scale that Pillow gives its pixels.

    Of 16-bit colours Pillow keeps the upper 8 bits. Colours that differ in the lower
    bits alone become transparent too.

    Args:
      image: just opened; Pillow forgets the bit depth as it loads the pixels.
    """
    key: Any = image.info.get("transparency")
    tiles = getattr(image, "tile", ())
    raw = tiles[0][3] if image.format == "PNG" and tiles else None
    if raw in _PNG_STEPS and isinstance(key, int):
        image.info["transparency"] = key * _PNG_STEPS[raw]
    elif raw == "RGB;16B" and isinstance(key, tuple):
        image.info["transparency"] = tuple(value >> 8 for value in key)


def to_eight_bits(image: Image.Image) -> Image.Image:
    """An image with 8 bits a channel and nothing transparent.

    Args:
      image: of any mode; see `fit_transparent_colour`.

    Returns:
      16-bit grey values divided by 257, so that 65535 becomes 255; transparent parts
      laid on white; any other image as it is.

    Raises:
      ValueError: grey values beyond 16 bits, or in floating point, whose range cannot
        be known.
    """
    if image.mode.startswith("I"):
        return _from_wide_grey(image)
    if image.mode == "F":
        raise ValueError("floating-point grey values: not converted")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image)
    return image


def _from_wide_grey(image: Image.Image) -> Image.Image:
    """Grey values of 12 or 16 bits in 8. Raises ValueError for values beyond."""
    wide = np.asarray(image).astype(np.float64)
    if wide.min() < 0 or wide.max() > 65535:
        raise ValueError("32-bit grey values beyond 16 bits: not converted")
    tags: Any = getattr(image, "tag_v2", {})  # of a TIFF
    most = 4095 if tuple(tags.get(_BITS, ())) == (12,) else 65535
    gray = np.rint(wide * (_WHITE / most)).astype(np.uint8)
    # Pillow inverts values of 8 bits and less by itself.
    if tags.get(_PHOTOMETRIC) == 0 and image.mode.startswith("I;16"):
        gray = _WHITE - gray
    key = image.info.get("transparency")
    if isinstance(key, int):
        gray[wide == key] = _WHITE
    return Image.fromarray(gray)


def has_more_pages(image: Image.Image) -> bool:
    """Whether a file has pages or frames behind the first one.

    Args:
      image: opened.
    """
    if image.format not in _PAGED:
        return False
    with suppress(Exception):  # a damaged second page is none
        return bool(getattr(image, "is_animated", False))
    return False

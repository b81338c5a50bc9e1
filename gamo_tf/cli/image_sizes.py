"""What training on a folder of images takes at several image sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from gamo_tf.cli.trial import Cost, measure
from gamo_tf.config import memory
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options
from gamo_tf.data import image_folder
from gamo_tf.errors import setting
from gamo_tf.files import clock

_SMALL, _LARGE = 32, 64  # pixels a side of the two trials
_SIZES = (_SMALL, _LARGE, 128, 224)  # pixels a side that people choose among
_PATIENT = 15 * 60  # seconds of a training that is a good start
_LOOKED_AT = 300  # image files whose size is read


def estimate(options: Options) -> str:
    """How long training takes at the size of the run and, of larger images, at others.

    The time of an iteration grows with the number of pixels: two trials at small sizes
    give the others.

    Args:
      options: settings of a run on a folder of images.
    """
    side, typical = options.shape[0], typical_side(Path(options.data))
    first = min(side, _LARGE)
    costs = {first: measure(_at(options, first))}
    if side == first and typical <= max(side, _SMALL):
        return in_words(options, costs[side], "Measured now on random images")
    second = _LARGE if first == _SMALL else _SMALL
    costs[second] = measure(_at(options, second))
    sizes = sorted({side, *(size for size in _SIZES if size <= typical)})
    seconds = {size: scaled(costs, size).seconds(options.iterations) for size in sizes}
    how = "Measured now on random images"
    if side not in costs:
        how = f"Estimated from trials at {min(costs)} and {max(costs)} pixels"
    each = "; ".join(f"at {size}: {clock(seconds[size])}" for size in sizes)
    start = good_start(seconds, typical)
    return (
        f"{in_words(options, scaled(costs, side), how)}\n"
        f"Your images have about {typical} pixels on the shorter side. Training would "
        f"take {each}.\nStart with {setting('image_size')} {start}. Larger images show "
        "more detail and take longer."
    )


def in_words(options: Options, cost: Cost, how: str) -> str:
    """Time and memory of a training.

    Args:
      options: settings of the run.
      cost: of it.
      how: where the cost comes from.
    """
    n = options.iterations
    return (
        f"{METHODS[options.method].name}: about {clock(cost.seconds(n))} for {n} "
        f"iterations ({cost.iteration * 1e3:.1f} ms each, {cost.epochs(n)} epochs), "
        f"without evaluations and pictures; {cost.mebibytes:.0f} MiB of memory at "
        f"most. {how}.\nOf that {memory.needs(options)}."
    )


def typical_side(folder: Path) -> int:
    """The median of the shorter sides of a folder's images, in pixels.

    Args:
      folder: has a folder for each class. The headers of some of its files are read.

    Returns:
      0 where no file can be read.
    """
    _, files = image_folder.scan(folder)
    step = -(-len(files) // _LOOKED_AT)
    sides = []
    for path, _ in files[::step]:
        try:
            with Image.open(path, formats=image_folder.FORMATS) as image:
                sides.append(min(image.size))
        except Exception:  # Pillow raises many kinds; such files are told elsewhere
            continue
    return int(np.median(sides)) if sides else 0


def scaled(costs: Mapping[int, Cost], size: int) -> Cost:
    """The cost at a size: measured, or on the line through two measured ones.

    Args:
      costs: two measurements, by pixels a side.
      size: pixels a side.
    """
    if size in costs:
        return costs[size]
    small, large = costs[min(costs)], costs[max(costs)]
    share = (size**2 - min(costs) ** 2) / (max(costs) ** 2 - min(costs) ** 2)

    def along(one: float, other: float) -> float:
        return one + max(other - one, 0.0) * share

    return large._replace(
        iteration=along(small.iteration, large.iteration),
        epoch=along(small.epoch, large.epoch),
        mebibytes=along(small.mebibytes, large.mebibytes),
    )


def good_start(seconds: Mapping[int, float], typical: int) -> int:
    """The largest size that shows no more than the images have and trains soon.

    Args:
      seconds: of a training, by pixels a side.
      typical: side of the images, in pixels.
    """
    sizes = [size for size in seconds if size <= max(typical, _SMALL)]
    soon = [size for size in sizes if seconds[size] <= _PATIENT]
    return max(soon, default=min(sizes, default=min(seconds)))


def _at(options: Options, size: int) -> Options:
    return replace(options, shape=(size, size, options.shape[2]))

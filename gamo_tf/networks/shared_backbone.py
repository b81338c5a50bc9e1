"""One copy of a frozen pretrained network for all trainings of a process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import keras

from gamo_tf.networks.backbones import load_backbone, sha256


def backbone(
    name: str,
    weights: str,
    shape: tuple[int, int, int],
    side: int,
    seed: int,
    learns: bool,
) -> tuple[keras.Model, str]:
    """A pretrained network and the SHA-256 of its weights.

    Args:
      name: a row of `BACKBONES`, or a ``.keras`` file.
      weights: as `load_backbone` takes them.
      shape: (height, width, channels) of the images.
      side: height and width in pixels that the network gets.
      seed: of random weights.
      learns: whether its weights may change. One that is frozen is shared.

    Raises:
      UserError: as `load_backbone`.
    """
    load = _fresh if learns else _frozen
    seed = seed if weights == "none" else 0
    return load(name, weights, shape, side, seed, (_stamp(name), _stamp(weights)))


def _stamp(name: str) -> tuple[int, ...]:
    """What changes where a file is written again; () for what is no file."""
    path = Path(name)
    if not path.is_file():
        return ()
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _fresh(
    name: str,
    weights: str,
    shape: tuple[int, int, int],
    side: int,
    seed: int,
    stamps: tuple[tuple[int, ...], ...],
) -> tuple[keras.Model, str]:
    if weights == "none":
        keras.utils.set_random_seed(seed)
    F = load_backbone(name, weights, shape=shape, side=side)
    return F, sha256(F)


_frozen = lru_cache(maxsize=1)(_fresh)

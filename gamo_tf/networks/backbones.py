"""Pretrained feature extractors F: of ``keras.applications``, and of a user's file.

Every F here is one flat functional model of Keras layers alone, so that the graph can
be cut and Keras loads a saved F without this package.
"""

from __future__ import annotations

import hashlib
import math
import os
import warnings
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np
from keras import layers
from keras.src.backend.config import keras_home

from gamo_tf.config.backbones import BACKBONES, WEIGHTS, Backbone, check_name
from gamo_tf.errors import UserError, first_line
from gamo_tf.networks.graphs import calmed, cut, last_map, mebibytes, replayed
from gamo_tf.networks.saved import load_checked
from gamo_tf.stored import reading, regular_size

__all__ = ["cut", "last_map", "load_backbone", "mebibytes", "scaled", "sha256"]


def load_backbone(
    name: str,
    weights: str = "imagenet",
    *,
    shape: tuple[int, int, int],
    side: int = 0,
) -> keras.Model:
    """F: images 0 to 255 [b, h, w, c] -> features float32 [b, d].

    F resizes images inside where their size is another. It repeats a grey image to
    three channels where the network takes colours.

    Args:
      name: a row of `BACKBONES` with a `build`, or a ``.keras`` file.
      weights: "imagenet" (of a file: its own weights), "none" (random weights), or a
        ``.weights.h5`` or ``.keras`` file with the weights of the same network.
      shape: (height, width, channels) of the images.
      side: height and width in pixels that F resizes images to. 0: the row's; for a
        file, those of its input, or of the images where it takes any size.

    Raises:
      UserError: the network or its weights cannot be had, do not fit the images, or
        need code that Keras does not have.
    """
    check_name(name)
    copied = weights != "none"
    row = BACKBONES.get(name)
    if row is None:
        with reading(Path(name)):
            network = load_checked(Path(name))
            _check_ends(network)
            size = _size(network, shape, side)
            F = _around(name, network, shape, size, copied)
    elif row.pretrained:
        size = (side or row.side,) * 2
        if min(size) < row.least_side:
            raise UserError(
                f"{name}: takes images of {row.least_side} pixels a side or more; "
                f"got {side}."
            )
        F = _around(name, _built(row, weights, size), shape, size, copied)
    else:
        raise UserError(f"{name}: no pretrained network.")
    if weights not in WEIGHTS:
        _load_weights(F, name, Path(weights))
    return F


def _built(row: Backbone, weights: str, size: tuple[int, int]) -> keras.Model:
    """The network of a row, without its classifier."""
    build = getattr(keras.applications, row.build)
    pretrained = weights == "imagenet"
    try:
        with warnings.catch_warnings():  # of sizes that it was not trained on
            warnings.simplefilter("ignore")
            return build(
                include_top=False,
                weights="imagenet" if pretrained else None,
                input_shape=(*size, 3),
                pooling=None,
                include_preprocessing=True,
            )
    except Exception as err:  # Keras raises Exception itself for a failed download
        if not pretrained:
            raise
        file = row.source.rpartition("/")[2]
        raise UserError(
            f"{row.name}: cannot get {file} ({first_line(err)}). Put the file "
            f"from {row.source} into {_cache()}."
        ) from err


def _cache() -> Path:
    """The folder in which `keras.utils.get_file` looks for a row's weights."""
    home = Path(keras_home()).expanduser()
    return (home if os.access(home, os.W_OK) else Path("/tmp/.keras")) / "models"


def _check_ends(network: Any) -> None:
    """Raise `UserError` where a file's network is no F, whatever the images are."""
    if not isinstance(network, keras.Model) or not getattr(network, "inputs", None):
        raise UserError("no functional model: its layers have no known graph.")
    for word, ends in (("inputs", network.inputs), ("outputs", network.outputs)):
        if len(ends) != 1:
            raise UserError(f"has {len(ends)} {word}; a feature extractor has one.")
    given, made = network.inputs[0].shape, network.outputs[0].shape
    if len(given) != 4 or given[3] not in (1, 3):
        raise UserError(
            f"its input {_text(given)} is no image of 1 or 3 channels [h, w, c]."
        )
    if len(made) not in (2, 4) or made[-1] is None:
        raise UserError(
            f"its output {_text(made)} is neither a vector [d] nor a map [h, w, d]."
        )


def _text(shape: tuple[int | None, ...]) -> str:
    return f"[{', '.join('any' if n is None else str(n) for n in shape[1:])}]"


def _size(
    network: keras.Model, shape: tuple[int, int, int], side: int
) -> tuple[int, int]:
    """(height, width) in pixels that a file's network gets."""
    _, height, width, _ = network.inputs[0].shape
    return (side, side) if side else (height or shape[0], width or shape[1])


def _around(
    name: str,
    network: keras.Model,
    shape: tuple[int, int, int],
    size: tuple[int, int],
    copy_weights: bool,
) -> keras.Model:
    """F of a network: what its images need before it, and pooling behind it."""
    channels = network.inputs[0].shape[3]
    if shape[2] not in (1, channels):
        raise UserError(
            f"{name}: takes images of {channels} "
            f"channel{'s' * (channels > 1)}; these have {shape[2]}."
        )
    names = {"image", "resize", "repeat", "average", "single", "unit"}
    image = x = keras.Input(shape, name="image")
    if tuple(shape[:2]) != size:
        smaller = size[0] < shape[0] or size[1] < shape[1]
        resize = layers.Resizing(
            *size, interpolation="bicubic", antialias=smaller, name="resize"
        )
        x = calmed(resize)(x)
    if shape[2] != channels:
        x = layers.Concatenate(name="repeat")([x] * channels)
    pairs: dict[int, tuple[Any, Any]] = {}
    try:
        x = keras.tree.flatten(replayed(network, x, pairs, names))[0]
        if len(x.shape) == 4 and not all(x.shape[1:]):
            raise ValueError(f"the last map is {_text(x.shape)}")
        for old, new in pairs.values() if copy_weights else ():
            if isinstance(old, keras.Layer) and old.weights:
                new.set_weights(old.get_weights())
                if isinstance(new, layers.Normalization):
                    new.finalize_state()
    except ValueError as err:
        own = network.inputs[0].shape[1:3]
        advice = f" Its own size is {own[0]} x {own[1]}." if all(own) else ""
        raise UserError(
            f"{name}: does not fit images of {size[0]} x {size[1]} pixels "
            f"({first_line(err).rstrip('.')}).{advice}"
        ) from err
    if len(x.shape) == 4:
        x = layers.GlobalAveragePooling2D(name="average")(x)
    if x.dtype != "float32":
        x = layers.Activation("linear", dtype="float32", name="single")(x)
    return keras.Model(image, x, name="F")


def _load_weights(F: keras.Model, name: str, path: Path) -> None:
    """Give F the weights of a file, which has them for the same network."""
    expected = [tuple(w.shape) for w in F.weights]
    with reading(path):
        if path.name.endswith(".weights.h5"):
            regular_size(path)
            got = _shapes(path)
            if fits := sorted(got) == sorted(expected):
                try:
                    F.load_weights(path)
                except ValueError:  # the same arrays in other layers
                    fits = False
        elif path.suffix == ".keras":
            other = load_checked(path)
            got = [tuple(w.shape) for w in other.weights]
            if fits := got == expected:
                F.set_weights(other.get_weights())
        else:
            raise UserError(
                "no such weights. Give imagenet, none, or a .weights.h5 or .keras file."
            )
        if not fits:
            raise UserError(
                f"not the weights of {name}: expected {_amount(expected)}, "
                f"got {_amount(got)}."
            )


def _shapes(path: Path) -> list[tuple[int, ...]]:
    """The shapes of the weights in a ``.weights.h5`` file, in no order."""
    shapes = []

    def visit(place: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and "seed_generator" not in place:
            shapes.append(item.shape)

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return shapes


def _amount(shapes: list[tuple[int, ...]]) -> str:
    return f"{sum(map(math.prod, shapes)):,} weights in {len(shapes)} arrays"


def sha256(network: keras.Model) -> str:
    """The SHA-256 of all weights, as a hex digest: shapes, types and bytes in order.

    Args:
      network: any model.
    """
    digest = hashlib.sha256()
    for values in network.get_weights():
        digest.update(f"{values.shape} {values.dtype}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def scaled(F: keras.Model, rms: float) -> keras.Model:
    """F with features divided by a number. The layers are shared.

    Args:
      F: of `load_backbone`.
      rms: the root mean square of its features, which becomes 1.
    """
    unit = layers.Rescaling(1 / rms, name="unit")
    return keras.Model(F.inputs[0], unit(F.outputs[0]), name="F")

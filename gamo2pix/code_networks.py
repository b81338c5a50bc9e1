"""The networks of the recipe with a spatial code, and of its critic."""

from __future__ import annotations

import math
from typing import NamedTuple

import keras
from keras import layers

_HIDDEN = 256
_WIDTH = 32  # filters of the decoder's first map; each doubling has half, at least
_LEAST = 24  # so many
_CRITIC = ((48, 2), (96, 2), (96, 1))  # filters and strides
_SLOPE = 0.2
# Of the spatial code, which F's map decides: hardly any noise is left on it.
_CERTAIN = -10.0


class CodeShape(NamedTuple):
    """The parts of a code: a feature, and the last map of F behind it.

    Attributes:
      features: width d of the feature.
      place: (height, width, channels) of the map.
    """

    features: int
    place: tuple[int, int, int]

    @property
    def width(self) -> int:
        """Numbers of a code."""
        return self.features + math.prod(self.place)


def head(code: CodeShape, latent: int, channels: int) -> keras.Model:
    """Codes to q(z|x): a part for the feature and a spatial one.

    Args:
      code: what a code is made of.
      latent: width l of the part of the feature.
      channels: s of the spatial code.

    Returns:
      A model from codes, float32 [b, code.width], to the mean and the log-variance of
      z, both float32 [b, l + h w s].
    """
    x = keras.Input((code.width,), name="code")
    feature, place = _parts(x, code.features, code.place)
    hidden = layers.Dense(_HIDDEN, activation="relu", name="hidden")(feature)
    mean = layers.Dense(latent, name="mean")(hidden)
    log_variance = layers.Dense(latent, name="log_variance")(hidden)
    spatial = layers.Conv2D(channels, 1, name="spatial")(place)
    spatial = layers.Flatten(name="spatial_code")(spatial)
    certain = layers.Rescaling(0.0, offset=_CERTAIN, name="certain")(spatial)
    return keras.Model(
        x,
        [
            layers.Concatenate(name="means")([mean, spatial]),
            layers.Concatenate(name="log_variances")([log_variance, certain]),
        ],
        name="head",
    )


def decoder(
    latent: int, place: tuple[int, int, int], shape: tuple[int, ...]
) -> keras.Model:
    """z to an image: residual blocks, each but the first after a doubling of the map.

    Maps are doubled by repeating pixels, which leaves no checkerboard (Odena et al.,
    Distill 2016). Where a side is no multiple, the map is larger than the image and is
    cropped at its end.

    Args:
      latent: width l of the part of the feature.
      place: (height, width, channels) of the spatial code.
      shape: (height, width, channels) of an image.

    Returns:
      A model from z, float32 [b, l + h w s], to pixels of 0 to 255, float32.
    """
    rows, columns, _ = place
    z = keras.Input((latent + math.prod(place),), name="z")
    feature, spatial = _parts(z, latent, place)
    x = layers.Dense(rows * columns * _WIDTH, name="dense")(feature)
    x = layers.Reshape((rows, columns, _WIDTH), name="map")(x)
    x = layers.Concatenate(name="both")([x, spatial])
    filters = _WIDTH
    x = _residual(x, filters, "block")
    doublings = 0
    while min(rows * 2**doublings / shape[0], columns * 2**doublings / shape[1]) < 1:
        doublings += 1
        filters = max(filters // 2, _LEAST)
        x = layers.UpSampling2D(2, name=f"double{doublings}")(x)
        x = _residual(x, filters, f"block{doublings}")
    x = layers.LeakyReLU(negative_slope=_SLOPE, name="last")(x)
    surplus = (rows * 2**doublings - shape[0], columns * 2**doublings - shape[1])
    if any(surplus):
        x = layers.Cropping2D(((0, surplus[0]), (0, surplus[1])), name="crop")(x)
    x = layers.Conv2D(shape[2], 3, padding="same", activation="sigmoid", name="share")(
        x
    )
    return keras.Model(z, layers.Rescaling(255.0, name="pixels")(x), name="decoder")


def critic(shape: tuple[int, ...], classes: int) -> keras.Model:
    """How real the parts of an image look, for an image of its class.

    Three convolutions see parts of 22 pixels; the class is compared with what they see
    (the projection of Miyato & Koyama, ICLR 2018).

    Args:
      shape: (height, width, channels) of an image.
      classes: c.

    Returns:
      A model from images [b, h, w, c] in 0 to 1 and one-hot classes [b, classes] to
      scores [b, p], one for each part; above 0 is real.
    """
    image = keras.Input(shape, name="image")
    one_hot = keras.Input((classes,), name="one_hot")
    x = layers.Rescaling(2.0, offset=-1.0, name="scale")(image)
    for k, (filters, stride) in enumerate(_CRITIC):
        x = layers.Conv2D(filters, 4, strides=stride, padding="same", name=f"conv{k}")(
            x
        )
        x = layers.LeakyReLU(negative_slope=_SLOPE, name=f"leaky{k}")(x)
    wanted = layers.Dense(filters, use_bias=False, name="class")(one_hot)
    parts = layers.Reshape((-1, filters), name="parts")(x)
    alike = layers.Dot((2, 1), name="alike")([parts, wanted])
    real = layers.Flatten(name="real")(layers.Dense(1, name="score")(parts))
    return keras.Model([image, one_hot], layers.Add()([alike, real]), name="critic")


def _parts(
    x: keras.KerasTensor, first: int, place: tuple[int, int, int]
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The first numbers of rows [b, d], and the others as a map."""
    size = math.prod(place)
    line = layers.Reshape((first + size, 1))(x)
    feature = layers.Flatten()(layers.Cropping1D((0, size))(line))
    return feature, layers.Reshape(place)(layers.Cropping1D((first, 0))(line))


def _residual(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Two convolutions beside the identity (He et al., ECCV 2016)."""
    y = x
    for k in range(2):
        y = layers.LeakyReLU(negative_slope=_SLOPE, name=f"{name}_leaky{k}")(y)
        y = layers.Conv2D(filters, 3, padding="same", name=f"{name}_conv{k}")(y)
    if x.shape[-1] != filters:
        x = layers.Conv2D(filters, 1, name=f"{name}_match")(x)
    return layers.Add(name=f"{name}_add")([x, y])

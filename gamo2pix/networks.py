"""The VAE around a frozen F (paper, Section 5, Fig. 5a), as functional models."""

from __future__ import annotations

import math

import keras
from keras import layers

_HIDDEN = 256
_FILTERS = (64, 32, 16)  # of the first map and after each doubling
_KERNEL = 4  # a multiple of the stride: no checkerboard (Odena et al., 2016)
_SMALLEST = 8  # largest side of the map that the doublings start from


def head(features: int, latent: int) -> keras.Model:
    """Features [b, d] -> mean and log-variance of q(z|x), both [b, l]."""
    x = keras.Input((features,), name="feature")
    h = layers.Dense(_HIDDEN, activation="relu", name="hidden")(x)
    mean = layers.Dense(latent, name="mean")(h)
    log_variance = layers.Dense(latent, name="log_variance")(h)
    return keras.Model(x, [mean, log_variance], name="head")


def decoder(latent: int, shape: tuple[int, int, int]) -> keras.Model:
    """z [b, l] -> pixels 0-255 [b, h, w, c].

    A dense layer to a small map, then a transposed convolution of stride 2 for
    each doubling (8x8: one; 28x28 and 32x32: two; 64x64: three), and a
    convolution to the image. Sides that are no multiple are cropped.
    """
    height, width, channels = shape
    doublings = max(1, math.ceil(math.log2(max(height, width) / _SMALLEST)))
    rows, columns = (math.ceil(side / 2**doublings) for side in (height, width))
    z = keras.Input((latent,), name="z")
    x = layers.Dense(rows * columns * _FILTERS[0], activation="relu", name="dense")(z)
    x = layers.Reshape((rows, columns, _FILTERS[0]), name="map")(x)
    for k in range(doublings):
        x = layers.Conv2DTranspose(
            _FILTERS[min(k + 1, len(_FILTERS) - 1)],
            _KERNEL,
            strides=2,
            padding="same",
            activation="relu",
            name=f"double{k}",
        )(x)
    extra = (rows * 2**doublings - height, columns * 2**doublings - width)
    if any(extra):
        x = layers.Cropping2D(((0, extra[0]), (0, extra[1])), name="crop")(x)
    x = layers.Conv2D(channels, 3, padding="same", activation="sigmoid", name="share")(
        x
    )
    return keras.Model(z, layers.Rescaling(255.0, name="pixels")(x), name="decoder")

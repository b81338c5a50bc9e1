"""The networks of the VAE around a frozen F (paper, Section 5, Fig. 5a)."""

from __future__ import annotations

import math

import keras
from keras import layers

_HIDDEN = 256
_FILTERS = (64, 32, 16)  # of the first map and after each doubling
# The kernel's side is a multiple of the stride of 2, so that every pixel gets as many
# contributions as its neighbour: no checkerboard (Odena et al., Distill 2016).
_KERNEL = 4
_SMALLEST = 8  # largest side of the map that the doublings start from


def head(features: int, latent: int) -> keras.Model:
    """The encoder's last layers: features F(x) to q(z|x).

    Args:
      features: width d of F's output.
      latent: width l of z.

    Returns:
      A model from features, float32 [b, d], to the mean and the log-variance of
      q(z|x), both float32 [b, l].
    """
    x = keras.Input((features,), name="feature")
    hidden = layers.Dense(_HIDDEN, activation="relu", name="hidden")(x)
    mean = layers.Dense(latent, name="mean")(hidden)
    log_variance = layers.Dense(latent, name="log_variance")(hidden)
    return keras.Model(x, [mean, log_variance], name="head")


def decoder(latent: int, shape: tuple[int, ...]) -> keras.Model:
    """The decoder: z to an image.

    A dense layer gives a map of at most 8x8, a transposed convolution of stride 2
    doubles it as often as the image needs (8x8: once; 28x28 and 32x32: twice; 64x64:
    three times), and a convolution makes the channels. Where a side is no multiple,
    the map is larger than the image and is cropped at its end.

    Args:
      latent: width l of z.
      shape: (height, width, channels) of an image.

    Returns:
      A model from z, float32 [b, l], to pixels of 0 to 255, float32 [b, h, w, c].
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
    surplus = (rows * 2**doublings - height, columns * 2**doublings - width)
    if any(surplus):
        x = layers.Cropping2D(((0, surplus[0]), (0, surplus[1])), name="crop")(x)
    x = layers.Conv2D(channels, 3, padding="same", activation="sigmoid", name="share")(
        x
    )
    return keras.Model(z, layers.Rescaling(255.0, name="pixels")(x), name="decoder")

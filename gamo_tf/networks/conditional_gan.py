"""Generators that are free to make any point, and the pairs G, D of cGAN and cDCGAN.

`free_generator` is also cG of the paper's ablation (Section 4.1), a player of the game.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.networks.discriminator import discriminator


def free_generator(latent: int, features: int, classes: int) -> keras.Model:
    """cG: latents z [b, l] and one-hot class [b, c] -> features [b, d].

    The hidden layers are those of cTMU, widened; the output is tanh, as F's features
    and flat pixels are.

    Args:
      latent: l.
      features: d.
      classes: c.
    """
    z = keras.Input((latent,), name="z")
    label = keras.Input((classes,), name="one_hot")
    x = layers.Concatenate(name="condition")([z, label])
    for k, width in enumerate((256, 512)):
        x = layers.Dense(width, activation="relu", name=f"dense{k}")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"norm{k}")(x)
    x = layers.Dense(features, activation="tanh", name="sample")(x)
    return keras.Model([z, label], x, name="G")


def dense(spec: DatasetSpec, latent: int) -> tuple[keras.Model, keras.Model]:
    """cGAN (Mirza & Osindero, 2014) on flattened images.

    Args:
      spec: of an image dataset.
      latent: width l of the latents.

    Returns:
      G: z [b, l], one-hot [b, c] -> pixels [b, h * w * channels] in [-1, 1]; and
      D: such pixels, one-hot -> P(real) [b, 1]. Both have the size of the game's own.
    """
    pixels, c = int(np.prod(spec.shape)), len(spec.classes)
    return free_generator(latent, pixels, c), discriminator(pixels, c)


def convolutional(spec: DatasetSpec, latent: int) -> tuple[keras.Model, keras.Model]:
    """cDCGAN: DCGAN (Radford et al., ICLR 2016) that is told the class.

    The one-hot class is joined to z and, as constant planes, to the image that D sees.
    Pixels are flat at the interface, as those of `dense` are.

    Args:
      spec: of an image dataset of any size.
      latent: width l of the latents.

    Returns:
      G and D with the inputs and outputs of `dense`.
    """
    start = keras.initializers.RandomNormal(stddev=0.02)
    return _transposed(spec, latent, start), _convolutions(spec, start)


def _transposed(
    spec: DatasetSpec, latent: int, start: keras.initializers.Initializer
) -> keras.Model:
    height, width, channels = spec.shape
    # Two strides of 2 give a multiple of 4, which is cropped to the image.
    rows, columns = -(-height // 4), -(-width // 4)
    z = keras.Input((latent,), name="z")
    label = keras.Input((len(spec.classes),), name="one_hot")
    x = layers.Concatenate(name="condition")([z, label])
    x = layers.Dense(rows * columns * 128, kernel_initializer=start)(x)
    x = layers.Reshape((rows, columns, 128))(layers.ReLU()(_norm(x)))
    x = layers.Conv2DTranspose(
        64, 4, strides=2, padding="same", kernel_initializer=start
    )(x)
    x = layers.ReLU()(_norm(x))
    x = layers.Conv2DTranspose(
        channels,
        4,
        strides=2,
        padding="same",
        activation="tanh",
        kernel_initializer=start,
    )(x)
    x = layers.Cropping2D(((0, rows * 4 - height), (0, columns * 4 - width)))(x)
    return keras.Model([z, label], layers.Flatten(name="sample")(x), name="G")


def _convolutions(
    spec: DatasetSpec, start: keras.initializers.Initializer
) -> keras.Model:
    height, width, _ = spec.shape
    c, pixels = len(spec.classes), int(np.prod(spec.shape))
    flat, label = keras.Input((pixels,), name="x"), keras.Input((c,), name="one_hot")
    planes = layers.Reshape((1, 1, c))(label)
    planes = layers.UpSampling2D((height, width))(planes)
    x = layers.Concatenate()([layers.Reshape(spec.shape)(flat), planes])
    for k, filters in enumerate((64, 128)):
        x = layers.Conv2D(
            filters, 4, strides=2, padding="same", kernel_initializer=start
        )(x)
        x = layers.LeakyReLU(negative_slope=0.2)(_norm(x) if k else x)
    y = layers.Dense(1, activation="sigmoid")(layers.Flatten()(x))
    return keras.Model([flat, label], y, name="D")


def _norm(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.BatchNormalization(momentum=0.9)(x)

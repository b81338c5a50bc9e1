"""F, M and D as Keras functional models. Sizes: `docs/method.md`, "Networks"."""

from __future__ import annotations

import keras
from keras import layers

from gamo_tf.specs import DatasetSpec

FEATURES = 512  # width of F's last layer in the authors' convolutional program
_HIDDEN = (256, 128)  # hidden widths of M and of D


def _dense_block(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    for k, width in enumerate(_HIDDEN):
        x = layers.Dense(width, name=f"{name}_dense{k}")(x)
        x = layers.LeakyReLU(negative_slope=0.1, name=f"{name}_leaky{k}")(x)
    return x


def feature_extractor(spec: DatasetSpec) -> keras.Model:
    """F: pixels 0-255 [b, h, w, c] -> features [b, d].

    Pixels are scaled to [-1, 1] inside, so that an exported F takes images as
    they are. Flat sets: d = h * w * c and F has nothing to learn (the note of
    Algorithm 1). Else 5x5 convolution blocks, then 512 tanh units.
    """
    image = keras.Input(spec.shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(image)
    for k, filters in enumerate(spec.conv):
        x = layers.Conv2D(filters, 5, padding="same", name=f"conv{k}")(x)
        x = layers.LeakyReLU(negative_slope=0.1, name=f"conv_leaky{k}")(x)
        x = layers.AveragePooling2D(2, padding="same", name=f"pool{k}")(x)
    x = layers.Flatten(name="flatten")(x)
    if not spec.flat:
        x = layers.Dense(FEATURES, activation="tanh", name="features")(x)
    return keras.Model(image, x, name="F")


def classifier(features: int, classes: int) -> keras.Model:
    """M: features [b, d] -> class probabilities [b, c]."""
    x = keras.Input((features,), name="feature")
    y = layers.Dense(classes, activation="softmax", name="class")(_dense_block(x, "M"))
    return keras.Model(x, y, name="M")


def discriminator(features: int, classes: int) -> keras.Model:
    """D(x|i): features [b, d] and one-hot class [b, c] -> P(real) [b, 1]."""
    x = keras.Input((features,), name="feature")
    label = keras.Input((classes,), name="one_hot")
    joined = layers.Concatenate(name="condition")([x, label])
    y = layers.Dense(1, activation="sigmoid", name="real")(_dense_block(joined, "D"))
    return keras.Model([x, label], y, name="D")

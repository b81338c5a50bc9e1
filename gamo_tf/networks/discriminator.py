"""D, the discriminator that is told the class. Sizes: `docs/method.md`, "Networks"."""

from __future__ import annotations

import keras
from keras import layers

from gamo_tf.networks.classifier import dense_block


def discriminator(features: int, classes: int) -> keras.Model:
    """D(x|i): features [b, d] and one-hot class [b, c] -> P(x is real) [b, 1].

    Args:
      features: d.
      classes: c.
    """
    x = keras.Input((features,), name="feature")
    label = keras.Input((classes,), name="one_hot")
    joined = layers.Concatenate(name="condition")([x, label])
    y = layers.Dense(1, activation="sigmoid", name="real")(dense_block(joined, "D"))
    return keras.Model([x, label], y, name="D")

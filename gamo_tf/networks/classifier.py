"""M, the classifier over features, and the layers that some methods give it.

Layer sizes: `docs/method.md`, "Networks".
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from gamo_tf.config.class_counts import ClassCounts

_HIDDEN = (256, 128)  # hidden widths of M and of D in the authors' program


def dense_block(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """The hidden layers that M and D share: dense layers with leaky ReLU.

    Args:
      x: [b, d].
      name: what the names of the layers begin with.

    Returns:
      [b, 128].
    """
    for k, width in enumerate(_HIDDEN):
        x = layers.Dense(width, name=f"{name}_dense{k}")(x)
        x = layers.LeakyReLU(negative_slope=0.1, name=f"{name}_leaky{k}")(x)
    return x


def classifier(features: int, classes: int, scale: float = 0.0) -> keras.Model:
    """M: features [b, d] -> class probabilities [b, c].

    Args:
      features: d.
      classes: c.
      scale: above 0 makes the last layer a `Cosine` of that scale, as LDAM needs it.
    """
    x = keras.Input((features,), name="feature")
    h = dense_block(x, "M")
    if scale:
        y = layers.Softmax(name="class")(Cosine(classes, scale, name="cosine")(h))
    else:
        y = layers.Dense(classes, activation="softmax", name="class")(h)
    return keras.Model(x, y, name="M")


@keras.saving.register_keras_serializable("gamo")
class Cosine(layers.Layer):
    """The scaled cosine between the input and one direction per class.

    ``scale * cos(x, w_j)``: [b, d] -> [b, units]. It is the normalised last layer of
    LDAM (Cao et al., NeurIPS 2019).

    Args:
      units: classes c.
      scale: s, what the cosine is multiplied by.
    """

    def __init__(self, units: int, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.scale = units, scale

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units),
            initializer="glorot_uniform",
            name="kernel",
        )

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return self.scale * (ops.normalize(x, 1) @ ops.normalize(self.kernel, 0))

    def get_config(self) -> dict:
        return {**super().get_config(), "units": self.units, "scale": self.scale}


@keras.saving.register_keras_serializable("gamo")
class DividePrior(layers.Layer):
    """Class probabilities [b, c] divided by the prior of each class, and renormalised.

    This is logit adjustment after training (Menon et al., ICLR 2021, Eq. 9 with
    tau 1): the largest of logit_y - log prior_y wins.

    Args:
      prior: share of each class in the training set, in label order.
    """

    def __init__(self, prior: list[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.prior = [float(p) for p in prior]

    def call(self, p: keras.KerasTensor) -> keras.KerasTensor:
        odds = p / np.asarray(self.prior, np.float32)
        return odds / ops.sum(odds, axis=1, keepdims=True)

    def get_config(self) -> dict:
        return {**super().get_config(), "prior": self.prior}


def divide_prior(M: keras.Model, counts: ClassCounts) -> keras.Model:
    """M followed by `DividePrior` of the class sizes. It shares the weights of M.

    Args:
      M: features [b, d] -> probabilities [b, c].
      counts: the training set that M learned from.
    """
    y = DividePrior(list(counts.prior), name="divide_prior")(M.output)
    return keras.Model(M.input, y, name="M")

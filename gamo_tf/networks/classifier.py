"""M, the classifier over features, and the layers that some methods give it.

Layer sizes: `docs/method.md`, "Networks".
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.errors import UserError

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


def classifier(
    features: int, classes: int, scale: float = 0.0, head: str = "mlp"
) -> keras.Model:
    """M: features [b, d] -> class probabilities [b, c].

    Args:
      features: d.
      classes: c.
      scale: above 0 makes the last layer a `Cosine` of that scale, as LDAM needs it.
      head: "mlp" has the authors' hidden layers, "linear" has none.
    """
    x = keras.Input((features,), name="feature")
    h = x if head == "linear" else dense_block(x, "M")
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
    """Class probabilities [b, c] divided by a power of each class's prior, and
    renormalised.

    This is logit adjustment after training (Menon et al., ICLR 2021, Eq. 9): the
    largest of logit_y - tau log prior_y wins.

    Args:
      prior: share of each class in the training set to the power of tau, in label
        order.
    """

    def __init__(self, prior: list[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.prior = [float(p) for p in prior]

    def call(self, p: keras.KerasTensor) -> keras.KerasTensor:
        odds = p / np.asarray(self.prior, np.float32)
        return odds / ops.sum(odds, axis=1, keepdims=True)

    def get_config(self) -> dict:
        return {**super().get_config(), "prior": self.prior}


def divide_prior(M: keras.Model, counts: ClassCounts, tau: float) -> keras.Model:
    """M followed by `DividePrior` of the class sizes. It shares the weights of M.

    Args:
      M: features [b, d] -> probabilities [b, c].
      counts: the training set that M learned from.
      tau: strength of the adjustment.
    """
    prior = np.asarray(counts.prior) ** tau
    y = DividePrior(prior.tolist(), name="divide_prior")(M.output)
    return keras.Model(M.input, y, name="M")


@keras.saving.register_keras_serializable("gamo")
class TauNormalised(layers.Layer):
    """A softmax over directions whose lengths are evened out, without bias.

    ``softmax(x . w_j / |w_j|^tau)``: [b, d] -> [b, units]. It is tau-normalisation of
    a trained last layer (Kang et al., ICLR 2020, Eq. 5): classes of many rows have
    longer w_j.

    Args:
      units: classes c.
      tau: 0 keeps the lengths, 1 makes them all 1.
      dense: the trained layer; None: one of its own.
    """

    def __init__(
        self, units: int, tau: float, dense: layers.Dense | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.tau = units, tau
        self.dense = dense or layers.Dense(units, name="dense")

    def build(self, input_shape: tuple) -> None:
        if not self.dense.built:
            self.dense.build(input_shape)
        super().build(input_shape)

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        kernel = self.dense.kernel
        return ops.softmax(x @ (kernel / ops.norm(kernel, axis=0) ** self.tau))

    def get_config(self) -> dict:
        return {**super().get_config(), "units": self.units, "tau": self.tau}


def tau_normalise(M: keras.Model, counts: ClassCounts, tau: float) -> keras.Model:
    """M with a `TauNormalised` last layer, which shares the weights of M.

    Args:
      M: features [b, d] -> probabilities [b, c].
      counts: the training set, of which the number of classes counts.
      tau: of the layer.

    Raises:
      UserError: for an M of the user's whose last layer is of another kind.
    """
    last = M.layers[-1]
    if not isinstance(last, layers.Dense):
        raise UserError("tau-norm: the last layer of M is no Dense layer.")
    layer = TauNormalised(len(counts), tau, last, name="tau_normalised")
    return keras.Model(M.input, layer(last.input), name="M")

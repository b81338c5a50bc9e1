"""F, M and D as Keras functional models. Sizes: `docs/method.md`, "Networks"."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

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
    if spec.vector:
        raise ValueError("feature_extractor: of vectors, see `standardiser`.")
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


def standardiser(vectors: np.ndarray) -> keras.Model:
    """F for vectors [n, d]: what makes each column's mean 0 and variance 1 there.

    A column of one value only is left at 0.
    """
    mean, variance = vectors.mean(0, np.float64), vectors.var(0, dtype=np.float64)
    variance = np.where(variance > 0, variance, 1.0)
    x = keras.Input(vectors.shape[1:], name="vector")
    scale = layers.Normalization(
        mean=mean.tolist(), variance=variance.tolist(), name="scale"
    )
    return keras.Model(x, scale(x), name="F")


def destandardise(F: keras.Model, features: np.ndarray) -> np.ndarray:
    """The way back through `standardiser`: features [n, d] -> vectors [n, d]."""
    scale = F.get_layer("scale")
    mean, variance = (np.asarray(a, np.float64) for a in (scale.mean, scale.variance))
    deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
    return (features * deviation + mean).astype(np.float32).reshape(features.shape)


def pixels(scaled: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The way back from F's scale: [n, d] in [-1, 1] -> uint8 [n, h, w, c]."""
    return to_uint8((scaled + 1.0) * 127.5).reshape(-1, *shape)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Rounded, and cut at 0 and 255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def classifier(features: int, classes: int, scale: float = 0.0) -> keras.Model:
    """M: features [b, d] -> class probabilities [b, c].

    `scale` above 0 makes the last layer a `Cosine` of that scale (LDAM).
    """
    x = keras.Input((features,), name="feature")
    h = _dense_block(x, "M")
    if scale:
        y = layers.Softmax(name="class")(Cosine(classes, scale, name="cosine")(h))
    else:
        y = layers.Dense(classes, activation="softmax", name="class")(h)
    return keras.Model(x, y, name="M")


@keras.saving.register_keras_serializable("gamo")
class Cosine(layers.Layer):
    """scale * cos(x, w_j): [b, d] -> [b, units] (LDAM's normalised last layer)."""

    def __init__(self, units: int, scale: float, **kwargs) -> None:
        super().__init__(**kwargs)
        self.units, self.scale = units, scale

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units),
            initializer="glorot_uniform",
            name="kernel",
        )

    def call(self, x):
        return self.scale * (ops.normalize(x, 1) @ ops.normalize(self.kernel, 0))

    def get_config(self) -> dict:
        return {**super().get_config(), "units": self.units, "scale": self.scale}


def discriminator(features: int, classes: int) -> keras.Model:
    """D(x|i): features [b, d] and one-hot class [b, c] -> P(real) [b, 1]."""
    x = keras.Input((features,), name="feature")
    label = keras.Input((classes,), name="one_hot")
    joined = layers.Concatenate(name="condition")([x, label])
    y = layers.Dense(1, activation="sigmoid", name="real")(_dense_block(joined, "D"))
    return keras.Model([x, label], y, name="D")


def free_generator(latent: int, features: int, classes: int) -> keras.Model:
    """cG of the paper's ablation: z [b, l], one-hot class [b, c] -> features [b, d].

    Hidden layers as cTMU's, widened; tanh as F's features and flat pixels are.
    """
    z = keras.Input((latent,), name="z")
    label = keras.Input((classes,), name="one_hot")
    x = layers.Concatenate(name="condition")([z, label])
    for k, width in enumerate((256, 512)):
        x = layers.Dense(width, activation="relu", name=f"dense{k}")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"norm{k}")(x)
    x = layers.Dense(features, activation="tanh", name="sample")(x)
    return keras.Model([z, label], x, name="G")


@keras.saving.register_keras_serializable("gamo")
class DividePrior(layers.Layer):
    """Class probabilities [b, c] -> the same divided by the prior, renormalised.

    Post-hoc logit adjustment (Menon et al., ICLR 2021, Eq. 9, tau 1): the largest
    of logit_y - log prior_y.
    """

    def __init__(self, prior: list[float], **kwargs) -> None:
        super().__init__(**kwargs)
        self.prior = [float(p) for p in prior]

    def call(self, p):
        odds = p / np.asarray(self.prior, np.float32)
        return odds / ops.sum(odds, axis=1, keepdims=True)

    def get_config(self) -> dict:
        return {**super().get_config(), "prior": self.prior}


def adjusted(M: keras.Model, counts: tuple[int, ...]) -> keras.Model:
    """M with `DividePrior` of the class sizes; shares M's weights."""
    prior = np.asarray(counts) / sum(counts)
    y = DividePrior(prior.tolist(), name="divide_prior")(M.output)
    return keras.Model(M.input, y, name="M")

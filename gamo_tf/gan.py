"""Conditional GANs that add training images: cGAN and cDCGAN of the paper's tables.

Trained on the imbalanced images as they come (natural frequencies), before and
without the classifier; then every class is topped up with what G makes of its label.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from gamo_tf import networks
from gamo_tf.chunks import in_chunks
from gamo_tf.losses import cross_entropy
from gamo_tf.optimizers import FusedAdam, descend
from gamo_tf.options import Options
from gamo_tf.specs import DatasetSpec


def dense(spec: DatasetSpec, latent: int) -> tuple[keras.Model, keras.Model]:
    """cGAN (Mirza & Osindero, 2014) on flattened grey images: G and D of the size of
    the game's own."""
    pixels, c = int(np.prod(spec.shape)), len(spec.classes)
    return (
        networks.free_generator(latent, pixels, c),
        networks.discriminator(pixels, c),
    )


def convolutional(spec: DatasetSpec, latent: int) -> tuple[keras.Model, keras.Model]:
    """cDCGAN: DCGAN (Radford et al., ICLR 2016) with the one-hot class joined to z
    and, as constant planes, to D's image. Pixels are flat at the interface, as
    `dense`'s are."""
    height, width, channels = spec.shape
    c, pixels = len(spec.classes), int(np.prod(spec.shape))
    rows, columns = -(-height // 4), -(-width // 4)
    start = keras.initializers.RandomNormal(stddev=0.02)
    z, label = keras.Input((latent,), name="z"), keras.Input((c,), name="one_hot")
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
    G = keras.Model([z, label], layers.Flatten(name="sample")(x), name="G")

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
    return G, keras.Model([flat, label], y, name="D")


def _norm(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.BatchNormalization(momentum=0.9)(x)


class Gan(tf.Module):
    """G and D by turns (non-saturating cross entropy), Adam 2e-4, beta_1 0.5."""

    def __init__(self, options: Options, G: keras.Model, D: keras.Model) -> None:
        super().__init__()
        self.options, self.G, self.D = options, G, D
        self.c = len(options.counts)
        self.random = tf.random.Generator.from_seed(options.seed)
        self.optimizers = {
            player.name: FusedAdam(options.learning_rate, beta_1=options.beta_1)
            for player in (G, D)
        }
        for player in (G, D):
            self.optimizers[player.name].build(player.trainable_variables)

    @tf.function
    def train(self, images: tf.Tensor, labels: tf.Tensor, steps: int) -> tf.Tensor:
        """`steps` turns; the mean losses of D and of G [2]."""
        b, total = self.options.batch_size, tf.zeros(2)
        one, zero = tf.ones([b, 1]), tf.zeros([b, 1])
        for _ in tf.range(steps):
            rows = self.random.uniform([b], maxval=tf.shape(labels)[0], dtype=tf.int32)
            x = tf.reshape(tf.gather(images, rows), [b, self.D.input_shape[0][1]])
            x = tf.cast(x, tf.float32) / 127.5 - 1.0
            own = tf.one_hot(tf.gather(labels, rows), self.c)
            z = self.random.normal([b, self.options.latent])

            def d_loss(x=x, own=own, z=z) -> tf.Tensor:
                fake = self.D([self.G([z, own], training=True), own], training=True)
                real = self.D([x, own], training=True)
                return cross_entropy(one, real) + cross_entropy(zero, fake)

            def g_loss(own=own, z=z) -> tf.Tensor:
                fake = self.D([self.G([z, own], training=True), own], training=True)
                return cross_entropy(one, fake)

            total += tf.stack(
                [self._descend(self.D, d_loss), self._descend(self.G, g_loss)]
            )
        return total / tf.cast(steps, tf.float32)

    def _descend(self, player: keras.Model, loss) -> tf.Tensor:
        own = (self.optimizers[player.name], player.trainable_variables)
        return descend([own], loss)

    def make(self, labels: np.ndarray, shape: tuple) -> np.ndarray:
        """An image uint8 of each label [n] -> [n, h, w, c]."""
        z = self.random.normal([len(labels), self.options.latent])
        joined = tf.concat([z, tf.one_hot(labels, self.c)], axis=1)

        @tf.function
        def images(rows: tf.Tensor) -> tf.Tensor:
            split = [self.options.latent, self.c]
            return in_chunks(
                lambda x: self.G(tf.split(x, split, axis=1), training=False), rows
            )

        return networks.pixels(images(joined).numpy(), shape)

"""The VAE of one class: its networks, its optimizer, its compiled loop."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from gamo2pix import losses, networks
from gamo2pix.options import PixOptions
from gamo_tf.chunks import in_chunks
from gamo_tf.folder import Folder
from gamo_tf.optimizers import FusedAdam, descend

TERMS = ("reconstruction", "KL")


class Vae(tf.Module):
    """Head and decoder over features of a frozen F, for one class.

    F is not here: it is fixed, so that the features of a class's images are
    worked out once, before training.

    Args:
      options: settings.
      features: width d of F's output.
      shape: (height, width, channels) of an image.
    """

    def __init__(self, options: PixOptions, features: int, shape: tuple) -> None:
        super().__init__()
        keras.utils.set_random_seed(options.seed)
        self.options = options
        self.head = networks.head(features, options.latent)
        self.decoder = networks.decoder(options.latent, shape)
        self.moved = self.head.trainable_variables + self.decoder.trainable_variables
        self.optimizer = FusedAdam(options.learning_rate)
        self.optimizer.build(self.moved)
        self.random = tf.random.Generator.from_seed(options.seed)

    def checkpoint(self) -> tf.train.Checkpoint:
        return tf.train.Checkpoint(
            head=self.head,
            decoder=self.decoder,
            optimizer=self.optimizer,
            random=self.random,
        )

    @tf.function
    def train(self, features: tf.Tensor, images: tf.Tensor, steps: int) -> tf.Tensor:
        """`steps` minibatches of rows drawn uniformly; the mean of TERMS [2], nats.

        `features` [n, d] of `images` uint8 [n, h, w, c].
        """
        n, b = tf.shape(images)[0], self.options.batch_size
        total = tf.zeros(2)
        for _ in tf.range(steps):
            rows = self.random.uniform([b], maxval=n, dtype=tf.int32)
            noise = self.random.normal([b, self.options.latent])
            x, y = tf.gather(features, rows), tf.gather(images, rows)
            total += descend(
                [(self.optimizer, self.moved)],
                lambda x=x, y=y, noise=noise: self._terms(x, y, noise),
            )
        return total / tf.cast(steps, tf.float32)

    def _terms(self, x: tf.Tensor, y: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        mean, log_variance = self.head(x)
        z = losses.sample(mean, log_variance, noise)
        target = tf.cast(y, tf.float32) / 255.0
        seen = losses.reconstruction(target, self.decoder(z) / 255.0)
        cost = losses.kl(mean, log_variance)
        return tf.stack([tf.reduce_mean(seen), tf.reduce_mean(cost)])


class Decode:
    """Features -> images, by a trained head and decoder, in compiled chunks.

    `noise` [n, l] standard normal samples z from q(z|x), as a VAE does; None
    takes its mean. Pixels are rounded to uint8 [n, h, w, c].
    """

    def __init__(self, head: keras.Model, decoder: keras.Model) -> None:
        self.latent = decoder.input_shape[1]
        width = head.input_shape[1]

        @tf.function(reduce_retracing=True)
        def decode(joined: tf.Tensor) -> tf.Tensor:
            def images(rows: tf.Tensor) -> tf.Tensor:
                mean, log_variance = head(rows[:, :width])
                return decoder(losses.sample(mean, log_variance, rows[:, width:]))

            return tf.cast(tf.round(in_chunks(images, joined)), tf.uint8)

        self._decode = decode

    @classmethod
    def load(cls, folder: Folder) -> Decode:
        """Of the VAE that a class's folder holds."""
        return cls(folder.load_model("head"), folder.load_model("decoder"))

    def __call__(self, features: np.ndarray, noise: np.ndarray | None) -> np.ndarray:
        if noise is None:
            noise = np.zeros((len(features), self.latent), np.float32)
        return self._decode(np.concatenate([features, noise], axis=1)).numpy()

"""Conditional GANs that add training images: cGAN and cDCGAN of the paper's tables.

They are trained on the imbalanced images as they come (natural frequencies), before
and without the classifier; then every class is topped up with what G makes of its
label.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.options import Options
from gamo_tf.networks import conditional_gan as networks
from gamo_tf.networks.batched import in_chunks
from gamo_tf.networks.feature_extractor import to_pixels
from gamo_tf.training import replicas
from gamo_tf.training.loop import ProgressBar, run_loop
from gamo_tf.training.losses import cross_entropy
from gamo_tf.training.trainer import Trainer

_EPOCH = 100  # minibatches between two looks at the progress bar


class ConditionalGan(Trainer):
    """D and G by turns, with the non-saturating loss (Goodfellow et al., 2014).

    Args:
      options: settings of the run; those of Adam, the minibatch and the latents count.
      G: z [b, l], one-hot [b, c] -> pixels [b, p] in [-1, 1].
      D: such pixels, one-hot -> P(real) [b, 1].
      iterations: turns of the training.
    """

    def __init__(
        self, options: Options, G: keras.Model, D: keras.Model, iterations: int
    ) -> None:
        networks = {"G": G, "D": D}
        super().__init__(
            networks,
            {name: network.trainable_variables for name, network in networks.items()},
            seed=options.seed,
            learning_rate=options.learning_rate,
            beta_1=options.beta_1,
        )
        self.options, self.G, self.D = options, G, D
        self.c = len(options.counts)
        self.loss_names = ("D", "G")
        self.iterations, self.steps_per_epoch = iterations, _EPOCH

    def epoch(self, *data: tf.Tensor, steps: int) -> dict[str, float]:
        """`steps` turns on rows drawn uniformly.

        Args:
          *data: images [n, ...], grey levels 0 to 255, and labels int32 [n].
          steps: any number.

        Returns:
          The mean losses of D and of G.
        """
        images, labels = data
        losses = self._turns(images, labels, tf.constant(steps)).numpy().tolist()
        return dict(zip(self.loss_names, losses, strict=True))

    @tf.function
    def _turns(
        self, images: tf.Tensor, labels: tf.Tensor, steps: tf.Tensor
    ) -> tf.Tensor:
        b, total = self.options.batch_size, tf.zeros(2)
        for _ in tf.range(steps):
            rows = self.random.uniform([b], maxval=tf.shape(labels)[0], dtype=tf.int32)
            x = tf.reshape(tf.gather(images, rows), [b, self.D.input_shape[0][1]])
            x = tf.cast(x, tf.float32) / 127.5 - 1.0
            one_hot = tf.one_hot(tf.gather(labels, rows), self.c)
            z = self.random.normal([b, self.options.latent])

            d = self.minimize("D", self._d_loss, x, z, one_hot)
            g = self.minimize("G", self._g_loss, z, one_hot)
            total += tf.stack([d, g])
        return total / tf.cast(steps, tf.float32)

    def _d_loss(self, x: tf.Tensor, z: tf.Tensor, one_hot: tf.Tensor) -> tf.Tensor:
        fake = self._fake(z, one_hot)
        real = self.D([x, one_hot], training=True)
        one, zero = tf.ones_like(real), tf.zeros_like(fake)
        return cross_entropy(one, real) + cross_entropy(zero, fake)

    def _g_loss(self, z: tf.Tensor, one_hot: tf.Tensor) -> tf.Tensor:
        fake = self._fake(z, one_hot)
        return cross_entropy(tf.ones_like(fake), fake)

    def _fake(self, z: tf.Tensor, one_hot: tf.Tensor) -> tf.Tensor:
        """D of what G makes."""
        return self.D([self.G([z, one_hot], training=True), one_hot], training=True)

    def generate(self, labels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """One image of each label.

        Args:
          labels: int [n].
          shape: (height, width, channels).

        Returns:
          Images uint8 [n, h, w, c].
        """
        z = self.random.normal([len(labels), self.options.latent])
        joined = tf.concat([z, tf.one_hot(labels, self.c)], axis=1)

        @tf.function
        def images(rows: tf.Tensor) -> tf.Tensor:
            split = [self.options.latent, self.c]
            return in_chunks(
                lambda x: self.G(tf.split(x, split, axis=1), training=False), rows
            )

        return to_pixels(images(joined).numpy(), shape)


def cgan(
    images: np.ndarray, labels: np.ndarray, spec: DatasetSpec, options: Options
) -> tuple[np.ndarray, np.ndarray]:
    """Rows topped up by a dense conditional GAN (`networks.conditional_gan.dense`).

    Args:
      images: uint8 [n, h, w, c].
      labels: int [n].
      spec: of the dataset.
      options: settings of the run.

    Returns:
      The given rows, and then those that were added: images and labels.
    """
    keras.utils.set_random_seed(options.seed)
    with replicas.scope():
        pair = networks.dense(spec, options.latent)
    return _top_up(pair, images, labels, spec, options)


def cdcgan(
    images: np.ndarray, labels: np.ndarray, spec: DatasetSpec, options: Options
) -> tuple[np.ndarray, np.ndarray]:
    """Rows topped up by a convolutional conditional GAN
    (`networks.conditional_gan.convolutional`).

    Args:
      images: uint8 [n, h, w, c].
      labels: int [n].
      spec: of the dataset.
      options: settings of the run.

    Returns:
      The given rows, and then those that were added: images and labels.
    """
    keras.utils.set_random_seed(options.seed)
    with replicas.scope():
        pair = networks.convolutional(spec, options.latent)
    return _top_up(pair, images, labels, spec, options)


def _top_up(
    pair: tuple[keras.Model, keras.Model],
    images: np.ndarray,
    labels: np.ndarray,
    spec: DatasetSpec,
    options: Options,
) -> tuple[np.ndarray, np.ndarray]:
    """The rows, and as many images of G as each class lacks."""
    gan = ConditionalGan(options, *pair, options.gan_length)
    data = (tf.constant(images), tf.constant(labels, tf.int32))
    run_loop(gan, data, monitor=ProgressBar(options.method, gan.iterations, "turn"))
    lacking = ClassCounts.of(np.bincount(labels)).deficits
    new = np.repeat(np.arange(len(lacking)), lacking)
    generated = gan.generate(new, spec.shape)
    return np.concatenate([images, generated]), np.concatenate([labels, new])

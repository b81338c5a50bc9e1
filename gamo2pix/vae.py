"""The VAE of one class (paper, Section 5): its training, and its use."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from gamo2pix import losses, networks
from gamo2pix.options import PixOptions
from gamo_tf.networks.batched import in_chunks
from gamo_tf.networks.saved import load_network
from gamo_tf.runs.run_directory import RunDirectory
from gamo_tf.training import replicas
from gamo_tf.training.trainer import Trainer

EPOCHS = 10  # of a training: as often its losses and a picture are looked at


class DecoderTrainer(Trainer):
    """A training of head and decoder on rows that every minibatch draws anew.

    Attributes:
      head, decoder: the networks.
    """

    head: keras.Model
    decoder: keras.Model

    def step(self, rows: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        """One minibatch.

        Args:
          rows: float32 [n, d], what is decoded.
          images: uint8 [n, h, w, c], what they are decoded to.

        Returns:
          The losses before it, float32, in the order of `loss_names`.
        """
        raise NotImplementedError

    def lasts(self, iterations: int) -> None:
        """Set the length of the training, and so that of an epoch.

        Args:
          iterations: minibatches.
        """
        self.iterations = iterations
        self.steps_per_epoch = max(1, iterations // EPOCHS)

    def epoch(self, *data: tf.Tensor, steps: int) -> dict[str, float]:
        """Train on some minibatches.

        Args:
          *data: rows and images, as `step` takes them.
          steps: number of minibatches.

        Returns:
          The mean of each loss; those of head and decoder in nats an image.
        """
        rows, images = data
        # A tensor, so that another number of steps is no reason to trace again.
        found = self.minibatches(rows, images, tf.constant(steps)).numpy()
        return dict(zip(self.loss_names, map(float, found), strict=True))

    @tf.function
    def minibatches(
        self, rows: tf.Tensor, images: tf.Tensor, steps: tf.Tensor
    ) -> tf.Tensor:
        """The compiled loop of `epoch`.

        Args:
          rows: float32 [n, d].
          images: uint8 [n, h, w, c].
          steps: int32 scalar.

        Returns:
          The mean of each loss, float32, in the order of `loss_names`.
        """
        # A step has no loop of its own for AutoGraph to convert.
        step = tf.autograph.experimental.do_not_convert(self.step)
        total = tf.zeros(len(self.loss_names))
        for _ in tf.range(steps):
            total += step(rows, images)
        return total / tf.cast(steps, tf.float32)


class Vae(DecoderTrainer):
    """The training over features of a frozen F, for one class.

    F is no part of it: F does not change, so the features of the class's images are
    computed once, before the training, and are its input. Images are drawn uniformly,
    with replacement.

    Args:
      options: settings.
      features: width d of F's output.
      shape: (height, width, channels) of an image.
      rows: training images of the class; they decide the number of minibatches.
    """

    loss_names = ("reconstruction", "KL")

    def __init__(
        self, options: PixOptions, features: int, shape: tuple[int, ...], rows: int
    ) -> None:
        # The initial weights follow from the seed and from this order of building.
        keras.utils.set_random_seed(options.seed)
        with replicas.scope():
            head = networks.head(features, options.latent)
            decoder = networks.decoder(options.latent, shape)
        super().__init__(
            {"head": head, "decoder": decoder},
            # One player, and so one Adam for both, since they descend one loss.
            {"VAE": head.trainable_variables + decoder.trainable_variables},
            seed=options.seed,
            learning_rate=options.learning_rate,
        )
        self.options, self.head, self.decoder = options, head, decoder
        self.lasts(options.length(rows))

    def checkpoint(self) -> tf.train.Checkpoint:
        """As of every `Trainer`, under the names that older checkpoints have."""
        return tf.train.Checkpoint(
            head=self.head,
            decoder=self.decoder,
            optimizer=self.optimizers["VAE"],
            random=self.random,
        )

    def step(self, rows: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        n, b = tf.shape(images)[0], self.options.batch_size
        drawn = self.random.uniform([b], maxval=n, dtype=tf.int32)
        noise = self.random.normal([b, self.options.latent])
        x, y = tf.gather(rows, drawn), tf.gather(images, drawn)
        return self.minimize("VAE", self._terms, x, y, noise)

    def _terms(self, x: tf.Tensor, y: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Both terms, float32 [2]; their sum is the negative evidence lower bound
        (Kingma & Welling, 2014, Eq. 3)."""
        mean, log_variance = self.head(x)
        z = losses.sample(mean, log_variance, noise)
        target = tf.cast(y, tf.float32) / 255.0
        nats = losses.reconstruction(target, self.decoder(z) / 255.0)
        divergence = losses.kl(mean, log_variance)
        return tf.stack([tf.reduce_mean(nats), tf.reduce_mean(divergence)])


class FeatureDecoder:
    """Makes images of features by a trained head and decoder, in compiled chunks.

    Args:
      head: features [b, d] -> mean and log-variance of q(z|x), [b, l] each.
      decoder: z [b, l] -> pixels [b, h, w, c].

    Attributes:
      latent: width l of z.
    """

    def __init__(self, head: keras.Model, decoder: keras.Model) -> None:
        self.latent = decoder.input_shape[1]
        width = head.input_shape[1]
        # Traced once, for any number of rows: a run has a decoder for each class.
        rows_of_any_number = tf.TensorSpec([None, width + self.latent], tf.float32)

        @tf.function(input_signature=[rows_of_any_number])
        def decode(joined: tf.Tensor) -> tf.Tensor:
            def images(rows: tf.Tensor) -> tf.Tensor:
                mean, log_variance = head(rows[:, :width])
                return decoder(losses.sample(mean, log_variance, rows[:, width:]))

            return tf.cast(tf.round(in_chunks(images, joined)), tf.uint8)

        self._decode = decode

    @classmethod
    def load(cls, directory: RunDirectory) -> FeatureDecoder:
        """The decoder of a class whose VAE was trained before.

        Args:
          directory: of the class.

        Raises:
          UserError: there is no trained VAE.
        """
        head, decoder = (
            load_network(directory.model(name)) for name in ("head", "decoder")
        )
        return cls(head, decoder)

    def __call__(self, features: np.ndarray, noise: np.ndarray | None) -> np.ndarray:
        """Decode features.

        Args:
          features: float32 [n, d].
          noise: standard normal, float32 [n, l], from which z is drawn, as a VAE
            does; None takes the mean of q(z|x).

        Returns:
          Images, uint8 [n, h, w, c], rounded.
        """
        if noise is None:
            noise = np.zeros((len(features), self.latent), np.float32)
        # One tensor, as `in_chunks` takes it; the graph takes it apart again.
        return self._decode(np.concatenate([features, noise], axis=1)).numpy()

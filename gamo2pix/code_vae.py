"""The VAE of codes with a critic: of all classes at once, and then of one."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gamo2pix import code_networks, losses
from gamo2pix.code_networks import CodeShape
from gamo2pix.options import PixOptions
from gamo2pix.recipes import RECIPES
from gamo2pix.vae import DecoderTrainer
from gamo_tf.training import replicas
from gamo_tf.training.augmentation import Origins, draw_origins, moved
from gamo_tf.training.row_order import rows_of

_CRITIC_RATE = 0.4  # of the critic's learning rate to that of the VAE
_BETA_1, _BETA_2 = 0.5, 0.99  # of both, as GANs have them
_BRIGHTER = 0.2  # the most that what the critic sees is made brighter or darker


class Look(NamedTuple):
    """How a critic sees images: moved, and brighter or darker.

    Attributes:
      origins: of their pixels.
      brighter: float32 [b, 1, 1, 1], of images in 0 to 1.
    """

    origins: Origins
    brighter: tf.Tensor

    def at(self, images: tf.Tensor) -> tf.Tensor:
        """What is seen of images [b, h, w, c]."""
        return moved(images, self.origins) + self.brighter


def _apart(b: int, parts: tuple) -> tuple[tuple, tuple]:
    """The first b rows of all tensors, and the others: devices share out both."""
    first = tf.nest.map_structure(lambda x: x[:b], parts)
    return first, tf.nest.map_structure(lambda x: x[b:], parts)


def _together(first: tuple, others: tuple) -> tuple:
    """Rows that `_apart` has parted, or some of both."""
    return tf.nest.map_structure(lambda *x: tf.concat(x, 0), first, others)


class CodeVae(DecoderTrainer):
    """Head and decoder of `code_networks` against a critic.

    Half of a minibatch are images of all classes alike, the other half come as often as
    they are there; small classes alone would be learned by heart. Beside them are half
    as many mixtures: codes between two rows of a class, which only the critic and the
    divergence judge. So the decoder learns what becomes of the codes that Eq. 1 makes.

    Args:
      options: settings; their recipe has a spatial code.
      code: what a code is made of.
      shape: (height, width, channels) of an image.
      counts: rows of each class, in label order; 0 for classes that are not trained on.
      iterations: minibatches.
    """

    def __init__(
        self,
        options: PixOptions,
        code: CodeShape,
        shape: tuple[int, ...],
        counts: tuple[int, ...],
        iterations: int,
    ) -> None:
        # The initial weights follow from the seed and from this order of building.
        keras.utils.set_random_seed(options.seed)
        self.recipe = RECIPES[options.recipe]
        channels = self.recipe.spatial
        place = (*code.place[:2], channels)
        with replicas.scope():
            head = code_networks.head(code, options.latent, channels)
            decoder = code_networks.decoder(options.latent, place, shape)
            critic = code_networks.critic(shape, len(counts))
        super().__init__(
            {"head": head, "decoder": decoder, "critic": critic},
            {
                "VAE": head.trainable_variables + decoder.trainable_variables,
                "critic": critic.trainable_variables,
            },
            seed=options.seed,
            learning_rate=options.learning_rate,
            beta_1=_BETA_1,
        )
        for optimizer in self.optimizers.values():
            optimizer.beta_2 = _BETA_2
        self.optimizers["critic"].learning_rate = _CRITIC_RATE * options.learning_rate
        self.options, self.head, self.decoder = options, head, decoder
        self.critic, self.c = critic, len(counts)
        self.pixels = float(np.prod(shape))
        self.counts = tf.constant(counts, tf.int32)
        self.classes = tf.constant(np.flatnonzero(counts), tf.int32)
        self.lasts(iterations)
        self.loss_names = ("reconstruction", "KL", "against critic", "critic")

    def step(self, rows: tf.Tensor, images: tf.Tensor) -> tf.Tensor:
        """One step of the critic, and one of head and decoder.

        Args:
          rows: codes, float32 [n, d], sorted by label.
          images: uint8 [n, h, w, c].

        Returns:
          The losses before it, float32 [4].
        """
        b = self.options.batch_size
        half = b // 2
        drawn = self.random.uniform([half], 0, tf.size(self.classes), tf.int32)
        every = self.random.uniform([b - half], 0, tf.shape(images)[0], tf.int32)
        alike = rows_of(self.random, self.counts, tf.gather(self.classes, drawn))
        places = tf.concat([alike, every], 0)
        labels = tf.searchsorted(tf.cumsum(self.counts), places, side="right")
        others = rows_of(self.random, self.counts, labels)
        x = tf.gather(rows, places)
        share = self.random.uniform([half, 1])
        mixed = share * x[:half] + (1.0 - share) * tf.gather(rows, others[:half])
        x = tf.concat([x, mixed], 0)
        one_hot = tf.one_hot(tf.concat([labels, labels[:half]], 0), self.c)
        real = tf.cast(tf.gather(images, places), tf.float32) / 255.0
        noise = self.random.normal([b + half, self.decoder.input_shape[1]])
        critic, look = tf.constant(0.0), None
        if self.recipe.adversarial:
            made = self._decoded(x, noise)[0]
            of_real, of_made = self._look(b, real), self._look(b + half, real)
            both = _apart(b, (made, of_made, one_hot))
            one = real, of_real, one_hot[:b]
            critic = self.minimize("critic", self._critic_loss, one, *both)
            look = self._look(b + half, real)
        codes = x, noise, one_hot
        both = _apart(b, (*codes, look) if look else codes)
        terms = self.minimize("VAE", self._terms, real, *both)
        return tf.concat([terms, critic[None]], 0)

    def _decoded(
        self, x: tf.Tensor, noise: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Images in 0 to 1, and the mean and the log-variance that they come from."""
        mean, log_variance = self.head(x)
        z = losses.sample(mean, log_variance, noise)
        return self.decoder(z) / 255.0, mean, log_variance

    def _look(self, rows: int, like: tf.Tensor) -> Look:
        """How the critic sees so many images: it learns the few real ones by heart
        otherwise (Zhao et al., NeurIPS 2020)."""
        origins = draw_origins(self.random, rows, like, mirror=False)
        brighter = self.random.uniform([rows, 1, 1, 1], -_BRIGHTER, _BRIGHTER)
        return Look(origins, brighter)

    def _critic_loss(self, real: tuple, rows: tuple, mixed: tuple) -> tf.Tensor:
        """The hinge loss (Miyato et al., ICLR 2018).

        `real` are images, looks and classes; `rows` and `mixed` likewise, of what is
        made of rows and of mixtures."""
        images, look, one_hot = real
        made, made_look, classes = _together(rows, mixed)
        of_real = self.critic([look.at(images), one_hot])
        of_made = self.critic([made_look.at(made), classes])
        return tf.reduce_mean(tf.nn.relu(1.0 - of_real)) + tf.reduce_mean(
            tf.nn.relu(1.0 + of_made)
        )

    def _terms(self, real: tf.Tensor, rows: tuple, mixed: tuple) -> tf.Tensor:
        """Reconstruction and divergence, as `vae.Vae` has them, and the critic's term,
        in nats an image; float32 [3], to be added.

        `rows` and `mixed` are codes, noise, classes and, for a critic, looks."""
        x, noise, one_hot, *look = _together(rows, mixed)
        made, mean, log_variance = self._decoded(x, noise)
        nats = losses.reconstruction(real, made[: real.shape[0]])
        latent = self.options.latent  # the spatial part is not drawn towards a prior
        divergence = losses.kl(mean[:, :latent], log_variance[:, :latent])
        against = tf.constant(0.0)
        if look:
            fooled = -tf.reduce_mean(self.critic([look[0].at(made), one_hot]))
            against = self.recipe.adversarial * self.pixels * fooled
        return tf.stack([tf.reduce_mean(nats), tf.reduce_mean(divergence), against])

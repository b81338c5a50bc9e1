"""M2m: images of larger classes turned into small ones (Kim et al., CVPR 2020)."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.options import Options
from gamo_tf.methods.classifier import Classifier

# Of the paper and the authors' program, for CIFAR-10.
BETA, LAMBDA, GAMMA = 0.999, 0.5, 0.9
STEPS, STEP, START = 10, 0.1, 0.5  # lengths in images whose pixels are 0 to 1
_TINY = 1e-30


class MajorToMinor(Classifier):
    """The plain classifier; in the last fifth, minibatches that are balanced by images
    of larger classes, moved until a fixed classifier g takes them for small ones.

    Rows are drawn with every class equally probable. A row of class k stays with
    probability n_k / n_max. In the place of another, a row of the minibatch of class
    k_0 is taken with a probability that grows as 1 - beta^(n_k0 - n_k), and moved in
    ten steps of gradient descent on

        -log g_k(x) + lambda f_k0(x),    f: the present logits;

    it is trained on as class k where g_k(x) >= gamma, and with the probability that
    it was taken by; else the row stays.

    g is F and M as they are when the last fifth begins. The paper trains g for itself;
    that would double the updates.

    Args:
      options: settings of the run.
      networks: F and M.
      rows: training rows.
    """

    def __init__(
        self, options: Options, networks: Sequence[keras.Model], rows: int
    ) -> None:
        super().__init__(options, networks, rows)
        self.parts = (self.switch,)
        self.translates = False
        # Under new names: checkpoints and folders of a run know networks by name.
        self.fixed = {
            name: keras.models.clone_model(self.networks[name]) for name in ("F", "M")
        }
        sizes = np.asarray(options.counts, float)
        more = np.maximum(sizes[:, None] - sizes, 0)  # [from, to]
        self.taken = tf.constant(1 - BETA**more, tf.float32)
        self.kept = tf.constant(sizes / sizes.max(), tf.float32)

    def checkpoint(self) -> tf.train.Checkpoint:
        state = super().checkpoint()
        state.fixed = self.fixed
        return state

    def train_pass(self, images: tf.Tensor, labels: tf.Tensor, steps: int) -> tf.Tensor:
        # The pass is traced once for each part, and `late` has no value inside of it.
        self.translates = self.late
        if int(self.iteration) == self.switch:
            for name, network in self.fixed.items():
                network.set_weights(self.networks[name].get_weights())
        return super().train_pass(images, labels, steps)

    def prepare(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        if not self.late:
            return super().prepare(images, labels)
        return (self.balanced_order(),)

    def shown(
        self, x: tf.Tensor, y: tf.Tensor, images: tf.Tensor, labels: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        if self.translates:
            x = tf.stop_gradient(self.translated(tf.cast(x, tf.float32), y))
        return super().shown(x, y, images, labels)

    def translated(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """The minibatch with the rows in it that could be made of larger classes.

        Args:
          x: images, float32 [b, h, w, c], 0 to 255.
          y: their labels, int32 [b], which stay.

        Returns:
          Images [b, h, w, c], 0 to 255.
        """
        wanted = self.random.uniform([self.b]) >= tf.gather(self.kept, y)
        chances = tf.gather(tf.gather(self.taken, y), y, axis=1)  # [source, target]
        # The largest of log p plus Gumbel noise is a draw by p. XLA on a CPU has no
        # categorical draw.
        noise = -tf.math.log(-tf.math.log(self.random.uniform([self.b, self.b], _TINY)))
        source = tf.argmax(tf.math.log(chances + _TINY) + noise, 0, tf.int32)
        chance = tf.gather_nd(chances, tf.stack([source, tf.range(self.b)], axis=1))
        made = self._moved(tf.gather(x, source), y, tf.gather(y, source))
        sure = self._fixed_probability(made, y) >= GAMMA
        accepted = wanted & sure & (self.random.uniform([self.b]) < chance)
        return tf.where(accepted[:, None, None, None], made, x)

    @tf.function  # for its loop: of the pass that calls it AutoGraph sees no more
    def _moved(self, x: tf.Tensor, y: tf.Tensor, source: tf.Tensor) -> tf.Tensor:
        x += START * 255.0 * _unit(self.random.normal(tf.shape(x)))
        for _ in tf.range(STEPS):
            x = tf.clip_by_value(x, 0.0, 255.0)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(x)
                p = self.M(self.F(x, training=False))
                logits = tf.math.log(p + _TINY)
                logits -= tf.reduce_mean(logits, axis=1, keepdims=True)
                own = tf.gather(logits, source, batch_dims=1)
                nats = -tf.math.log(self._fixed_probability(x, y) + _TINY)
                value = tf.reduce_sum(nats + LAMBDA * own)
            x -= STEP * 255.0 * _unit(tape.gradient(value, x))
        return tf.clip_by_value(x, 0.0, 255.0)

    def _fixed_probability(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        p = self.fixed["M"](self.fixed["F"](x, training=False))
        return tf.gather(p, y, batch_dims=1)


def _unit(x: tf.Tensor) -> tf.Tensor:
    """Each image [h, w, c] of a batch divided by its length."""
    length = tf.sqrt(tf.reduce_sum(x**2, axis=[1, 2, 3], keepdims=True))
    return x / tf.maximum(length, _TINY)

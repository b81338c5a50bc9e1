"""z -> cTMU -> IGU of the class -> convex feature -> VAE -> image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from gamo2pix.vae import Decode
from gamo_tf import convex, networks
from gamo_tf.chunks import compiled
from gamo_tf.datasets import Split
from gamo_tf.runs import Run


class Made(NamedTuple):
    """Generated images uint8 [n, h, w, c] and the convex weights [n, n_i]; None of
    what is no convex combination."""

    images: np.ndarray
    weights: np.ndarray | None


class Synthesis:
    """Generates the minority classes of a finished run.

    IGU column j of a class belongs to the j-th of `rows[label]`, the training
    rows of the run's own split: the order is read from the run, never drawn.
    Sample k of a class is the same for every number of samples asked for.

    Args:
      run: a finished run with a G.
      split: the run's own split.
      seed: of everything generated.
    """

    def __init__(self, run: Run, split: Split, seed: int) -> None:
        self.seed, self.shape = seed, split.images.shape[1:]
        self.images = split.images
        F, self.G = run.load_model("F"), run.load_model("G")
        self.extract = compiled(F)  # images uint8 [n, h, w, c] -> features [n, d]
        self.features = self.extract(split.images)
        counts = run.options.counts
        self.rows = {
            label: np.flatnonzero(split.labels == label)
            for label, _ in convex.minority(counts)
        }
        # G's columns: all minority rows, sorted by label as the split is.
        columns = np.concatenate(list(self.rows.values()))
        self.points = tf.constant(self.features[columns])
        starts = np.cumsum([0, *(len(rows) for rows in self.rows.values())])
        self.columns = {
            label: slice(starts[i], starts[i + 1]) for i, label in enumerate(self.rows)
        }
        self._generate = tf.function(
            lambda z, label: self.G([z, label, self.points], training=False)[1],
            reduce_retracing=True,
        )

    def latents(self, label: int, n: int, width: int, use: int) -> np.ndarray:
        """Standard normal [n, width]; `use` keeps streams of one class apart."""
        rng = np.random.default_rng([self.seed, label, use])
        return rng.standard_normal((n, width), np.float32)

    def weights(self, label: int, z: np.ndarray) -> np.ndarray:
        """Convex weights [n, n_i] that G gives to the latents z [n, l]."""
        labels = tf.fill([len(z)], label)
        return self._generate(tf.constant(z), labels).numpy()[:, self.columns[label]]

    def random_weights(self, label: int, n: int, concentration: float) -> np.ndarray:
        """Dirichlet weights [n, n_i]: what needs no adversary (a control)."""
        rng = np.random.default_rng([self.seed, label, 9])
        alpha = np.full(len(self.rows[label]), concentration)
        return rng.dirichlet(alpha, n).astype(np.float32)

    def combine(self, label: int, weights: np.ndarray) -> np.ndarray:
        """Eq. 1: weights [n, n_i] times the class's own features -> [n, d]."""
        return weights @ self.features[self.rows[label]]

    def decode(
        self, features: np.ndarray, vae: Decode | None, noise: np.ndarray | None
    ) -> np.ndarray:
        """Features -> images. Without a VAE features are pixels (flat runs)."""
        if vae is not None:
            return vae(features, noise)
        return networks.pixels(features, self.shape)

    def make(self, label: int, vae: Decode | None, start: int, stop: int) -> Made:
        """Samples `start` to `stop` of a class."""
        z = self.latents(label, stop, self.G.inputs[0].shape[1], 0)[start:]
        return self.from_weights(label, vae, self.weights(label, z), start)

    def from_weights(
        self, label: int, vae: Decode | None, weights: np.ndarray, start: int = 0
    ) -> Made:
        """The images of convex weights [n, n_i]; sample 0 is the `start`-th."""
        noise = None
        if vae is not None:
            stop = start + len(weights)
            noise = self.latents(label, stop, vae.latent, 1)[start:]
        features = self.combine(label, weights)
        return Made(self.decode(features, vae, noise), weights)

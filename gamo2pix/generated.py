"""Generated images of a finished run, by whichever way its method makes them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from gamo2pix.synthesis import Made, Synthesis
from gamo2pix.vae import Decode
from gamo_tf import networks
from gamo_tf.datasets import Split
from gamo_tf.errors import UserError
from gamo_tf.methods import METHODS
from gamo_tf.runs import Run

Images = Callable[[int, int], Made]  # label, n -> up to n generated images


def images(run: Run, split: Split, seed: int = 0) -> Images:
    """What the run's method generates of a minority class.

    Convex: G's samples, by the class's VAE where features are no pixels. Methods that
    add images before training: those it added, as many as there are. A free generator
    of a run on pixels: its samples. Raises UserError for others.
    """
    method = METHODS[run.options.method]
    flat = len(run.load_model("F").trainable_variables) == 0
    if method.convex:
        synthesis = Synthesis(run, split, seed)

        def convex(label: int, n: int) -> Made:
            vae = None if flat else Decode.load(run.pix_class(_name(run, label)))
            return synthesis.make(label, vae, 0, n)

        return convex
    if method.extra:
        with np.load(run.fed, allow_pickle=False) as fed:
            added, labels = (fed[k][len(split.labels) :] for k in ("images", "labels"))
        return lambda label, n: Made(added[labels == label][:n], None)
    if method.source == "free" and flat:
        G = run.load_model("G")

        def free(label: int, n: int) -> Made:
            rng = np.random.default_rng([seed, label])
            z = tf.constant(rng.standard_normal((n, run.options.latent), np.float32))
            own = tf.one_hot(tf.fill([n], label), len(run.options.counts))
            made = G([z, own], training=False).numpy()
            return Made(networks.pixels(made, split.images.shape[1:]), None)

        return free
    raise UserError(f"{run.path}: {method.name} generates no images.")


def _name(run: Run, label: int) -> str:
    return run.read_results()["classes"][label]

"""How fast a machine multiplies, and what an iteration has to multiply at least."""

from __future__ import annotations

import time

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.game import Game


def matrix_rate(size: int = 2048) -> float:
    """Floating-point operations a second of a product of square float32 matrices.

    Args:
      size: rows and columns of the matrices.
    """
    a = tf.random.normal([size, size])
    times = []
    for _ in range(10):
        began = time.perf_counter()
        (a @ a).numpy()
        times.append(time.perf_counter() - began)
    return 2 * size**3 / min(times)


def forward_flops(network: keras.Model) -> float:
    """Arithmetic of one row's way through the dense and convolution layers.

    Args:
      network: a built model; its other layers are not counted.

    Returns:
      Floating-point operations: twice the number of multiply-adds.
    """
    total = 0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            _, height, width, filters = layer.output.shape
            taps = int(np.prod(layer.kernel.shape[:3]))
            total += 2 * height * width * filters * taps
        elif isinstance(layer, keras.layers.Dense):
            total += 2 * int(np.prod(layer.kernel.shape))
    return total


def floors(game: Game) -> dict[str, float]:
    """The arithmetic that one iteration cannot do without, by method.

    A gradient of inputs, and one of weights, each cost a forward pass. The first layer
    of F needs none of its inputs.

    Args:
      game: with F, M, D and a convex G.

    Returns:
      Floating-point operations of an iteration of the plain classifier and of GAMO.
    """
    F, M, D = (forward_flops(net) for net in (game.F, game.M, game.D))
    first = next((n for n in game.F.layers if isinstance(n, keras.layers.Conv2D)), None)
    f_update = 3 * F - (forward_flops(keras.Sequential([first])) if first else 0)
    counts, b = game.options.class_counts, game.b
    sizes = np.asarray(counts.minority_sizes)
    probabilities = np.asarray(counts.label_probabilities)
    d, t = game.F.output_shape[1], 64
    mapping = 2 * ((game.options.latent + game.c) * 256 + 256 * t)
    generated_rows = -(-b // len(sizes)) * len(sizes)  # of B_g
    generate = b * (mapping + 2 * (probabilities @ sizes) * (t + d))
    update = generated_rows * (3 * mapping + 2 * sizes.mean() * (3 * t + 2 * d))
    opponents = b * (3 * M + 3 * D) * 2 + generated_rows * 2 * (M + D)
    learn = b * (f_update + 2 * M) + b * F if game.learns_features else 0
    return {
        "cn": b * ((f_update if game.learns_features else 0) + 3 * M),
        "gamo": learn + opponents + generate + 2 * update,
    }

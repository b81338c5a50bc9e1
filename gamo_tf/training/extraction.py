"""What a frozen network gives of images: computed once, in batches of one size."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from gamo_tf.data.feature_store import FeatureStore, digests

BATCH = 32  # images a forward pass: more are no faster on a CPU
_GPU_BATCH = 256


def stored(
    network: keras.Model,
    key: str,
    title: str,
    *sets: np.ndarray,
    step: Callable[[np.ndarray], np.ndarray] | None = None,
) -> list[np.ndarray]:
    """The outputs of a frozen network, which a store on the disk keeps.

    Args:
      network: Images [b, h, w, c] -> float32 [b, ...].
      key: What the outputs depend on, beside the images.
      title: Of the progress bar.
      *sets: Images uint8 [n, h, w, c]; a set may be empty.
      step: Computes the outputs of images [k, h, w, c]; None: the network itself.

    Returns:
      float32 [n, ...] of each set.
    """
    shape, step = network.output_shape[1:], step or step_of(network)
    store = FeatureStore(key, shape)
    names = [digests(images) for images in sets]
    pairs = list(zip(sets, names, strict=True))
    total = sum(len(store.unknown(*pair)) for pair in pairs if len(pair[0]))
    with tqdm(total=total, desc=title, unit="image", disable=not total) as bar:
        return [store.features(images, step, bar.update, own) for images, own in pairs]


def batch_size() -> int:
    """Images in one forward pass of a pretrained network."""
    return _GPU_BATCH if tf.config.list_physical_devices("GPU") else BATCH


def step_of(frozen: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """The frozen part over any number of images, in batches of one size, so that a
    feature does not depend on which images come with it.

    Args:
      frozen: images [b, h, w, c] -> [b, ...].

    Returns:
      Images [n, h, w, c] -> float32 [n, ...].
    """
    batch = batch_size()

    @tf.function(jit_compile=False)  # XLA's convolutions are slower on a CPU
    def forward(images: tf.Tensor) -> tf.Tensor:
        return frozen(images, training=False)

    def extract(images: np.ndarray) -> np.ndarray:
        found = np.empty((len(images), *frozen.output_shape[1:]), np.float32)
        spec = tf.TensorSpec([batch, *images.shape[1:]], images.dtype)
        step = forward.get_concrete_function(spec)  # traced at the first call
        for first in range(0, len(images), batch):
            part = images[first : first + batch]
            n = len(part)
            if n < batch:
                part = np.concatenate([part, np.repeat(part[-1:], batch - n, axis=0)])
            found[first : first + n] = step(tf.constant(part))[:n]
        return found

    return extract


def graph_digest(network: keras.Model) -> str:
    """A digest of the layers and their order. Names do not count: Keras numbers layers
    without a name anew in every process.

    Args:
      network: a functional model.
    """
    config = network.get_config()
    places = {layer["name"]: k for k, layer in enumerate(config["layers"])}

    def nameless(value: Any) -> Any:
        if isinstance(value, dict):
            left_out = ("name", "shared_object_id")
            return {k: nameless(v) for k, v in value.items() if k not in left_out}
        if isinstance(value, list | tuple):
            return [nameless(v) for v in value]
        return places.get(value, value) if isinstance(value, str) else value

    text = json.dumps(nameless(config), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()

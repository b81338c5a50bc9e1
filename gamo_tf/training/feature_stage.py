"""A pretrained F as a stage of its own: what is frozen of it runs once an image.

F is ``learned(frozen(x))``. Training begins at the features of `frozen`, which a store
on the disk keeps for every other training on the same images.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import keras
import numpy as np
import tensorflow as tf
from tqdm.auto import tqdm

from gamo_tf.config.backbones import own_side
from gamo_tf.config.options import Options, spec_of
from gamo_tf.data.feature_store import FeatureStore
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError, setting
from gamo_tf.networks import backbones

BATCH = 32  # images a forward pass: more are no faster on a CPU
_GPU_BATCH = 256


class FeatureStage:
    """The pretrained F of a run.

    Args:
      options: settings of the run.
      F: a network in the place of that which the options name: images uint8
        [b, h, w, c] -> features [b, d].

    Attributes:
      F: all of it, images [b, h, w, c] -> features [b, d].
      frozen: its first part, images -> what training begins at; None: all learns.
      learned: the rest -> features [b, d], of root mean square 1 on the training set
        once `behind` has seen it.
      sha256: of its weights before training.

    Raises:
      UserError: the network cannot be had, does not fit the images, or has other
        weights than the options keep.
    """

    def __init__(self, options: Options, F: keras.Model | None = None) -> None:
        self.options = options
        self.F, self.sha256 = (F, backbones.sha256(F)) if F else _loaded(options)
        if options.backbone_sha256 not in ("", self.sha256):
            word = setting("backbone", options.backbone)
            raise UserError(
                f"{word}: has other weights than those the run was begun with "
                f"(SHA-256 {self.sha256[:12]}..., expected "
                f"{options.backbone_sha256[:12]}...). Put the former ones back."
            )
        self.frozen, self.learned = backbones.cut(self.F, options.backbone_trains)

    @classmethod
    def of(cls, options: Options) -> FeatureStage | None:
        """The stage of a run; None where F is no pretrained network.

        Args:
          options: settings of the run.
        """
        return cls(options) if options.pretrained else None

    @property
    def named(self) -> Options:
        """The options of the run with the digest of these weights."""
        return replace(self.options, backbone_sha256=self.sha256)

    def behind(self, split: Split) -> Split:
        """A split whose images are what training begins at.

        `learned` is scaled by the training set, so that learning rate and weight decay
        mean the same behind every network.

        Args:
          split: of images uint8 [n, h, w, c].

        Returns:
          Features float32 [n, d] or maps [n, h, w, d] in their place; where all of F
          learns, the split itself.
        """
        if self.frozen is None:
            return split
        names = ("images", "validation_images", "test_images")
        found = self.extract(*(getattr(split, name) for name in names))
        train = found[0]
        if train.ndim == 2 and train.size:
            rms = float(np.sqrt(np.mean(np.square(train), dtype=np.float64)))
            self.learned = backbones.scaled(self.learned, rms or 1.0)
        return replace(split, **dict(zip(names, found, strict=True)))

    def extract(self, *sets: np.ndarray) -> list[np.ndarray]:
        """The features of images by the frozen part; new images show their progress.

        Args:
          *sets: images uint8 [n, h, w, c]; a set may be empty.

        Returns:
          float32 [n, ...] of each set.
        """
        if self.frozen is None:
            raise ValueError("extract: no part of this F is frozen.")
        return stored(self.frozen, self.key, self.options.backbone, *sets)

    @property
    def key(self) -> str:
        """What the frozen part's features depend on, beside the images."""
        if self.frozen is None:
            raise ValueError("key: no part of this F is frozen.")
        return f"{self.sha256} {self.frozen.input_shape[1:]} {_inner_side(self.frozen)}"

    def whole(self, learned: keras.Model) -> keras.Model:
        """F from images, with a trained second part.

        Args:
          learned: as `FeatureStage.learned`, or its moving average.
        """
        if self.frozen is None:
            return learned
        x = self.frozen.input
        return keras.Model(x, learned(self.frozen.output), name="F")


def stored(
    network: keras.Model, key: str, name: str, *sets: np.ndarray
) -> list[np.ndarray]:
    """The outputs of a frozen network, which a store on the disk keeps.

    Args:
      network: Images [b, h, w, c] -> float32 [b, ...].
      key: What the outputs depend on, beside the images.
      name: Of the network, for the progress bar.
      *sets: Images uint8 [n, h, w, c]; a set may be empty.

    Returns:
      float32 [n, ...] of each set.
    """
    shape = network.output_shape[1:]
    store = FeatureStore(key, shape)
    unknown = [len(store.unknown(images)) if len(images) else 0 for images in sets]
    total = sum(unknown)
    step = _step(network)
    with tqdm(
        total=total, desc=f"features of {name}", unit="image", disable=not total
    ) as bar:
        return [
            store.features(images, step, bar.update)
            if len(images)
            else np.zeros((0, *shape), np.float32)
            for images in sets
        ]


def batch_size() -> int:
    """Images in one forward pass of a pretrained network."""
    return _GPU_BATCH if tf.config.list_physical_devices("GPU") else BATCH


def _step(frozen: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """`frozen` over any number of images, in batches of one size: a feature does not
    depend on which images come with it."""
    batch = batch_size()

    @tf.function(jit_compile=False)  # XLA's convolutions are slower on a CPU
    def forward(images: tf.Tensor) -> tf.Tensor:
        return frozen(images, training=False)

    def extract(images: np.ndarray) -> np.ndarray:
        found = np.empty((len(images), *frozen.output_shape[1:]), np.float32)
        for first in range(0, len(images), batch):
            part = images[first : first + batch]
            n = len(part)
            if n < batch:
                part = np.concatenate([part, np.repeat(part[-1:], batch - n, axis=0)])
            found[first : first + n] = forward(tf.constant(part))[:n]
        return found

    return extract


def _inner_side(frozen: keras.Model) -> int:
    """Height in pixels of the images inside F, behind the layer that resizes them."""
    for layer in frozen.layers:
        if isinstance(layer, keras.layers.Resizing) and layer.name == "resize":
            return layer.height
    return frozen.input_shape[1]


def _side(options: Options) -> int:
    """Pixels a side that the network gets."""
    return options.backbone_side or own_side(options.backbone)


def _loaded(options: Options) -> tuple[keras.Model, str]:
    """F of the options and the digest of its weights. One that learns is loaded anew
    each time."""
    load = _frozen if options.backbone_trains == "none" else _fresh
    height, width, channels = spec_of(options).shape
    return load(
        options.backbone,
        options.backbone_weights,
        (height, width, channels),
        _side(options),
        options.seed,
    )


def _fresh(
    name: str, weights: str, shape: tuple[int, int, int], side: int, seed: int
) -> tuple[keras.Model, str]:
    if weights == "none":
        keras.utils.set_random_seed(seed)
    F = backbones.load_backbone(name, weights, shape=shape, side=side)
    return F, backbones.sha256(F)


_frozen = lru_cache(maxsize=1)(_fresh)  # of all trainings of a comparison

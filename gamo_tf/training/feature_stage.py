"""A pretrained F as a stage of its own: what is frozen of it runs once an image.

F is ``learned(frozen(x))``. Training begins at the features of `frozen`, which a store
on the disk keeps for every other training on the same images.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.backbones import GIVEN
from gamo_tf.config.options import Options, spec_of
from gamo_tf.data.network_file import own_side
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError, setting
from gamo_tf.networks import backbones
from gamo_tf.networks.feature_extractor import in_precision
from gamo_tf.networks.shared_backbone import backbone
from gamo_tf.training import views
from gamo_tf.training.extraction import graph_digest, step_of, stored


class Views(NamedTuple):
    """Several views of each training image.

    Attributes:
      table: the features of all of them, float32 [m, ...].
      positions: int32 [n, k], the places of an image's views in the table, the image
        itself first; of images with fewer views they repeat.
    """

    table: tf.Tensor
    positions: np.ndarray


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
      views: what `behind` has made of the training images; None without views.
      rms: root mean square of the features of the training images.
      head: M trained on frozen features, which fine-tuning begins with.

    Raises:
      UserError: the network cannot be had, does not fit the images, or has other
        weights than the options keep.
    """

    def __init__(self, options: Options, F: keras.Model | None = None) -> None:
        self.options = options
        self.F, self.sha256 = (F, backbones.sha256(F)) if F else _loaded(options)
        if options.precision != "float32":
            self.F = in_precision(self.F, options.precision)
        if options.backbone_sha256 not in ("", self.sha256):
            word = setting("backbone", options.backbone)
            raise UserError(
                f"{word}: has other weights than those the run was begun with "
                f"(SHA-256 {self.sha256[:12]}..., expected "
                f"{options.backbone_sha256[:12]}...). Put the former ones back."
            )
        self.views: Views | None = None
        self.head: keras.Model | None = None
        self.rms = 1.0
        self.frozen, self.learned = backbones.cut(self.F, options.backbone_trains)

    @classmethod
    def of(cls, options: Options) -> FeatureStage | None:
        """The stage of a run; None where F is no pretrained network.

        Args:
          options: settings of the run.
        """
        return cls(options) if options.pretrained else None

    def start_of(self, images: np.ndarray) -> np.ndarray:
        """What the learned part takes of images: features, maps, or the images.

        Args:
          images: uint8 [n, h, w, c].
        """
        return images if self.frozen is None else self.extract(images)[0]

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
        self._tell(split)
        found = self.extract(*(getattr(split, name) for name in names))
        train = found[0]
        if self.options.views > 1:
            self.views = self._views(split, train)
        if train.ndim == 2 and train.size:
            rms = float(np.sqrt(np.mean(np.square(train), dtype=np.float64)))
            self.rms = rms or 1.0
            self.learned = backbones.scaled(self.learned, self.rms)
        return replace(split, **dict(zip(names, found, strict=True)))

    def shown(self, split: Split) -> Split:
        """What is trained on: positions of views, where there are some.

        Args:
          split: of `behind`.
        """
        return replace(split, images=self.views.positions) if self.views else split

    def _tell(self, split: Split) -> None:
        """Say what is about to be extracted, where that takes a while."""
        options, numbers = self.options, views.numbers(self.options)
        images = int(np.dot(numbers, options.counts)) - len(split.labels)
        if images:
            kinds = ", ".join(
                f"{name} {n}"
                for name, n in zip(spec_of(options).classes, numbers, strict=True)
                if n > 1
            )
            print(
                f"views: {images} further images by '{views.set_of(options)}' "
                f"(views of an image: {kinds})",
                flush=True,
            )

    def _views(self, split: Split, train: np.ndarray) -> Views:
        """The features of all views of the training images."""
        name, parts = views.set_of(self.options), [train]
        repeats = np.repeat(views.numbers(self.options), self.options.counts)
        columns = np.arange(self.options.views) % repeats[:, None]
        positions = np.tile(np.arange(len(train))[:, None], columns.shape[1])
        filled = len(train)
        for view in range(1, columns.shape[1]):
            rows = np.flatnonzero(repeats > view)
            parts += self.extract(split.images[rows], view=view, name=name)
            places = np.zeros(len(train), np.int64)
            places[rows] = filled + np.arange(len(rows))
            positions = np.where(columns == view, places[:, None], positions)
            filled += len(rows)
        return Views(tf.constant(np.concatenate(parts)), positions.astype(np.int32))

    def extract(
        self, *sets: np.ndarray, view: int = 0, name: str = ""
    ) -> list[np.ndarray]:
        """The features of images by the frozen part; new images show their progress.

        Args:
          *sets: images uint8 [n, h, w, c]; a set may be empty.
          view: number of the view of each image that is extracted; 0: the image.
          name: of the set of augmentations that makes the view.

        Returns:
          float32 [n, ...] of each set.
        """
        if self.frozen is None:
            raise ValueError("extract: no part of this F is frozen.")
        key, step = self.key, self._step
        if view:
            key += f" {name} {view}"
            make, forward = views.maker(name, view), step
            step = lambda images: forward(make(images))  # noqa: E731
        name_of_f = self.options.backbone
        title = self.F.name if name_of_f == GIVEN else Path(name_of_f).stem
        title = f"{title}, view {view}" if view else title
        return stored(self.frozen, key, title, *sets, step=step)

    @property
    def key(self) -> str:
        """What the frozen part's features depend on, beside the images."""
        if self.frozen is None:
            raise ValueError("key: no part of this F is frozen.")
        return f"{self.sha256} {graph_digest(self.frozen)}"

    @cached_property
    def _step(self) -> Callable[[np.ndarray], np.ndarray]:
        return step_of(self.frozen)

    def whole(self, learned: keras.Model) -> keras.Model:
        """F from images, with a trained second part.

        Args:
          learned: as `FeatureStage.learned`, or its moving average.
        """
        if self.frozen is None:
            return learned
        x = self.frozen.input
        return keras.Model(x, learned(self.frozen.output), name="F")


def _side(options: Options) -> int:
    """Pixels a side that the network gets; 0: a network from Python, as it likes."""
    if options.backbone == GIVEN:
        return 0
    return options.backbone_side or own_side(options.backbone)


def _loaded(options: Options) -> tuple[keras.Model, str]:
    """F of the options and the digest of its weights."""
    height, width, channels = spec_of(options).shape
    return backbone(
        options.backbone,
        options.backbone_weights,
        (height, width, channels),
        _side(options),
        options.seed,
        learns=options.backbone_trains != "none",
    )

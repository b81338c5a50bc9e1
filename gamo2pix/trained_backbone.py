"""Features and feature maps of a run's pretrained F, small enough for a decoder.

The last map of a pretrained network is large: 7 x 7 places with 1,280 channels, say.
A principal component analysis (PCA) keeps at most `CHANNELS` of them. The map is also
resized, so that the decoder reaches the image by doublings alone.
"""

from __future__ import annotations

import math
from pathlib import Path

import keras
import numpy as np
from keras import layers

from gamo_tf.errors import UserError, setting
from gamo_tf.files import atomically
from gamo_tf.networks.backbones import last_map
from gamo_tf.networks.batched import compiled
from gamo_tf.runs.run import Run
from gamo_tf.stored import digest, read_arrays, reading
from gamo_tf.training.extraction import batch_size, stored
from gamo_tf.training.feature_stage import FeatureStage

CHANNELS = 64  # of a reduced map, at most
PLACES = 8  # of a map's side, about; a larger map is made smaller
FITTED = 256  # training images that the PCA is fitted to, at most
_MOST_BYTES = 2**26  # of the file of a projection


class TrainedBackbone:
    """F of a finished run with a pretrained network.

    A frozen F gives features through the store that the training filled. An F that
    learned has its trained weights, and computes them each time.

    Args:
      run: A finished run whose F is pretrained.
      F: Of the run, images uint8 [b, h, w, c] -> features [b, d].

    Attributes:
      extract: F as a function of images uint8 [n, h, w, c].

    Raises:
      UserError: F has other weights than the run was begun with.
    """

    def __init__(self, run: Run, F: keras.Model) -> None:
        self.run, self.options = run, run.options
        self.extract = compiled(F, chunk=batch_size())
        self._frozen, self._learned = _parts(F, self.options.backbone_trains)
        self._stage: FeatureStage | None = None
        if self.options.backbone_trains == "none":
            self._stage = FeatureStage(self.options, self._frozen)

    def features(self, images: np.ndarray) -> np.ndarray:
        """The features of images.

        Args:
          images: uint8 [n, h, w, c].

        Returns:
          float32 [n, d].
        """
        if self._stage is None:
            return self.extract(images)
        (frozen,) = self._stage.extract(images)
        return compiled(self._learned)(frozen)

    def maps(self, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The last feature maps of the training images, reduced.

        The run's folder keeps the projection, so that later commands use the same one.

        Args:
          images: All training images, uint8 [n, h, w, c].
          labels: Of these, int [n].

        Returns:
          float32 [n, i, j, k], where k is at most `CHANNELS`.

        Raises:
          UserError: F has no feature map, or the kept projection is damaged.
        """
        network = self._map_network(images.shape[1:])
        kernel, bias = self._projection(network, images, labels)
        reduce = layers.Conv2D(len(bias), 1, name="reduce")
        reduced = keras.Model(network.inputs, reduce(network.output), name="map")
        reduce.set_weights([kernel[None, None], bias])
        if self._stage is None:
            return compiled(reduced, chunk=batch_size())(images)
        key = f"{self._stage.key} map {digest(kernel.tobytes() + bias.tobytes())}"
        title = f"{Path(self.options.backbone).stem}, maps"
        (maps,) = stored(reduced, key, title, images)
        return np.array(maps)

    def _map_network(self, shape: tuple[int, ...]) -> keras.Model:
        """Images to the last map of F, on the grid that the decoder begins with."""
        try:
            if self._frozen is None:
                network = last_map(self._learned)
            elif self._stage is not None:
                network = last_map(self._frozen)
            else:
                top = last_map(self._learned)
                network = keras.Model(
                    self._frozen.inputs[0], top(self._frozen.outputs[0])
                )
        except UserError as err:
            raise UserError(
                f"{setting('recipe')}: {err.message} Use {setting('recipe', 'paper')}."
            ) from err
        x = network.outputs[0]
        if x.dtype != "float32":
            x = layers.Activation("linear", dtype="float32", name="single_map")(x)
        place, target = x.shape[1:3], grid(shape, x.shape[1:3])
        if place != target:
            smaller = target[0] < place[0] or target[1] < place[1]
            x = layers.Resizing(*target, antialias=smaller, name="grid")(x)
        return keras.Model(network.inputs[0], x)

    def _projection(
        self, network: keras.Model, images: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The kernel [channels, k] and the bias [k] of the kept or a new PCA."""
        path, channels = self._projection_file, network.output_shape[-1]
        if path.exists():
            with reading(path, "Remove it, and use --retrain."):
                kernel, bias = read_arrays(path, ("kernel", "bias"), _MOST_BYTES)
                k = min(CHANNELS, channels)
                if kernel.shape != (channels, k) or bias.shape != (k,):
                    raise UserError(f"is not of a map with {channels} channels.")
                return kernel.astype(np.float32), bias.astype(np.float32)
        some = images[spread_rows(labels, FITTED)]
        maps = compiled(network, chunk=batch_size())(some)
        kernel, bias = principal(maps.reshape(-1, channels), CHANNELS)
        path.parent.mkdir(exist_ok=True)
        atomically(path, lambda part: _write(part, kernel, bias))
        return kernel, bias

    @property
    def _projection_file(self) -> Path:
        """No class folder has a name that begins with a dot."""
        return self.run.pix / ".map.npz"


def _write(part: Path, kernel: np.ndarray, bias: np.ndarray) -> None:
    with part.open("wb") as file:
        np.savez(file, kernel=kernel, bias=bias)


def _parts(F: keras.Model, trains: str) -> tuple[keras.Model | None, keras.Model]:
    """The frozen and the trained part of a saved F (`FeatureStage.whole`)."""
    if trains == "all":
        return None, F
    learned, node, _ = F.outputs[0]._keras_history
    (features,) = learned._inbound_nodes[node].input_tensors
    return keras.Model(F.inputs[0], features, name="frozen"), learned


def grid(shape: tuple[int, ...], place: tuple[int, ...]) -> tuple[int, int]:
    """The grid next to a map's own from which doublings lead to an image.

    Args:
      shape: (height, width, ...) of an image.
      place: (height, width) of the map.

    Returns:
      Height and width: the image's, halved some times and rounded up.
    """
    side = min(max(place), PLACES)

    def halved(k: int) -> tuple[int, int]:
        return math.ceil(shape[0] / 2**k), math.ceil(shape[1] / 2**k)

    halvings = range(1 + math.ceil(math.log2(max(shape[:2]))))
    return min(map(halved, halvings), key=lambda x: abs(math.log(max(x) / side)))


def spread_rows(labels: np.ndarray, most: int) -> np.ndarray:
    """Rows of all classes alike, spread over each class.

    Args:
      labels: Int [n].
      most: Number of rows, at most; of more classes one row each.

    Returns:
      Positions in ascending order.
    """
    classes = np.unique(labels)
    each = max(1, most // len(classes))
    rows = []
    for label in classes:
        own = np.flatnonzero(labels == label)
        rows.append(own[np.linspace(0, len(own) - 1, min(each, len(own))).astype(int)])
    return np.sort(np.concatenate(rows))


def principal(values: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The projection to principal components.

    Args:
      values: float32 [m, channels].
      most: Components, at most.

    Returns:
      A kernel [channels, k] and a bias [k]: ``values @ kernel + bias`` are the
      components, with the largest variance first. Of no more than `most` channels the
      projection keeps them as they are.
    """
    channels = values.shape[1]
    if channels <= most:
        return np.eye(channels, dtype=np.float32), np.zeros(channels, np.float32)
    mean = values.mean(axis=0, dtype=np.float64)
    centred = (values - mean).astype(np.float32)
    covariance = (centred.T @ centred).astype(np.float64) / len(values)
    _, vectors = np.linalg.eigh(covariance)
    kernel = vectors[:, ::-1][:, :most]
    largest = np.take_along_axis(kernel, np.abs(kernel).argmax(axis=0)[None], axis=0)
    kernel = kernel * np.where(largest < 0, -1.0, 1.0)
    return kernel.astype(np.float32), (-mean @ kernel).astype(np.float32)

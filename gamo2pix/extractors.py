"""Feature extractors for scores, each with a name that says what it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from gamo2pix.reference_classifier import ReferenceClassifier
from gamo_tf.errors import UserError, setting
from gamo_tf.networks.batched import compiled
from gamo_tf.networks.saved import load_network

INCEPTION_SIDE = 299  # pixels
FILE_SUFFIX = ".keras"
_CHUNK = 50  # Inception's activations take some 30 MB an image


@dataclass(frozen=True)
class Extractor:
    """Images uint8 [n, h, w, c] -> features float32 [n, d].

    Attributes:
      name: what the features are; it names every score that is made of them.
      function: the extractor itself.
      least: fewest images that a score is made of. A Frechet distance of 2,048
        features says nothing with fewer rows than that.
      details: for the record: weights, size, what the features compare with.
    """

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    least: int = 4
    details: dict = field(default_factory=dict)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """The features of images uint8 [n, h, w, c], float32 [n, d]."""
        return self.function(images)


def choose(
    fid_features: str | None,
    inception_weights: Path | None,
    reference: Callable[[], ReferenceClassifier],
) -> list[Extractor]:
    """The extractors that scores are made with.

    Args:
      fid_features: "inception", "classifier", a .keras file (see `of_file`), or None:
        Inception-v3 if its weights can be had, else a classifier, with a line that
        says so.
      inception_weights: a file of the weights (see `inception`).
      reference: gives the reference classifier, which may have to be trained.

    Raises:
      UserError: the weights of Inception-v3 were asked for and cannot be had, or the
        file has no model of images.
    """
    if fid_features and fid_features.endswith(FILE_SUFFIX):
        return [of_file(Path(fid_features))]
    if fid_features != "classifier":
        try:
            return inception(inception_weights)
        except UserError as err:
            if fid_features == "inception" or inception_weights:
                raise
            print(f"{err} Now a reference classifier's features are used.")
    found = reference()
    return [Extractor(found.name, found.features, details=found.details)]


# ---- Inception-v3 ------------------------------------------------------------


def inception(weights: Path | None = None) -> list[Extractor]:
    """Inception-v3 (Szegedy et al., CVPR 2016) as Keras has it.

    Args:
      weights: an .h5 file of the network without its top; None takes Keras's own
        loader, which downloads them.

    Returns:
      Two extractors: means over the first max-pool (d = 64), and over the last map
      (d = 2,048).

    Raises:
      UserError: the weights cannot be had.
    """
    place = str(weights) if weights else "keras.applications imagenet"
    try:
        network = keras.applications.InceptionV3(
            include_top=False,
            weights=None if weights else "imagenet",
            input_shape=(INCEPTION_SIDE, INCEPTION_SIDE, 3),
        )
        if weights:
            network.load_weights(weights)
    except Exception as err:  # urllib, h5py and Keras raise of many kinds
        reason = str(err).splitlines()[0] if str(err) else type(err).__name__
        raise UserError(
            f"Inception-v3's weights cannot be had from {place} ({reason}). Give "
            f"{setting('inception_weights')} FILE, or {setting('fid_features')} "
            "classifier."
        ) from err
    pools = [x for x in network.layers if isinstance(x, layers.MaxPooling2D)]
    details = {
        "weights": place,
        "weights_md5": _digest(network),
        "resize": f"bilinear, antialiased, to {INCEPTION_SIDE}x{INCEPTION_SIDE}",
        "comparable_to_published": False,
        "note": "not the weights of the 2015 graph that published FIDs use",
    }
    taps = (
        ("keras_inceptionv3_maxpool1_d64", pools[0].output, 4),
        ("keras_inceptionv3_pool3_d2048", network.output, 2048),
    )
    extractors = []
    for name, tensor, least in taps:
        mean = layers.GlobalAveragePooling2D()(tensor)
        function = compiled(keras.Model(network.inputs, mean), _to_inception, _CHUNK)
        extractors.append(Extractor(name, function, least, details))
    return extractors


def _to_inception(images: tf.Tensor) -> tf.Tensor:
    """Images of any size and colour as Inception-v3 takes them, in [-1, 1]."""
    x = tf.cast(images, tf.float32)
    if images.shape[-1] == 1:
        x = tf.image.grayscale_to_rgb(x)
    side = [INCEPTION_SIDE, INCEPTION_SIDE]
    return tf.image.resize(x, side, antialias=True) / 127.5 - 1.0


def _digest(network: keras.Model) -> str:
    """The MD5 sum of all weights, in the order of `get_weights`."""
    digest = hashlib.md5(usedforsecurity=False)
    for array in network.get_weights():
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


# ---- a model of the user's ---------------------------------------------------


def of_file(path: Path) -> Extractor:
    """The features that a Keras model makes of images.

    The model takes pixels from 0 to 255, which its own layers scale as it needs them.
    Images are scaled to the size that it takes (bilinear, antialiased) and made grey or
    of three channels. Of maps the mean is taken.

    Args:
      path: a .keras file, which is loaded in Keras's safe mode.

    Raises:
      UserError: it cannot be read, or is no model of images with one output.
    """
    model = load_network(path)
    shapes = [x.shape for x in (*model.inputs, *model.outputs)]
    ranks = tuple(len(shape) for shape in shapes)
    if ranks not in ((4, 2), (4, 4)) or shapes[0][3] not in (1, 3):
        raise UserError(
            f"{path}: expected a model of images [b, h, w, 1 or 3] to features [b, d]."
        )
    output = model.outputs[0]
    if ranks[1] == 4:
        output = layers.GlobalAveragePooling2D()(output)
    _, height, width, channels = shapes[0]

    def prepared(images: tf.Tensor) -> tf.Tensor:
        x = tf.cast(images, tf.float32)
        if x.shape[-1] != channels:
            grey = channels == 1
            x = tf.image.rgb_to_grayscale(x) if grey else tf.image.grayscale_to_rgb(x)
        side = [height or x.shape[1], width or x.shape[2]]
        if list(x.shape[1:3]) == side:
            return x
        return tf.image.resize(x, side, antialias=True)

    digest = _digest(model)
    name = f"{path.stem}_d{output.shape[-1]}_{digest[:8]}"
    function = compiled(keras.Model(model.inputs, output), prepared, _CHUNK)
    return Extractor(name, function, details={"file": path.name, "md5": digest})

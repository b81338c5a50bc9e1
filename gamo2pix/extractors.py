"""Feature extractors for scores, each with a name that says what it is."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError, setting
from gamo_tf.evaluation import metrics
from gamo_tf.files import clock
from gamo_tf.networks.batched import compiled
from gamo_tf.networks.saved import load_network, save_network
from gamo_tf.stored import read_object, reading, write_json

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
    spec: DatasetSpec,
    arrays: Arrays,
    data_dir: Path,
) -> list[Extractor]:
    """The extractors that scores are made with.

    Args:
      fid_features: "inception", "classifier", a .keras file (see `of_file`), or None:
        Inception-v3 if its weights can be had, else a classifier, with a line that
        says so.
      inception_weights: a file of the weights (see `inception`).
      spec: of the dataset.
      arrays: the whole dataset, which the classifier is trained on.
      data_dir: where the classifier is kept.

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
    return [reference(spec, arrays, data_dir)]


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


# ---- a reference classifier --------------------------------------------------


@dataclass(frozen=True)
class Recipe:
    """How a reference classifier is trained: Adam 1e-3 on seeded minibatches.

    Attributes:
      name: of the recipe and of the layers that `reference` has. It is part of the
        name of every score, so that whoever changes anything gives another name.
      batch: images of a minibatch.
      epochs: fewest passes over the training set.
      updates: fewest minibatches.
      seed: of the initial weights and the minibatches.
    """

    name: str = "r1"
    batch: int = 128
    epochs: int = 5
    updates: int = 1500
    seed: int = 0


RECIPE = Recipe()


def reference(
    spec: DatasetSpec, arrays: Arrays, data_dir: Path, recipe: Recipe = RECIPE
) -> Extractor:
    """64 features of a classifier of the full published training set.

    3x3 convolutions of 32 and 64 filters with ReLU and 2x2 max pooling, dense 64 with
    ReLU (the features), softmax. The features are divided by their root mean square
    over the training set, so that the size of a score says something.

    It is kept under ``<data_dir>/reference``; other training images have their own.

    Args:
      spec: of the dataset.
      arrays: the whole dataset.
      data_dir: where the classifier is kept. If it cannot be written there, it is
        trained every time.
      recipe: of its training.
    """
    digest = hashlib.blake2b(arrays.images.data, digest_size=6)
    digest.update(np.ascontiguousarray(arrays.labels).data)
    folder = data_dir / "reference"
    stem = f"{spec.name}-{recipe.name}-{digest.hexdigest()}"
    path, card = folder / f"{stem}.keras", folder / f"{stem}.json"
    if path.is_file() and card.is_file():
        model = load_network(path)
        details = read_card(card)
    else:
        print(
            f"training the reference classifier of {spec.name} (once, kept in "
            f"{folder}): {len(arrays.images)} images",
            flush=True,
        )
        classes = len(spec.classes)
        model = _train_reference(arrays.images, arrays.labels, classes, recipe)
        details = _details(model, spec, arrays, recipe)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            save_network(path, model)
            write_json(card, details)
        except OSError as err:
            print(f"{folder}: cannot be written ({err.strerror}); not kept", flush=True)
    features, scale = _penultimate(model), details["scale"]
    name = f"classifier_{spec.name}_{recipe.name}_d64"
    return Extractor(name, lambda x: features(x) / scale, details=details)


def read_card(path: Path) -> dict:
    """What is known of a reference classifier.

    Args:
      path: of its card, a JSON file.

    Raises:
      UserError: it cannot be read, or has no scale.
    """
    with reading(path):
        details = read_object(path)
        if not details.get("scale", 0) > 0:
            raise UserError("expected a scale above 0.")
        return details


def _penultimate(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """The layer before the softmax as a function, [n, h, w, c] -> [n, 64]."""
    return compiled(keras.Model(model.inputs, model.get_layer("features").output))


def _details(
    model: keras.Model, spec: DatasetSpec, arrays: Arrays, recipe: Recipe
) -> dict:
    """The scale of the features, and how good the classifier is."""
    predicted = compiled(model)(arrays.test_images).argmax(axis=1)
    matrix = metrics.confusion(arrays.test_labels, predicted, len(spec.classes))
    found = metrics.from_summary(metrics.summarise(matrix))
    scale = np.sqrt(np.mean(_penultimate(model)(arrays.images) ** 2))
    return {
        "scale": float(scale),
        "classifier": f"{spec.name}, recipe {recipe.name}",
        "training_images": len(arrays.images),
        **{f"test_{name}": value for name, value in found.items()},
        "comparable_to_published": False,
    }


def _train_reference(
    images: np.ndarray, labels: np.ndarray, classes: int, recipe: Recipe
) -> keras.Model:
    keras.utils.set_random_seed(recipe.seed)
    inputs = keras.Input(images.shape[1:], name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(64, activation="relu", name="features")(x)
    model = keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    updates = math.ceil(len(images) / recipe.batch)
    epochs = max(recipe.epochs, math.ceil(recipe.updates / updates))
    rows = np.random.default_rng(recipe.seed).permutation(len(images))
    data = tf.data.Dataset.from_tensor_slices((images[rows], labels[rows]))
    data = data.shuffle(10_000, seed=recipe.seed).batch(recipe.batch).prefetch(2)
    model.fit(data, epochs=epochs, shuffle=False, verbose=0, callbacks=[_Told(epochs)])
    return model


class _Told(keras.callbacks.Callback):
    """Says after each epoch how far the training is."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs, self.began = epochs, time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        done = epoch + 1
        left = (time.monotonic() - self.began) / done * (self.epochs - done)
        loss = (logs or {}).get("loss", math.nan)
        said = f"epoch {done} of {self.epochs}, loss {loss:.3f}"
        print(f"  {said}, about {clock(left)} left", flush=True)

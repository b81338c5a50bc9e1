"""Feature extractors for scores, each with a name that says what it is."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from gamo_tf import metrics
from gamo_tf.chunks import compiled
from gamo_tf.errors import UserError
from gamo_tf.folder import atomically, write_text
from gamo_tf.specs import DatasetSpec

INCEPTION_SIDE = 299
_CHUNK = 50  # Inception's activations: some 30 MB an image


@dataclass(frozen=True)
class Extractor:
    """Images uint8 [n, h, w, c] -> features float32 [n, d].

    Attributes:
      name: what the features are; names every score made of them.
      least: rows below which a Frechet distance of them says nothing (d of 2048
        and more); no score is made then.
      details: for the record: weights, size, what they compare with.
    """

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    least: int = 4
    details: dict = field(default_factory=dict)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        return self.function(images)


# ---- Inception-v3 ------------------------------------------------------------


def inception(weights: Path | None = None) -> list[Extractor]:
    """Keras's Inception-v3 at its first max-pool (64-d) and at its end (2048-d).

    `weights`: an .h5 file of the network without its top; None takes Keras's
    own loader, which downloads. Raises UserError where neither works.
    """
    source = str(weights) if weights else "keras.applications imagenet"
    try:
        network = keras.applications.InceptionV3(
            include_top=False,
            weights=None if weights else "imagenet",
            input_shape=(INCEPTION_SIDE, INCEPTION_SIDE, 3),
        )
        if weights:
            network.load_weights(weights)
    except Exception as err:  # urllib, h5py and Keras raise of many kinds
        told = str(err).splitlines()[0] if str(err) else type(err).__name__
        raise UserError(
            f"Inception-v3's weights cannot be had from {source} ({told}). Give "
            "--inception-weights FILE, or --fid-features classifier."
        ) from err
    pools = [x for x in network.layers if isinstance(x, layers.MaxPooling2D)]
    details = {
        "weights": source,
        "weights_md5": _digest(network),
        "resize": f"bilinear, antialiased, to {INCEPTION_SIDE}x{INCEPTION_SIDE}",
        "comparable_to_published": False,
        "note": "not the weights of the 2015 graph that published FIDs use",
    }
    taps = (
        ("keras_inceptionv3_maxpool1_d64", pools[0].output, 4),
        ("keras_inceptionv3_pool3_d2048", network.output, 2048),
    )
    made = []
    for name, tensor, least in taps:
        mean = layers.GlobalAveragePooling2D()(tensor)
        model = keras.Model(network.inputs, mean)
        function = compiled(model, _prepare, _CHUNK)
        made.append(Extractor(name, function, least, details))
    return made


def _prepare(images: tf.Tensor) -> tf.Tensor:
    x = tf.cast(images, tf.float32)
    if images.shape[-1] == 1:
        x = tf.image.grayscale_to_rgb(x)
    side = [INCEPTION_SIDE, INCEPTION_SIDE]
    return tf.image.resize(x, side, antialias=True) / 127.5 - 1.0


def _digest(network: keras.Model) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for array in network.get_weights():
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


# ---- a reference classifier --------------------------------------------------

RECIPE = "r1"  # raise it when anything below changes: it names every output
_RECIPE_BATCH, _RECIPE_EPOCHS, _RECIPE_UPDATES, _RECIPE_SEED = 128, 5, 1500, 0


def reference(
    spec: DatasetSpec, arrays: tuple[np.ndarray, ...], data_dir: Path
) -> Extractor:
    """64 features of a classifier of the full published training set.

    Recipe r1: 3x3 convolutions of 32 and 64 with ReLU and 2x2 max pooling, dense
    64 ReLU (the features), softmax; Adam 1e-3, batch 128, 5 passes or 1,500
    updates, whichever is more; seed 0. The features are divided by their root mean
    square over the training set, so that a score's size says something.

    Kept under ``<data-dir>/reference``; other training images get their own.
    """
    images, labels, test_images, test_labels = arrays
    digest = hashlib.blake2b(images, digest_size=6)
    digest.update(np.ascontiguousarray(labels))
    folder = data_dir / "reference"
    stem = f"{spec.name}-{RECIPE}-{digest.hexdigest()}"
    path, card = folder / f"{stem}.keras", folder / f"{stem}.json"
    if path.is_file() and card.is_file():
        model = keras.saving.load_model(path, safe_mode=True, compile=False)
        details = json.loads(card.read_text(encoding="utf-8"))
    else:
        print(
            f"training the reference classifier of {spec.name} (once, kept in "
            f"{folder}): {len(images)} images",
            flush=True,
        )
        model = _train_reference(images, labels, len(spec.classes))
        guess = compiled(model)(test_images).argmax(axis=1)
        found = metrics.confusion(test_labels, guess, len(spec.classes))
        size = np.sqrt(np.mean(_penultimate(model)(images) ** 2))
        details = {
            "scale": float(size),
            "classifier": f"{spec.name}, recipe {RECIPE}",
            "training_images": len(images),
            "test_acsa": metrics.summarise(found)["acsa"],
            "comparable_to_published": False,
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            atomically(path, model.save)
            write_text(card, json.dumps(details, indent=2) + "\n")
        except OSError as err:
            print(f"{folder}: cannot be written ({err.strerror}); not kept", flush=True)
    features, scale = _penultimate(model), details["scale"]
    name = f"classifier_{spec.name}_{RECIPE}_d64"
    return Extractor(name, lambda x: features(x) / scale, details=details)


def _penultimate(model: keras.Model) -> Callable:
    tap = keras.Model(model.inputs, model.get_layer("features").output)
    return compiled(tap)


def _train_reference(images: np.ndarray, labels: np.ndarray, c: int) -> keras.Model:
    keras.utils.set_random_seed(_RECIPE_SEED)
    inputs = keras.Input(images.shape[1:], name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(64, activation="relu", name="features")(x)
    model = keras.Model(inputs, layers.Dense(c, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    updates = math.ceil(len(images) / _RECIPE_BATCH)
    epochs = max(_RECIPE_EPOCHS, math.ceil(_RECIPE_UPDATES / updates))
    rows = np.random.default_rng(_RECIPE_SEED).permutation(len(images))
    data = tf.data.Dataset.from_tensor_slices((images[rows], labels[rows]))
    data = data.shuffle(10_000, seed=_RECIPE_SEED).batch(_RECIPE_BATCH).prefetch(2)
    model.fit(data, epochs=epochs, shuffle=False, verbose=0)
    return model

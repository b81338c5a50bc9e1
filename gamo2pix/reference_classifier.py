"""A classifier of a whole real dataset, from which scores and trust are taken.

Nothing that generates is shown to it, and it is no network of a run: what it thinks of
a generated image is the opinion of somebody else.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from gamo_tf.config.dataset_specs import DATASETS, DatasetSpec
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError
from gamo_tf.evaluation import metrics
from gamo_tf.files import clock
from gamo_tf.networks.batched import compiled
from gamo_tf.networks.saved import load_network, save_network
from gamo_tf.stored import read_object, reading, write_json


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
      learned: mean loss of an epoch, in nats, below which the training ends at once;
        0: it never does.
    """

    name: str = "r1"
    batch: int = 128
    epochs: int = 5
    updates: int = 1500
    seed: int = 0
    learned: float = 0.0


RECIPE = Recipe()  # of published datasets, whose scores are published too
# Of your own images. They are often so few that r1 goes on for hundreds of epochs
# after it has learned the last one.
OWN_RECIPE = Recipe("r2", learned=0.01)


class ReferenceClassifier:
    """A trained reference classifier.

    Args:
      name: of its features.
      model: images to probabilities; its layer "features" is the last but one.
      details: what is known of it (see `read_card`).

    Attributes:
      name, details: as above.
    """

    def __init__(self, name: str, model: keras.Model, details: dict) -> None:
        self.name, self.details = name, details
        self._features, self._last = _penultimate(model), model.layers[-1]

    def features(self, images: np.ndarray) -> np.ndarray:
        """The features of images uint8 [n, h, w, c], float32 [n, 64].

        They are divided by their root mean square over the training set, so that the
        size of a score says something.
        """
        return self.judge(images)[0]

    def judge(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The `features` of images, and the probabilities of their classes.

        Args:
          images: uint8 [n, h, w, c].

        Returns:
          float32 [n, 64] and float32 [n, c].
        """
        found = self._features(images)
        return found / self.details["scale"], self._last(found).numpy()


def reference(
    spec: DatasetSpec, arrays: Arrays, folder: Path, recipe: Recipe | None = None
) -> ReferenceClassifier:
    """The reference classifier of a dataset: that which is kept, or a new one.

    3x3 convolutions of 32 and 64 filters with ReLU and 2x2 max pooling, dense 64 with
    ReLU (the features), softmax.

    It is kept under ``<folder>/reference``; other training images have their own.

    Args:
      spec: of the dataset.
      arrays: the whole dataset.
      folder: of the runs. If the classifier cannot be written there, it is trained
        every time.
      recipe: of its training; None: RECIPE for published datasets, OWN_RECIPE for
        others. Of the latter, one of RECIPE that is kept does as well.
    """
    digest = hashlib.blake2b(arrays.images.data, digest_size=6)
    digest.update(np.ascontiguousarray(arrays.labels).data)
    kept = folder / "reference"

    def paths(recipe: Recipe) -> tuple[Path, Path]:
        stem = f"{spec.name}-{recipe.name}-{digest.hexdigest()}"
        return kept / f"{stem}.keras", kept / f"{stem}.json"

    recipes = [recipe] if recipe else [RECIPE]
    if recipe is None and spec.name not in DATASETS:
        recipes = [OWN_RECIPE, RECIPE]  # earlier versions trained by the second one
    for each in recipes:
        path, card = paths(each)
        if path.is_file() and card.is_file():
            return ReferenceClassifier(
                _name(spec, each), load_network(path), read_card(card)
            )
    new = recipes[0]
    print(
        f"training the reference classifier of {spec.name} (once, kept in "
        f"{kept}): {len(arrays.images)} images",
        flush=True,
    )
    classes = len(spec.classes)
    model, epochs = _train_reference(arrays.images, arrays.labels, classes, new)
    details = {**_details(model, spec, arrays, new), "epochs": epochs}
    path, card = paths(new)
    try:
        kept.mkdir(parents=True, exist_ok=True)
        save_network(path, model)
        write_json(card, details)
    except OSError as err:
        print(f"{kept}: cannot be written ({err.strerror}); not kept", flush=True)
    return ReferenceClassifier(_name(spec, new), model, details)


def _name(spec: DatasetSpec, recipe: Recipe) -> str:
    return f"classifier_{spec.name}_{recipe.name}_d64"


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
) -> tuple[keras.Model, int]:
    """The trained classifier, and the epochs that took."""
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
    progress = _Progress(epochs, recipe.learned)
    model.fit(data, epochs=epochs, shuffle=False, verbose=0, callbacks=[progress])
    return model, progress.done


class _Progress(keras.callbacks.Callback):
    """Reports about twelve times how far the training is, and ends it.

    Args:
      epochs: after which it ends by itself.
      learned: mean loss of an epoch below which it ends early.

    Attributes:
      done: epochs so far.
    """

    def __init__(self, epochs: int, learned: float) -> None:
        super().__init__()
        self.epochs, self.learned = epochs, learned
        self.done, self.began = 0, time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.done = epoch + 1
        loss = (logs or {}).get("loss", math.nan)
        spent = time.monotonic() - self.began
        if loss < self.learned:
            self.model.stop_training = True
        if loss < self.learned or self.done == self.epochs:
            end = "learned" if loss < self.learned else "done"
            line = f"{end} after {self.done} epochs, loss {loss:.3f}, {clock(spent)}"
            print(f"  {line}", flush=True)
        elif self.done % math.ceil(self.epochs / 12) == 0:
            left = spent / self.done * (self.epochs - self.done)
            line = f"epoch {self.done} of at most {self.epochs}, loss {loss:.3f}"
            print(f"  {line}, at most {clock(left)} left", flush=True)

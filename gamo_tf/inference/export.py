"""F and M of a run as one model, which is used without this package."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import keras
import tensorflow as tf
from keras import layers

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.options import spec_of
from gamo_tf.errors import UserError, setting
from gamo_tf.files import replace_folder
from gamo_tf.inference.players import load_classifier
from gamo_tf.own_settings import own_settings
from gamo_tf.runs.run import Run


def model(run: Run, spec: DatasetSpec) -> keras.Model:
    """F and M joined to one model that takes rows as they come.

    Images are cut to their central square and scaled inside the model, by Keras's
    Resizing layer. `predict_rows` scales with Pillow; the two may differ by a grey
    level.

    Args:
      run: a finished run.
      spec: of the run's data.

    Returns:
      Images of any size, values 0 to 255 [b, any, any, channels], or vectors
      float64 [b, d], to class probabilities [b, c].

    Raises:
      UserError: where the run has no F or M.
    """
    F, M = load_classifier(run)
    if spec.vector:
        # float64, but for runs of earlier versions, whose F takes float32.
        x = keras.Input(spec.shape, dtype=F.inputs[0].dtype, name="vector")
        return keras.Model(x, M(F(x)), name="gamo")
    height, width, channels = spec.shape
    x = keras.Input((None, None, channels), name="image")
    scale = layers.Resizing(
        height,
        width,
        interpolation="bicubic",
        antialias=True,
        crop_to_aspect_ratio=True,
        name="resize",
    )
    # Keras calls Resizing as if in training, and then all layers behind it too.
    return keras.Model(x, M(F(scale(x, training=False))), name="gamo")


@own_settings()
def write(run: Run, folder: Path) -> None:
    """Write the model of a run to a new folder, for Keras and as a SavedModel.

    ``model.keras`` has the names of the classes, the run, the dataset and the method
    in its ``metadata.json``; of a table also ``columns``, their ``kinds`` and their
    ``categories``, whose positions stand for names. Identifiers go in as -1.
    ``saved_model/`` has a signature ``serving_default`` that returns ``probabilities``
    [b, c] and ``label`` [b], the name of the most probable class. All of the folder is
    written or nothing.

    Args:
      run: a finished run.
      folder: to be created, with its parents.

    Raises:
      UserError: where `folder` exists, or the run has no F or M.
    """
    if os.path.lexists(folder):
        raise UserError(f"{setting('export', folder)}: is there already. Name another.")
    spec = spec_of(run.options)
    whole = model(run, spec)
    facts = {
        "classes": list(spec.classes),
        "run": run.path.name,
        "dataset": spec.name,
        "method": run.options.method,
    }
    if spec.vector:
        # A column of names goes in as the position in its list; -1 for other values.
        names = ("columns", "kinds", "categories")
        facts |= {name: run.identity[name] for name in names if name in run.identity}

    @tf.function(input_signature=[_signature(whole)])
    def serve(x: tf.Tensor) -> dict[str, tf.Tensor]:
        p = whole(x, training=False)
        names = tf.constant(spec.classes)
        return {"probabilities": p, "label": tf.gather(names, tf.argmax(p, axis=1))}

    def fill(part: Path) -> None:
        whole.save(part / "model.keras")
        _add_metadata(part / "model.keras", facts)
        # A SavedModel keeps the variables that it finds as attributes of the module.
        module = tf.Module()
        module.model, module.serve = whole, serve
        tf.saved_model.save(
            module, str(part / "saved_model"), signatures={"serving_default": serve}
        )

    folder.parent.mkdir(parents=True, exist_ok=True)
    replace_folder(folder, fill)


def _signature(whole: keras.Model) -> tf.TensorSpec:
    """What the served model takes: the rows of the model."""
    (rows,) = whole.inputs
    return tf.TensorSpec(rows.shape, rows.dtype)


def _add_metadata(path: Path, facts: dict) -> None:
    """Adds `facts` to the metadata.json inside a ``.keras`` file, which is a zip."""
    part = path.with_suffix(".part")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(part, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename == "metadata.json":
                data = json.dumps({**json.loads(data), **facts}, indent=2).encode()
            new.writestr(item, data)
    os.replace(part, path)

"""One model of F and M, to be used without this package."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import keras
import tensorflow as tf
from keras import layers

from gamo_tf.errors import UserError
from gamo_tf.folder import atomically
from gamo_tf.options import spec_of
from gamo_tf.runs import Run
from gamo_tf.specs import DatasetSpec


def model(run: Run, spec: DatasetSpec) -> keras.Model:
    """Images of any size, values 0 to 255 [b, h, w, channels] -> probabilities
    [b, c]; vectors as they come.

    Images are cut to their central square and scaled inside, as Keras's Resizing
    does; `predict.py` scales with Pillow, which may differ by a grey level.
    """
    F, M = run.load_model("F"), run.load_model("M")
    if spec.vector:
        x = keras.Input(spec.shape, name="vector")
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
    return keras.Model(x, M(F(scale(x))), name="gamo")


def write(run: Run, folder: Path) -> None:
    """`folder`/model.keras, its metadata.json with the class names, and
    `folder`/saved_model, whose ``serving_default`` tells `label` and `probabilities`.

    Raises UserError where `folder` is there already.
    """
    if folder.exists():
        raise UserError(f"--export {folder}: is there already; name another.")
    spec = spec_of(run.options)
    whole = model(run, spec)
    told = {"classes": list(spec.classes), "run": run.path.name}
    told |= {"dataset": spec.name, "method": run.options.method}

    @tf.function(input_signature=[tf.TensorSpec(whole.input.shape, tf.float32)])
    def serve(x: tf.Tensor) -> dict[str, tf.Tensor]:
        p = whole(x, training=False)
        names = tf.constant(spec.classes)
        return {"probabilities": p, "label": tf.gather(names, tf.argmax(p, axis=1))}

    def fill(part: Path) -> None:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        whole.save(part / "model.keras")
        _tell(part / "model.keras", told)
        holder = tf.Module()
        holder.model, holder.serve = whole, serve
        tf.saved_model.save(
            holder, str(part / "saved_model"), signatures={"serving_default": serve}
        )

    folder.parent.mkdir(parents=True, exist_ok=True)
    atomically(folder, fill)


def _tell(path: Path, told: dict) -> None:
    """Adds `told` to metadata.json within a .keras file."""
    part = path.with_suffix(".part")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(part, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename == "metadata.json":
                data = json.dumps({**json.loads(data), **told}, indent=2).encode()
            new.writestr(item, data)
    os.replace(part, path)

"""What a file of a network says of its images, without building the network."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from gamo_tf.config.backbones import ANY_SIDE, BACKBONES, check_name, is_file
from gamo_tf.stored import check_zip, reading, regular_size


def own_side(name: str) -> int:
    """Height and width in pixels of the images that a pretrained network wants.

    Args:
      name: a row of `BACKBONES`, or the path of a file.

    Returns:
      The row's side; of a file that of its input, or `ANY_SIDE` where it takes any.

    Raises:
      UserError: the name is neither, or the file is no Keras model.
    """
    check_name(name)
    if not is_file(name):
        return BACKBONES[name].side
    path = Path(name)
    with reading(path):
        check_zip(path, 2 * regular_size(path))
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))["config"]
        shapes = [
            layer["config"]["batch_shape"]
            for layer in config["layers"]
            if layer["class_name"] == "InputLayer"
        ]
        side = shapes[0][1] if shapes and len(shapes[0]) == 4 else None
        return side if isinstance(side, int) and side > 0 else ANY_SIDE

"""BACKBONES: one row a feature extractor F. No TensorFlow here.

A row with a `build` is a network of ``keras.applications``, which has weights that
were trained on ImageNet. A user's own network is no row: it is a ``.keras`` file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from gamo_tf.errors import UserError, did_you_mean

OWN = ("paper", "pixels", "standardise")  # the rows of this project
WEIGHTS = ("imagenet", "none")
TRAINS = ("none", "top", "all")

GIVEN = "given"  # a network from Python, which has no name
ANY_SIDE = 128  # pixels, of networks that take images of any size

_FILE = ".keras"
_URL = "https://storage.googleapis.com/tensorflow/keras-applications"


@dataclass(frozen=True)
class Backbone:
    """What is fixed about a feature extractor.

    Attributes:
      name: as the user gives it.
      title: for people, with its source.
      side: height and width in pixels of the images that it was trained on; 0: it
        takes images as they are.
      least_side: the smallest height and width in pixels that it takes; 0: no images.
      channels: of its images; 0: as the data have.
      features: width d of its feature vectors; 0: it follows from the data.
      mebibytes: size of its weights, without the classifier; 0: it follows from the
        data.
      build: the function of ``keras.applications`` that builds it; "": there are no
        pretrained weights.
      source: the address of its pretrained weights, or who wrote it.
      licence: of the pretrained weights, or of the code.
    """

    name: str
    title: str
    side: int
    least_side: int
    channels: int
    features: int
    mebibytes: float
    build: str
    source: str
    licence: str

    @property
    def pretrained(self) -> bool:
        """Whether there are weights that were trained on other images."""
        return bool(self.build)


def _own(name: str, title: str, least_side: int, features: int = 0) -> Backbone:
    """A row of this project, which takes images as they are."""
    return Backbone(
        name, title, 0, least_side, 0, features, 0.0, "", "this project", "Apache-2.0"
    )


def _keras(
    name: str, title: str, side: int, features: int, mebibytes: float, file: str
) -> Backbone:
    """A row of ``keras.applications``. All of them take 32 pixels or more."""
    source = f"{_URL}/{file}"
    return Backbone(
        name, title, side, 32, 3, features, mebibytes, name, source, "Apache-2.0"
    )


BACKBONES = {
    row.name: row
    for row in (
        _own("paper", "small CNN (Mullick et al., 2019)", 1, 512),
        _own("pixels", "pixel values scaled to [-1, 1]", 1),
        _own("standardise", "table columns with mean 0 and variance 1", 0),
        _keras(
            "MobileNetV3Small",
            "MobileNetV3 Small (Howard et al., 2019)",
            224,
            576,
            3.6,
            "mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
        ),
        _keras(
            "MobileNetV3Large",
            "MobileNetV3 Large (Howard et al., 2019)",
            224,
            960,
            11.4,
            "mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
        ),
        _keras(
            "EfficientNetV2B0",
            "EfficientNetV2 B0 (Tan and Le, 2021)",
            224,
            1280,
            22.6,
            "efficientnet_v2/efficientnetv2-b0_notop.h5",
        ),
        _keras(
            "EfficientNetV2S",
            "EfficientNetV2 S (Tan and Le, 2021)",
            384,
            1280,
            77.6,
            "efficientnet_v2/efficientnetv2-s_notop.h5",
        ),
        _keras(
            "ConvNeXtTiny",
            "ConvNeXt Tiny (Liu et al., 2022)",
            224,
            768,
            106.1,
            "convnext/convnext_tiny_notop.h5",
        ),
    )
}


def is_file(name: str) -> bool:
    """Whether a name is the path of a file and no row of `BACKBONES`.

    Args:
      name: as the user gives it.
    """
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    return name.endswith(_FILE) or any(mark in name for mark in separators)


def is_pretrained(name: str) -> bool:
    """Whether a feature extractor comes with weights of its own.

    Args:
      name: as the user gives it; "": the network of the dataset's row.
    """
    return bool(name) and name not in OWN


def check_name(name: str) -> None:
    """Make sure that a name is a row of `BACKBONES` or the path of a ``.keras`` file.

    Args:
      name: as the user gives it. Whether the file exists is not checked.

    Raises:
      UserError: it is neither.
    """
    if name.endswith(_FILE) or name in BACKBONES or name == GIVEN:
        return
    if is_file(name):
        raise UserError(f"{name}: a network comes as a {_FILE} file.")
    raise UserError(
        f"{name}: no such feature extractor.{did_you_mean(name, BACKBONES)} "
        f"Choose one of {', '.join(BACKBONES)}, or a {_FILE} file."
    )

"""Pretrained feature extractors: by name, by file, or as a model from Python."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any, NamedTuple

import keras
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from gamo_tf.config.backbones import BACKBONES, GIVEN, OWN, TRAINS, WEIGHTS
from gamo_tf.config.checks import RANGES
from gamo_tf.config.options import Options, resolve
from gamo_tf.data.network_file import own_side
from gamo_tf.errors import UserError
from gamo_tf.networks import backbones
from gamo_tf.networks.shared_backbone import backbone

CONSTRAINTS = {
    "backbone_weights": [str, os.PathLike],
    "backbone_trains": [StrOptions(set(TRAINS))],
    "backbone_rate": [Interval(Real, 0, 1, closed="right"), None],
    "image_size": [
        Interval(Integral, 1, RANGES["backbone_side"].high, closed="both"),
        None,
    ],
}
# What the parameters are where F is no pretrained network.
_UNUSED = {
    "backbone_weights": "imagenet",
    "backbone_trains": "none",
    "backbone_rate": None,
    "image_size": None,
}
_OWN_WORDS = ("F", "backbone_rate", "backbone_trains", "image_size")
_PRETRAINED = [name for name in BACKBONES if name not in OWN]


class Pretrained(NamedTuple):
    """A pretrained feature extractor, and how it is trained further.

    Attributes
    ----------
    F : keras.Model
        Images [b, h, w, c] to features [b, e]. Trainings without a frozen part change
        its weights.
    settings : dict
        By the names of ``Options``.
    """

    F: keras.Model
    settings: dict[str, Any]

    def placeholder(self, shape: tuple[int, ...]) -> Options:
        """Options for extraction alone, which classes and counts do not matter to.

        Parameters
        ----------
        shape : tuple (h, w, c)
            Of the images.
        """
        return _placeholder(self.settings, shape)


def of(
    estimator: BaseEstimator, shape: tuple[int, ...], seed: int
) -> Pretrained | None:
    """The pretrained F of an estimator.

    Parameters
    ----------
    estimator : BaseEstimator
        Its parameters `F` and those of `CONSTRAINTS` are taken.
    shape : tuple
        Of a row, (h, w, c) of images or (d,) of vectors.
    seed : int
        Of random weights.

    Returns
    -------
    Pretrained or None
        None where F is no pretrained network: it is the default one, a callable, or a
        model of vectors.

    Raises
    ------
    ValueError
        As `load`; for vectors with a pretrained network, and for parameters of
        pretrained networks without one.
    """
    F, images = estimator.F, len(shape) == 3
    named = isinstance(F, (str, os.PathLike))
    if not (named or (images and isinstance(F, keras.Model))):
        for name, value in _UNUSED.items():
            if getattr(estimator, name) != value:
                raise ValueError(f"{name}: needs a pretrained network as F.")
        return None
    height, width, channels = shape
    return load(
        F,
        (height, width, channels),
        weights=estimator.backbone_weights,
        trains=estimator.backbone_trains,
        rate=estimator.backbone_rate,
        side=estimator.image_size,
        seed=seed,
    )


def load(
    network: Any,
    shape: tuple[int, int, int],
    *,
    weights: Any = "imagenet",
    trains: str = "none",
    rate: float | None = None,
    side: int | None = None,
    seed: int = 0,
    words: tuple[str, str] = ("F", "backbone_weights"),
) -> Pretrained:
    """Load a pretrained feature extractor, or copy one that was passed.

    Parameters
    ----------
    network : str, path or keras.Model
        A name of `BACKBONES`, a ``.keras`` file, or a network of images.
    shape : tuple (h, w, c)
        Of the images.
    weights : str or path
        "imagenet", "none" or a file, as for `networks.backbones.load_backbone`.
    trains : {"none", "top", "all"}
        Which of its layers learn.
    rate : float or None
        Learning rate of these layers.
    side : int or None
        Height and width in pixels that images are resized to; None: the network's own.
    seed : int
        Of random weights.
    words : tuple of str
        The names of the parameters `network` and `weights` in messages.

    Raises
    ------
    ValueError
        The network or its weights cannot be had, or do not fit the images.
    """
    given = isinstance(network, keras.Model)
    name = GIVEN if given else os.fspath(network)
    weights = os.fspath(weights)
    settings: dict[str, Any] = {
        "backbone": name,
        "backbone_weights": weights,
        "backbone_trains": trains,
        "backbone_side": int(side or 0),
    }
    if rate is not None:
        settings["backbone_rate"] = float(rate)
    with _naming(words, weights):
        if given:
            if weights != WEIGHTS[0]:
                raise ValueError(f"{words[1]}: a model has weights of its own.")
            _placeholder(settings, shape)
            F = backbones.around(network, shape, side or 0, words[0])
            return Pretrained(F, settings)
        if name in (*OWN, GIVEN):
            raise UserError(
                f"{name}: has no pretrained weights. Choose one of "
                f"{', '.join(_PRETRAINED)}, or a .keras file."
            )
        _placeholder(settings, shape)
        side = side or own_side(name)
        F, _ = backbone(name, weights, shape, side, seed, learns=trains != "none")
    return Pretrained(F, settings)


@contextmanager
def _naming(words: tuple[str, str], weights: str) -> Iterator[None]:
    """Within it, errors are ValueErrors that begin with the name of a parameter."""
    try:
        yield
    except UserError as err:
        text = str(err).replace("backbone_weights", words[1])
        named = [text.startswith((f"{word}:", f"{word} ")) for word in _OWN_WORDS]
        if text.startswith(words[1]) or any(named):
            raise ValueError(text) from err
        of_weights = weights not in WEIGHTS and text.startswith(weights)
        raise ValueError(f"{words[of_weights]}: {text}") from err


def _placeholder(settings: dict[str, Any], shape: tuple[int, ...]) -> Options:
    return resolve(
        {
            **settings,
            "dataset": "memory",
            "data": "memory",
            "classes": ("0", "1"),
            "shape": shape,
            "counts": (3, 2),
            "method": "cn",
        }
    )

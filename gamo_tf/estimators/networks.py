"""Networks that the estimators take, copy and call."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from gamo_tf.methods.build import Networks
from gamo_tf.networks.batched import CHUNK


def forward(network: keras.Model, rows: np.ndarray, chunk: int = CHUNK) -> np.ndarray:
    """A network at inference over any number of rows.

    Parameters
    ----------
    network : keras.Model
        Of one input; its output is [b, d].
    rows : ndarray of shape (n, ...)
    chunk : int
        Rows of a pass.

    Returns
    -------
    ndarray of shape (n, d)
    """
    # Not compiled: a user's network may be called for a few rows only, and compiling
    # it takes longer than that.
    chunks = [
        np.asarray(network(rows[k : k + chunk], training=False))
        for k in range(0, len(rows), chunk)
    ]
    return np.concatenate(chunks) if chunks else np.zeros((0, network.output_shape[1]))


def copy_as(name: str, model: keras.Model) -> keras.Model:
    """A copy of a network, weights and all, under another name.

    Parameters
    ----------
    name : {"F", "M"}
        The name by which the training finds the network.
    model : keras.Model
        The user's. It is left as it is; the copy learns.

    Returns
    -------
    keras.Model
    """
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    inputs = twin.inputs[0] if len(twin.inputs) == 1 else twin.inputs
    return keras.Model(inputs, twin.outputs[0], name=name)


def user_networks(
    F: keras.Model | Callable | None,
    M: keras.Model | Callable | None,
    shape: tuple[int, ...],
    classes: int,
    pretrained: keras.Model | None = None,
) -> Networks:
    """Copies of the user's F and M.

    Parameters
    ----------
    F, M : keras.Model, callable or None
        As `GAMOClassifier` takes them; F is no pretrained network.
    shape : tuple
        Of a row.
    classes : int
    pretrained : keras.Model or None
        The pretrained F, which is in the place of F.

    Returns
    -------
    Networks
        Without a pretrained F.

    Raises
    ------
    ValueError
        Where shapes do not fit.
    """
    own_F = own_M = None
    if pretrained is None and F is not None:
        own_F = copy_as("F", F if isinstance(F, keras.Model) else F(shape))
        if len(own_F.output_shape) != 2:
            raise ValueError(f"F: its output is {own_F.output_shape}, not [b, e].")
    if M is not None:
        behind = own_F if pretrained is None else pretrained
        if behind is None and len(shape) == 3:
            raise ValueError("M: of images, give F too.")
        width = shape[0] if behind is None else behind.output_shape[1]
        own_M = copy_as("M", M if isinstance(M, keras.Model) else M(width, classes))
        if (found := own_M.output_shape)[1:] != (classes,):
            raise ValueError(f"M: its output is {found}, not [b, {classes}].")
    return Networks(own_F, own_M)

"""Networks that the estimators take, copy and call."""

from __future__ import annotations

import keras
import numpy as np

from gamo_tf.networks.batched import CHUNK


def forward(network: keras.Model, rows: np.ndarray, chunk: int = CHUNK) -> np.ndarray:
    """A network at inference over any number of rows.

    Parameters
    ----------
    network : keras.Model
        Of one input; its output is [b, d].
    rows : ndarray of shape (n, ...)
    chunk : int
        Rows of a call.

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

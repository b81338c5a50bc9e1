"""The networks of a finished run, once it is clear that they are those of the run."""

from __future__ import annotations

import keras
import numpy as np

from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import spec_of
from gamo_tf.errors import UserError
from gamo_tf.inference.convex_sampler import MinoritySampler, sampler_of
from gamo_tf.networks.saved import load_network
from gamo_tf.runs.run import Run


def load_player(run: Run, name: str) -> keras.Model:
    """F, M or G of a run.

    Args:
      run: a finished run.
      name: of the network.

    Raises:
      UserError: the file is missing or damaged, is not the one that the run saved, or
        the network is that of other data.
    """
    run.check_network(name)
    network = load_network(run.model(name))
    options = run.options
    c = len(options.counts)
    shape: object = None
    found: object = None
    if name == "F":
        shape, found = spec_of(options).shape, network.input_shape[1:]
    elif name == "M":
        shape, found = (c,), network.output_shape[1:]
    elif name == "G":
        counts = options.class_counts
        shape = [[label, counts.sizes[label]] for label in counts.minority]
        igu = next((x for x in network.layers if x.name == "IGU"), None)
        # Generators without an IGU have none to compare.
        found = igu.counts if igu else shape
    if found != shape:
        raise UserError(
            f"{run.model(name)}: is of another run: made for {found}, where the "
            f"settings of the run have {shape}."
        )
    return network


def load_classifier(run: Run) -> tuple[keras.Model, keras.Model]:
    """F and M of a run, which fit each other.

    Args:
      run: a finished run.

    Raises:
      UserError: as `load_player`, or M takes other features than F gives.
    """
    F, M = load_player(run, "F"), load_player(run, "M")
    if F.output_shape[1:] != M.input_shape[1:]:
        raise UserError(
            f"{run.model('M')}: is of another run: takes {M.input_shape[1:]}, where F "
            f"gives {F.output_shape[1:]}."
        )
    return F, M


def load_sampler(run: Run, points: np.ndarray, labels: np.ndarray) -> MinoritySampler:
    """The sampler of a run's minority classes.

    Args:
      run: A finished run of a method that generates (`Method.convex`).
      points: [n, d], what Eq. 1 combines (see `MinoritySampler`).
      labels: int [n], of the training samples in the order of the run.

    Returns:
      A sampler of its G, or of random pairs where the method has no G.

    Raises:
      UserError: As `load_player`.
    """
    learns = METHODS[run.options.method].learns_generator
    return sampler_of(load_player(run, "G") if learns else None, points, labels)

"""From a method's row to networks, a trainer and the rows that it trains on."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError, setting
from gamo_tf.files import atomically
from gamo_tf.methods.imbalance_losses import OBJECTIVES
from gamo_tf.networks.anchored_generator import AnchoredCTMU, AnchoredIGU
from gamo_tf.networks.classifier import classifier
from gamo_tf.networks.conditional_gan import free_generator
from gamo_tf.networks.convex_generator import CTMU, IGU, convex_generator
from gamo_tf.networks.discriminator import discriminator
from gamo_tf.networks.feature_extractor import feature_extractor, standardiser
from gamo_tf.stored import read_arrays, reading
from gamo_tf.training import replicas
from gamo_tf.training.feature_trainer import FeatureTrainer


class Networks(NamedTuple):
    """An F and an M of the user's. None stands for the default one.

    Attributes:
      F: rows [b, ...] -> features [b, d].
      M: features [b, d] -> class probabilities [b, c].
    """

    F: keras.Model | None = None
    M: keras.Model | None = None


def default_networks(
    spec: DatasetSpec, rows: np.ndarray, chosen: Networks | None
) -> Networks:
    """The chosen networks; for vectors without an F, with the one that standardises.

    Args:
      spec: of the dataset.
      rows: the training rows, images or vectors.
      chosen: the user's networks, if any.
    """
    chosen = chosen or Networks()
    if spec.vector and chosen.F is None:
        return chosen._replace(F=standardiser(rows, spec.categories))
    return chosen


def lookup(text: str) -> Callable:
    """The object that a row of METHODS names.

    Args:
      text: ``module:name``, the module below the package ``gamo_tf``.
    """
    module, name = text.split(":")
    return getattr(import_module(f"gamo_tf.{module}"), name)


def build(
    options: Options,
    spec: DatasetSpec,
    rows: int | None = None,
    networks: Networks | None = None,
) -> FeatureTrainer:
    """The networks that the method needs, initialised by the seed, and their trainer.

    Args:
      options: settings of the run.
      spec: of the dataset.
      rows: training rows, where more are trained on than `options.counts` has.
      networks: networks in the place of the default ones.
    """
    method = METHODS[options.method]
    rows = rows or sum(options.counts)
    networks = networks or Networks()
    with replicas.scope():
        players = _players(options, spec, networks)
    trainer = lookup(method.trainer)
    if method.samples:
        return trainer(options, players, rows, lookup(method.samples))
    return trainer(options, players, rows)


def _players(
    options: Options, spec: DatasetSpec, networks: Networks
) -> list[keras.Model]:
    """F, M and, of those that the method has, D and G."""
    method = METHODS[options.method]
    # The networks are built in this order so that a seed gives the same weights.
    keras.utils.set_random_seed(options.seed)
    if networks.F and options.precision != "float32" and not options.pretrained:
        raise UserError(
            f"{setting('precision')} {options.precision}: the F that was given has its "
            "own, by the dtype of its layers."
        )
    F = networks.F or feature_extractor(spec, options.precision)
    d, c = F.output_shape[1], len(spec.classes)
    objective = OBJECTIVES.get(method.objective)
    scale = objective.cosine_scale if objective else 0.0
    players = [F, networks.M or classifier(d, c, scale, options.head)]
    if "D" in method.players:
        players.append(discriminator(d, c))
    if "G" in method.players and method.learns_generator:
        units = (AnchoredCTMU, AnchoredIGU) if method.anchored else (CTMU, IGU)
        players.append(convex_generator(options.class_counts, options.latent, d, units))
    elif "G" in method.players:
        players.append(free_generator(options.latent, d, c))
    return players


def prediction_model(options: Options, network: keras.Model) -> keras.Model:
    """A network as it predicts: itself, except for the M of some methods.

    Args:
      options: settings of the run.
      network: any of its networks.
    """
    objective = OBJECTIVES.get(METHODS[options.method].objective)
    if network.name == "M" and objective and objective.predict:
        return objective.predict(network, options.class_counts, options.tau)
    return network


class TrainingSet(NamedTuple):
    """What is trained on: the split's rows first, then those that the method adds.

    Attributes:
      images: [n, h, w, c] or [n, d].
      labels: int [n].
      seconds: that adding took, such as the training of a GAN.
    """

    images: np.ndarray
    labels: np.ndarray
    seconds: float


def oversample(
    options: Options, spec: DatasetSpec, split: Split, path: Path | None
) -> TrainingSet:
    """The rows that a run trains on.

    Args:
      options: settings of the run.
      spec: of the dataset.
      split: the rows drawn.
      path: an ``.npz`` file that keeps what was added, so that a resumed run trains
        on the same; None: nothing is kept.
    """
    method = METHODS[options.method]
    if not method.oversample:
        return TrainingSet(split.images, split.labels, 0.0)
    if path and path.is_file():
        return read_added(path, options, split)
    began = time.perf_counter()
    add = lookup(method.oversample)
    images, labels = add(split.images, split.labels, spec, options)
    rows = TrainingSet(images, labels, time.perf_counter() - began)
    if path:
        atomically(path, lambda part: np.savez(part, **rows._asdict()))
    return rows


def read_added(path: Path, options: Options, split: Split) -> TrainingSet:
    """What `oversample` kept.

    Args:
      path: of the ``.npz`` file.
      options: settings of the run.
      split: the rows drawn.

    Raises:
      UserError: the file cannot be read, or does not begin with the rows of the split.
    """
    n, c = len(split.labels), len(options.counts)
    most = 2**16 + 2 * c * max(options.counts) * (8 + split.images[0].nbytes)
    images, labels, seconds = read_arrays(path, ("images", "labels", "seconds"), most)
    with reading(path):
        if not (
            len(images) == len(labels) >= n
            and images.dtype == split.images.dtype
            and np.array_equal(images[:n], split.images)
            and np.array_equal(labels[:n], split.labels)
            and np.isin(labels, range(c)).all()
        ):
            raise UserError("does not begin with the training rows of the run.")
        return TrainingSet(images, labels, float(seconds))

"""From data and settings to a training that can begin, in memory."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options
from gamo_tf.config.tuned import behind_backbone
from gamo_tf.data.splits import Split
from gamo_tf.files import clock
from gamo_tf.methods.build import Networks, build, default_networks, oversample
from gamo_tf.networks import backbones
from gamo_tf.networks.batched import tensor_of
from gamo_tf.own_settings import own_settings
from gamo_tf.training.feature_stage import FeatureStage
from gamo_tf.training.feature_trainer import FeatureTrainer
from gamo_tf.training.loop import ProgressBar, run_loop

Data = tuple[tf.Tensor, tf.Tensor]
_PLAIN = "cn"  # whose head fine-tuning begins with where a method has none of its own


def repeat_exactly(options: Options) -> None:
    """Let all that follows be bit-exact, where that is asked for. Every process of a
    training calls it, on whatever machine, and whatever builds on a run does.

    Args:
      options: of the run.
    """
    if options.deterministic:
        tf.config.experimental.enable_op_determinism()


@own_settings()
def fit(
    options: Options,
    spec: DatasetSpec,
    split: Split,
    title: str = "",
    networks: Networks | None = None,
) -> FeatureTrainer:
    """Train in memory; nothing is written.

    Args:
      options: settings of the run.
      spec: of the dataset.
      split: the rows; its test rows are not looked at.
      title: stands before the progress bar; "": there is no bar.
      networks: networks in the place of the default ones.

    Returns:
      The trainer, with its trained networks.

    Raises:
      UserError: where the training diverges.
    """
    trainer, data = prepared(options, spec, split, networks)
    bar = ProgressBar(title, options.iterations, hidden=None if title else True)
    run_loop(trainer, data, monitor=bar)
    return trainer


def prepared(
    options: Options,
    spec: DatasetSpec,
    split: Split,
    networks: Networks | None = None,
    fed: Path | None = None,
    stage: FeatureStage | None = None,
) -> tuple[FeatureTrainer, Data]:
    """A training in memory that has not begun.

    Args:
      options: settings of the run.
      spec: of the dataset.
      split: the rows; its test rows are not looked at.
      networks: networks in the place of the default ones.
      fed: see `oversample`.
      stage: of a pretrained F; None: that which the options name, if any.

    Returns:
      The trainer, and the rows [n, ...] and labels int32 [n] that it trains on.
    """
    if stage := stage or FeatureStage.of(options):
        begin_with_head(stage, spec, split)
        split = stage.behind(split)
    trainer, data, _ = trainer_of(options, spec, split, networks, fed, stage)
    return trainer, data


def trainer_of(
    options: Options,
    spec: DatasetSpec,
    split: Split,
    networks: Networks | None = None,
    fed: Path | None = None,
    stage: FeatureStage | None = None,
    images: tf.Tensor | None = None,
) -> tuple[FeatureTrainer, Data, float]:
    """A training on a split that is behind its stage already.

    Args:
      options, spec, networks, fed, stage: as those of `prepared`.
      split: what training begins at, images or features.
      images: the training rows of the split, where TensorFlow has them already.

    Returns:
      As `prepared`, and the seconds that adding rows took.
    """
    shown = stage.shown(split) if stage else split
    rows = oversample(options, spec, shown, fed)
    if images is None or rows.images is not split.images:
        images = tensor_of(rows.images)
    networks = networks_of(spec, split.images, networks, stage)
    trainer = build(options, spec, len(rows.labels), networks)
    if stage and stage.views:
        trainer.table = stage.views.table
    return trainer, (images, tf.constant(rows.labels, tf.int32)), rows.seconds


def networks_of(
    spec: DatasetSpec,
    rows: np.ndarray,
    chosen: Networks | None,
    stage: FeatureStage | None,
) -> Networks:
    """The user's networks, and behind a pretrained F the part of it that learns.

    Args:
      spec: of the dataset.
      rows: what training begins at, [n, ...].
      chosen: the user's networks, if any.
      stage: of a pretrained F, if any.
    """
    if not stage:
        return default_networks(spec, rows, chosen)
    chosen = chosen or Networks()
    return chosen._replace(F=stage.learned, M=chosen.M or stage.head)


def begin_with_head(stage: FeatureStage, spec: DatasetSpec, split: Split) -> None:
    """Where a pretrained F learns: train the head first, on its features as they are.

    A head of random weights would spoil the features in the first steps. The method
    trains its own head; one that needs pixels begins with that of a plain classifier.

    Args:
      stage: gets the head, and features of root mean square 1.
      spec: of the dataset.
      split: of images.
    """
    options = stage.options
    if options.backbone_trains == "none" or stage.head:
        return
    method = METHODS[options.method]
    name = _PLAIN if method.needs or method.oversample else method.name
    method = METHODS[name]
    usual: dict[str, Any] = behind_backbone(len(split.labels), method.m_updates)
    head_options = replace(
        options,
        method=name,
        loss=options.loss if name == options.method else method.losses[0],
        backbone_trains="none",
        learning_rate=usual["learning_rate"],
        iterations=usual["iterations"],
        augment=False,
        views=1,
    )
    print(_cost(stage), flush=True)
    nothing = split.images[:0], split.labels[:0]
    train_only = replace(
        split,
        test_images=nothing[0],
        test_labels=nothing[1],
        protocol_index=split.protocol_index[:0],
        validation_images=nothing[0],
        validation_labels=nothing[1],
        validation_index=split.validation_index[:0],
    )
    frozen = FeatureStage(head_options, stage.F)
    trainer, data = prepared(head_options, spec, train_only, stage=frozen)
    run_loop(trainer, data, monitor=ProgressBar("head", head_options.iterations))
    average = trainer.averages.get("M")
    stage.head = average.network if average else trainer.M
    stage.learned = backbones.scaled(stage.learned, frozen.rms)


def _cost(stage: FeatureStage) -> str:
    """What fine-tuning takes, for people."""
    options = stage.options
    learns = stage.learned.count_params()
    seconds = options.iterations * _step_seconds(stage.learned, options.batch_size)
    memory = backbones.mebibytes(stage.learned, options.batch_size, learns=True)
    return (
        f"fine-tuning: {learns:,} of {stage.F.count_params():,} weights learn, at a "
        f"rate of {options.backbone_rate:g}; a step takes about {memory:,.0f} MiB, "
        f"and {options.iterations} of them {clock(seconds)}. The head is trained on "
        "frozen features first."
    )


def _step_seconds(network: keras.Model, batch: int) -> float:
    """Seconds of one step of a network, measured on empty images."""
    x = tf.zeros([batch, *network.input_shape[1:]])
    for _ in range(2):  # the first one warms up
        began = time.perf_counter()
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(network(x, training=False))
        tape.gradient(value, network.trainable_variables)
    return time.perf_counter() - began

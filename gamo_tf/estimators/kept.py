"""Compiled trainings that are kept, so that a second fit compiles nothing.

TensorFlow compiles the passes of a training for the shapes of their tensors, which
takes longer than the training itself where rows are few. A training that is kept takes
over the whole state of a new one (what a checkpoint would have of it), trains, and
hands the state back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options, spec_of
from gamo_tf.estimators.networks import forward
from gamo_tf.estimators.roomy_game import (
    RoomyGame,
    copy_state,
    room_for,
    rounded,
)
from gamo_tf.game import Game
from gamo_tf.methods.build import Networks, build
from gamo_tf.methods.classifier import Classifier
from gamo_tf.training.feature_trainer import COMPILED_FROM, FeatureTrainer

MOST = 8  # trainings that are kept; the one that was used longest ago goes first
Data = tuple[tf.Tensor, ...]

# Of a process; whoever trains has the lock of `fitting.seeded`.
_kept: OrderedDict[tuple, FeatureTrainer] = OrderedDict()


Done = TypeVar("Done")


def train(
    trainer: FeatureTrainer,
    data: Data,
    others: np.ndarray,
    loop: Callable[[FeatureTrainer, Data, np.ndarray], Done],
) -> Done:
    """Train by the compiled passes of an earlier training of the same shapes.

    Parameters
    ----------
    trainer : FeatureTrainer
        New, with the default networks or a pretrained F. Afterwards it is as if it had
        trained itself.
    data : tuple of Tensor
        Rows [n, ...] and labels int32 [n], sorted by label.
    others : ndarray of shape (k, ...)
        Rows that are not trained on.
    loop : callable
        Trains what it is given on the data that it is given; it gets the other rows
        too, as that trainer's F takes them.

    Returns
    -------
    object
        What `loop` returned.
    """
    # Nothing is compiled of a short training; other trainers have a state beyond what
    # is in their checkpoints.
    if type(trainer) not in (Game, Classifier) or trainer.iterations < COMPILED_FROM:
        return loop(trainer, data, others)
    if begins_at_features(trainer.options):
        # F scales columns by constants of its own and learns nothing: the training
        # begins behind it.
        data = (trainer.F(data[0], training=False), *data[1:])
        others = forward(trainer.F, others)
    if isinstance(trainer, Game) and METHODS[trainer.options.method].supported:
        game = _roomy_game(trainer)
        game.take_over(trainer)
        done = loop(game, game.padded(data), others)
        game.hand_back(trainer)
        return done
    worker = _same(trainer)
    copy_state(trainer, worker)
    done = loop(worker, data, others)
    copy_state(worker, trainer)
    return done


def begins_at_features(options: Options) -> bool:
    """Whether F learns nothing but the scale of what the training begins at.

    Parameters
    ----------
    options : Options
        Of the training.
    """
    if options.pretrained:
        return options.backbone_trains == "none"
    return len(options.shape) == 1


def names() -> list[tuple]:
    """Of the trainings that are kept, what they are known by: the kind of trainer, its
    options and shapes; the one that was used last at the end."""
    return list(_kept)


def forget() -> None:
    """Keep nothing any more."""
    _kept.clear()


def _same(trainer: FeatureTrainer) -> FeatureTrainer:
    """The kept training of the same settings but for the seed."""
    options = replace(_behind_F(trainer), seed=0)
    rows = trainer.steps_per_epoch * trainer.b
    return _found(
        (type(trainer), options, trainer.steps_per_epoch),
        lambda: build(options, spec_of(options), rows, _networks(options)),
    )


def _roomy_game(game: Game) -> RoomyGame:
    """The kept game that has room for this one."""
    counts = game.options.class_counts
    options = replace(_behind_F(game), seed=0, counts=rounded(counts).sizes)
    shapes = (game.steps_per_epoch, room_for(counts.total), *game.label_slots)

    def make() -> RoomyGame:
        built = build(options, spec_of(options), None, _networks(options))
        return RoomyGame(options, list(built.networks.values()), game)

    return _found((RoomyGame, options, shapes), make)


def _behind_F(trainer: FeatureTrainer) -> Options:
    """The options, with the shape of what the kept training sees."""
    options = trainer.options
    if not begins_at_features(options):
        return options
    return replace(options, shape=trainer.F.output_shape[1:], categories=())


def _networks(options: Options) -> Networks:
    """The default networks; of vectors, with an F that returns them as they are."""
    if len(options.shape) != 1:
        return Networks()
    x = keras.Input(options.shape, name="feature")
    return Networks(F=keras.Model(x, keras.layers.Identity()(x), name="F"))


def _found(key: tuple, make: Callable[[], FeatureTrainer]) -> FeatureTrainer:
    """What is kept under a key, or else is made now."""
    worker = _kept.pop(key, None) or make()
    _kept[key] = worker  # the newest is the last
    while len(_kept) > MOST:
        _kept.popitem(last=False)
    return worker

"""Every setting of a run, with its unit and source. No TensorFlow here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, replace

from gamo_tf.config.backbones import TRAINS, is_pretrained
from gamo_tf.config.checks import (
    RANGES,
    SHARE,
    check_categories,
    check_counts,
    check_folder_name,
    check_range,
    check_ranges,
    check_shape,
    check_type,
)
from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.config.dataset_specs import DATASETS, DatasetSpec, user_spec
from gamo_tf.config.fitness import check_backbone, check_method, check_validation
from gamo_tf.config.methods import METHODS, Method
from gamo_tf.config.tuned import behind_backbone
from gamo_tf.errors import UserError, did_you_mean, setting

PHOTOGRAPHS = "photographs"
VIEW_SETS = (PHOTOGRAPHS, "shapes")  # shapes: neither mirrored nor recoloured
CHOICES = {
    "dataset": tuple(DATASETS),
    "method": tuple(METHODS),
    "loss": ("ls", "ce"),
    "generator_update": ("algorithm", "per-class"),
    "weighting": ("algorithm", "equation"),
    "precision": ("float32", "mixed_bfloat16", "mixed_float16"),
    "jit": ("auto", "on", "off"),
    "backbone_trains": TRAINS,
    "head": ("mlp", "linear"),
    "view_set": ("", *VIEW_SETS),
}
# What every run is evaluated on, as results.json names it, and its title in tables: the
# test set of the protocol, the whole published one, and the training rows.
SETS = {
    "test": "protocol",
    "test_full": "full test set",
    "train": "training set",
}
# Rows that are neither trained nor tested on: choices are made by them. A run has this
# set if some were set aside; runs of earlier versions have not.
VALIDATION = "validation"
MEASURED = ("test", "test_full", VALIDATION, "train")  # all of these, in their order
_FEW_EVALUATIONS = 5
_EVALUATIONS = 25  # of a run, and checkpoints, where nothing else is asked for


@dataclass(frozen=True)
class Options:
    """What decides a run's outcome; where its files lie is not among it."""

    dataset: str  # a row of DATASETS, or the name of the user's own data
    iterations: int  # minibatches; paper's sets 25,000 (program: "50000" counts 2 each)
    counts: tuple[int, ...]  # training images of each class, in label order
    test_per_class: int  # images a class of the protocol's test set; 0: all of them
    checkpoint_every: int  # iterations, rounded up to a whole epoch
    evaluate_every: int  # iterations, rounded up to a whole epoch
    method: str = "gamo"  # a row of METHODS
    loss: str = "ls"  # least squares (Eqs. 4-6) or cross entropy (Eqs. 2-3)
    seed: int = 0  # of the subset, the initial weights and all draws
    batch_size: int = 32  # b; the authors' program
    latent: int = 100  # l; the authors' program
    learning_rate: float = 2e-4  # Adam's; the authors' program
    beta_1: float = 0.5  # Adam's; the authors' program
    generator_update: str = "algorithm"  # lines 12-15, or the program's way
    weighting: str = "algorithm"  # of generated batches: 1, or c P_c - 1 (Eqs. 2-6)
    label_noise: float = 0.0  # width of U(0, .) on D's targets; the program's: 0.1
    ema: float = 0.0  # decay an iteration of averaged F and M; 0: no average
    gan_turns: int = 0  # of a GAN that adds images; 0: as many as GAMO has iterations
    support: int = 0  # points of each class that a pass of the game works on; 0: all
    # Power of the class sizes by which rows are shown; 1: alike, 0: classes alike.
    sampling: float = 1.0
    tau: float = 1.0  # of logit adjustment and tau-normalisation; 0: none
    augment: bool = False  # images shifted at each use, mirrored where they may be
    deterministic: bool = False  # bit-exact repeats on one device
    precision: str = "float32"  # of F's layers; everything else has float32
    jit: str = "auto"  # which passes XLA compiles: those where it pays, all, or none
    # Of a row of DATASETS: rows of each class that are set aside for validation, of
    # those that are not drawn to train on. A class may have fewer left; 0: none.
    validation_per_class: int = 0
    patience: int = 0  # evaluations without a better validation ACSA; 0: never stops
    best: bool = False  # end with the weights of the best validation ACSA
    # F (`config.backbones`). "": the network that the dataset's row has.
    backbone: str = ""  # a row of BACKBONES, or a .keras file
    backbone_weights: str = "imagenet"  # or none, or a file of weights
    backbone_sha256: str = ""  # of a pretrained network's weights before training
    backbone_trains: str = "none"  # which layers of a pretrained network learn
    backbone_rate: float = 3e-4  # Adam's, of a pretrained network that learns
    backbone_side: int = 0  # pixels a side of the images that it gets; 0: its own
    head: str = "mlp"  # M: the paper's layers, or one linear layer
    views: int = 1  # of an image of a smaller class that F extracts; 1: the image
    view_set: str = ""  # how further views are made; "": as the images suggest
    weight_decay: float = 0.0  # times the sum of squares of M's weights, in its loss
    # The user's own data; nothing of it for a row of DATASETS.
    data: str = ""  # a folder of images, or a table of features; absolute
    label: str = ""  # column of the labels in a table
    test_data: str = ""  # a folder of test images; absolute
    test_split: float = 0.0  # else: share of each class that is kept for testing
    validation_split: float = 0.0  # share of each class for validation; 0: none
    patches: tuple[int, ...] = ()  # sides of the central patch, the largest that fits
    classes: tuple[str, ...] = ()  # as found in the data, in label order
    shape: tuple[int, ...] = ()  # (height, width, channels), or (features,)
    categories: tuple[int, ...] = ()  # of each column of a table; 0: of numbers

    @property
    def class_counts(self) -> ClassCounts:
        """`counts` with what follows from them."""
        return ClassCounts(self.counts)

    @property
    def pretrained(self) -> bool:
        """Whether F is a network that comes with weights of its own."""
        return is_pretrained(self.backbone)

    @property
    def learns_features(self) -> bool:
        """Whether training changes F."""
        if self.pretrained:
            return self.backbone_trains != "none"
        return bool(spec_of(self).conv)

    @property
    def features_once(self) -> bool:
        """Whether a part of F is frozen, whose features training begins at."""
        return self.pretrained and self.backbone_trains != "all"

    @property
    def features_are_pixels(self) -> bool:
        """Whether F only scales the pixels of an image: a feature is a pixel."""
        spec = spec_of(self)
        return not (self.pretrained or spec.conv or spec.vector)

    @property
    def gan_length(self) -> int:
        """Turns of a GAN that adds images."""
        return self.gan_turns or usual_gan_turns(self.iterations)

    def to_json(self) -> dict:
        """Every setting by name, as `options.json` keeps them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping) -> Options:
        """The options that `to_json` gave.

        What a version before this one did not have yet is at its default.

        Args:
          values: settings by name; lists stand for tuples.

        Raises:
          UserError: for a name that is no setting, a setting without value, or a value
            that no program would have written: another type, out of range, or a class
            name that cannot be the name of a folder.
        """
        names = {field.name for field in fields(cls)}
        needed = {field.name for field in fields(cls) if field.default is MISSING}
        odd = (set(values) - names) | (needed - set(values))
        if odd:
            raise UserError(f"missing or unknown settings: {', '.join(sorted(odd))}.")
        pairs: dict = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        for field in fields(cls):
            if field.name in pairs:
                check_type(field.name, pairs[field.name], str(field.type))
        options = cls(**pairs)
        _check_choices(pairs)
        _check_ranges(pairs)
        if options.data:
            _check_user_data(options)
        check_counts(options.counts, spec_of(options))
        return options


def usual_gan_turns(updates: int) -> int:
    """Turns of a GAN that adds images, where nothing else is asked: as many as GAMO has
    iterations for the same updates of M.

    Args:
      updates: of M.
    """
    return max(1, updates // 2)


def resolve(chosen: Mapping) -> Options:
    """Options from the settings that the user chose; the rest is filled in.

    Args:
      chosen: settings by the names of `Options`. `dataset` is needed; with `data`
        (the user's own) also `shape`, `classes` and `counts`.

    Raises:
      UserError: for a value out of range, or a method that does not fit the data;
        the message names the setting.
    """
    _check_choices(chosen)
    spec = _spec(chosen)
    method = METHODS[chosen.get("method", Options.method)]
    _check_ranges(chosen)
    defaults = {f.name: f.default for f in fields(Options) if f.default is not MISSING}
    check_backbone(spec, chosen, defaults)
    check_method(method, spec, chosen, defaults)
    values = {
        "loss": method.losses[0],
        "counts": spec.counts,
        "test_per_class": spec.test_per_class,
        "validation_per_class": spec.validation_per_class,
        # The same number of M's updates for every method (GAMO makes two).
        "iterations": spec.iterations * 2 // method.m_updates,
        **method.defaults,
        **_behind_backbone(chosen, spec, method),
        **({"augment": False} if spec.vector else {}),
        **chosen,
    }
    check_validation(values)
    learns = values.get("backbone_trains", Options.backbone_trains) != "none"
    # A large network that learns takes a while for all training samples.
    times = _FEW_EVALUATIONS if learns else _EVALUATIONS
    often = max(1, math.ceil(values["iterations"] / times))
    return Options(**{"evaluate_every": often, "checkpoint_every": often, **values})


def _behind_backbone(
    chosen: Mapping, spec: DatasetSpec, method: Method
) -> dict[str, object]:
    if not is_pretrained(chosen.get("backbone", "")):
        return {}
    rows = sum(chosen.get("counts") or spec.counts)
    trains = chosen.get("backbone_trains", Options.backbone_trains)
    head = chosen.get("head", "linear")
    return behind_backbone(rows, method.m_updates, trains, head)


def spec_of(options: Options) -> DatasetSpec:
    """The row of DATASETS, or what the options tell of the user's own data.

    Args:
      options: settings of a run.
    """
    return _spec(asdict(options))


def _spec(chosen: Mapping) -> DatasetSpec:
    if not chosen.get("data"):
        spec = DATASETS[chosen["dataset"]]
    else:
        spec = user_spec(
            name=chosen["dataset"],
            shape=tuple(chosen["shape"]),
            classes=tuple(chosen["classes"]),
            counts=tuple(chosen["counts"]),
            categories=tuple(chosen.get("categories", ())),
        )
    return replace(spec, conv=()) if chosen.get("backbone") == "pixels" else spec


def _check_choices(chosen: Mapping) -> None:
    """Raises UserError for a value that is none of its `CHOICES`."""
    for name, allowed in CHOICES.items():
        if name == "dataset" and chosen.get("data"):
            continue
        if name in chosen and chosen[name] not in allowed:
            near = did_you_mean(str(chosen[name]), allowed)
            raise UserError(
                f"{setting(name)} {chosen[name]}: expected one of {', '.join(allowed)}."
                f"{near}"
            )


def _check_user_data(options: Options) -> None:
    """Raises UserError for what cannot be told of any data of a user."""
    names = options.classes
    check_folder_name("dataset", options.dataset)
    check_shape(options.shape)
    check_categories(options.categories, options.shape)
    for side in options.patches:
        check_range("patches", side, RANGES["iterations"])
    if len(set(names)) < len(names):
        raise UserError("classes: a name is there twice.")
    for name in names if len(options.shape) == 3 else ():  # images have class folders
        check_folder_name("classes", name)


def _check_ranges(values: Mapping) -> None:
    """Raises UserError for a number out of its range."""
    check_ranges({k: v for k, v in values.items() if k != "test_split"})
    if "test_split" in values:  # 0 where nothing is split off
        check_range("test_split", values["test_split"], SHARE)

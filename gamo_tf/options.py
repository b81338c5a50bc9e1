"""Every setting of a run, with its unit and source. No TensorFlow here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields

from gamo_tf.errors import UserError
from gamo_tf.methods import METHODS
from gamo_tf.specs import DATASETS, DRAWN, DatasetSpec, own_spec

CHOICES = {
    "dataset": (*DATASETS, DRAWN),
    "method": tuple(METHODS),
    "loss": ("ls", "ce"),
    "generator_update": ("algorithm", "per-class"),
    "weighting": ("algorithm", "equation"),
}
_POSITIVE = (
    "iterations",
    "batch_size",
    "latent",
    "checkpoint_every",
    "evaluate_every",
)


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
    deterministic: bool = False  # bit-exact repeats on one device
    # The user's own data; nothing of it for a row of DATASETS.
    data: str = ""  # a folder of images, or a table of features; absolute
    label: str = ""  # column of the labels in a table
    test_data: str = ""  # a folder of test images; absolute
    test_split: float = 0.0  # else: share of each class that is kept for testing
    patches: tuple[int, ...] = ()  # sides of the central patch, the largest that fits
    classes: tuple[str, ...] = ()  # as found in the data, in label order
    shape: tuple[int, ...] = ()  # (height, width, channels), or (features,)

    def to_json(self) -> dict:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping) -> Options:
        """Raises UserError for a name that is no field, or a field without value;
        what a version before this one did not have yet is at its default."""
        names = {field.name for field in fields(cls)}
        needed = {field.name for field in fields(cls) if field.default is MISSING}
        odd = (set(values) - names) | (needed - set(values))
        if odd:
            told = ", ".join(sorted(odd))
            raise UserError(f"options.json: missing or unknown settings: {told}.")
        pairs = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**pairs)


def resolve(given: Mapping) -> Options:
    """Options from the settings that the user gave; the rest is filled in.

    Raises UserError for a value out of range, naming its flag.
    """
    own = bool(given.get("data"))
    for name, allowed in CHOICES.items():
        if name == "dataset" and own:
            continue
        if name in given and given[name] not in allowed:
            raise UserError(
                f"{flag(name)} {given[name]}: expected one of {', '.join(allowed)}."
            )
    spec = own_spec(**given_own(given)) if own else DATASETS[given["dataset"]]
    method = METHODS[given.get("method", Options.method)]
    if given.get("loss", method.losses[0]) not in method.losses:
        raise UserError(
            f"--loss {given['loss']}: {method.name} has only "
            f"{', '.join(method.losses)}; leave --loss out."
        )
    if spec.vector and (method.pixels or method.targets):
        raise UserError(f"--method {method.name}: needs images, not feature vectors.")
    if method.grey and spec.shape[2] != 1:
        raise UserError(f"--method {method.name}: {spec.name} has colour images.")
    if method.targets and spec.flat:
        raise UserError(
            f"--method {method.name}: {spec.name} is trained on its pixels; F has no "
            "features to learn there."
        )
    if given.get("generator_update") == "per-class" and method.source != "convex":
        raise UserError(f"--generator-update per-class: {method.name} has no IGU.")
    values = {
        "loss": method.losses[0],
        "counts": spec.counts,
        "test_per_class": spec.test_per_class,
        # The same number of M's updates for every method (GAMO makes two).
        "iterations": spec.iterations * 2 // method.m_updates,
        **given,
    }
    iterations = values["iterations"]
    values.setdefault("evaluate_every", max(1, math.ceil(iterations / 25)))
    values.setdefault("checkpoint_every", max(1, math.ceil(iterations / 25)))
    options = Options(**values)
    for name in _POSITIVE:
        if getattr(options, name) < 1:
            raise UserError(
                f"{flag(name)} {getattr(options, name)}: expected 1 or more."
            )
    if options.batch_size < 2:
        raise UserError("--batch-size 1: expected 2 or more (batch normalization).")
    if options.test_per_class < 0:
        raise UserError("--test-per-class: expected 1 or more, or 'all'.")
    if not 0 <= options.label_noise < 1:
        raise UserError(f"--label-noise {options.label_noise:g}: expected 0 to 1.")
    if not 0 <= options.ema < 1:
        raise UserError(f"--ema {options.ema:g}: expected 0 (off) to below 1.")
    if not options.learning_rate > 0:
        raise UserError(f"--learning-rate {options.learning_rate:g}: expected above 0.")
    if options.seed < 0:
        raise UserError(f"--seed {options.seed}: expected 0 or more.")
    return options


def given_own(given: Mapping) -> dict:
    """What `own_spec` needs, of settings for the user's own data."""
    return {
        "name": given["dataset"],
        "shape": tuple(given["shape"]),
        "classes": tuple(given["classes"]),
        "counts": tuple(given["counts"]),
    }


def spec_of(options: Options) -> DatasetSpec:
    """The row of DATASETS, or what the options tell of the user's own data."""
    if options.data:
        return own_spec(**given_own(asdict(options)))
    return DATASETS[options.dataset]


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")

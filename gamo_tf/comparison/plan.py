"""What a comparison runs: methods, splits, lengths and settings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gamo_tf.cli.flags import IMAGE_SIZE
from gamo_tf.cli.run_settings import to_options
from gamo_tf.comparison.job import Job
from gamo_tf.comparison.peers import FROM_SCRATCH, PEERS, row_of
from gamo_tf.config.backbones import is_pretrained
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.methods import METHODS, RECOMMENDED
from gamo_tf.config.options import Options, spec_of
from gamo_tf.config.tuned import TUNED, settings_for
from gamo_tf.errors import UserError, setting
from gamo_tf.stored import read_object, reading, write_json

if TYPE_CHECKING:  # pandas, behind it, takes a while to import
    from gamo_tf.data.user_data import UserData

PLAIN = "cn"
PLAIN_ONES = (PLAIN, "logistic", "boosting")  # that do nothing about imbalance
VALIDATION_SPLIT = 0.2  # share of your samples; the method is chosen on them
_LIST = (PLAIN, "ros", "class-weight", "logit-adjust", "gamo", RECOMMENDED)
# Behind a pretrained network, beside what people use on its features.
_ON_FEATURES = (
    *(PLAIN, "ros", "logit-adjust", "gamo", RECOMMENDED),
    *("balanced-logistic", "lda", RECOMMENDED + FROM_SCRATCH),
)
# Flags of a pretrained network, which a training from scratch has no use for.
_OF_BACKBONE = (
    *("backbone", "backbone_weights", "backbone_trains", "backbone_rate"),
    *("views", "view_set", "head", "weight_decay", "image_size", "augment"),
)
_TABLES = ("logistic", "smote+logistic", "boosting", "smote+boosting")
# Methods by importance: those at the end are dropped first, and others before them.
_IMPORTANT = (
    *(PLAIN, RECOMMENDED, "boosting", "smote+boosting", "smotenc+boosting"),
    *("logit-adjust", "ros", "smote+logistic", "smotenc+logistic", "logistic"),
    *("class-weight", "gamo", "smote-features"),
)
FILE, COSTS = "comparison.json", "costs.json"  # what a folder keeps


def default_methods(spec: DatasetSpec, pretrained: bool = False) -> list[str]:
    """What is compared where nothing else is asked for.

    Args:
      spec: of the data.
      pretrained: whether F is a pretrained network.
    """
    if pretrained:
        return [*_ON_FEATURES]
    if not spec.vector:
        return [*_LIST]
    # SMOTENC needs columns of numbers beside those of names.
    mixed = any(spec.categories) and not all(spec.categories)
    tables = [name.replace("smote+", "smotenc+") if mixed else name for name in _TABLES]
    return [*_LIST, "smote-features", *tables]


def by_importance(methods: Sequence[str]) -> list[str]:
    """Methods, the most important first: the plain classifier, the recommended method
    and the strongest classical ones.

    Args:
      methods: rows of `METHODS` and `PEERS`.
    """
    plain = next((method for method in PLAIN_ONES if method in methods), None)

    def rank(method: str) -> int:
        if method == plain:
            return -1
        known = method in _IMPORTANT
        return _IMPORTANT.index(method) if known else len(_IMPORTANT)

    return sorted(methods, key=rank)


def flags_for(flags: Mapping, method: str) -> dict:
    """The flags of a method: a training from scratch has none of the backbone's.

    Args:
      flags: of the comparison.
      method: one of its methods.
    """
    if method == row_of(method):
        return dict(flags)
    own = {k: v for k, v in flags.items() if k not in _OF_BACKBONE}
    return {**own, "augment": True}


@dataclass(frozen=True)
class Plan:
    """A comparison.

    Attributes:
      flags: flags of the data and of the trainings, by the names of `cli.flags`.
      methods: rows of `METHODS` and `PEERS`.
      seeds: number of splits; with data that is split already, of trainings.
      updates: updates of M, the same for every method.
      folder: where everything is written.
      at_once: trainings at a time.
      data_dir: folder of the datasets' published files.
      settings: settings of each method; a method without an entry has those of
        `TUNED`.
    """

    flags: Mapping
    methods: Sequence[str]
    seeds: int
    updates: int
    folder: Path
    at_once: int
    data_dir: Path
    settings: Mapping[str, Mapping] = field(default_factory=dict)

    @property
    def threads(self) -> int:
        """Threads of TensorFlow in each training: they share the cores."""
        return max(1, (os.cpu_count() or 1) // self.at_once)

    def settings_for(self, method: str) -> dict:
        """The settings of a method in this comparison; flags go first.

        Args:
          method: one of `methods`.
        """
        return {**self.kept_settings(method), **flags_for(self.flags, method)}

    def kept_settings(self, method: str) -> Mapping[str, object]:
        """The settings of the folder's comparison, or else those that tuning kept.

        Args:
          method: one of `methods`.
        """
        if method in self.settings:
            return self.settings[method]
        if is_pretrained(flags_for(self.flags, method).get("backbone", "")):
            return settings_for(method, images=True, pretrained=True)
        return TUNED.get(row_of(method), {})

    def training(self, method: str) -> dict:
        """The flags of the trainings of a method.

        Args:
          method: one of `methods`.
        """
        iterations = max(1, self.updates // METHODS[trained_as(method)].m_updates)
        every = {"evaluate_every": iterations, "checkpoint_every": -(-iterations // 5)}
        return {**every, **self.settings_for(method), "iterations": iterations}

    def jobs(self) -> list[Job]:
        """All trainings, those of a seed together: what is known early is paired."""
        return [
            Job(method, seed, self.folder / "jobs" / f"{method}-{seed}")
            for seed in range(self.seeds)
            for method in self.methods
        ]

    def jobs_left(self) -> list[Job]:
        """Those that have not been done yet."""
        return [job for job in self.jobs() if not job.file.exists()]

    def check(self) -> Begun:
        """Make sure that the folder can have this comparison.

        Methods and seeds may be added later; the data and the trainings stay.

        Returns:
          What the folder keeps, or of a new one what it will keep.

        Raises:
          UserError: the folder holds something else.
        """
        flags = {name: _plain(value) for name, value in sorted(self.flags.items())}
        begun = Begun.read(self.folder)
        if begun is None:
            if {path.name for path in self.folder.glob("*")} - {COSTS}:
                raise UserError(f"{self.folder}: is no comparison, and not empty.")
            return Begun(flags, self.updates, [], 0, {})
        then = {**begun.flags, "iterations": begun.updates}
        now = {**flags, "iterations": self.updates}
        for name in then | now:
            if then.get(name) != now.get(name):
                before, asked = (
                    f"with {setting(name)} {values[name]}"
                    if name in values
                    else f"without {setting(name)}"
                    for values in (then, now)
                )
                raise UserError(
                    f"{self.folder}: holds a comparison {before}. For one {asked} give "
                    f"another {setting('out')}."
                )
        return begun

    def save(self) -> None:
        """Keep what is compared.

        Raises:
          UserError: see `check`.
        """
        begun = self.check()
        methods = list(dict.fromkeys([*begun.methods, *self.methods]))
        settings = {method: dict(self.kept_settings(method)) for method in methods}
        kept = Begun(
            begun.flags,
            begun.updates,
            methods,
            max(begun.seeds, self.seeds),
            {**settings, **begun.settings},
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / FILE, asdict(kept))


@dataclass(frozen=True)
class Begun:
    """What a folder keeps of its comparison.

    Attributes:
      flags: as those of a `Plan`, as JSON holds them.
      updates: updates of M.
      methods: that were planned; empty in a folder of an earlier version.
      seeds: that were planned; 0 in a folder of an earlier version.
      settings: settings of each method.
    """

    flags: dict
    updates: int
    methods: list[str]
    seeds: int
    settings: dict[str, dict]

    @classmethod
    def read(cls, folder: Path) -> Begun | None:
        """What a folder keeps; None where no comparison was begun.

        Args:
          folder: of the comparison.

        Raises:
          UserError: the file is damaged.
        """
        path = folder / FILE
        if not path.exists():
            return None
        found = read_object(path, always_sealed=True)
        with reading(path):
            flags = dict(found["flags"])
            # Earlier versions trained tables with the settings of `Options`.
            earlier: dict[str, dict] = {}
            if "features" in flags:
                earlier = {name: {} for name in METHODS}
            return cls(
                flags,
                int(found["updates"]),
                list(found.get("methods", [])),
                int(found.get("seeds", 0)),
                dict(found.get("settings", earlier)),
            )


def _plain(value: object) -> object:
    """A flag's value as JSON can hold it."""
    if isinstance(value, Path):
        return str(value.resolve())
    return list(value) if isinstance(value, tuple) else value


def trained_as(method: str) -> str:
    """The row of `METHODS` whose length and cost stand for those of a method.

    Args:
      method: a row of `METHODS` or of `PEERS`.
    """
    if method not in PEERS:
        return row_of(method)
    return "gamo" if method.startswith("gamo+") else PLAIN


def first_options(
    flags: Mapping, methods: Sequence[str], user_data: UserData | None
) -> dict[str, Options]:
    """The options of each method's first training.

    Args:
      flags: of the data and of the trainings.
      methods: rows of `METHODS` and `PEERS`.
      user_data: of `run_settings.read_user_data`.

    Raises:
      UserError: a method does not fit the data.
    """
    found = {}
    for method in methods:
        data = user_data
        if data and method.endswith(FROM_SCRATCH):  # of a folder, at its own size
            shape = (IMAGE_SIZE, IMAGE_SIZE, *data.settings["shape"][2:])
            data = replace(data, settings={**data.settings, "shape": shape})
        found[method] = to_options(
            {**flags_for(flags, method), "method": trained_as(method), "seed": 0}, data
        )
        if method != row_of(method) and not is_pretrained(flags.get("backbone", "")):
            raise UserError(
                f"{setting('methods', method)}: needs {setting('backbone')}, which "
                f"the others have. Without it use {row_of(method)}."
            )
    peers = [method for method in methods if method in PEERS]
    if peers and not (spec_of(found[peers[0]]).vector or found[peers[0]].features_once):
        raise UserError(
            f"{setting('methods', peers[0])}: needs {setting('features')}, or images "
            f"with {setting('backbone')}."
        )
    return found

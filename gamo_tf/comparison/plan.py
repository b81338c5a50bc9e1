"""What a comparison runs: methods, splits and lengths, and how long it will take."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gamo_tf.cli.describe import LARGEST_TRIAL, Cost, measure
from gamo_tf.cli.run_settings import to_options
from gamo_tf.comparison.job import Job
from gamo_tf.comparison.peers import PEERS
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.memory import needs
from gamo_tf.config.methods import METHODS, RECOMMENDED
from gamo_tf.config.options import Options, spec_of
from gamo_tf.config.tuned import TUNED
from gamo_tf.errors import UserError, setting
from gamo_tf.experiments.runner import in_own_process
from gamo_tf.files import clock
from gamo_tf.stored import read_object, write_json

if TYPE_CHECKING:  # pandas, behind it, takes a while to import
    from gamo_tf.data.user_data import UserData

PLAIN = "cn"
PLAIN_ONES = (PLAIN, "logistic", "boosting")  # that do nothing about imbalance
VALIDATION_SPLIT = 0.2  # of the user's rows; what is told to use is chosen by them
IMAGE_SIZE = 32  # pixels a side of the user's images: many short trainings are needed
_LIST = (PLAIN, "ros", "class-weight", "logit-adjust", "gamo", RECOMMENDED)
_TABLES = ("logistic", "smote+logistic", "boosting", "smote+boosting")
_STARTING = 3.0  # seconds of a training beside its iterations
FILLED = 0.85  # of the time that is given; evaluations and pictures are not measured
_FEWEST = 200  # updates of M that are worth a comparison
_BUDGETS = {"images": "15m", "tables": "5m"}  # where nothing else is asked for
_PART = re.compile(r"(\d+(?:\.\d+)?)([smh])")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """A duration as people write it.

    Args:
      text: such as ``30m``, ``1h30m`` or ``90s``.

    Raises:
      UserError: it is no duration.
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UserError(f"{setting('budget', text)}: expected such as 30m or 1h30m.")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def default_methods(spec: DatasetSpec) -> list[str]:
    """What is compared where nothing else is asked for.

    Args:
      spec: of the data.
    """
    if not spec.vector:
        return [*_LIST]
    # SMOTENC needs columns of numbers beside those of names.
    mixed = any(spec.categories) and not all(spec.categories)
    tables = [name.replace("smote+", "smotenc+") if mixed else name for name in _TABLES]
    return [*_LIST, "smote-features", *tables]


@dataclass(frozen=True)
class Plan:
    """A comparison.

    Attributes:
      flags: of the data and of the trainings, by the names of `cli.flags`.
      methods: rows of `METHODS` and `PEERS`.
      seeds: splits; with data that is split already, trainings.
      updates: of M, the same for every method.
      folder: where everything is written.
      at_once: trainings at a time.
      data_dir: of the datasets' published files.
    """

    flags: Mapping
    methods: Sequence[str]
    seeds: int
    updates: int
    folder: Path
    at_once: int
    data_dir: Path

    @property
    def threads(self) -> int:
        """Of TensorFlow in each training: they share the cores."""
        return max(1, (os.cpu_count() or 1) // self.at_once)

    def training(self, method: str) -> dict:
        """The flags of the trainings of a method, for images those of `TUNED`.

        Args:
          method: of `methods`.
        """
        iterations = max(1, self.updates // METHODS[trained_as(method)].m_updates)
        every = {"evaluate_every": iterations, "checkpoint_every": -(-iterations // 5)}
        tuned = {} if "features" in self.flags else TUNED.get(method, {})
        return {**every, **tuned, **self.flags, "iterations": iterations}

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

    def save(self) -> None:
        """Keep what is compared, or make sure that it is what was compared here before.

        Methods and seeds may be added later; the data and the trainings stay.

        Raises:
          UserError: the folder holds a comparison of something else.
        """
        path = self.folder / "comparison.json"
        flags = {name: _plain(value) for name, value in sorted(self.flags.items())}
        mine: dict = {"flags": flags, "updates": self.updates}
        if path.exists():
            known = read_object(path, always_sealed=True)
            then, now = ({**o["flags"], "updates": o["updates"]} for o in (known, mine))
            for name in then | now:
                if then.get(name) != now.get(name):
                    raise UserError(
                        f"{self.folder}: holds a comparison with {setting(name)} "
                        f"{then.get(name)}; give another {setting('out')} for "
                        f"{now.get(name)}."
                    )
            return
        if self.folder.exists() and any(self.folder.iterdir()):
            raise UserError(f"{self.folder}: is no comparison, and not empty.")
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(path, mine)


def known_updates(folder: Path) -> int | None:
    """The length of the trainings of a comparison that was begun; None: there is none.

    Args:
      folder: of the comparison.
    """
    path = folder / "comparison.json"
    if not path.exists():
        return None
    return int(read_object(path, always_sealed=True)["updates"])


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
        return method
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
    found = {
        method: to_options(
            {**flags, "method": trained_as(method), "seed": 0}, user_data
        )
        for method in methods
    }
    peers = [method for method in methods if method in PEERS]
    if peers and not spec_of(found[peers[0]]).vector:
        raise UserError(f"{setting('methods', peers[0])}: needs {setting('features')}.")
    return found


def costs(options: Mapping[str, Options], threads: int) -> dict[str, Cost]:
    """What a training of each method takes. Of methods that are trained by the same
    code, one is measured.

    Args:
      options: of each method.
      threads: of TensorFlow (see `Plan.threads`).

    Raises:
      UserError: the training rows are too many to be tried.
    """
    measured: dict[tuple[str, bool], Cost] = {}
    found = {}
    for method, each in options.items():
        if (size := needs(each).images) > LARGEST_TRIAL:
            raise UserError(
                f"the training rows take {size / 2**30:.1f} GiB; at most "
                f"{LARGEST_TRIAL // 2**30} can be compared."
            )
        row = METHODS[trained_as(method)]
        kind = (row.trainer, "G" in row.players)
        if kind not in measured:
            measured[kind] = in_own_process(measure, (each,), threads)
        found[method] = measured[kind]
    return found


def time_left(cost: Mapping[str, Cost], plan: Plan) -> float:
    """Seconds that the trainings take which have not been done yet.

    Args:
      cost: of each method.
      plan: of the comparison.
    """
    each = {
        method: _STARTING + cost[method].seconds(plan.training(method)["iterations"])
        for method in plan.methods
    }
    return sum(each[job.method] for job in plan.jobs_left()) / plan.at_once


def fitting_updates(cost: Mapping[str, Cost], plan: Plan, budget: float) -> int:
    """The updates of M that fit into the time, at most those of the plan.

    Args:
      cost: of each method.
      plan: of the comparison.
      budget: seconds.

    Raises:
      UserError: not even a short comparison fits.
    """

    def time(updates: int) -> float:
        return time_left(cost, replace(plan, updates=updates))

    if time(_FEWEST) > budget:
        least = clock(time(_FEWEST))
        raise UserError(
            f"{setting('budget')}: {len(plan.methods)} methods on {plan.seeds} splits "
            f"take at least {least}; give more time, or fewer {setting('seeds')} or "
            f"{setting('methods')}."
        )
    low, high = _FEWEST, plan.updates
    if time(high) <= budget:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if time(middle) <= budget else (low, middle)
    digits = 10 ** max(0, len(str(low)) - 2)
    return low // digits * digits


def default_budget(options: Options) -> str:
    """How long a comparison may take where nothing is asked for.

    Args:
      options: of one of its trainings.
    """
    return _BUDGETS["tables" if spec_of(options).vector else "images"]

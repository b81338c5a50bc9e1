"""What a training has to keep in memory, known before it begins. No TensorFlow here."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

from gamo_tf.config.backbones import BACKBONES
from gamo_tf.config.dataset_specs import FEATURES
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options, spec_of
from gamo_tf.errors import UserError, setting

LARGE = 2**30  # bytes; decoded images and features of so many lie in a file
_FLOAT = 4  # bytes of a float32
_OF_FILE = 1280  # features
_UNITS = 64 + 1  # weights of a point in the IGU: 64 of its kernel, and its bias
_COPIES = 3  # of each of these weights: itself and two slots of Adam
_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container; "max": there is none
_USED = Path("/sys/fs/cgroup/memory.current")
_MACHINE = Path("/proc/meminfo")


class Needs(NamedTuple):
    """Bytes that stay in memory while a method trains.

    The program itself takes some 600 MiB more, and what a minibatch or 500 rows of an
    evaluation take on their way through F.

    Attributes:
      images: the training rows as they are.
      features: F of all of them, for methods that hold them. From `LARGE` bytes on
        they lie in a file, on a CPU, and the system takes their memory where it must.
      points: those of the smaller classes.
      weights: of an IGU, with the slots of Adam.
    """

    images: int
    features: int
    points: int
    weights: int

    @property
    def total(self) -> int:
        """All bytes."""
        return sum(self)

    def __str__(self) -> str:
        """A line for people: all, and its parts."""
        parts = ", ".join(
            f"{name} {size / 2**20:,.0f}" for name, size in self._asdict().items()
        )
        where = ", features in a file on a CPU" if self.features >= LARGE else ""
        return f"{self.total / 2**20:,.0f} MiB of data stay in memory ({parts}{where})"


def needs(options: Options) -> Needs:
    """What a training keeps in memory.

    n rows of p pixels take n p bytes (vectors 8 n p); their features of width d 4 n d;
    the N points of the smaller classes 4 N d, of which there are at most K a class with
    ``--support K``; their weights in the IGU 12 * 65 N.

    Args:
      options: of the run that would be trained.
    """
    spec, method = spec_of(options), METHODS[options.method]
    n, values = sum(options.counts), math.prod(spec.shape)
    d = features_width(options)
    minority = options.class_counts.minority_sizes
    points = [min(k, options.support) if options.support else k for k in minority]
    return Needs(
        images=n * values * (8 if spec.vector else 1),
        features=n * d * _FLOAT
        if method.holds_features or options.features_once
        else 0,
        points=sum(points) * d * _FLOAT if method.supported else 0,
        weights=_COPIES * _UNITS * sum(minority) * _FLOAT
        if method.learns_generator
        else 0,
    )


def features_width(options: Options) -> int:
    """Width d of the features F(x).

    Args:
      options: of the run that would be trained.

    Returns:
      The width; of a network in a file, which is not opened here, a common one.
    """
    spec = spec_of(options)
    if options.pretrained:
        row = BACKBONES.get(options.backbone)
        return row.features if row else _OF_FILE
    if spec.conv:
        return FEATURES
    # A column of names becomes one for each of its categories.
    return sum(k or 1 for k in spec.categories) or math.prod(spec.shape)


def free() -> int | None:
    """Bytes of memory that a process can still have; None: it cannot be told."""
    found = []
    try:
        for line in _MACHINE.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 2**10)
        limit = _LIMIT.read_text().strip()
        if limit != "max":
            found.append(int(limit) - int(_USED.read_text()))
    except (OSError, ValueError):  # another system, or another layout of these files
        pass
    return min(found, default=None)


def check(options: Options) -> None:
    """Make sure that a training can have the memory that it is sure to need.

    Args:
      options: of the run that would be trained. Its images are in memory already.

    Raises:
      UserError: it cannot: it would be killed after a while.
    """
    need, have = needs(options), free()
    more = need.total - need.images - (need.features >= LARGE) * need.features
    if have is None or more <= have:
        return
    words = f"{need}, and {have / 2**20:,.0f} MiB are free beside the images."
    remedy = f"Give fewer rows ({setting('counts')}), or another {setting('method')}"
    if METHODS[options.method].supported:
        remedy += f", or fewer points in a pass ({setting('support')})"
    raise UserError(f"{options.dataset}: {words} {remedy}.")

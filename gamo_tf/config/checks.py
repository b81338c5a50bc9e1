"""Checks of settings, whether they come from flags or from files of strangers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.errors import UserError, setting


@dataclass(frozen=True)
class Range:
    """The numbers that a setting may have. NaN and infinities are in no range.

    Attributes:
      low: the smallest.
      high: the largest.
      above: `low` itself is not among them.
      below: `high` itself is not among them.
      whole: only whole numbers are.
      note: for people, behind the range.
    """

    low: float
    high: float
    above: bool = False
    below: bool = False
    whole: bool = False
    note: str = ""

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, Real):
            return False
        if self.whole and not isinstance(value, Integral):
            return False
        number: Any = value  # `Real` has no comparison with float for mypy
        if (self.above and number == self.low) or (self.below and number == self.high):
            return False
        return bool(self.low <= number <= self.high)

    def __str__(self) -> str:
        low, high = f"{self.low:.10g}", f"{self.high:.10g}"
        if self.above and self.below:
            return f"above {low} and below {high}{self.note}"
        above, below = "above " * self.above, "below " * self.below
        return f"{above}{low} to {below}{high}{self.note}"


def _whole_numbers(low: int, high: int, note: str = "") -> Range:
    return Range(low, high, whole=True, note=note)


_MOST = 10**9  # of what is counted: more than any machine gets through
_MOST_CLASSES = 10_000  # a confusion matrix has the square of it, 800 MB
_MOST_FEATURES = 10**6  # of a vector
_MOST_PIXELS = 4096  # a side of an image
SHARE = Range(0, 1, below=True)
# By the names of settings, flags and parameters.
RANGES = {
    # What NumPy and Keras take for a seed.
    "seed": _whole_numbers(0, 2**32 - 1),
    "iterations": _whole_numbers(1, _MOST),
    "checkpoint_every": _whole_numbers(1, _MOST),
    "evaluate_every": _whole_numbers(1, _MOST),
    # A minibatch of 8,192 colour images of 64 pixels a side takes some 10 GB.
    "batch_size": _whole_numbers(2, 8192, " (batch normalization needs 2)"),
    # G's and the VAE's first layer has a row of weights for each; the paper's is 100.
    "latent": _whole_numbers(1, 4096),
    # What float32 can hold, and its square too.
    "learning_rate": Range(1e-30, 1e30),
    "beta_1": SHARE,
    "label_noise": SHARE,
    "tau": Range(0, 100),
    "sampling": Range(0, 1),
    "gan_turns": _whole_numbers(0, _MOST, "; 0 is as many as GAMO has iterations"),
    "support": _whole_numbers(0, _MOST, "; 0 is all"),
    "backbone_rate": Range(1e-30, 1.0),
    "backbone_side": _whole_numbers(0, 1024, "; 0 is the network's own"),
    "views": _whole_numbers(1, 1000, "; 1 is the image alone"),
    "weight_decay": Range(0, 100, note="; 0 is off"),
    "ema": Range(0, 1, below=True, note="; 0 is off"),
    "test_per_class": _whole_numbers(0, _MOST, "; 0 is all"),
    "test_split": Range(0, 1, above=True, below=True),
    "validation_per_class": _whole_numbers(0, _MOST, "; 0 is none"),
    "validation_split": Range(0, 1, below=True, note="; 0 is none"),
    "patience": _whole_numbers(0, _MOST, "; 0 is off"),
    "imbalance_ratio": Range(1, _MOST),
    "image_size": _whole_numbers(8, 512),
    # Images of the balanced folder are numbered by six digits.
    "per_class": _whole_numbers(1, 10**6),
    "min_confidence": Range(0, 1),
    "max_copy": Range(0, 1),
    "shared_iterations": _whole_numbers(1, _MOST),
    "seeds": _whole_numbers(1, 1000),
    "repeats": _whole_numbers(1, 10_000),
    "updates": _whole_numbers(2, _MOST),
}


def shown(value: object) -> str:
    """A value as a message shows it: short, whatever it is.

    Args:
      value: of a setting.

    Returns:
      Its text; of a number with very many digits, the power of ten.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        return repr(value)
    if isinstance(value, Integral):
        value = int(value)
        if abs(value) < 10**20:
            return str(value)
        return f"{'-' * (value < 0)}10**{math.log10(abs(value)):.0f}"
    return f"{value:.6g}"


def check_range(name: str, value: object, allowed: Range | None = None) -> None:
    """Make sure that a number is one of those that a setting may have.

    Args:
      name: of the setting.
      value: of the setting.
      allowed: its range; None: that of `RANGES`.

    Raises:
      UserError: it is out of its range, or no number; the message has the range.
    """
    allowed = allowed or RANGES[name]
    if value not in allowed:
        raise UserError(f"{setting(name)} {shown(value)}: expected {allowed}.")


def check_ranges(values: Mapping) -> None:
    """`check_range` for all values whose names are in `RANGES`.

    Args:
      values: settings by name; what has no range is passed over.

    Raises:
      UserError: one is out of its range.
    """
    for name in RANGES:
        if name in values:
            check_range(name, values[name])


def check_shape(shape: tuple[int, ...]) -> None:
    """Make sure that rows of a user's data can have a shape.

    Args:
      shape: (height, width, channels) of images, or (features,) of vectors.

    Raises:
      UserError: no data has it.
    """
    most: tuple[int, ...] = (_MOST_FEATURES,)
    if len(shape) == 3:
        most = (_MOST_PIXELS, _MOST_PIXELS, 3)
    fits = len(shape) == len(most) and all(
        1 <= n <= m for n, m in zip(shape, most, strict=True)
    )
    if not fits or shape[1:][-1:] == (2,):
        raise UserError(
            f"shape: {list(map(shown, shape))}, expected a height and a width of at "
            f"most {_MOST_PIXELS} and 1 or 3 channels, or up to {_MOST_FEATURES} "
            "features."
        )


def check_categories(categories: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """Make sure that the columns of a user's table can have categories.

    Args:
      categories: the number of each column, or empty.
      shape: of a row.

    Raises:
      UserError: no table has them.
    """
    if not categories:
        return
    if len(categories) != shape[0] or shape[1:] or min(categories) < 0:
        raise UserError(
            f"categories: {len(categories)} numbers, expected one of each column, 0 or "
            "more."
        )
    if sum(categories) > _MOST_FEATURES:
        raise UserError(f"categories: more than {_MOST_FEATURES} in all columns.")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    return _whole(value) or (isinstance(value, float) and math.isfinite(value))


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _each(of: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, tuple) and all(map(of, value))


def _text(value: object) -> bool:
    return isinstance(value, str)


_TYPES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "str": ("a text", _text),
    "int": ("a whole number", _whole),
    "float": ("a finite number", _number),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "tuple[int, ...]": ("a list of whole numbers", _each(_whole)),
    "tuple[str, ...]": ("a list of texts", _each(_text)),
}


def check_type(name: str, value: object, annotation: str) -> None:
    """Make sure that a setting has the type it is declared with.

    Args:
      name: of the setting.
      value: of the setting; lists are tuples.
      annotation: the declared type, such as ``tuple[int, ...]``.

    Raises:
      UserError: for a value of another type, or a number that is not finite.
    """
    expected, fits = _TYPES[annotation]
    if not fits(value):
        raise UserError(f"{name}: {_quoted(value)}, expected {expected}.")


def check_folder_name(name: str, value: str) -> None:
    """Make sure that a text can be the name of one folder, and of no other place.

    Args:
      name: of the setting that it is the value of.
      value: the text.

    Raises:
      UserError: for a text that is empty, ``.`` or ``..``, or has a separator or a
        NUL in it.
    """
    if value in ("", ".", "..") or set(value) & set("/\\\0"):
        raise UserError(f"{name}: {_quoted(value)} cannot be the name of a folder.")


def check_counts(counts: tuple[int, ...], spec: DatasetSpec) -> None:
    """Refuse class sizes with nothing to oversample or nothing to combine.

    Args:
      counts: training rows of each class, in label order.
      spec: the row of the dataset.

    Raises:
      UserError: the number of classes is another or too large, a class has fewer than
        2 rows or too many, or all classes have the same size.
    """
    if len(counts) != len(spec.classes):
        raise UserError(
            f"{setting('counts')}: {len(counts)} numbers given, {len(spec.classes)} "
            f"classes in {spec.name}."
        )
    if len(counts) > _MOST_CLASSES:
        raise UserError(
            f"{spec.name}: {len(counts)} classes; expected 2 to {_MOST_CLASSES}."
        )
    if not counts:
        raise UserError(f"{spec.name}: has no classes.")
    for name, n in zip(spec.classes, counts, strict=True):
        if n > _MOST:
            raise UserError(
                f"{setting('counts')}: {shown(n)} of class {name}; expected 2 to "
                f"{_MOST}."
            )
    if min(counts) < 2:
        smallest = spec.classes[counts.index(min(counts))]
        raise UserError(
            f"{setting('counts')}: class {smallest} would have {shown(min(counts))} "
            "sample(s); a convex combination needs 2 or more."
        )
    if min(counts) == max(counts):
        raise UserError(
            "no minority class: all classes have the same number of samples "
            f"({counts[0]}), so there is nothing to oversample."
        )

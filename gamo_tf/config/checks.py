"""Checks of settings, whether they come from flags or from files of strangers."""

from __future__ import annotations

import math
from collections.abc import Callable

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.errors import UserError, setting


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    return _whole(value) or (isinstance(value, float) and math.isfinite(value))


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
        raise UserError(f"{name}: {value!r}, expected {expected}.")


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
        raise UserError(f"{name}: {value!r} cannot be the name of a folder.")


def check_counts(counts: tuple[int, ...], spec: DatasetSpec) -> None:
    """Refuse class sizes with nothing to oversample or nothing to combine.

    Args:
      counts: training rows of each class, in label order.
      spec: the row of the dataset.

    Raises:
      UserError: the number of classes is another, a class has fewer than 2 rows, or
        all classes have the same size.
    """
    if len(counts) != len(spec.classes):
        raise UserError(
            f"{setting('counts')}: {len(counts)} numbers given, {len(spec.classes)} "
            f"classes in {spec.name}."
        )
    if min(counts) < 2:
        smallest = spec.classes[counts.index(min(counts))]
        raise UserError(
            f"{setting('counts')}: class {smallest} would have {min(counts)} "
            "sample(s); a convex combination needs 2 or more."
        )
    if min(counts) == max(counts):
        raise UserError(
            "no minority class: all classes have the same number of samples "
            f"({counts[0]}), so there is nothing to oversample."
        )

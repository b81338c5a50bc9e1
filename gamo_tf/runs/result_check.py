"""Whether what results.json says can be the results of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gamo_tf.config.options import MEASURED, SETS
from gamo_tf.errors import UserError


def _is(*kinds: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kinds) and not isinstance(value, bool)


def _list_of(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _share(value: object) -> bool:
    return _is(int, float)(value) and 0 <= value <= 1  # type: ignore[operator]


# What every version has written, and what a value has to be.
_NEEDED: dict[str, tuple[str, Callable[[object], bool]]] = {
    "dataset": ("a text", _is(str)),
    "method": ("a text", _is(str)),
    "loss": ("a text", _is(str)),
    "seed": ("a whole number", _is(int)),
    "iterations": ("a whole number", _is(int)),
    "seconds": ("a number", _is(int, float)),
    "classes": ("a list of texts", _list_of(_is(str))),
    "m_updates": ("a whole number", _is(int)),
    "counts": ("a list of whole numbers", _list_of(_is(int))),
    "sets": ("texts by name", lambda value: isinstance(value, dict)),
    "date": ("a text", _is(str)),
    "versions": ("texts by name", lambda value: isinstance(value, dict)),
}

# What runs of this version have, and runs of earlier ones do not.
_LATER = {
    "network_digests": (
        "digests by name",
        lambda value: (
            isinstance(value, dict) and all(isinstance(x, str) for x in value.values())
        ),
    ),
}


def check_results(values: Mapping) -> None:
    """Make sure that results are whole and agree with themselves.

    Args:
      values: content of results.json.

    Raises:
      UserError: an entry is missing, or is not what it should be.
    """
    for name, (expected, fits) in _NEEDED.items():
        if not fits(values.get(name)):
            raise UserError(f"{name}: {values.get(name)!r}, expected {expected}.")
    for name, (expected, fits) in _LATER.items():
        if name in values and not fits(values[name]):
            raise UserError(f"{name}: {values[name]!r}, expected {expected}.")
    c = len(values["classes"])
    if len(values["counts"]) != c:
        raise UserError(f"counts: {len(values['counts'])} numbers for {c} classes.")
    for kind in (values, *([values["ema"]] if "ema" in values else [])):
        for name in sets_of(values):
            if not isinstance(kind, dict) or not _is_summary(kind.get(name), c):
                raise UserError(f"{name}: not the measures of {c} classes.")


def _is_summary(summary: object, c: int) -> bool:
    """Whether metrics, recalls and confusion are there, for c classes, and agree."""
    if not isinstance(summary, dict) or not shares_agree(summary):
        return False
    matrix = summary.get("confusion")
    if len(summary["recall"]) != c or not isinstance(matrix, list):
        return False
    return len(matrix) == c and all(
        _list_of(_is(int))(row) and len(row) == c for row in matrix
    )


def sets_of(values: Mapping) -> list[str]:
    """The sets that results have to have: all but validation, which not every run has.

    Args:
      values: content of results.json, or a record of it.
    """
    return [name for name in MEASURED if name in SETS or name in values]


def shares_agree(summary: object) -> bool:
    """Whether metrics and recalls are shares, and the ACSA is the recalls' mean.

    Args:
      summary: of a set, as results.json and runs.jsonl have it; a recall is None for a
        class without samples.
    """
    if not isinstance(summary, dict):
        return False
    recall = summary.get("recall")
    # A metric that is younger than the run is not there.
    if not all(_share(summary[k]) for k in ("acsa", "gm") if k in summary):
        return False
    if not isinstance(recall, list):
        return False
    if not all(value is None or _share(value) for value in recall):
        return False
    present = [value for value in recall if value is not None]
    if not present:
        return False
    mean = sum(present) / len(present)
    return abs(summary.get("acsa", mean) - mean) < 1e-5

"""One run in words: its settings, its results, its pictures, and how to go on."""

from __future__ import annotations

from dataclasses import MISSING, fields

from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options, resolve
from gamo_tf.errors import UserError, command
from gamo_tf.evaluation import results
from gamo_tf.files import mebibytes
from gamo_tf.runs.run import Run
from gamo_tf.runs.run_list import Standing, size_on_disk, standing

# Settings that stand in the first lines, and those that tell what the user's data was
# found to be: they have no default to differ from.
_NAMED = ("dataset", "method", "loss", "seed", "iterations")
_OF_DATA = ("data", "label", "test_data", "test_split", "validation_split")
_FOUND = ("classes", "shape", "patches", "counts")
_PICTURES = ("curves.png", "confusion.png", "samples")


def show(run: Run) -> str:
    """Everything that a person may want to know of a run.

    Args:
      run: finished, unfinished or damaged.

    Returns:
      Text of several lines.
    """
    found = standing(run)
    lines = [f"{run.path}: {_state(found)}, {mebibytes(size_on_disk(run.path))}"]
    if found.options:
        options = found.options
        title = METHODS[options.method].title
        lines.append(
            f"  {options.dataset}, {options.method} ({title}), loss {options.loss}, "
            f"seed {options.seed}, {options.iterations} iterations"
        )
        if options.data:
            lines += _lines("data", _data(options))
        lines += _lines("settings", differing(options) or ["the defaults"])
    if found.damage:
        return "\n".join([*lines, *_lines("damage", [found.damage])])
    if found.results:
        return "\n".join([*lines, "", results.report(run), *_next(run, found)])
    pictures = [run.picture(name) for name in _PICTURES]
    there = [f"{path}" for path in pictures if path.exists()]
    lines += _lines("pictures", there or ["none yet"])
    return "\n".join([*lines, *_next(run, found)])


def _state(found: Standing) -> str:
    if found.damage or found.results:
        return found.word
    return f"{found.word}, at iteration {found.iteration}"


def _data(options: Options) -> list[str]:
    """Where the user's data lies, and what of it was set aside."""
    values = {_flag(name): getattr(options, name) for name in _OF_DATA}
    return [f"{name} {_short(value)}" for name, value in values.items() if value]


def differing(options: Options) -> list[str]:
    """The settings that are not those of a run for which nothing else was asked.

    Args:
      options: of a run.

    Returns:
      ``name value (default VALUE)``, as flags are named but for the dashes.
    """
    known = ("dataset", "method", "iterations")
    of_data = (*_OF_DATA, *_FOUND) if options.data else ()
    try:
        chosen = {name: getattr(options, name) for name in (*known, *of_data)}
        usual = resolve(chosen).to_json()
    except UserError:  # of a version that allowed what is refused today
        usual = {field.name: field.default for field in fields(Options)}
    lines = []
    for name, value in options.to_json().items():
        if value != usual[name] and name not in _NAMED:
            default = usual[name]
            ending = "" if default is MISSING else f" (default {_short(default)})"
            lines.append(f"{_flag(name)} {_short(value)}{ending}")
    return lines


def _flag(name: str) -> str:
    return name.replace("_", "-")


def _short(value: object) -> str:
    """A setting as a flag takes it."""
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def _lines(title: str, values: list[str]) -> list[str]:
    """Values below each other, with a title before the first of them."""
    return [
        f"  {title if k == 0 else '':<16} {value}" for k, value in enumerate(values)
    ]


def _next(run: Run, found: Standing) -> list[str]:
    """The commands that use the run."""
    if not found.results:
        if run.has_rows:
            return _lines("go on with", [command("train", "--resume", run.path)])
        return _lines("go on with", ["nothing: it was stopped before it had begun"])
    options = run.options
    files = "TABLE" if options.label else "IMAGES"
    lines = _lines("predict by it", [command("predict", "--run", run.path, files)])
    if METHODS[options.method].convex and not options.label:
        line = command("pix", "--run", run.path, "--class", "all")
        lines += _lines("images from it", [line])
    return lines

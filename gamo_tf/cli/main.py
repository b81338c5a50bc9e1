"""The program ``gamo``: one command with a subcommand for each thing to do."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from gamo_tf.cli.program import run_program, started_by, versions
from gamo_tf.command_lines import add_checkout
from gamo_tf.errors import UserError, command, did_you_mean


class Subcommand(NamedTuple):
    """A program that ``gamo`` starts.

    Attributes:
      main: its function, as ``module:function``. It is text, so that the module is
        imported when it is asked for: ``gamo --help`` answers at once.
      help: what it does, in a line.
    """

    main: str
    help: str


SUBCOMMANDS = {
    "train": Subcommand(
        "gamo_tf.cli.train:main", "train GAMO, or a method to compare it with"
    ),
    "pix": Subcommand(
        "gamo2pix.cli:main", "GAMO2pix: turn what a run generates into images"
    ),
    "predict": Subcommand(
        "gamo_tf.cli.predict:main", "classes of new images, or one model to export"
    ),
    "compare": Subcommand(
        "gamo_tf.comparison.program:main",
        "which method suits your data; or finished runs side by side",
    ),
    "describe": Subcommand(
        "gamo_tf.cli.describe:main", "class sizes, and what training would take"
    ),
    "reproduce": Subcommand(
        "reproduction.reproduce:main",
        "tables and figures of the paper (in a checkout)",
    ),
    "methods": Subcommand(
        "gamo_tf.cli.methods:main", "which methods there are, and which to use"
    ),
    "runs": Subcommand(
        "gamo_tf.cli.runs:main", "list, show, compare or remove the runs of a folder"
    ),
}
_HELP, _VERSION = ("--help", "-h"), "--version"


def main(argv: list[str] | None = None) -> int:
    """Start a subcommand.

    Args:
      argv: the arguments, the subcommand first; None: those of the process.

    Returns:
      The exit code of the subcommand; 2 where there is none of that name.
    """
    arguments = sys.argv[1:] if argv is None else argv
    with started_by("gamo"):
        return run_program("", lambda: _start(arguments))


def usage() -> str:
    """What ``gamo --help`` shows."""
    width = max(map(len, SUBCOMMANDS))
    return "\n".join(
        [
            "usage: gamo COMMAND ...",
            "       gamo COMMAND --help",
            "       gamo --version",
            "",
            "Generative adversarial minority oversampling (Mullick et al., 2019).",
            "",
            *(f"  {name:<{width}}  {row.help}" for name, row in SUBCOMMANDS.items()),
            "",
            f"example: {command('train', '--dataset', 'digits')}",
        ]
    )


def _start(arguments: list[str]) -> int:
    if not arguments:
        print(usage(), file=sys.stderr)
        return 2
    name, *rest = arguments
    if name in _HELP:
        print(usage())
        return 0
    if name == _VERSION:
        print(versions())
        return 0
    if name not in SUBCOMMANDS:
        hint = did_you_mean(name, [*SUBCOMMANDS, *_HELP, _VERSION])
        there = ", ".join(SUBCOMMANDS)
        raise UserError(f"{name}: no such command; there are {there}.{hint}")
    module, function = SUBCOMMANDS[name].main.split(":")
    if not add_checkout() and find_spec(module.split(".")[0]) is None:
        raise UserError(
            f"{name}: works in a checkout of the source only. Clone the repository and "
            "run reproduce.py there."
        )
    return getattr(import_module(module), function)(rest)

"""Which methods there are, what each is, and which one is recommended."""

from __future__ import annotations

from collections.abc import Sequence

from gamo_tf.cli.program import argument_parser, run_program
from gamo_tf.config.methods import (
    METHODS,
    RECOMMENDED,
    RECOMMENDED_BEHIND_BACKBONE,
    RECOMMENDED_FOR_TABLES,
)


def main(argv: Sequence[str] | None = None) -> int:
    """List the methods.

    Args:
      argv: the arguments; None: those of the process.

    Returns:
      The exit code, as `run_program` has it.
    """
    return run_program("methods", lambda: _list(argv))


def _list(argv: Sequence[str] | None) -> int:
    parser = argument_parser("methods", __doc__)
    parser.add_argument(
        "--recommended", action="store_true", help="only the name of that one"
    )
    if parser.parse_args(argv).recommended:
        print(RECOMMENDED)
        return 0
    width = max(map(len, METHODS))
    for name, method in METHODS.items():
        mark = "*" if name == RECOMMENDED else " "
        losses = ", ".join(method.losses)
        print(f"{mark} {name:<{width}}  {losses:<6}  {method.title}")
    print(
        "\n* recommended, and the default for your own images. The default for tables "
        f"is {RECOMMENDED_FOR_TABLES}, and with --backbone "
        f"{RECOMMENDED_BEHIND_BACKBONE}.\nThe middle column has the values of --loss, "
        "the default first."
    )
    return 0

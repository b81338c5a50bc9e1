"""What all programs share: their names, and how an error becomes an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

from gamo_tf.errors import SCRIPTS, Stopped, UserError, speaking_to

WRONG_INPUT = 2  # exit code: something that the user can put right
INTERRUPTED = 130  # exit code: Ctrl-C, as shells have it (128 + SIGINT)

Starter = Literal["scripts", "gamo"]

# What is started without `gamo` from a checkout. A program that is not in here can be
# started as a subcommand only.
_WITHOUT_GAMO = {**SCRIPTS, "compare": "python -m gamo_tf.compare"}
_starter: ContextVar[Starter] = ContextVar("starter", default="scripts")


@contextmanager
def started_by(starter: Starter) -> Iterator[None]:
    """Within it, programs go by the names that they have for this starter.

    Args:
      starter: "scripts" (the default; ``train_gamo.py``) or "gamo" (``gamo train``).
    """
    token = _starter.set(starter)
    try:
        yield
    finally:
        _starter.reset(token)


def program_name(name: str) -> str:
    """The name of a program, for its messages and its usage.

    Args:
      name: a subcommand of ``gamo``, such as ``train``; "" is ``gamo`` itself.

    Returns:
      ``train_gamo.py`` for who started the script, else ``gamo train``.
    """
    if _starter.get() == "scripts" and name in _WITHOUT_GAMO:
        return _WITHOUT_GAMO[name]
    return f"gamo {name}".strip()


def argument_parser(
    name: str, description: str | None, **kwargs: Any
) -> argparse.ArgumentParser:
    """A parser whose usage shows the program under the name it was started by.

    Args:
      name: a subcommand of ``gamo``.
      description: what the program does, usually the docstring of its module.
      **kwargs: handed to `argparse.ArgumentParser`.
    """
    return argparse.ArgumentParser(
        prog=program_name(name), description=description, **kwargs
    )


def run_program(
    program: str, body: Callable[[], int], interrupted: str = "stopped"
) -> int:
    """Run a program, and turn the way it ends into its exit code.

    Whatever the user can put right is printed to standard error in the form
    ``PROGRAM: message``. Any other exception is a bug and keeps its traceback.
    Messages that are made within `body` name settings as flags.

    Args:
      program: a subcommand of ``gamo``, such as ``train`` (see `program_name`).
      body: the program; returns its exit code.
      interrupted: what is printed after a Ctrl-C that nothing has caught.

    Returns:
      The exit code of `body`; 2 after a `UserError` or an `OSError`; 130 after
      `Stopped` or `KeyboardInterrupt`; 0 where whoever reads the output has closed it.
    """
    try:
        with speaking_to(_starter.get()):
            code = body()
        # Written here and not by Python's shutdown, so that a closed pipe shows now.
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # An OSError, but no error: `| head` has seen enough. Python flushes standard
        # output once more at its shutdown and would complain there.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        return 0
    except (UserError, OSError) as err:
        return _fail(program, str(err), WRONG_INPUT)
    except Stopped as err:
        return _fail(program, str(err) or interrupted, INTERRUPTED)
    except KeyboardInterrupt:
        return _fail(program, interrupted, INTERRUPTED)


def _fail(program: str, message: str, code: int) -> int:
    print(f"{program_name(program)}: {message}", file=sys.stderr)
    return code

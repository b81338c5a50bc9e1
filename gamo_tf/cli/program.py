"""What all programs share: their names, and how an error becomes an exit code."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, NoReturn

from gamo_tf import __version__
from gamo_tf.errors import (
    SCRIPTS,
    Stopped,
    UserError,
    did_you_mean,
    first_line,
    printable,
    setting,
    speaking_to,
)
from gamo_tf.own_settings import own_settings

WRONG_INPUT = 2  # exit code: something that the user can put right
INTERRUPTED = 130  # exit code: Ctrl-C, as shells have it (128 + SIGINT)
TRACEBACK = "GAMO_TRACEBACK"  # of the environment: set, it shows where a bug is

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
    # Examples stay on their lines: a command that is broken in two does not run.
    kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
    parser = _Parser(prog=program_name(name), description=description, **kwargs)
    parser.add_argument("--version", action="version", version=versions())
    return parser


def versions() -> str:
    """The versions of this program, and of what it stands on, in a line.

    TensorFlow is not imported for that.
    """
    found = []
    for title in ("TensorFlow", "Keras"):
        try:
            found.append(f"{title} {version(title.lower())}")
        except PackageNotFoundError:
            found.append(f"{title} is missing")
    return f"gamo {__version__} ({', '.join(found)})"


def one_of(names: Collection[str], listed: str = "") -> Callable[[str], str]:
    """A type for `argparse`: one of some names. Of a wrong one the closest is told.

    Args:
      names: that there are.
      listed: a command that lists them; "": they are in the message themselves.
    """

    def name(text: str) -> str:
        if text in names:
            return text
        there = f"{listed} lists them" if listed else f"there are {', '.join(names)}"
        near = did_you_mean(text, names)
        raise argparse.ArgumentTypeError(f"invalid choice {text!r}; {there}.{near}")

    return name


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints stay on one line, whatever was typed."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def run_program(
    program: str, body: Callable[[], int], interrupted: str = "stopped"
) -> int:
    """Run a program, and turn the way it ends into its exit code.

    Whatever the user can put right is printed to standard error in the form
    ``PROGRAM: message``, on one line; details of it have a line each. Any other
    exception is a bug. It is told in a line too, after its traceback where the
    environment variable GAMO_TRACEBACK is set. Messages that are made within `body`
    name settings as flags. What a console cannot show is written as an escape.

    Args:
      program: a subcommand of ``gamo``, such as ``train`` (see `program_name`).
      body: the program; returns its exit code.
      interrupted: what is printed after a Ctrl-C that nothing has caught.

    Returns:
      The exit code of `body`; 2 after a `UserError`, an `OSError` or a bug; 130 after
      `Stopped` or `KeyboardInterrupt`; 0 where whoever reads the output has closed it.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    with own_settings(), speaking_to(_starter.get()):
        try:
            code = body()
            # Written here and not by Python's shutdown: a closed pipe shows now.
            sys.stdout.flush()
            return code
        except BrokenPipeError:
            # An OSError, but no error: `| head` has seen enough. Python flushes
            # standard output once more at its shutdown and would complain there.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
            return 0
        except UserError as err:
            return _fail(program, err.message, WRONG_INPUT, err.details)
        except OSError as err:
            return _fail(program, _reason(err), WRONG_INPUT)
        except Stopped as err:
            return _fail(program, str(err) or interrupted, INTERRUPTED)
        except KeyboardInterrupt:
            return _fail(program, interrupted, INTERRUPTED)
        except Exception as err:  # the last net: a bug, or no memory
            if os.environ.get(TRACEBACK):
                traceback.print_exc()
            return _fail(program, unforeseen(err), WRONG_INPUT)


def _fail(program: str, message: str, code: int, details: Sequence[str] = ()) -> int:
    """Print a message on one line, and each detail on its own; returns `code`."""
    print(f"{program_name(program)}: {printable(message)}", file=sys.stderr)
    for detail in details:
        print(printable(detail), file=sys.stderr)
    return code


def _reason(err: OSError) -> str:
    """What the system says, after the file's name, without the number of the error."""
    if not err.strerror:
        return first_line(err)
    if isinstance(err.filename, str | bytes | os.PathLike):
        return f"{os.fsdecode(err.filename)}: {err.strerror}"
    return err.strerror


def unforeseen(err: Exception) -> str:
    """A line on an exception that nothing has foreseen.

    Args:
      err: the exception.
    """
    kind = type(err).__name__
    # TensorFlow's, known by its name: most programs end without importing that.
    exhausted = kind == "ResourceExhaustedError"
    if exhausted and "space left" in str(err):
        return "no space left on the device."
    if exhausted or isinstance(err, MemoryError):
        return (
            f"not enough memory ({kind}: {first_line(err)}). A smaller "
            f"{setting('batch_size')}, smaller images or fewer rows take less."
        )
    line = f"unexpected error ({kind}: {first_line(err)})."
    return f"{line} {TRACEBACK}=1 shows where."

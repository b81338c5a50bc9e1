"""The ways a run ends early that are no bug, and how their messages name things.

The same library is called from a shell and from Python. Its messages name a setting
as the caller does: ``--test-split`` in the shell, ``test_split`` in Python. They are
written with `setting` and `command`, which follow the caller (see `speaking_to`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Caller = Literal["python", "scripts", "gamo"]

# The subcommands of `gamo`, and the scripts at the root that start the same functions.
SCRIPTS = {
    "train": "train_gamo.py",
    "pix": "train_gamo2pix.py",
    "predict": "predict.py",
    "reproduce": "reproduce.py",
}

_caller: ContextVar[Caller] = ContextVar("caller", default="python")


class UserError(Exception):
    """A wrong flag, file or value that the user can put right: exit code 2."""


class Stopped(Exception):
    """Ctrl-C, with everything saved: exit code 130."""


@contextmanager
def speaking_to(who: Caller) -> Iterator[None]:
    """Within it, messages name settings and commands as `who` writes them.

    Args:
      who: "python" (the default), "scripts" (``python train_gamo.py``) or "gamo"
        (the installed program).
    """
    token = _caller.set(who)
    try:
        yield
    finally:
        _caller.reset(token)


def caller() -> Caller:
    """Whom messages speak to at present, for a new process to be told."""
    return _caller.get()


def setting(name: str) -> str:
    """A setting as the caller writes it.

    Args:
      name: of the parameter, such as ``test_split``.

    Returns:
      ``--test-split`` in the shell, ``test_split`` in Python.
    """
    if _caller.get() == "python":
        return name
    return "--" + name.replace("_", "-")


def command(program: str, *arguments: object) -> str:
    """A command line as the caller would type it.

    Args:
      program: a subcommand of ``gamo``, such as ``train``.
      *arguments: the rest of the line.

    Returns:
      ``python train_gamo.py ...`` for who started a script, else ``gamo train ...``.
    """
    begin = f"gamo {program}"
    if _caller.get() == "scripts" and program in SCRIPTS:
        begin = f"python {SCRIPTS[program]}"
    return " ".join([begin, *map(str, arguments)])


def first_line(err: Exception) -> str:
    """What a library's exception says, in one line.

    Args:
      err: any exception; its message may have several lines, or none.

    Returns:
      The first line of the message, or the exception's `repr` where it has none.
    """
    return str(err).splitlines()[0] if str(err) else repr(err)

"""The ways a run ends early that are no bug, and how their messages name things.

The same library is called from a shell and from Python. Its messages name a setting
as the caller does: ``--test-split`` in the shell, ``test_split`` in Python. They are
written with `setting` and `command`, which follow the caller (see `speaking_to`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
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
    """A wrong flag, file or value that the user can put right: exit code 2.

    Args:
      message: one line; control characters in it, such as those of a stranger's file
        name, are escaped.
      details: more lines, such as one for each of several bad files.
    """

    def __init__(self, message: str = "", details: Sequence[str] = ()) -> None:
        self.message, self.details = printable(message), tuple(details)
        super().__init__("\n".join([self.message, *details]))

    def __reduce__(self) -> tuple:
        return type(self), (self.message, self.details)


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
      ``python train_gamo.py ...`` for who started a script (``python -m gamo_tf ...``
      where there is no script of it), else ``gamo train ...``.
    """
    begin = f"gamo {program}"
    if _caller.get() == "scripts":
        begin = f"python {SCRIPTS.get(program, f'-m gamo_tf {program}')}"
    return " ".join([begin, *map(str, arguments)])


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A question that ends a message on a name that is none.

    Args:
      name: that was given.
      names: that there are.

    Returns:
      `` Did you mean NAME?``, with the name that is closest; "" where none is close.
    """
    near = get_close_matches(name, list(names), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def first_line(err: Exception) -> str:
    """What a library's exception says, in one line.

    Args:
      err: any exception; its message may have several lines, or none.

    Returns:
      The first line of the message that is not empty, or the exception's `repr` where
      there is none.
    """
    return (str(err).strip() or repr(err)).splitlines()[0]


def printable(text: str) -> str:
    """A text without control characters, so that it stays on one line.

    Args:
      text: any, such as the name of a stranger's file.

    Returns:
      The text, with ``\\n`` and the like in the place of such characters.
    """
    return re.sub(
        "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]",
        lambda found: found[0].encode("unicode_escape").decode(),
        text,
    )

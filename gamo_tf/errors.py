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

from gamo_tf.command_lines import gamo, joined, quoted, script, tool

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


def setting(name: str, *values: object) -> str:
    """A setting as the caller writes it, or a setting with its value.

    Args:
      name: of the parameter, such as ``test_split``.
      *values: of the setting, quoted where a shell needs that.

    Returns:
      ``--test-split`` or ``--test-split 0.3`` in the shell, ``test_split`` or
      ``test_split 0.3`` in Python.
    """
    if _caller.get() == "python":
        return joined(name, *values)
    return flag(name, *values)


def flag(name: str, *values: object) -> str:
    """A setting as a shell takes it, whoever the caller is.

    Args:
      name: of the parameter, such as ``test_split``.
      *values: of the setting.
    """
    written = "--" + name.replace("_", "-")
    if len(values) == 1 and str(values[0]).startswith("-"):  # else taken for a flag
        return f"{written}={quoted(values[0])}"
    return joined(written, *values)


def command(program: str, *arguments: object) -> str:
    """A command that runs as it is printed, with this Python and in this folder.

    Args:
      program: a subcommand of ``gamo``, such as ``train``.
      *arguments: the rest of the line, one by one; they are quoted here.

    Returns:
      ``python train_gamo.py ...`` for who started a script (``python -m gamo_tf ...``
      where there is no script of it), else ``gamo train ...``. What is not on PATH is
      named by its path.
    """
    by_scripts = _caller.get() == "scripts"
    start = script(SCRIPTS[program]) if by_scripts and program in SCRIPTS else []
    return joined(*(start or [*gamo(not by_scripts), program]), *arguments)


def portable_command(program: str, *arguments: object) -> str:
    """A command for a document, which people read on other machines.

    Args:
      program: a subcommand of ``gamo``.
      *arguments: the rest of the line, one by one; they are quoted here.

    Returns:
      `command` with ``python`` and ``gamo`` as they are called where they are on PATH.
    """
    if _caller.get() != "scripts":
        return joined("gamo", program, *arguments)
    name = SCRIPTS.get(program)
    start = [name] if name else ["-m", "gamo_tf", program]
    return joined("python", *start, *arguments)


def tensorboard(folder: object) -> str:
    """The command that shows curves in TensorBoard.

    Args:
      folder: with the logs.
    """
    return joined(*tool("tensorboard", "tensorboard.main"), "--logdir", folder)


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

"""Commands that run as printed: quoted for a shell, with programs that are there."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent  # of the checkout, or site-packages
_CHECKOUT = "train_gamo.py"  # is in a checkout only


def quoted(argument: object) -> str:
    """An argument as a shell takes it, on one line.

    Args:
      argument: any, such as the path of a file with spaces or line breaks. Several
        values are joined by commas, as flags take them.

    Returns:
      It without change if it is plain, else in quotes. Control characters, and bytes
      that are no text, become escapes in ``$'...'``, as bash and zsh read them.
    """
    values = argument if isinstance(argument, tuple | list) else (argument,)
    text = ",".join(str(value) for value in values)
    if text.isprintable():
        return shlex.quote(text)
    letters = []
    for letter in text:
        if letter.isprintable():
            letters.append(f"\\{letter}" if letter in "\\'" else letter)
        else:
            odd = (
                "surrogateescape" if "\udc80" <= letter <= "\udcff" else "surrogatepass"
            )
            letters += [f"\\x{byte:02x}" for byte in letter.encode("utf-8", odd)]
    return f"$'{''.join(letters)}'"


def joined(*arguments: object) -> str:
    """A command line of arguments, each `quoted`.

    Args:
      *arguments: of the line, the program first.
    """
    return " ".join(map(quoted, arguments))


def python() -> str:
    """What starts this Python from the current folder.

    Returns:
      ``python`` where that is this Python, else its path.
    """
    if not sys.executable:  # Python is embedded in another program
        return "python"
    return _installed("python") or _path(Path(sys.executable))


def tool(name: str, module: str) -> list[str]:
    """What starts a program that was installed beside this Python.

    Args:
      name: of the program, such as ``tensorboard``.
      module: which ``python -m`` starts where there is no such program.

    Returns:
      The first arguments of a command line.
    """
    beside = Path(sys.executable).parent / name
    if program := _installed(name):
        return [program]
    return [_path(beside)] if beside.is_file() else [python(), "-m", module]


def gamo(installed: bool = True) -> list[str]:
    """What starts the program ``gamo``.

    Args:
      installed: whether that is the installed program, where there is one.

    Returns:
      The first arguments of a command line.
    """
    if installed and len(program := tool("gamo", "gamo_tf")) == 1:
        return program
    if (_ROOT / _CHECKOUT).is_file() and not _same_folder(Path.cwd(), _ROOT):
        return [python(), _path(_ROOT / "gamo_tf")]  # `-m` would not find it
    return [python(), "-m", "gamo_tf"]


def script(name: str) -> list[str]:
    """What starts a script at the root of the checkout.

    Args:
      name: of the script, such as ``predict.py``.

    Returns:
      The first arguments of a command line; [] where there is no such script.
    """
    path = _ROOT / name
    return [python(), _path(path)] if path.is_file() else []


def add_checkout() -> bool:
    """Make the packages at the root of a checkout importable from any folder.

    Returns:
      Whether this package is part of a checkout.
    """
    if not (_ROOT / _CHECKOUT).is_file():
        return False
    if str(_ROOT) not in sys.path:
        sys.path.append(str(_ROOT))
    return True


def _installed(name: str) -> str:
    """`name`, if a shell starts the program beside this Python by it; else ""."""
    program = shutil.which(name)
    here = Path(sys.executable).parent
    return name if program and _same_folder(Path(program).parent, here) else ""


def _same_folder(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _path(path: Path) -> str:
    """A path as it is typed in the current folder: short below it, else absolute.

    Links in it stay: a virtual environment is known by the path of its Python.
    """
    here = Path(os.path.abspath(os.curdir))
    path = Path(os.path.abspath(path))
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)

"""The ladder from an error to an exit code, and the names of programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gamo_tf.cli.program import (
    argument_parser,
    program_name,
    run_program,
    started_by,
)
from gamo_tf.command_lines import gamo, joined, python
from gamo_tf.errors import Stopped, UserError, command, setting


def raising(err: BaseException):
    def body() -> int:
        raise err

    return body


@pytest.mark.parametrize(
    ("err", "code", "message"),
    [
        (UserError("no such row"), 2, "train_gamo.py: no such row\n"),
        (FileNotFoundError("x is gone"), 2, "train_gamo.py: x is gone\n"),
        (OSError(28, "No space left", "a/b"), 2, "train_gamo.py: a/b: No space left\n"),
        (OSError(28, "No space left"), 2, "train_gamo.py: No space left\n"),
        (
            OSError(2, "No such file", b"a\nb"),
            2,
            "train_gamo.py: a\\nb: No such file\n",
        ),
        (UserError("a\nb", ["1\r", "2"]), 2, "train_gamo.py: a\\nb\n1\\r\n2\n"),
        (Stopped("saved"), 130, "train_gamo.py: saved\n"),
        (Stopped(), 130, "train_gamo.py: left\n"),
        (KeyboardInterrupt(), 130, "train_gamo.py: left\n"),
        (BrokenPipeError(), 0, ""),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, BaseException) else "",
)
def test_how_a_program_ends(err, code, message, capsys):
    assert run_program("train", raising(err), interrupted="left") == code
    assert capsys.readouterr().err == message


def recurse() -> int:
    return recurse()


class ResourceExhaustedError(Exception):
    """As TensorFlow's."""


UNFORESEEN = [
    (ValueError("first\nsecond"), "unexpected error (ValueError: first). GAMO_TRACE"),
    (KeyError("k"), "unexpected error (KeyError: 'k')"),
    (ZeroDivisionError(), "unexpected error (ZeroDivisionError: ZeroDivisionError())"),
    (MemoryError(), "not enough memory (MemoryError"),
    (ResourceExhaustedError("OOM"), "not enough memory (ResourceExhaustedError: OOM)"),
    (ResourceExhaustedError("x; No space left on device"), "no space left"),
]


@pytest.mark.parametrize(("err", "message"), UNFORESEEN, ids=repr)
def test_what_nothing_has_foreseen_is_a_line_too(err, message, capsys, monkeypatch):
    monkeypatch.delenv("GAMO_TRACEBACK", raising=False)
    assert run_program("train", raising(err)) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"train_gamo.py: {message}") and error.count("\n") == 1
    monkeypatch.setenv("GAMO_TRACEBACK", "1")
    assert run_program("train", raising(err)) == 2
    error = capsys.readouterr().err
    assert "Traceback" in error and f"\ntrain_gamo.py: {message}" in error


def test_the_exit_code_is_the_bodys_and_depth_has_an_end(capsys):
    assert run_program("train", lambda: 2) == 2
    assert run_program("train", recurse) == 2
    assert "RecursionError" in capsys.readouterr().err
    with pytest.raises(SystemExit):  # of argparse
        run_program("train", raising(SystemExit(2)))


def test_complaints_about_flags_stay_on_one_line(capsys):
    with pytest.raises(SystemExit):
        argument_parser("train", None).parse_args(["a\nb"])
    assert "unrecognized arguments: a\\nb\n" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "utf-8"])
def test_any_console_can_be_written_to(encoding):
    code = (
        "import sys\n"
        "from gamo_tf.cli.program import run_program\n"
        "from gamo_tf.errors import UserError\n"
        "def body():\n"
        "    print('\\u2588 \\u6f22 \\udcff')\n"
        "    raise UserError('\\u6f22 \\udcff.png')\n"
        "sys.exit(run_program('train', body))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert done.returncode == 2, done.stderr
    shown = "漢" if encoding == "utf-8" else r"\u6f22"
    assert shown in done.stdout.decode(encoding)
    error = done.stderr.decode(encoding)
    assert f"{shown} \\udcff.png" in error and error.count("\n") == 1


def test_who_starts_a_program_decides_how_things_are_named():
    def names() -> int:
        seen.append((setting("test_split"), command("train", "--resume", "r")))
        seen.append(command("runs"))
        return 0

    seen = []
    assert run_program("train", names) == 0
    with started_by("gamo"):
        assert run_program("train", names) == 0
        assert program_name("train") == "gamo train" and program_name("") == "gamo"
        assert argument_parser("pix", None).prog == "gamo pix"
    assert seen == [
        ("--test-split", f"{python()} train_gamo.py --resume r"),
        f"{python()} -m gamo_tf runs",  # there is no script of it
        ("--test-split", joined(*gamo(), "train", "--resume", "r")),
        joined(*gamo(), "runs"),
    ]
    assert setting("test_split") == "test_split"  # in Python again
    assert program_name("predict") == "predict.py"
    assert program_name("runs") == "gamo runs"  # there is no script of it


def test_a_reader_that_has_seen_enough_is_no_error():
    code = (
        "import sys\n"
        "from gamo_tf.cli.program import run_program\n"
        "def body():\n"
        "    print('first', flush=True)\n"
        "    sys.stdin.read()\n"  # until nobody reads any more
        "    print('x' * 100)\n"
        "    return 0\n"
        "sys.exit(run_program('train', body))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"first\n"
    process.stdout.close()
    process.stdin.close()
    assert process.stderr.read() == b"" and process.wait() == 0
    process.stderr.close()

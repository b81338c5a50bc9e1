"""The ladder from an error to an exit code, and the names of programs."""

import subprocess
import sys

import pytest

from gamo_tf.cli.program import (
    argument_parser,
    program_name,
    run_program,
    started_by,
)
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


def test_the_exit_code_is_the_bodys_and_bugs_keep_their_traceback():
    assert run_program("train", lambda: 2) == 2
    with pytest.raises(ZeroDivisionError):
        run_program("train", raising(ZeroDivisionError()))


def test_who_starts_a_program_decides_how_things_are_named():
    def names() -> int:
        seen.append((setting("test_split"), command("train", "--resume", "r")))
        return 0

    seen = []
    assert run_program("train", names) == 0
    with started_by("gamo"):
        assert run_program("train", names) == 0
        assert program_name("train") == "gamo train" and program_name("") == "gamo"
        assert argument_parser("pix", None).prog == "gamo pix"
    assert seen == [
        ("--test-split", "python train_gamo.py --resume r"),
        ("--test-split", "gamo train --resume r"),
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

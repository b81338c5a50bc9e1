"""Processes of their own end with the process that started them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import gamo_tf
from gamo_tf.errors import UserError
from gamo_tf.files import locked
from gamo_tf.grids.processes import in_own_processes

SCRIPT = """
import signal, sys, time
from pathlib import Path
from gamo_tf.grids import processes
from gamo_tf.files import locked

processes._SECONDS_TO_STOP = 5.0

def wait(folder, stubborn):
    if stubborn:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with locked(Path(folder)):
        try:
            print("begun", flush=True)
            time.sleep(120)
        except KeyboardInterrupt:
            time.sleep(0.5)  # a second signal would break the saving off
            Path(folder, "saved").touch()
            raise

if __name__ == "__main__":
    try:
        with processes.stopped_by_sigterm() as received:
            calls = [(folder, folder.endswith("c")) for folder in sys.argv[1:]]
            processes.in_own_processes(wait, calls)
    except KeyboardInterrupt:
        sys.exit(143 if received else 130)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signum", "code", "terminal"),
    [
        (signal.SIGINT, 130, False),
        (signal.SIGINT, 130, True),
        (signal.SIGTERM, 143, False),
        (signal.SIGKILL, -signal.SIGKILL, False),
    ],
)
def test_they_save_and_end_with_their_caller(tmp_path, signum, code, terminal):
    """The signal comes to the caller alone, or as from a terminal to all."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    caller = subprocess.Popen(
        [sys.executable, script, *folders],
        cwd=Path(gamo_tf.__file__).parent.parent,
        env={"PYTHONPATH": str(Path(gamo_tf.__file__).parent.parent)},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert [caller.stdout.readline() for _ in folders] == [b"begun\n"] * 3
    (os.killpg if terminal else os.kill)(caller.pid, signum)
    assert caller.wait() == code
    for folder in folders:  # a process has the lock as long as it lives
        with locked(folder):
            assert (folder / "saved").exists() == (folder.name != "c")
    assert caller.stdout.read() == b""


def double(value: int) -> int:
    if value < 0:
        raise UserError("is negative")
    return 2 * value


@pytest.mark.slow
def test_results_come_in_order_and_a_failure_waits_for_the_others():
    assert in_own_processes(double, [(1,), (2,)]) == [2, 4]
    assert in_own_processes(double, []) == []
    with pytest.raises(UserError, match="is negative"):
        in_own_processes(double, [(-1,), (2,)])

"""Work in processes of its own, which end when the caller ends.

TensorFlow keeps a process's GPU memory and its random state, so each training has a
process. A signal may reach the caller alone, as from an IDE or ``timeout``: the caller
then ends its processes. If the caller is killed, they notice it and end by themselves.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection
from types import FrameType
from typing import Any

from gamo_tf.cli.program import INTERRUPTED, unforeseen
from gamo_tf.errors import Caller, Stopped, UserError, caller, speaking_to
from gamo_tf.own_settings import own_settings

_SECONDS_TO_HEAR = 0.2  # a terminal's Ctrl-C reaches the caller and its processes
_SECONDS_TO_STOP = 60.0  # for a training to end its epoch and save it


class Worker:
    """A function at work in a process of its own.

    Args:
      work: function of a module, so that another process finds it.
      arguments: its arguments; they are pickled.
      threads: threads of TensorFlow; None: as many as there are cores.
    """

    def __init__(
        self, work: Callable, arguments: tuple, threads: int | None = None
    ) -> None:
        # A fresh interpreter: a forked one would share a TensorFlow in use here.
        context = multiprocessing.get_context("spawn")
        self._receive, send = context.Pipe(duplex=False)
        # Nothing is sent here. Its end tells the process to end: this side closes it,
        # or is gone.
        lifeline, self._lifeline = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_work, args=(work, arguments, threads, caller(), send, lifeline)
        )
        self._process.start()
        send.close()  # or this side would not notice the end of the other
        lifeline.close()

    def result(self) -> Any:
        """Wait for the function, and return what it returned.

        Raises:
          UserError: the function raised it or failed otherwise, or the process died.
          KeyboardInterrupt: Ctrl-C ended the process.
        """
        try:
            message, value = self._receive.recv()
        except EOFError:
            self._process.join()
            code = self._process.exitcode
            if code in (INTERRUPTED, -signal.SIGINT):
                raise KeyboardInterrupt from None
            message = f"the process of the training died (exit code {code})"
        finally:
            self._receive.close()
        self._process.join()
        if message:
            raise UserError(message)
        return value

    def interrupt(self) -> None:
        """Ask the process to save and end."""
        self._lifeline.close()

    def wait(self, until: float) -> None:
        """Wait until the process has ended, at most to a moment.

        Args:
          until: time of `time.monotonic`.
        """
        self._process.join(max(0.0, until - time.monotonic()))

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()


def in_own_process(work: Callable, arguments: tuple, threads: int | None = None) -> Any:
    """Call a function in a process of its own, and wait for it.

    Args:
      work: function of a module, so that another process finds it.
      arguments: its arguments; they are pickled.
      threads: threads of TensorFlow; None: as many as there are cores.

    Returns:
      What the function returned; it is pickled.

    Raises:
      UserError: the function raised it or failed otherwise, or the process died.
      KeyboardInterrupt: after Ctrl-C, once the process has ended.
    """
    return in_own_processes(work, [arguments], threads)[0]


def in_own_processes(
    work: Callable, arguments: Sequence[tuple], threads: int | None = None
) -> list:
    """Call a function several times at once, each in a process of its own.

    Args:
      work: function of a module, so that another process finds it.
      arguments: arguments of each call; they are pickled.
      threads: threads of TensorFlow in each process; None: as many as there are cores.

    Returns:
      What each call returned.

    Raises:
      UserError: a call raised it or failed otherwise, or a process died. The other
        calls are finished before.
      KeyboardInterrupt: after Ctrl-C, once all processes have ended.
    """
    workers: list[Worker] = []
    results, errors = [], []
    try:
        for each in arguments:
            workers.append(Worker(work, each, threads))
        for worker in workers:
            try:
                results.append(worker.result())
            except UserError as err:
                errors.append(err)
    except BaseException:
        _end(workers)
        raise
    if errors:
        raise errors[0]
    return results


def _end(workers: Sequence[Worker]) -> None:
    """End processes: they save first; one that takes too long is killed."""
    try:
        for worker in workers:
            worker.interrupt()
        until = time.monotonic() + _SECONDS_TO_STOP
        for worker in workers:
            worker.wait(until)
    finally:  # also after a second Ctrl-C
        for worker in workers:
            worker.kill()


@contextmanager
def stopped_by_sigterm() -> Iterator[list[int]]:
    """Within it, SIGTERM ends the program as Ctrl-C does. SIGINT does so even if the
    program was started with it ignored, as shells start what runs in the background.

    Yields:
      A list that gets the signal's number when it comes.
    """
    received: list[int] = []

    def stop(signum: int, frame: FrameType | None) -> None:
        if received:  # it is ending already
            return
        received.append(signum)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield received  # a host program owns the signals
        return
    previous = signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, previous)


def _work(
    work: Callable,
    arguments: tuple,
    threads: int | None,
    who: Caller,
    outcome: connection.Connection,
    lifeline: connection.Connection,
) -> None:
    """What the process does. It hands back what went wrong, or "", and the result."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored
    received, note = os.pipe()
    for descriptor in (received, note):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(note, warn_on_full_buffer=False)  # gets every signal's number
    watch = threading.Thread(
        target=_end_with_the_caller, args=(lifeline, received), daemon=True
    )
    watch.start()
    if threads:  # libraries read them when they are imported
        for name in ("TF_NUM_INTRAOP", "TF_NUM_INTEROP", "OMP_NUM"):
            os.environ[f"{name}_THREADS"] = str(threads)
    with own_settings(), speaking_to(who):
        try:
            found = work(*arguments)
        except (UserError, OSError) as err:
            outcome.send((str(err), None))
        except (Stopped, KeyboardInterrupt):
            sys.exit(INTERRUPTED)
        except Exception as err:
            outcome.send((unforeseen(err), None))
        else:
            outcome.send(("", found))


def _end_with_the_caller(lifeline: connection.Connection, received: int) -> None:
    """Wait until the caller is gone or asks to end. Then save and end.

    Args:
      lifeline: ends with the caller.
      received: file descriptor that has the numbers of received signals.
    """
    connection.wait([lifeline])
    time.sleep(_SECONDS_TO_HEAR)
    try:
        signals = os.read(received, 4096)
    except BlockingIOError:  # none
        signals = b""
    # A second Ctrl-C would make a training leave without saving its epoch.
    if signal.SIGINT not in signals:
        os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_SECONDS_TO_STOP)
    os._exit(INTERRUPTED)

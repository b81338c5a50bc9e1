"""Ctrl-C as a wish to stop at the next good moment."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """A list that is filled by Ctrl-C; a second Ctrl-C leaves at once."""
    seen: list[int] = []

    def note(signum, frame) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(signum)
        print(
            "\nstopping at the next checkpoint; Ctrl-C again leaves at once", flush=True
        )

    try:
        previous = signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread: a host program owns the signals
        yield seen
        return
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, previous)

"""Damage to files, drawn by hypothesis, and what a reader may do about it."""

from __future__ import annotations

import copy
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamo_tf.errors import UserError

# Cases of a kind of file. `make soak` asks for more.
CASES = int(os.environ.get("GAMO_CASES", "100"))
SECONDS = 10  # that a reader may take
MEMORY = 200  # MiB more than before, for all cases of a file together

cases = settings(
    max_examples=CASES,
    deadline=None,  # `check` has its own, with the file's name
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The content of a file with bytes changed, cut off, left out or put in."""
    n = len(content)
    place = draw(st.integers(0, max(n - 1, 0)))
    length = draw(st.integers(1, 64))
    kind = draw(st.sampled_from(["flip", "cut", "drop", "zero", "random", "twice"]))
    before, after = content[:place], content[place + length :]
    if kind == "flip":
        flipped = content[place] ^ draw(st.integers(1, 255)) if n else 0
        return content[:place] + bytes([flipped]) + content[place + 1 :]
    if kind == "cut":
        return before
    if kind == "drop":
        return before + after
    if kind == "zero":
        return before + bytes(length) + after
    if kind == "random":
        return before + draw(st.binary(min_size=length, max_size=length)) + after
    return before + content[place : place + length] * 2 + after


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.sampled_from([0, -1, 1, 2, 2**31, 2**63, 10**400]),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["..", "/etc", "a/b", "\0", "\n", "", "gamo", "digits"]),
    st.lists(st.integers(-2, 5), max_size=12),
    st.just({}),
)


@st.composite
def edited(draw: st.DrawFn, values: Any) -> Any:
    """JSON values with one of them replaced, removed or added."""
    values = copy.deepcopy(values)
    inner = values
    while True:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        if not keys:
            return draw(ODD)
        key = draw(st.sampled_from(keys))
        deeper = isinstance(inner[key], dict | list) and inner[key]
        if not deeper or draw(st.booleans()):
            break
        inner = inner[key]
    kind = draw(st.sampled_from(["replace", "replace", "replace", "remove", "add"]))
    if kind == "remove":
        del inner[key]
    elif kind == "add" and isinstance(inner, dict):
        inner[draw(st.text(max_size=5))] = draw(ODD)
    elif kind == "add":
        inner.append(draw(ODD))
    else:
        inner[key] = draw(ODD)
    return values


def damaged_json(content: bytes) -> st.SearchStrategy[bytes]:
    """A JSON file that was edited by hand, or damaged."""
    changed = edited(json.loads(content)).map(lambda v: json.dumps(v).encode())
    return st.one_of(changed, damaged(content))


def check_damage(
    path: Path,
    damage: st.SearchStrategy[bytes],
    read: Callable[[], Any],
    expected: Any = ...,
) -> None:
    """`check` for many ways in which a file is damaged, and the memory of all.

    Args:
      path: of the file; its content is put back.
      damage: the contents that it is given.
      read: as in `check`.
      expected: as in `check`.
    """
    content = path.read_bytes()
    grown = 0.0

    # Only what the reader takes is counted: hypothesis takes 200 MiB where it makes its
    # tables of characters for the first time.
    def measured() -> Any:
        nonlocal grown
        before = peak()
        try:
            return read()
        finally:
            grown += peak() - before

    @cases
    @given(damage)
    def holds(changed: bytes) -> None:
        path.write_bytes(changed)
        check(path, measured, expected)

    try:
        holds()
    finally:
        path.write_bytes(content)
    assert grown < MEMORY, f"{path}: {grown:.0f} MiB more"


def peak() -> float:
    """The most memory that this process had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def check(path: Path, read: Callable[[], Any], expected: Any = ...) -> None:
    """A reader gives what it gave before the damage, or says in a line what is wrong.

    Args:
      path: of the damaged file.
      read: reads it.
      expected: what an undamaged file gives; left out: anything is right, because
        nobody knows what is in the file of a user.
    """
    began = time.monotonic()
    try:
        found = read()
    except UserError as err:
        assert path.name in err.message, err.message
        assert "\n" not in err.message, err.message
    else:
        assert expected is ... or equal(found, expected), "another result"
    took = time.monotonic() - began
    assert took < SECONDS, f"{path}: {took:.0f} seconds"


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b) and np.asarray(a).dtype == np.asarray(b).dtype
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)

"""What a training keeps in memory, and what is said when it cannot have that."""

from __future__ import annotations

from pathlib import Path

import pytest

from gamo_tf.config import memory
from gamo_tf.config.options import Options, resolve
from gamo_tf.errors import UserError

TABLE = {"data": "t.csv", "label": "y", "classes": ("a", "b"), "counts": (70, 30)}


def digits(**chosen: object) -> Options:
    """200 rows of the largest class, and 100 and 10 of two others."""
    counts = (200, 100, 10, *[200] * 7)
    return resolve({"dataset": "digits", "counts": counts, **chosen})


def test_needs_by_hand():
    found = memory.needs(digits(method="gamo"))
    assert found.images == 1710 * 64
    assert found.features == 1710 * 512 * 4
    assert found.points == 110 * 512 * 4
    assert found.weights == 110 * 65 * 4 * 3
    assert found.total == sum(found)
    assert (
        str(found)
        == "4 MiB of data stay in memory (images 0, features 3, points 0, weights 0)"
    )


def test_support_bounds_the_points_and_not_what_is_learned():
    found, all_points = (memory.needs(digits(support=k)) for k in (20, 0))
    assert found.points == (20 + 10) * 512 * 4
    assert found.weights == all_points.weights


@pytest.mark.parametrize(
    ("method", "kept"),
    [
        ("cn", {"images"}),
        ("smote-features", {"images", "features"}),
        ("gamo-balanced", {"images", "weights"}),
    ],
)
def test_a_method_needs_what_it_plays_on(method, kept):
    found = memory.needs(digits(method=method))
    assert {name for name, size in found._asdict().items() if size} == kept


def test_vectors_are_float64_and_columns_of_names_become_one_for_each_category():
    plain = memory.needs(resolve({"dataset": "t", "shape": (3,), **TABLE}))
    assert plain.images == 100 * 3 * 8 and plain.features == 100 * 3 * 4
    named = {"shape": (3,), "categories": (0, 5, 2), **TABLE}
    assert memory.needs(resolve({"dataset": "t", **named})).features == 100 * 8 * 4


# ---- what is free ------------------------------------------------------------------


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """``machine(meminfo=..., max=..., current=...)``: the files of a system; those that
    are not given are not there."""

    def call(**texts: str) -> None:
        for name in ("_MACHINE", "_LIMIT", "_USED"):
            monkeypatch.setattr(memory, name, tmp_path / name)
        for name, text in texts.items():
            Path(tmp_path / name).write_text(text)

    return call


MEMINFO = "MemTotal:  9 kB\nMemAvailable:    2048 kB\n"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({}, None),
        ({"_MACHINE": "what\n"}, None),
        ({"_MACHINE": MEMINFO}, 2**21),
        ({"_MACHINE": MEMINFO, "_LIMIT": "max\n"}, 2**21),
        ({"_MACHINE": MEMINFO, "_LIMIT": "1000\n", "_USED": "400\n"}, 600),
        ({"_MACHINE": MEMINFO, "_LIMIT": "x\n", "_USED": "400\n"}, 2**21),
    ],
)
def test_what_is_free(machine, texts, expected):
    machine(**texts)
    assert memory.free() == expected


def test_a_training_that_cannot_have_its_memory_is_refused(machine):
    machine(_MACHINE=MEMINFO)
    memory.check(digits(method="cn"))  # its images are there already
    with pytest.raises(UserError) as err:
        memory.check(digits(method="gamo"))
    words = str(err.value)
    assert words.startswith(
        "digits: 4 MiB of data stay in memory (images 0, features 3"
    )
    assert "and 2 MiB are free beside the images." in words and "support" in words
    with pytest.raises(UserError, match="method") as err:
        memory.check(digits(method="smote-features"))
    assert "support" not in str(err.value)


def test_many_features_lie_in_a_file(machine):
    machine(_MACHINE=MEMINFO)
    many = digits(method="smote-features", counts=(70_000, *[60_000] * 9))
    assert memory.needs(many).features == 610_000 * 512 * 4 >= memory.LARGE
    memory.check(many)
    assert str(memory.needs(many)).endswith("weights 0, features in a file on a CPU)")


def test_a_system_that_does_not_say_is_left_alone(machine):
    machine()
    memory.check(digits(counts=(10**9, *[10**8] * 9)))

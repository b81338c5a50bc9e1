"""The table of feature extractors, and the names that a user may give."""

import pytest

from gamo_tf.config.backbones import BACKBONES, OWN, check_name, is_file
from gamo_tf.errors import UserError


def test_rows_name_themselves_and_own_rows_are_not_pretrained():
    assert all(name == row.name for name, row in BACKBONES.items())
    assert [name for name, row in BACKBONES.items() if not row.pretrained] == list(OWN)
    for row in BACKBONES.values():
        assert row.title and row.source and row.licence
        assert not row.pretrained or row.source.startswith("https://")


@pytest.mark.parametrize("name", ["a.keras", "nets/a.keras", "/x/a.h5"])
def test_a_file_is_known_by_its_ending_or_its_folder(name):
    assert is_file(name)


@pytest.mark.parametrize("name", [*BACKBONES, "nets/a.keras", "a.keras"])
def test_rows_and_files_are_names(name):
    check_name(name)
    assert is_file(name) == (name not in BACKBONES)


@pytest.mark.parametrize("name", [row for row in BACKBONES if row not in OWN])
def test_small_letters_are_put_right(name):
    with pytest.raises(UserError, match=f"Did you mean {name}[?]"):
        check_name(name.lower())


def test_other_names_are_refused():
    with pytest.raises(UserError, match=r"resnet1: no such.*Choose one of paper"):
        check_name("resnet1")
    with pytest.raises(UserError, match=r"nets/F\.h5: a network comes as a \.keras"):
        check_name("nets/F.h5")

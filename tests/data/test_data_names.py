"""Names that look alike."""

import pytest

from gamo_tf.data import names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("caf\u00e9", "cafe\u0301"),
        ("\u212b", "\u00c5"),  # the sign of the unit, and the letter
        ("\uac00", "\u1100\u1161"),
        ("ü", "u\u0308"),
    ],
)
def test_unicode_forms_are_one(one, other):
    assert names.canonical(one) == names.canonical(other)
    assert "NFC and NFD" in names.difference(one, other)


@pytest.mark.parametrize("name", ["cat", "数据", "a b", "", "\udce9"])
def test_other_names_are_shown_as_they_are(name):
    assert names.quoted(name, ["dog", name]) == name
    assert names.canonical(name) == name


def test_each_pair_is_told_once():
    found = names.look_alike(["cat", "Cat", "dog", "CAT"])
    assert len(found) == 3 and found[0].startswith("'Cat' and 'cat' differ in upper")
    assert names.look_alike(["Cat"], ["cat", "dog"]) == [found[0]]
    assert not names.look_alike(["cat", "cat"])

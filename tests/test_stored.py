"""Reading what a program wrote: digests, sizes, and one line for whatever is wrong."""

import json
import zipfile

import numpy as np
import pytest

from gamo_tf import stored
from gamo_tf.errors import UserError

VALUES = {"a": (1, 2), "b": {"c": None, "d": 0.1}, "date": "2026-11-28"}


@pytest.fixture
def path(tmp_path):
    stored.write_json(tmp_path / "x.json", VALUES)
    return tmp_path / "x.json"


def test_what_is_written_is_read(path):
    assert stored.read_json(path) == {**VALUES, "a": [1, 2]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.1", "0.2"),
        ('"c"', '"e"'),
        ('"digest"', '"igest"'),
        ('"digest"', '"a digest"'),
        ('28",\n  "digest": "', ""),  # the digest becomes part of the date
        ("{", "["),
        ("}", ""),
        ('"date"', '"da\0te"'),
    ],
)
def test_a_change_is_one_line_with_the_name(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(UserError, match=r"x\.json: ") as caught:
        stored.read_json(path)
    assert "\n" not in str(caught.value)


def test_what_an_earlier_version_wrote_has_no_digest(path):
    path.write_text(json.dumps(VALUES))
    assert stored.read_json(path) == {**VALUES, "a": [1, 2]}
    with pytest.raises(UserError, match="not as it was written"):
        stored.read_json(path, always_sealed=True)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 10**6, b"1" * 5000])
def test_what_is_no_json_is_one_line(path, content):
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"x\.json: ") as caught:
        stored.read_json(path)
    assert "\n" not in str(caught.value)


def test_a_text_that_is_too_large_is_not_read(path):
    with pytest.raises(UserError, match="expected at most 10"):
        stored.read_text(path, most=10)


def test_arrays_are_read_whole_small_and_without_unpickling(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, a=np.arange(3), b=np.array([{}], object))
    (a,) = stored.read_arrays(path, ("a",), 10**6)
    assert a.tolist() == [0, 1, 2]
    for names, most, reason in (
        (("b",), 10**6, "pickle"),
        (("c",), 10**6, "lacks c"),
        (("a",), 100, "unpacked"),
    ):
        with pytest.raises(UserError, match=rf"x\.npz: .*{reason}"):
            stored.read_arrays(path, names, most)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("a.npy").header_offset
    content[start + 160] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"x\.npz: damaged, in a\.npy"):
        stored.read_arrays(path, ("a",), 10**6)


def test_a_line_break_in_a_name_stays_on_the_line(tmp_path):
    path = tmp_path / "a\nb.json"
    with pytest.raises(UserError, match=r"a\\nb\.json: no such file") as caught:
        stored.read_json(path)
    assert "\n" not in caught.value.message

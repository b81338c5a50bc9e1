"""Files and folders that are whole or not there, and stay where they belong."""

import os
import resource
from multiprocessing import get_context

import pytest

from gamo_tf import files
from gamo_tf.errors import UserError


def fill(text):
    def write(part):
        (part / "a.txt").write_text(text)
        (part / "below").mkdir()
        (part / "below" / "b.txt").write_text(text)

    return write


def content(folder):
    return {p.name: p.read_text() for p in folder.rglob("*.txt")}


@pytest.fixture
def folder(tmp_path):
    files.replace_folder(tmp_path / "set", fill("old"))
    return tmp_path / "set"


def test_a_folder_is_replaced_and_nothing_else_stays(folder):
    files.replace_folder(folder, fill("new"))
    assert content(folder) == {"a.txt": "new", "b.txt": "new"}
    assert os.listdir(folder.parent) == ["set"]


class Killed(BaseException):
    pass


def die(*args):
    raise Killed


@pytest.mark.parametrize("moment", ["write", "first rename", "second rename", "remove"])
def test_at_every_moment_the_old_folder_or_the_new_one_is_whole(
    folder, moment, monkeypatch, capsys
):
    """As if the process were killed: nothing that it does afterwards counts."""
    renames = iter([os.rename, os.rename])
    if moment == "first rename":
        renames = iter([die])
    if moment == "second rename":
        renames = iter([os.rename, die])
    monkeypatch.setattr(files.os, "rename", lambda a, b: next(renames)(a, b))
    monkeypatch.setattr(files, "remove", die)
    with pytest.raises(Killed):
        files.replace_folder(folder, die if moment == "write" else fill("new"))
    monkeypatch.undo()
    files.mend(folder)
    expected = "new" if moment == "remove" else "old"
    assert content(folder) == {"a.txt": expected, "b.txt": expected}
    said = capsys.readouterr().out
    assert ("the old folder is back" in said) == (moment == "second rename")
    assert ("removed now" in said) == (moment == "remove")
    files.replace_folder(folder, fill("newest"))
    begun_anew = "begun anew" in capsys.readouterr().out
    assert begun_anew == (moment in ("first rename", "second rename"))
    assert content(folder) == {"a.txt": "newest", "b.txt": "newest"}
    assert os.listdir(folder.parent) == ["set"]


def test_a_write_that_fails_leaves_what_was_there(folder):
    def fail(part):
        fill("new")(part)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught:
        files.replace_folder(folder, fail)
    assert caught.value.filename == str(folder)
    assert content(folder) == {"a.txt": "old", "b.txt": "old"}
    assert os.listdir(folder.parent) == ["set"]


def test_a_file_that_does_not_fit_names_itself_and_keeps_the_old(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match=r"File too large: .*a\.txt"):
            files.write_text(path, "new" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("name", [".part-a.txt", "a.txt"])
def test_a_link_does_not_lead_what_is_written_elsewhere(tmp_path, name):
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    (tmp_path / name).symlink_to(victim)
    files.write_text(tmp_path / "a.txt", "new")
    assert victim.read_text() == "mine"
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("name", ["set", ".part-set", ".old-set"])
def test_what_a_link_leads_to_is_not_removed_with_the_folder(tmp_path, name):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "mine.txt").write_text("mine")
    (tmp_path / name).symlink_to(victim)
    files.replace_folder(tmp_path / "set", fill("new"))
    assert content(victim) == {"mine.txt": "mine"}
    assert content(tmp_path / "set") == {"a.txt": "new", "b.txt": "new"}


def hold(path, ready, done):
    with files.locked(path):
        ready.set()
        done.wait(60)


def test_a_lock_holds_between_processes_and_ends_with_them(tmp_path):
    context = get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(tmp_path, ready, done))
    other.start()
    assert ready.wait(60)
    with (
        pytest.raises(UserError, match=r"^busy$"),
        files.locked(tmp_path, "busy"),
    ):
        pass
    other.kill()
    other.join()
    with files.locked(tmp_path, "busy"):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("path", ["..", "../x", "a/../..", "link/x", "/etc", "."])
def test_only_what_lies_below_is_inside(tmp_path, path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(UserError, match="leads out"):
        files.inside(folder, folder / path)
    assert files.inside(folder, folder / "a" / "b") == folder / "a" / "b"


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "0.png").write_text("a photograph")
    (tmp_path / "link.png").symlink_to(tmp_path / "photos" / "cat" / "0.png")
    (tmp_path / "folder").symlink_to(tmp_path / "photos")
    os.link(tmp_path / "photos" / "cat" / "0.png", tmp_path / "hard.png")
    return tmp_path


@pytest.mark.parametrize(
    ("output", "given", "what"),
    [
        ("photos/cat/0.png", "photos/cat/0.png", "is an input"),
        ("photos/../photos/cat/0.png", "photos/cat/0.png", "is an input"),
        ("link.png", "photos/cat/0.png", "is an input"),
        ("hard.png", "photos/cat/0.png", "is an input"),
        ("photos/cat/0.png", "link.png", "is an input"),
        ("folder", "photos", "is an input"),
        ("folder/new/model", "photos", "lies in the input"),
        ("photos", "link.png", "holds the input"),
        ("", "folder", "holds the input"),
    ],
)
def test_an_output_that_is_an_input_is_refused(photos, output, given, what):
    with pytest.raises(UserError, match=rf"^--out x: {what}.*Give another place\.$"):
        files.check_apart(photos / output, ["gone", photos / given], "--out x")


@pytest.mark.parametrize("output", ["new.csv", "photos/new.csv", "folder2", "a/b/c"])
def test_an_output_beside_the_inputs_is_fine(photos, output):
    inputs = [photos / "photos" / "cat" / "0.png", "x" * 300, "a\0b", "gone"]
    files.check_apart(photos / output, inputs, "--out x")


# ---- names that a file system takes ------------------------------------------------


@pytest.mark.parametrize("character", ["a", "é", "漢", "🐈", "\udce9"])
@pytest.mark.parametrize("suffix", ["", ".png"])
def test_long_names_are_cut_between_characters(character, suffix, tmp_path):
    long = character * 255 + suffix
    short = files.short_name(long)
    assert len(os.fsencode(short)) <= 255 and short.endswith(suffix)
    assert short == files.short_name(long) != files.short_name(character * 256)
    assert files.short_name("short" + suffix) == "short" + suffix
    if character != "\udce9":
        assert short.startswith(character * 10)
    (tmp_path / short).touch()
    assert len(os.fsencode(files.short_name(long, 100))) <= 100


@pytest.mark.parametrize("name", ["a" * 251 + ".txt", "é" * 127, "x." + "y" * 250])
def test_the_longest_names_are_written(name, tmp_path):
    files.write_text(tmp_path / name, "content")
    assert (tmp_path / name).read_text() == "content"
    folder = tmp_path / ("d" + name[1:])
    for content in ("1", "2"):
        files.replace_folder(folder, lambda part, c=content: (part / c).touch())
    assert [path.name for path in folder.iterdir()] == ["2"]
    assert len(list(tmp_path.iterdir())) == 2

"""Which files of a folder count, and what is said of folders at a wrong level."""

import os
from pathlib import Path

import pytest

from gamo_tf.data import folder_rules, image_folder
from gamo_tf.errors import UserError, speaking_to


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def below(folder: Path) -> list[str]:
    return [str(Path(p).relative_to(folder)) for p in folder_rules.files_below(folder)]


def refusal(folder: Path, *more) -> str:
    with speaking_to("scripts"), pytest.raises(UserError) as caught:
        image_folder.scan(folder, *more)
    assert not caught.value.details and "\n" not in caught.value.message
    return caught.value.message


# ---- the rule ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *(".x.png", "Thumbs.db", "THUMBS.DB", "desktop.ini", "deep/a/.b/c/x.png"),
        *("@eaDir/x.png", "deep/__MACOSX/x.png", ".ipynb_checkpoints/x.png"),
        *("$RECYCLE.BIN/x.png", "System Volume Information/x", "lost+found/x"),
        *("deep/.hidden/x.png", "deep/Desktop.ini"),
    ],
)
def test_hidden_at_any_depth(name, tmp_path):
    assert below(touch(tmp_path, "seen.png", "deep/seen.txt", name)) == [
        "deep/seen.txt",
        "seen.png",
    ]


def test_order_is_that_of_paths(tmp_path):
    names = ["b.png", "B.png", "a/z.png", "a-b.png", "a/b/c.png", "10.png", "9.png"]
    touch(tmp_path, *names)
    assert folder_rules.files_below(tmp_path) == sorted(
        str(p) for p in tmp_path.rglob("*") if p.is_file()
    )


def test_links_are_followed_without_circles(tmp_path):
    cat = touch(tmp_path / "d" / "cat", "1.png", "more/2.png").resolve()
    other = touch(tmp_path / "elsewhere", "3.png", "in/4.png")
    (cat / "linked").symlink_to(other)
    (cat / "5.png").symlink_to(other / "3.png")
    (cat / "up").symlink_to(cat.parent)  # would bring in the other classes
    (cat / "self").symlink_to(cat)
    (cat / "more" / "back").symlink_to("..")
    (other / "in" / "round").symlink_to(other)
    (cat / "a-link").symlink_to(cat / "more")  # the place itself is preferred
    names = ["1.png", "5.png", "linked/3.png", "linked/in/4.png", "more/2.png"]
    assert below(cat) == names
    (tmp_path / "d" / "dog").symlink_to(other)
    classes, files = image_folder.scan(tmp_path / "d")
    assert classes == ("cat", "dog") and [label for _, label in files].count(1) == 2


def test_what_is_no_file_is_listed(tmp_path):
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    assert below(tmp_path) == ["gone.png", "loop.png", "pipe.png"]
    images, bad, digests, _ = image_folder.read(
        folder_rules.files_below(tmp_path), 8, gray=True
    )
    reasons = list(bad.values())
    assert "no such file" in reasons[0] and "symbolic links" in reasons[1]
    assert reasons[2] == "not a regular file." and digests == [""] * 3
    assert not images.any()


def test_odd_names(tmp_path):
    odd = os.fsdecode(b"caf\xe9\n$x$.png")
    touch(tmp_path, "under_$5/new\nline.png", f"b/{odd}")
    classes, files = image_folder.scan(tmp_path)
    assert classes == ("b", "under_$5") and files[0][0].endswith(odd)
    touch(tmp_path, os.fsdecode(b"caf\xe9/x.png"))
    message = refusal(tmp_path)
    assert "class folder caf\\xe9 is not UTF-8" in message and message.isascii()


# ---- the level ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "right"),
    [
        (["train", "test"], "--image-folder D/train --test-folder D/test"),
        (["Train", "VAL", "extra"], "--image-folder D/Train --test-folder D/VAL"),
        (["train", "val", "test"], "--image-folder D/train --test-folder D/test"),
        (["training", "validation"], "--image-folder D/training --test-folder D/val"),
        (["train"], "--image-folder D/train"),
        (["photos"], "--image-folder D/photos"),
    ],
)
def test_a_folder_above_the_one_that_was_meant(parts, right, tmp_path):
    for part in parts:
        touch(tmp_path / part, "cat/1.png", "dog/1.png")
    assert f"Give {right.replace('D', str(tmp_path))}" in refusal(tmp_path)


def test_test_folders_at_a_wrong_level(tmp_path):
    for part in ("train", "test"):
        touch(tmp_path / part, "cat/1.png", "dog/1.png")
    message = refusal(tmp_path, ("cat", "dog"), "test_folder")
    assert message.endswith(f"Give --test-folder {tmp_path}/test.")


def test_classes_that_are_called_like_parts(tmp_path):
    touch(tmp_path, "train/1.png", "test/1.png", "bus/1.png")
    assert image_folder.scan(tmp_path)[0] == ("bus", "test", "train")
    assert image_folder.notes(tmp_path) == []
    touch(tmp_path, "train/steam/1.png")
    assert image_folder.scan(tmp_path)[0] == ("bus", "test", "train")
    (note,) = image_folder.notes(tmp_path)
    assert note.startswith(f"{tmp_path}/train: taken for a class; if")


def test_what_lies_beside_the_class_folders_is_told(tmp_path):
    touch(tmp_path, "tabby/1.png", "siamese/1.png", "2.JPG", "1.png", ".3.png")
    touch(tmp_path, "README.txt", "Thumbs.db", "labels.csv")
    (tmp_path / "dog").symlink_to("gone")
    assert image_folder.scan(tmp_path)[0] == ("siamese", "tabby")
    gone, loose = image_folder.notes(tmp_path)
    assert gone == f"{tmp_path}/dog: a link that leads nowhere; it is left out"
    assert "2 image file(s) beside the class folders are left out, such as 1.png" in (
        loose
    )
    assert "siamese and tabby are parts, give the folder above it" in loose


def test_class_folders_that_all_have_the_same_folders(tmp_path):
    touch(tmp_path, *(f"{year}/{x}/1.png" for year in (1, 2) for x in ("cat", "dog")))
    (note,) = image_folder.notes(tmp_path)
    assert "the same folders in them (cat, dog)" in note

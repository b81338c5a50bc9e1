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


# ---- what this program wrote -------------------------------------------------------

OWN = {
    "run": ["options.json", "checkpoints/0000001/state", "samples/0000010.png"],
    "runs": [
        *("00000-x-gamo-ls/options.json", "00000-x-gamo-ls/models/F.keras"),
        *("00000-x-gamo-ls/samples/1.png", "describe-x.png", "README.md"),
        *("tensorboard/00000 gamo game/events.out.tfevents.1", "reference/a.keras"),
    ],
    "out": ["00001-x-cn-ls/checkpoints/1", "00001-x-cn-ls/models/F"],
    "comparisons": ["x/comparison.json", "x/jobs/cn-0/record.json", "x/answer.txt"],
    "begun": ["comparison.json"],
    "balanced": ["dataset.json", "manifest.csv", "train/cat/real-000000.png"],
    "exported": ["model.keras", "saved_model/saved_model.pb"],
    "data": ["mnist/train-images-idx3-ubyte.gz", "README.md", "prepared/lsun.npy"],
    "celeba": ["list_attr_celeba.txt", "img_align_celeba/000001.jpg"],
    "described": ["describe-x.png"],
    "deep": [
        "new/runs/00000-x-gamo-ls/options.json",
        "new/runs/00000-x-gamo-ls/models/F",
    ],
}
NOT_OWN = {
    "runs": ["1.png", "2.png"],  # of people who run
    "data": ["mnist/1.png"],
    "options": ["options.json", "1.png"],
    "lists": ["manifest.csv", "metadata.csv", "1.png"],
    "mixed": ["1.png", "00000-x-gamo-ls/options.json", "00000-x-gamo-ls/models/F"],
    "12345": ["1.png"],
}


@pytest.mark.parametrize("kind", OWN)
def test_folders_of_this_program_are_no_classes(kind, tmp_path):
    touch(tmp_path, "cat/1.png", "dog/1.png")
    touch(tmp_path / kind, *OWN[kind])
    touch(tmp_path / "cat" / "deep" / kind, *OWN[kind])
    classes, files = image_folder.scan(tmp_path)
    assert classes == ("cat", "dog")
    assert [Path(path).relative_to(tmp_path).as_posix() for path, _ in files] == [
        *("cat/1.png", "dog/1.png")
    ]
    notes = image_folder.notes(tmp_path)
    assert len(notes) == 2 and all(x.endswith("; it is left out") for x in notes)
    assert notes[0].startswith(f"{tmp_path}/{kind}: a") or kind == "celeba"
    assert notes[1].startswith(f"{tmp_path}/cat/deep")
    known = ("cat", "dog")
    assert image_folder.scan(tmp_path, known, "test_folder")[1] == files


@pytest.mark.parametrize("kind", NOT_OWN)
def test_folders_of_a_person_stay_classes(kind, tmp_path):
    touch(tmp_path, "cat/1.png")
    touch(tmp_path / kind, *NOT_OWN[kind])
    classes, files = image_folder.scan(tmp_path)
    assert classes == tuple(sorted(("cat", kind)))
    assert not any("00000-x" in path for path, _ in files)


def test_links_in_a_circle_are_no_folder_of_ours(tmp_path):
    touch(tmp_path, "cat/in/1.png", "dog/1.png")
    (tmp_path / "cat" / "a").symlink_to(tmp_path / "cat")
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "a").symlink_to(tmp_path / "only")
    assert "only: no image in this class folder" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["runs", "comparisons"])
def test_an_empty_folder_of_runs(name, tmp_path):
    """As it is once its last run was removed."""
    touch(tmp_path, "cat/1.png", "dog/1.png")
    (tmp_path / name).mkdir()
    assert image_folder.scan(tmp_path)[0] == ("cat", "dog")
    (tmp_path / "bird").mkdir()
    assert "bird: no image in this class folder" in refusal(tmp_path)


@pytest.mark.parametrize("kind", ["run", "runs", "comparisons", "begun", "data"])
def test_a_folder_of_this_program_is_no_image_folder(kind, tmp_path):
    touch(tmp_path / kind, *OWN[kind])
    message = refusal(tmp_path / kind)
    assert f"--image-folder {tmp_path}/{kind}: " in message
    assert "of this program. Expected a folder" in message
    touch(tmp_path, "cat/1.png")
    message = refusal(tmp_path)
    assert message.endswith(f"Folders of this program are left out: {kind}.")


def test_a_balanced_folder_as_input(tmp_path, monkeypatch):
    parts = [f"{part}/{x}/1.png" for part in ("train", "test") for x in ("cat", "dog")]
    more = ["index.html", "overview.png", "train/metadata.csv", "test/metadata.csv"]
    touch(tmp_path, "dataset.json", "manifest.csv", *parts, *more)
    train, test = tmp_path / "train", tmp_path / "test"
    assert refusal(tmp_path).endswith(
        f"Give --image-folder {train} --test-folder {test}."
    )
    classes, files = image_folder.scan(train)
    assert classes == ("cat", "dog") and len(files) == 2
    assert len(image_folder.scan(test, classes, "test_folder")[1]) == 2
    assert image_folder.notes(train) == []
    # Prediction on the whole: its images, and none of the files about them.
    assert below(tmp_path) == sorted(parts)
    assert below(test) == ["cat/1.png", "dog/1.png"]
    monkeypatch.chdir(test)
    assert folder_rules.files_below(Path()) == ["cat/1.png", "dog/1.png"]
    (tmp_path / "manifest.csv").unlink()
    assert "metadata.csv" in below(test)


# ---- outputs among inputs ----------------------------------------------------------


@pytest.fixture
def photos(tmp_path):
    touch(tmp_path / "photos", "cat/1.png", "dog/deep/1.png", ".hidden/1.png")
    touch(tmp_path / "photos" / "runs", *OWN["runs"])
    touch(tmp_path / "elsewhere", "1.png")
    (tmp_path / "photos" / "bird").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "linked").symlink_to(tmp_path / "photos" / "runs")
    return tmp_path / "photos"


@pytest.mark.parametrize(
    "place",
    ["cat", "cat/runs", "cat/new/runs", "dog/deep", "bird/runs", "../elsewhere"],
)
def test_outputs_in_class_folders_are_refused(place, photos):
    with speaking_to("gamo"), pytest.raises(UserError) as caught:
        folder_rules.check_output("runs_dir", photos / place, [photos, None])
    assert str(caught.value).startswith(f"--runs-dir {photos}/{place}: lies among")


@pytest.mark.parametrize(
    "place",
    [
        *("runs", "new", "runs/00000-x-gamo-ls/balanced", "linked", "."),
        *(".hidden/runs", "../runs", "../photos-2", "new/deeper"),
    ],
)
def test_outputs_elsewhere_are_taken(place, photos):
    folder_rules.check_output("runs_dir", photos / place, [photos, photos / "none"])
    beside = place in ("new", "new/deeper", ".")
    try:
        folder_rules.check_output("out", photos / place, [photos], beside=False)
    except UserError:
        assert beside
    else:
        assert not beside


# ---- names that look alike ---------------------------------------------------------

NFC, NFD = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize("forms", [(NFC, NFD), (NFD, NFC), (NFC, NFC), (NFD, NFD)])
def test_unicode_forms_of_a_class_are_one_name(forms, tmp_path):
    train, test = (
        touch(tmp_path / part, f"{form}/1.png", "zoo/1.png")
        for part, form in zip(("a", "b"), forms, strict=True)
    )
    classes, files = image_folder.scan(train)
    assert classes == (NFC, "zoo") and Path(files[0][0]).parent.name == forms[0]
    again, tests = image_folder.scan(test, classes, "test_folder")
    assert again == classes and [label for _, label in tests] == [0, 1]
    assert Path(tests[0][0]).parent.name == forms[1]


def test_two_unicode_forms_in_one_folder_are_refused(tmp_path):
    touch(tmp_path, f"{NFC}/1.png", f"{NFD}/1.png", "zoo/1.png")
    message = refusal(tmp_path)
    assert "'cafe\\u0301' and 'caf\\xe9' have the same name" in message
    assert "Move the files of one into the other" in message


@pytest.mark.parametrize(
    ("name", "shown", "why"),
    [
        ("Cat", "'Cat'", "upper and lower case"),
        ("cat ", "'cat '", "white space"),
        ("c\u0430t", "'c\\u0430t'", "characters that look alike or cannot be seen"),
        ("cat\u200b", "'cat\\u200b'", "characters that look alike or cannot be seen"),
        ("\uff43at", "'\\uff43at'", "characters that look alike or cannot be seen"),
        ("cat\u00a0", "'cat\\xa0'", "white space"),
    ],
)
def test_names_that_look_alike_are_shown_apart(name, shown, why, tmp_path):
    touch(tmp_path / "train", "cat/1.png", "dog/1.png")
    touch(tmp_path / "test", f"{name}/1.png")
    message = refusal(tmp_path / "test", ("cat", "dog"), "test_folder")
    expected = f": {shown}: no such class in training ('cat', dog). {shown} and 'cat' "
    assert f"{expected}differ in {why}." in message
    touch(tmp_path / "train", f"{name}/1.png")
    (note,) = image_folder.notes(tmp_path / "train")
    assert "two classes look alike" in note and why in note and shown in note

"""CelebA: images of exactly one of five hair colours."""

import io
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data import decoded_pool
from gamo_tf.data.readers import celeba
from gamo_tf.errors import UserError

ATTRIBUTES = "Bald Bangs Black_Hair Blond_Hair Brown_Hair Gray_Hair Male"
COLUMN = {"blonde": 3, "black": 2, "bald": 0, "brown": 4, "gray": 5}
SIZES = {"blonde": 60, "black": 30, "bald": 25, "brown": 22, "gray": 21}
# The dataset's row, with class sizes that a test can make.
SPEC = replace(DATASETS["celeba-small"], counts=(30, 12, 8, 6, 4), test_per_class=2)


def write(root: Path, packed: bool) -> dict[str, list[str]]:
    """Attribute file and images, a plain colour for each; returns files by class."""
    folder = root / "celeba"
    folder.mkdir(parents=True)
    lines, images = [], {}
    files: dict[str, list[str]] = {name: [] for name in SIZES}
    names = [name for name, n in SIZES.items() for _ in range(n)]
    for k, name in enumerate([*names, "both", "none"], 1):
        marks = ["-1"] * 7
        for colour in {"both": ("bald", "gray"), "none": ()}.get(name, (name,)):
            marks[COLUMN[colour]] = "1"
        # Irregular spaces, as in the published file.
        lines.append(f"{k:06d}.jpg  " + "  ".join(marks).replace("  1", " 1"))
        content = io.BytesIO()
        Image.new("RGB", (178, 218), (k % 256, 100, 0)).save(content, "JPEG")
        images[f"{k:06d}.jpg"] = content.getvalue()
        files.get(name, []).append(f"{k:06d}.jpg")
    text = "\n".join([str(len(lines)), ATTRIBUTES + " ", *lines]) + "\n"
    (folder / "list_attr_celeba.txt").write_text(text)
    if packed:
        with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as archive:
            for name, data in images.items():
                archive.writestr(f"img_align_celeba/{name}", data)
    else:
        (folder / "img_align_celeba").mkdir()
        for name, data in images.items():
            (folder / "img_align_celeba" / name).write_bytes(data)
    return files


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
def test_images_of_exactly_one_hair_colour(packed, tmp_path):
    files = list(write(tmp_path, packed).values())
    path = tmp_path / "celeba" / "list_attr_celeba.txt"
    assert celeba.attributes(path) == files
    arrays = celeba.read(SPEC, tmp_path)
    assert arrays.images.shape[1:] == (64, 64, 3)
    assert isinstance(arrays.images, np.memmap)
    # A tenth is kept for testing; for training twice the class's size, or all.
    assert np.bincount(arrays.test_labels).tolist() == [6, 3, 2, 2, 2]
    assert np.bincount(arrays.labels).tolist() == [54, 24, 16, 12, 8]
    for image, label in zip(arrays.images, arrays.labels, strict=True):
        red = [int(name[:6]) % 256 for name in files[label]]
        assert min(abs(int(image[32, 32, 0]) - r) for r in red) <= 3
    assert decoded_pool.known(SPEC, tmp_path)["images"] == 129
    assert len(arrays.images) + len(arrays.test_images) == 129


def test_too_few_images(tmp_path):
    write(tmp_path, packed=True)
    spec = replace(SPEC, counts=(30, 12, 8, 6, 20))
    with pytest.raises(UserError, match="class gray has 21 images with exactly one"):
        celeba.read(spec, tmp_path)


def test_a_damaged_archive(tmp_path):
    write(tmp_path, packed=True)
    path = tmp_path / "celeba" / "img_align_celeba.zip"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(UserError, match="not a whole zip"):
        celeba.read(SPEC, tmp_path)


def test_a_damaged_attribute_file(tmp_path):
    write(tmp_path, packed=True)
    path = tmp_path / "celeba" / "list_attr_celeba.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]))
    with pytest.raises(UserError, match="160 images announced, 159 found"):
        celeba.attributes(path)
    path.write_text("\n".join([lines[0], "Bald Male", *lines[2:]]))
    with pytest.raises(UserError, match="first two lines"):
        celeba.attributes(path)
    path.write_text("\n".join([*lines[:2], lines[2] + " 7", *lines[3:]]))
    with pytest.raises(UserError, match="line 3: expected a file and 1 or -1"):
        celeba.attributes(path)


def test_what_is_missing(tmp_path):
    write(tmp_path, packed=True)
    celeba.check(SPEC, tmp_path)
    (tmp_path / "celeba" / "list_attr_celeba.txt").unlink()
    with pytest.raises(UserError, match=r"list_attr_celeba.txt \(27 MB\). Fetch from"):
        celeba.check(SPEC, tmp_path)


# ---- hostile files -----------------------------------------------------------------


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
@pytest.mark.parametrize(
    "name",
    ["../secret.jpg", "/etc/passwd", "a/b.jpg", "a\\b.jpg", "..", ".", "a\0.jpg"],
)
def test_names_that_lead_elsewhere(packed, name, tmp_path):
    write(tmp_path, packed)
    path = tmp_path / "celeba" / "list_attr_celeba.txt"
    path.write_text(path.read_text().replace("000007.jpg", name))
    with pytest.raises(UserError, match=r"line 9: .*: no name of a file") as caught:
        celeba.read(SPEC, tmp_path)
    assert caught.value.message.startswith(str(path))


def test_a_name_twice(tmp_path):
    write(tmp_path, packed=True)
    path = tmp_path / "celeba" / "list_attr_celeba.txt"
    path.write_text(path.read_text().replace("000007.jpg", "000003.jpg"))
    with pytest.raises(UserError, match=r"line 9: 000003.jpg is there twice"):
        celeba.read(SPEC, tmp_path)


def test_lists_that_are_no_text(tmp_path, monkeypatch):
    write(tmp_path, packed=True)
    path = tmp_path / "celeba" / "list_attr_celeba.txt"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"000007", b"\xff\xfe"))
    with pytest.raises(UserError, match=r"celeba.txt: cannot be read \(.*utf-8"):
        celeba.read(SPEC, tmp_path)
    path.write_bytes(whole)
    monkeypatch.setattr(celeba, "_MOST_LIST", 1000)
    with pytest.raises(UserError, match="expected at most 1000"):
        celeba.read(SPEC, tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match="not a regular file"):
        celeba.read(SPEC, tmp_path)


def test_archives_of_a_wrong_kind(tmp_path, monkeypatch):
    write(tmp_path, packed=True)
    with monkeypatch.context() as patched:
        patched.setattr(celeba, "_MOST_IMAGE", 100)
        with pytest.raises(UserError, match="bytes unpacked"):
            celeba.read(SPEC, tmp_path)
    path = tmp_path / "celeba" / "img_align_celeba.zip"
    path.unlink()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("img_align_celeba/000001.jpg", b"%!PS-Adobe-3.0 EPSF-3.0")
    with pytest.raises(UserError, match=r"jpg cannot be read"):
        celeba.read(SPEC, tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=r"celeba.zip: not a regular file"):
        celeba.read(SPEC, tmp_path)


def test_an_image_that_is_a_pipe(tmp_path):
    write(tmp_path, packed=False)
    path = tmp_path / "celeba" / "img_align_celeba" / "000001.jpg"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=r"000001.jpg: not a regular file"):
        celeba.read(SPEC, tmp_path)

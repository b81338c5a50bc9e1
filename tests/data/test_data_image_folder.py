"""What becomes of a user's images, and what is said of folders that are not fit."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gamo_tf.data import image_folder
from gamo_tf.errors import UserError, speaking_to
from gamo_tf.stored import digest


@pytest.fixture
def back(tmp_path):
    """Saves an image and loads it at 8 x 8 pixels."""

    def save_and_load(image: Image.Image, name: str = "x.png", gray: bool = False):
        image.save(tmp_path / name)
        return image_folder.load(tmp_path / name, 8, gray)

    return save_and_load


def test_sixteen_bits_become_eight(back):
    deep = Image.fromarray(np.full((8, 8), 257 * 200, np.uint16))
    assert (back(deep, gray=True) == 200).all()


def test_transparent_parts_become_white(back):
    assert (back(Image.new("RGBA", (8, 8), (255, 0, 0, 0))) == 255).all()


def test_palettes_and_inks_become_rgb(back):
    palette = Image.new("P", (8, 8), 3)
    palette.putpalette([0] * 9 + [10, 20, 30])
    assert (back(palette)[0, 0] == (10, 20, 30)).all()
    ink = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert (np.abs(back(ink, "x.tif")[0, 0].astype(int) - (255, 0, 0)) < 3).all()


def test_the_central_square_is_taken(back):
    wide = np.zeros((4, 8), np.uint8)
    wide[:, 2:6] = 255
    assert back(Image.fromarray(wide), gray=True).mean() > 240


@pytest.mark.parametrize("kind", ["png", "tif", "webp", "jpg"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_images_are_turned_as_exif_says(kind, mode, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    half = np.zeros((8, 12), np.uint8)  # Pillow leaves grey TIFF maps as they are
    half[:4] = 255
    path = tmp_path / f"e.{kind}"
    Image.fromarray(half).convert(mode).save(path, exif=exif)
    assert image_folder.load(path, 8, True)[:, 5:].mean() > 240


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((8, 8), np.float32), "floating-point"),
        (np.full((8, 8), 70_000, np.int32), "beyond 16 bits"),
    ],
)
def test_values_of_unknown_range_are_refused(values, message, back):
    with pytest.raises(ValueError, match=message):
        back(Image.fromarray(values), "x.tif", gray=True)


def test_the_patch_is_the_largest_that_fits():
    for side, inside in ((600, 512), (300, 224), (100, 100)):
        image = Image.new("RGB", (side + 40, side), "white")
        left, top = (side + 40 - inside) // 2, (side - inside) // 2
        image.paste("black", (left, top, left + inside, top + inside))
        assert image_folder.crop_and_scale(image, 64, (224, 512)).max() == 0
    scaled = image_folder.crop_and_scale(Image.new("RGB", (90, 70)), 8)
    assert scaled.shape == (8, 8, 3)


def test_read_names_the_files_that_it_cannot_read(image_root, tmp_path):
    good = str(image_root / "one" / "000.png")
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"nothing")
    images, reasons, digests, _ = image_folder.read([str(bad), good], 16, gray=False)
    assert images.shape == (2, 16, 16, 3) and not images[0].any() and images[1].any()
    assert list(reasons) == [str(bad)] and "cannot identify" in reasons[str(bad)]
    assert digests == [digest(b"nothing"), digest(Path(good).read_bytes())]


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n",
        b"SIMPLE  =                    T" + b" " * 2850,  # FITS
        b"\xd7\xcd\xc6\x9a" + bytes(80),  # WMF
        b"8BPS\x00\x01" + bytes(60),  # PSD
    ],
    ids=["postscript", "fits", "wmf", "psd"],
)
def test_other_formats_are_not_opened(content, tmp_path, monkeypatch):
    def started(*args, **kwargs):
        raise AssertionError("a program was started")

    monkeypatch.setattr("subprocess.Popen", started)
    path = tmp_path / "x.png"
    path.write_bytes(content)
    reason = image_folder.read([str(path)], 8, gray=True).bad[str(path)]
    assert "cannot identify" in reason


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_attacks_on_memory_and_on_time(back, tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.png")
    paths = [str(tmp_path / "pipe.png"), str(tmp_path), str(tmp_path / "x.png")]
    Image.new("L", (40, 40)).save(paths[2])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow only warns to 2000
    bad = image_folder.read(paths, 8, gray=True).bad
    assert list(bad.values())[:2] == ["not a regular file."] * 2
    assert bad[paths[2]] == "40 x 40 pixels are too many"
    with pytest.raises(ValueError, match="too many"):
        image_folder.load(paths[2], 8, gray=True)
    monkeypatch.setattr(image_folder, "_MOST_BYTES", 50)
    assert "at most 50 are read" in image_folder.read(paths[2:], 8, True).bad[paths[2]]


def test_a_small_file_announces_no_large_image(tmp_path):
    path = tmp_path / "x.webp"
    Image.new("RGB", (9000, 9000), "white").save(path, lossless=True)
    assert path.stat().st_size < 8000
    (reason,) = image_folder.read([str(path)], 8, gray=False).bad.values()
    assert reason.startswith("9000 x 9000 pixels are too many for")
    Image.new("1", (9000, 9000)).save(tmp_path / "blank.png")
    assert not image_folder.read([str(tmp_path / "blank.png")], 8, gray=True).bad


def test_damaged_bytes_are_a_reason_and_never_more(tmp_path):
    rng = np.random.default_rng(0)
    whole = {}
    for kind in ("png", "jpeg", "gif", "bmp", "tiff", "webp", "ppm", "ico", "tga"):
        image = Image.fromarray(rng.integers(0, 256, (24, 24, 3), np.uint8))
        image.save(tmp_path / f"whole.{kind}")
        whole[kind] = (tmp_path / f"whole.{kind}").read_bytes()
    paths = []
    for kind, data in whole.items():
        for k in range(25):
            changed = bytearray(data[: rng.integers(1, len(data) + 1)])
            for place in rng.integers(0, len(changed), 3):
                changed[place] = rng.integers(256)
            paths.append(tmp_path / f"{k}.{kind}")
            paths[-1].write_bytes(changed)
    images, bad, digests, _ = image_folder.read(map(str, paths), 8, gray=False)
    assert images.shape == (len(paths), 8, 8, 3) and all(digests)
    assert all(reason and "\n" not in reason for reason in bad.values())
    assert len(bad) > 50


def test_a_complaint_lists_ten_and_counts_the_rest():
    bad = {f"{k}.png": "broken" for k in range(12)}
    with speaking_to("gamo"):
        lines = str(image_folder.complaint(bad)).splitlines()
    assert lines[0].startswith("12 file(s) cannot be read as images.")
    assert "--skip-bad" in lines[0] and lines[1] == "  0.png: broken"
    assert len(lines) == 12 and lines[-1] == "  and 2 more"
    assert "put them back" in image_folder.complaint(bad, resumed=True).message
    two = image_folder.complaint({"a\nb": "broken", "c": "broken"}).details
    assert two == ("  a\\nb: broken", "  c: broken")
    one = image_folder.complaint({"c.png": "broken"})
    assert one.message.startswith("c.png: broken. 1 file(s) cannot") and not one.details


# ---- folders -----------------------------------------------------------------------


def test_scan_finds_classes_and_files(image_root, image_sizes):
    classes, files = image_folder.scan(image_root)
    assert classes == tuple(sorted(image_sizes))
    labels = [label for _, label in files]
    assert np.bincount(labels).tolist() == list(image_sizes.values())
    assert not any("Thumbs" in path for path, _ in files)


def test_bad_folders(image_root, tmp_path):
    def message(*arguments) -> str:
        with speaking_to("scripts"), pytest.raises(UserError) as caught:
            image_folder.scan(*arguments)
        return str(caught.value)

    assert message(tmp_path / "no") == f"--image-folder {tmp_path}/no: no such folder."
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "0 class folder(s) found" in message(empty)
    (empty / "a").mkdir()
    assert "1 class folder(s) found" in message(empty)
    (empty / "b").mkdir()
    assert "a: no image in this class folder" in message(empty)
    odd = tmp_path / "odd"
    shutil.copytree(image_root / "one", odd / "seven")
    known = image_folder.scan(image_root)[0]
    text = message(odd, known, "test_folder")
    assert text.startswith(f"--test-folder {odd}: seven: no such class in training")
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    assert "no class folder in it" in message(nothing, known, "test_folder")

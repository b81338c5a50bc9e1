"""One picture gives one array, whatever the bit depth of its file; pages and frames."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from gamo_tf.data import image_folder, image_rows

LEVELS = np.tile(np.arange(4, dtype=np.uint8) * 85, (8, 2))  # 0, 85, 170, 255
SIZE = len(LEVELS)


def png(rows: list[bytes], bits: int, colour: int, *more: tuple[bytes, bytes]) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    header = struct.pack(">IIBBBBB", SIZE, SIZE, bits, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = [(b"IHDR", header), *more, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*pair) for pair in chunks)


def packed(values: np.ndarray, bits: int) -> list[bytes]:
    """Rows of samples of so many bits, [h, w] or [h, w, c], scaled from 8 bits."""
    top = 2**bits - 1
    samples = np.rint(values.reshape(SIZE, -1) / 255 * top).astype(int)
    if bits == 16:
        return [row.astype(">u2").tobytes() for row in samples]
    digits = ["".join(f"{v:0{bits}b}" for v in row) for row in samples]
    return [int(d, 2).to_bytes(len(d) // 8, "big") for d in digits]


def key(value: int, bits: int, channels: int = 1) -> tuple[bytes, bytes]:
    scaled = round(value / 255 * (2**bits - 1))
    return b"tRNS", struct.pack(">H", scaled) * channels


def tiff(data: bytes, bits: int, photometric: int) -> bytes:
    entries = [(256, SIZE), (257, SIZE), (258, bits), (259, 1), (262, photometric)]
    entries += [(273, 8), (277, 1), (278, SIZE), (279, len(data))]
    tags = b"".join(struct.pack("<HHII", tag, 4, 1, v) for tag, v in entries)
    place = struct.pack("<2sHI", b"II", 42, 8 + len(data))
    return place + data + struct.pack("<H", len(entries)) + tags + bytes(4)


@pytest.fixture
def read(tmp_path):
    def load(data: bytes, gray: bool = True) -> np.ndarray:
        path = tmp_path / "x"
        path.write_bytes(data)
        return image_folder.load(path, SIZE, gray).squeeze()

    return load


def saved(image: Image.Image, form: str, **more) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **more)
    return buffer.getvalue()


@pytest.mark.parametrize("transparent", [None, 85, 255])
@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_grey_of_any_depth_is_one_picture(bits, transparent, read):
    more = [] if transparent is None else [key(transparent, bits)]
    expected = LEVELS.copy()
    expected[expected == transparent] = 255
    np.testing.assert_array_equal(
        read(png(packed(LEVELS, bits), bits, 0, *more)), expected
    )


@pytest.mark.parametrize("bits", [1, 8, 16])
@pytest.mark.parametrize("transparent", [0, 255])
def test_black_and_white_of_any_depth(bits, transparent, read):
    values = np.where(LEVELS > 100, 255, 0)
    found = read(png(packed(values, bits), bits, 0, key(transparent, bits)))
    assert (found == 255).all() == (transparent == 0)
    np.testing.assert_array_equal(found, 255 if transparent == 0 else values)


@pytest.mark.parametrize("transparent", [None, 16])
@pytest.mark.parametrize("bits", [8, 16])
def test_colours_of_any_depth(bits, transparent, read):
    values = np.stack([LEVELS // 2, LEVELS, 255 - LEVELS], axis=2)
    values[:2] = 16
    more = [] if transparent is None else [key(transparent, bits, 3)]
    expected = values.copy()
    expected[:2] = 16 if transparent is None else 255
    found = read(png(packed(values, bits), bits, 2, *more), gray=False)
    np.testing.assert_array_equal(found, expected)


def test_a_dark_transparent_colour_of_16_bits(read):
    """Its value is one of 8 bits too, and would be taken for one."""
    values = np.zeros((SIZE, SIZE, 3), np.uint8)
    values[:2] = 5
    more = b"tRNS", struct.pack(">HHH", 5, 5, 5)
    found = read(png(packed(values, 16), 16, 2, more), gray=False)
    assert (found[:2] == 5).all() and (found[2:] == 255).all()


@pytest.mark.parametrize(("colour", "channels"), [(4, 1), (6, 3)])
def test_alpha_of_16_bits(colour, channels, read):
    shown = np.repeat(LEVELS[..., None], channels, axis=2)
    alpha = np.where(LEVELS == 85, 0, 255)[..., None]
    values = np.concatenate([shown, alpha], axis=2)
    found = [read(png(packed(values, b), b, colour), gray=False) for b in (8, 16)]
    np.testing.assert_array_equal(*found)
    assert (found[0][LEVELS == 85] == 255).all()


def test_a_palette_with_transparency(read):
    image = Image.fromarray(LEVELS).convert("P")
    for form in ("PNG", "GIF"):
        found = read(saved(image, form, transparency=85))
        np.testing.assert_array_equal(found, np.where(LEVELS == 85, 255, LEVELS))
    each = bytes(0 if value == 85 else 255 for value in range(256))
    found = read(saved(image, "PNG", transparency=each))
    np.testing.assert_array_equal(found, np.where(LEVELS == 85, 255, LEVELS))


def test_other_files_of_16_bits(read):
    deep = LEVELS.astype(np.uint16) * 257
    for form in ("TIFF", "PNG", "JPEG2000", "PPM"):
        found = read(saved(Image.fromarray(deep), form))
        assert np.abs(found.astype(int) - LEVELS).max() <= 1, form
    big = Image.frombytes("I;16B", (SIZE, SIZE), deep.astype(">u2").tobytes())
    np.testing.assert_array_equal(read(saved(big, "TIFF")), LEVELS)


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_whose_zero_is_white(bits, photometric, read):
    wide = LEVELS.astype(f"<u{bits // 8}") * (257 if bits == 16 else 1)
    expected = LEVELS if photometric else 255 - LEVELS
    np.testing.assert_array_equal(
        read(tiff(wide.tobytes(), bits, photometric)), expected
    )


def test_a_tiff_of_12_bits(read):
    data = b"".join(packed(LEVELS, 12))
    np.testing.assert_array_equal(read(tiff(data, 12, 1)), LEVELS)


# ---- pages and frames --------------------------------------------------------------


@pytest.mark.parametrize("form", ["TIFF", "GIF", "WEBP", "PNG"])
def test_the_first_page_is_read_and_told(form, tmp_path):
    pages = [Image.new("L", (SIZE, SIZE), value) for value in (9, 200, 90)]
    more = {"lossless": True} if form == "WEBP" else {}
    path = tmp_path / f"x.{form.lower()}"
    pages[0].save(path, form, save_all=True, append_images=pages[1:], **more)
    single = tmp_path / f"y.{form.lower()}"
    pages[0].save(single, form, **more)
    found = image_folder.read([str(path), str(single)], SIZE, gray=True)
    assert found.several == [str(path)] and np.abs(found.pixels - 9.0).max() <= 1


def test_previews_are_no_pages(tmp_path):
    image = Image.new("RGB", (32, 32), "white")
    image.save(tmp_path / "x.ico", sizes=[(16, 16), (32, 32)])
    image.save(tmp_path / "x.jpg", "MPO", save_all=True, append_images=[image])
    files = [str(tmp_path / name) for name in ("x.ico", "x.jpg")]
    found = image_folder.read(files, SIZE, gray=True)
    assert not found.several and not found.bad


def test_damaged_further_pages_do_no_harm(tmp_path):
    pages = [Image.new("L", (SIZE, SIZE), value) for value in (9, 200)]
    for form in ("TIFF", "GIF", "WEBP", "PNG"):
        whole = saved(pages[0], form, save_all=True, append_images=pages[1:])
        for cut in range(1, 30):
            (tmp_path / "x").write_bytes(whole[:-cut])
            found = image_folder.read([str(tmp_path / "x")], SIZE, gray=True)
            assert found.pixels.shape and len(found.bad) < 2


def test_a_note_for_each_folder(tmp_path):
    several = [f"/a/cat/{k}.tif" for k in range(3)] + ["/b/cat/0.gif"]
    one, other = image_rows.pages(several, ["/a", "/b", ""])
    assert one.startswith("/a: 3 file(s) have several pages or frames, such as /a/cat")
    assert other.startswith("/b: 1 file(s)")
    assert not image_rows.pages([], ["/a"])

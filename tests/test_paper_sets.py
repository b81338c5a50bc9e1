"""SVHN, CelebA, LSUN and SUN397: readers, on files in the published formats."""

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import lmdb
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

import train_gamo
from gamo_tf import describe
from gamo_tf.datasets import celeba, lsun, sun397, svhn
from gamo_tf.errors import UserError
from gamo_tf.networks import feature_extractor
from gamo_tf.options import resolve
from gamo_tf.runs import Run
from gamo_tf.specs import DATASETS

RNG = np.random.default_rng(0)


def small(name: str, counts: tuple, test: int = 2):
    """The dataset's row with class sizes that a test can make."""
    return replace(DATASETS[name], counts=counts, test_per_class=test)


# ---- SVHN ----------------------------------------------------------------------


def mat(path: Path, labels: np.ndarray) -> np.ndarray:
    path.parent.mkdir(exist_ok=True)
    X = RNG.integers(0, 256, (32, 32, 3, len(labels)), np.uint8)
    savemat(path, {"X": X, "y": labels[:, None].astype(np.uint8)})
    return X


def test_svhn_label_ten_is_the_digit_zero(tmp_path):
    labels = np.array([10, 1, 9, 10, 2])
    X = mat(tmp_path / "svhn" / "train_32x32.mat", labels)
    mat(tmp_path / "svhn" / "test_32x32.mat", labels[:3])
    images, digits, test_images, test_digits = svhn.read(DATASETS["svhn"], tmp_path)
    assert digits.tolist() == [0, 1, 9, 0, 2] and test_digits.tolist() == [0, 1, 9]
    np.testing.assert_array_equal(images[3], X[..., 3])
    assert images.shape == (5, 32, 32, 3) and len(test_images) == 3


def test_svhn_class_order_is_an_option(capsys):
    flags = ["--dataset", "svhn", "--dry-run"]
    assert train_gamo.main(flags) == 0
    assert (
        json.loads(capsys.readouterr().out.rsplit("}", 1)[0] + "}")["counts"][0] == 4500
    )
    assert train_gamo.main([*flags, "--class-order", "file"]) == 0
    counts = json.loads(capsys.readouterr().out.rsplit("}", 1)[0] + "}")["counts"]
    assert counts == [80, 4500, 2000, 1000, 800, 600, 500, 400, 250, 150]
    assert train_gamo.main(["--dataset", "digits", "--class-order", "file"]) == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no matrix at all", "cannot be read"),
        ({"X": np.zeros((32, 32, 3, 4), np.uint8), "y": np.ones(3)}, "as many labels"),
        ({"X": np.zeros((32, 32, 3, 2), np.uint8), "y": np.array([1, 11])}, "1 to 10"),
    ],
    ids=["text", "lengths", "label"],
)
def test_svhn_damaged(content, told, tmp_path):
    path = tmp_path / "train_32x32.mat"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        savemat(path, content)
    with pytest.raises(UserError, match=told):
        svhn.parse(path, DATASETS["svhn"])


# ---- CelebA --------------------------------------------------------------------

ATTRIBUTES = "Bald Bangs Black_Hair Blond_Hair Brown_Hair Gray_Hair Male"
COLUMN = {"blonde": 3, "black": 2, "bald": 0, "brown": 4, "gray": 5}


def faces(root: Path, sizes: dict, packed: bool) -> dict[str, list[str]]:
    """Attribute file and images, a plain colour for each; classes by file name."""
    folder = root / "celeba"
    folder.mkdir(parents=True)
    lines, images, known = [], {}, {name: [] for name in sizes}
    wanted = [name for name, n in sizes.items() for _ in range(n)]
    for k, name in enumerate([*wanted, "both", "none"], 1):
        marks = ["-1"] * 7
        for own in {"both": ("bald", "gray"), "none": ()}.get(name, (name,)):
            marks[COLUMN[own]] = "1"
        # Irregular spaces, as in the published file.
        lines.append(f"{k:06d}.jpg  " + "  ".join(marks).replace("  1", " 1"))
        held = io.BytesIO()
        Image.new("RGB", (178, 218), (k % 256, 100, 0)).save(held, "JPEG")
        images[f"{k:06d}.jpg"] = held.getvalue()
        known.get(name, []).append(f"{k:06d}.jpg")
    text = "\n".join([str(len(lines)), ATTRIBUTES + " ", *lines]) + "\n"
    (folder / "list_attr_celeba.txt").write_text(text)
    if packed:
        with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as archive:
            for key, data in images.items():
                archive.writestr(f"img_align_celeba/{key}", data)
    else:
        (folder / "img_align_celeba").mkdir()
        for key, data in images.items():
            (folder / "img_align_celeba" / key).write_bytes(data)
    return known


SIZES = {"blonde": 60, "black": 30, "bald": 25, "brown": 22, "gray": 21}
COUNTS = (30, 12, 8, 6, 4)


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
def test_celeba_takes_images_of_exactly_one_hair_colour(packed, tmp_path):
    known = faces(tmp_path, SIZES, packed)
    spec = small("celeba-small", COUNTS)
    assert celeba.attributes(tmp_path / "celeba" / "list_attr_celeba.txt") == list(
        known.values()
    )
    images, labels, test_images, test_labels = celeba.read(spec, tmp_path)
    assert images.shape[1:] == (64, 64, 3) and isinstance(images, np.memmap)
    # A tenth is kept for testing; twice the class's size, or all there is.
    assert np.bincount(test_labels).tolist() == [6, 3, 2, 2, 2]
    assert np.bincount(labels).tolist() == [54, 24, 16, 12, 8]
    for image, label in zip(images, labels, strict=True):
        red = [int(k[:6]) % 256 for k in list(known.values())[label]]
        assert min(abs(int(image[32, 32, 0]) - r) for r in red) <= 3
    options = resolve({"dataset": "celeba-small"})
    assert "129 images, decoded already" in describe.source(options, tmp_path)
    together = np.concatenate([images, test_images])[:, 0, 0, 0]
    assert len(together) == 129


def test_celeba_too_few_and_damaged(tmp_path):
    options = resolve({"dataset": "celeba-small"})
    assert "missing in" in describe.source(options, tmp_path)
    faces(tmp_path, SIZES, packed=True)
    assert "to be decoded once" in describe.source(options, tmp_path)
    with pytest.raises(UserError, match="class gray has 21 images with exactly one"):
        celeba.read(small("celeba-small", (30, 12, 8, 6, 20)), tmp_path)
    path = tmp_path / "celeba" / "img_align_celeba.zip"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(UserError, match="not a whole zip"):
        celeba.read(small("celeba-small", COUNTS), tmp_path)
    attributes = tmp_path / "celeba" / "list_attr_celeba.txt"
    lines = attributes.read_text().splitlines()
    attributes.write_text("\n".join(lines[:-1]))
    with pytest.raises(UserError, match="160 images announced, 159 found"):
        celeba.attributes(attributes)
    attributes.write_text("\n".join([lines[0], "Bald Male", *lines[2:]]))
    with pytest.raises(UserError, match="first two lines"):
        celeba.attributes(attributes)
    attributes.write_text("\n".join([*lines[:2], lines[2] + " 7", *lines[3:]]))
    with pytest.raises(UserError, match="line 3: expected a file and 1 or -1"):
        celeba.attributes(attributes)


# ---- LSUN ----------------------------------------------------------------------


def scenes(root: Path, sizes: tuple) -> None:
    for c, (name, n) in enumerate(zip(lsun._SIZES, sizes, strict=True)):
        path = root / "lsun" / f"{name}_train_lmdb"
        path.mkdir(parents=True)
        with (
            lmdb.open(str(path), map_size=2**26) as book,
            book.begin(write=True) as deal,
        ):
            for k in range(n):
                # A frame of another colour, outside the central 224 x 224.
                image = Image.new("RGB", (300, 256), "white")
                image.paste((40 * c, k, 0), (38, 16, 262, 240))
                held = io.BytesIO()
                image.save(held, "WEBP" if k % 3 == 0 else "JPEG", quality=75)
                key = hashlib.sha1(f"{name}{k}".encode()).hexdigest().encode()
                deal.put(key, held.getvalue())


def test_lsun_reads_jpeg_and_webp_and_cuts_the_patch(tmp_path):
    scenes(tmp_path, (40, 24, 22, 21, 20))
    spec = small("lsun-small", (20, 9, 5, 3, 2))
    images, labels, _, test_labels = lsun.read(spec, tmp_path)
    assert np.bincount(labels).tolist() == [36, 18, 10, 6, 4]
    assert np.bincount(test_labels).tolist() == [4, 2, 2, 2, 2]
    assert (
        np.abs(images[:, 5:-5, 5:-5, 0].astype(int) - 40 * labels[:, None, None]).max()
        < 12
    )
    assert images[:, 2:-2, 2:-2].max() < 200  # nothing of the white frame
    again = lsun.read(spec, tmp_path)[0]
    np.testing.assert_array_equal(images, again)


def test_lsun_damaged(tmp_path):
    scenes(tmp_path, (40, 24, 22, 21, 20))
    spec = small("lsun-small", (20, 9, 5, 3, 2))
    (tmp_path / "lsun" / "tower_train_lmdb" / "data.mdb").write_bytes(b"x" * 9000)
    with pytest.raises(UserError, match=r"tower_train_lmdb: cannot be read"):
        lsun.read(spec, tmp_path)


# ---- SUN397 --------------------------------------------------------------------


def sun(root: Path, sizes: dict) -> None:
    folder = root / "sun397" / "SUN397"
    for name, n in sizes.items():
        place = folder.joinpath(*name.split("/"))
        place.mkdir(parents=True)
        for k in range(n):
            (place / f"sun_{k:04d}.jpg").write_bytes(b"")
    (root / "sun397" / "ClassName.txt").write_text("\n".join(sizes) + "\n")


def sizes_of(n: int) -> dict:
    rng = np.random.default_rng(4)
    found = {f"/a/place{k}": int(rng.integers(110, 900)) for k in range(n - 3)}
    return found | {"/l/living_room": 1157, "/b/bar/outdoor": 100, "/z/zoo": 100}


def test_sun397_draws_fifty_classes_with_the_ratio():
    sizes = sizes_of(80)
    for seed in range(3):
        chosen = sun397.pick(sizes, seed)
        n = [sizes[name] - 20 for name in chosen]
        assert len(set(chosen)) == 50 and round(max(n) / min(n), 2) == 14.21
    assert sun397.pick(sizes, 0) == sun397.pick(sizes, 0) != sun397.pick(sizes, 1)
    with pytest.raises(UserError, match=r"ratio 14.21"):
        sun397.pick({f"/a/{k}": 150 for k in range(60)}, 0)


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(sun397, "CLASSES", 4)
    monkeypatch.setattr(sun397, "RATIO", 5.0)
    monkeypatch.setattr(sun397, "TEST", 4)


def test_sun397_end_to_end(few, tmp_path, capsys):
    sizes = {
        "/a/abbey": 24,
        "/b/bar": 8,
        "/b/bath/outdoor": 12,
        "/c/cave": 11,
        "/d/den": 9,
    }
    sun(tmp_path, sizes)
    for path in (tmp_path / "sun397").rglob("*.jpg"):
        k = int(path.stem[-4:])
        mode = ("RGB", "L", "CMYK")[k % 3]
        side = (600, 300)[k % 2]
        Image.new(mode, (side, side + 10), 0 if mode == "L" else (0,) * len(mode)).save(
            path
        )
    flags = ["--dataset", "sun397", "--data-dir", str(tmp_path), "--batch-size", "8"]
    flags += ["--iterations", "3", "--runs-dir", str(tmp_path / "r")]
    assert train_gamo.main(flags) == 0
    run = Run(tmp_path / "r" / "00000-sun397-gamo-ls")
    assert run.options.batch_size == 8 and run.options.patches == (512, 224)
    assert max(run.options.counts) == 20 and min(run.options.counts) == 4
    assert "bath-outdoor" in run.options.classes or len(run.options.classes) == 4
    assert run.rows().groupby(["set", "label"]).size()["test"].tolist() == [4] * 4
    split = run.load_split(run.arrays(tmp_path))
    assert split.images.shape[1:] == (64, 64, 3)
    assert train_gamo.main([*flags[:4], "--dry-run"]) == 0
    assert '"batch_size": 128' in capsys.readouterr().out


def test_the_patch_is_the_largest_that_fits():
    from gamo_tf.datasets.own_images import fit

    for side, inside in ((600, 512), (300, 224), (100, 100)):
        image = Image.new("RGB", (side + 40, side), "white")
        left, top = (side + 40 - inside) // 2, (side - inside) // 2
        image.paste("black", (left, top, left + inside, top + inside))
        assert fit(image, 64, (224, 512)).max() == 0
    assert fit(Image.new("RGB", (90, 70)), 8).shape == (8, 8, 3)


def test_sun397_odd_names(tmp_path):
    sun(tmp_path, {"/a/abbey": 2})
    (tmp_path / "sun397" / "ClassName.txt").write_text("/../etc\n")
    with pytest.raises(UserError, match="expected names like"):
        sun397.names(tmp_path)


def test_networks_for_64_pixels():
    F = feature_extractor(DATASETS["celeba-large"])
    # 5x5 blocks of 32, 32, 64, 64 and 4 x 4 x 64 to 512.
    weights = 25 * (3 * 32 + 32 * 32 + 32 * 64 + 64 * 64) + 192 + 1024 * 512 + 512
    assert F.count_params() == weights
    for name in ("celeba-small", "lsun-large"):
        options = resolve({"dataset": name})
        assert options.counts == DATASETS[name].counts and options.test_per_class == 100


@pytest.mark.parametrize(
    "flags", [["--dataset", "celeba-small"], ["--dataset", "sun397"]]
)
def test_missing_files_are_told_with_place_and_terms(flags, tmp_path, capsys):
    assert train_gamo.main([*flags, "--data-dir", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert str(tmp_path) in err and "https://" in err and "research" in err

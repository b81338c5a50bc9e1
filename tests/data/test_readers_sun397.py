"""SUN397: the classes and their sizes are drawn by seed."""

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import resolve, spec_of
from gamo_tf.data import load, user_data
from gamo_tf.data.readers import sun397
from gamo_tf.errors import UserError

SPEC = DATASETS["sun397"]
FEW_TESTED = replace(SPEC, test_per_class=2)
# 199 and 14 images to train on have the ratio 14.21; all others lie between.
SIZES = {
    **{f"/a/place{k}": 16 + k % 2 for k in range(52)},
    "/b/bath/outdoor": 201,
    "/c/cave": 16,
    "/d/den": 5,
    "/e/empty": 0,
}


def jpeg(mode: str, side: int) -> bytes:
    content = io.BytesIO()
    image = Image.new(mode, (side, side + 10), 0 if mode == "L" else (0,) * len(mode))
    image.save(content, "JPEG")
    return content.getvalue()


@pytest.fixture
def data_dir(tmp_path) -> Path:
    folder = tmp_path / "sun397" / "SUN397"
    large = [jpeg("RGB", 600), jpeg("L", 300), jpeg("CMYK", 600)]
    tiny = jpeg("RGB", 20)
    for name, n in SIZES.items():
        place = folder.joinpath(*name.split("/"))
        place.mkdir(parents=True)
        for k in range(n):
            many = large if name == "/c/cave" else [tiny]
            (place / f"sun_{k:04d}.jpg").write_bytes(many[k % len(many)])
    (tmp_path / "sun397" / "ClassName.txt").write_text("\n".join(SIZES) + "\n")
    return tmp_path


def test_fifty_classes_with_the_ratio():
    rng = np.random.default_rng(4)
    sizes = {f"/a/place{k}": int(rng.integers(110, 900)) for k in range(77)}
    sizes |= {"/l/living_room": 1157, "/b/bar/outdoor": 100, "/z/zoo": 100}
    for seed in range(3):
        chosen = sun397.pick(sizes, SPEC, seed)
        n = [sizes[name] - 20 for name in chosen]
        assert len(set(chosen)) == 50 and round(max(n) / min(n), 2) == 14.21
        assert chosen == sorted(chosen)
    assert sun397.pick(sizes, SPEC, 0) == sun397.pick(sizes, SPEC, 0)
    assert sun397.pick(sizes, SPEC, 0) != sun397.pick(sizes, SPEC, 1)
    with pytest.raises(UserError, match=r"ratio 14.21"):
        sun397.pick({f"/a/{k}": 150 for k in range(60)}, SPEC, 0)


def test_the_classes_of_a_seed(data_dir):
    found = load.draw_classes(FEW_TESTED, data_dir, seed=0)
    options = resolve({**found.settings, "seed": 0})
    assert options.dataset == "sun397" and options.batch_size == 128
    assert options.patches == (512, 224) and options.shape == (64, 64, 3)
    assert spec_of(options).conv == SPEC.conv
    assert len(options.classes) == 50 and "bath-outdoor" in options.classes
    assert max(options.counts) == 199 and min(options.counts) == 14
    sizes = found.rows.groupby(["set", "label"]).size()
    assert sizes["test"].tolist() == [2] * 50
    assert sizes["train"].tolist() == list(options.counts)
    assert found.arrays.images.shape == (sum(options.counts), 64, 64, 3)
    again = user_data.reload(options, found.rows, found.identity)
    np.testing.assert_array_equal(again.images, found.arrays.images)
    # Other seeds draw other classes, or other test images of the same.
    other = load.draw_classes(FEW_TESTED, data_dir, seed=1, decode=False)
    assert not other.rows.equals(found.rows.drop(columns="digest"))
    quick = load.draw_classes(FEW_TESTED, data_dir, seed=0, decode=False)
    assert quick.settings == found.settings and quick.rows.equals(
        found.rows.drop(columns="digest")
    )


def test_hidden_files_are_no_images(data_dir):
    before = load.draw_classes(FEW_TESTED, data_dir, seed=0, decode=False)
    for place in (data_dir / "sun397" / "SUN397").glob("a/*"):
        (place / "._sun_0000.jpg").write_bytes(b"left by a file manager")
    again = load.draw_classes(FEW_TESTED, data_dir, seed=0, decode=False)
    assert again.rows.equals(before.rows)


def test_odd_names_and_missing_lists(data_dir):
    path = data_dir / "sun397" / "ClassName.txt"
    assert sun397.categories(SPEC, data_dir) == list(SIZES)
    for name in ("/../etc", "/a/../../x", "/a", "a/b", "//b", "/a/.git", "/a/b\\c"):
        path.write_text(f"/a/abbey\n{name}\n")
        with pytest.raises(UserError, match="expected names like"):
            sun397.categories(SPEC, data_dir)
    for twice in ("/a/abbey", "/b/abbey"):
        path.write_text(f"/a/abbey\n{twice}\n")
        with pytest.raises(UserError, match="2 categories of the name abbey"):
            sun397.categories(SPEC, data_dir)
    path.write_bytes(b"/a/caf\xe9\n")
    with pytest.raises(UserError, match=r"ClassName.txt: cannot be read \(.*utf-8"):
        sun397.categories(SPEC, data_dir)
    path.write_text("")
    assert sun397.categories(SPEC, data_dir) == []
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=r"ClassName.txt: not a regular file"):
        sun397.categories(SPEC, data_dir)
    path.unlink()
    with pytest.raises(UserError, match=r"ClassName.txt of Partitions.zip"):
        sun397.check(SPEC, data_dir)
    (data_dir / "sun397" / "SUN397" / "ClassName.txt").write_text("/a/abbey\n")
    assert sun397.categories(SPEC, data_dir) == ["/a/abbey"]

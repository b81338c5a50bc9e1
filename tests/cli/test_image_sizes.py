"""What training takes at several image sizes."""

import numpy as np
import pytest
from PIL import Image

from gamo_tf.cli import describe, image_sizes
from gamo_tf.cli.trial import Cost
from gamo_tf.config.options import resolve


def photos(root, side: int, classes=("a", "b"), n: int = 3):
    rng = np.random.default_rng(0)
    for name in classes:
        (root / name).mkdir(parents=True)
        for k in range(n):
            shape = (side, side + 10 * k, 3)
            pixels = rng.integers(0, 256, shape, np.uint8)
            Image.fromarray(pixels).save(root / name / f"{k}.png")
    return root


def options_of(root, size: int):
    chosen = {"dataset": "photos", "data": str(root), "shape": (size, size, 3)}
    return resolve({**chosen, "classes": ("a", "b"), "counts": (30, 10)})


@pytest.fixture
def tried(monkeypatch) -> list[int]:
    """Sizes that were tried; an iteration takes a millisecond, and one a kilopixel."""
    sizes: list[int] = []

    def measure(options) -> Cost:
        side = options.shape[0]
        sizes.append(side)
        return Cost(2.0, 0.001 + side**2 * 1e-6, 0.0, 2, 500 + side)

    monkeypatch.setattr(image_sizes, "measure", measure)
    return sizes


def test_large_photographs_get_the_time_of_several_sizes(tmp_path, tried):
    root = photos(tmp_path / "photos", 224)
    said = image_sizes.estimate(options_of(root, 224))
    assert sorted(tried) == [32, 64]  # a trial at 224 pixels takes minutes
    assert "about 224 pixels on the shorter side" in said
    # 2000 iterations, by hand: 1 ms and s^2 us each.
    for size in (32, 64, 128, 224):
        seconds = 2 + 2000 * (0.001 + size**2 * 1e-6)
        minutes, rest = divmod(round(seconds), 60)
        assert f"at {size}: {minutes}m{rest:02d}s" in said
    assert "Estimated from trials at 32 and 64" in said
    assert "Start with image_size 224." in said  # two minutes


def test_a_size_that_takes_long_is_not_advised(tmp_path):
    seconds = {32: 60.0, 64: 600.0, 128: 4000.0, 224: 30_000.0}
    assert image_sizes.good_start(seconds, 224) == 64
    assert image_sizes.good_start({**seconds, 64: 2000.0}, 224) == 32
    assert image_sizes.good_start({32: 9e9}, 224) == 32
    assert image_sizes.good_start({16: 5.0, 32: 60.0, 64: 600.0}, 40) == 32


@pytest.mark.parametrize("size", [16, 32])
def test_small_images_are_tried_at_their_size_only(tmp_path, tried, size):
    root = photos(tmp_path / "photos", 24)
    said = image_sizes.estimate(options_of(root, size))
    if size == 32:
        assert tried == [32] and "Start with" not in said
    assert "Measured now on random images" in said


def test_a_class_of_one_image_is_described_and_pointed_out(
    tmp_path, tried, capsys, monkeypatch
):
    root = photos(tmp_path / "photos", 24)
    photos(root, 24, ("lonely",), 1)
    common = ["--image-folder", str(root), "--runs-dir", str(tmp_path / "r")]
    assert describe.main(common) == 0
    shown = capsys.readouterr().out
    assert "note: class lonely: 1 sample(s) to train on" in shown
    assert "Training stops there." in shown and "imbalance ratio" in shown

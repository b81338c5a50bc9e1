"""A dataset whose classes follow from the seed, end to end."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import train_gamo
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data.readers import sun397
from gamo_tf.runs.run import Run

SIZES = {
    "/a/abbey": 24,
    "/b/bar": 8,
    "/b/bath/outdoor": 12,
    "/c/cave": 11,
    "/d/den": 9,
}


@pytest.fixture
def scenes(monkeypatch, tmp_path) -> Path:
    """A data folder with a few small categories, of which four fit."""
    monkeypatch.setattr(sun397, "CLASSES", 4)
    monkeypatch.setattr(sun397, "RATIO", 5.0)
    row = replace(DATASETS["sun397"], test_per_class=4)
    monkeypatch.setitem(DATASETS, "sun397", row)
    root = tmp_path / "data" / "sun397"
    for name, n in SIZES.items():
        folder = root.joinpath("SUN397", *name.split("/"))
        folder.mkdir(parents=True)
        for k in range(n):
            mode, side = ("RGB", "L", "CMYK")[k % 3], (600, 300)[k % 2]
            image = Image.new(mode, (side, side + 10))
            image.save(folder / f"sun_{k:04d}.jpg")
    (root / "ClassName.txt").write_text("\n".join(SIZES) + "\n")
    return tmp_path / "data"


@pytest.mark.slow
def test_train_and_dry_run(scenes, tmp_path, capsys):
    flags = ["--dataset", "sun397", "--data-dir", str(scenes)]
    more = ["--batch-size", "8", "--iterations", "3", "--runs-dir", str(tmp_path / "r")]
    assert train_gamo.main([*flags, *more]) == 0
    run = Run.open(tmp_path / "r" / "00000-sun397-gamo-ls")
    options = run.options
    assert options.batch_size == 8 and options.patches == (512, 224)
    assert max(options.counts) == 20 and min(options.counts) == 4
    assert len(options.classes) == 4
    assert set(options.classes) <= {"abbey", "bar", "bath-outdoor", "cave", "den"}
    tested = run.rows().groupby(["set", "label"]).size()["test"]
    assert tested.tolist() == [4] * 4
    split = run.load_split(run.arrays(scenes))
    assert split.images.shape[1:] == (64, 64, 3)
    capsys.readouterr()
    assert train_gamo.main([*flags, "--dry-run"]) == 0
    assert '"batch_size": 128' in capsys.readouterr().out

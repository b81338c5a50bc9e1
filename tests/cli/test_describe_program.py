"""What data looks like, and what training would take."""

import io
import json

import numpy as np
import pytest
from PIL import Image

import train_gamo
from gamo_tf.cli import describe
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import resolve, spec_of


@pytest.mark.parametrize(
    "program", [pytest.param("train", marks=pytest.mark.slow), "describe"]
)
def test_describe(program, image_root, tmp_path, capsys):
    flags = ["--image-folder", str(image_root), "--image-size", "16"]
    flags += ["--iterations", "20", "--runs-dir", str(tmp_path / "r")]
    flags += ["--method", "gamo"]  # the game shows samples by class
    if program == "train":
        assert train_gamo.main([*flags, "--describe"]) == 0
    else:
        assert describe.main(flags) == 0
    shown = capsys.readouterr().out
    expected = "66 training rows of 16 x 16 x 3 pixels, 3 classes, imbalance ratio 6.9"
    assert expected in shown and "MiB of memory" in shown
    # Of the 78 samples that are lacking, 41 are of class three: 20 x 32 x 41 / 78.
    line = next(text for text in shown.splitlines() if text.startswith("three"))
    assert line.split()[3:5] == ["41", "336"]
    assert [p.name for p in (tmp_path / "r").iterdir()] == ["describe-my-digits.png"]
    picture = Image.open(tmp_path / "r" / "describe-my-digits.png")
    assert np.asarray(picture).std() > 10


def test_describe_takes_the_flags_of_a_run_but_not_those_that_start_one(capsys):
    with pytest.raises(SystemExit) as stop:
        describe.main(["--resume", "x"])
    assert stop.value.code == 2
    assert "gamo describe: error: unrecognized" in capsys.readouterr().err
    assert describe.main(["--dataset", "digits", "--iterations", "0"]) == 2
    assert "--iterations 0" in capsys.readouterr().err


@pytest.mark.parametrize(("encoding", "sign"), [("utf-8", "█"), ("cp1252", "#")])
def test_bars_are_what_the_console_can_show(encoding, sign, monkeypatch):
    console = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr("sys.stdout", console)
    shown = describe.text(resolve({"dataset": "digits"}))
    assert sign * 30 in shown and ("█" in shown) == (sign == "█")


def test_names_of_classes_stay_on_their_line():
    own = {"dataset": "own", "data": "/x", "shape": (3,), "counts": (9, 2)}
    options = resolve({**own, "classes": ("a\nb" + "c" * 99, "d")})
    lines = describe.text(options).splitlines()
    line = next(text for text in lines if text.startswith(r"a\nbccc"))
    assert "…" in line and len(line) < 120


def test_more_rows_than_memory_are_not_tried_out():
    options = resolve({"dataset": "mnist", "counts": (10**9, *[9] * 9)})
    assert describe.estimate(options).startswith("not tried out: ")


def test_whether_the_files_are_there_that_are_decoded_once(tmp_path):
    options = resolve({"dataset": "celeba-small"})
    assert "missing in" in describe.data_state(options, tmp_path)
    faces = tmp_path / "celeba"
    (faces / "img_align_celeba").mkdir(parents=True)
    (faces / "list_attr_celeba.txt").write_text("")
    assert "to be decoded once" in describe.data_state(options, tmp_path)
    pool = tmp_path / "prepared"
    pool.mkdir()
    images = np.zeros((129, *spec_of(options).shape), np.uint8)
    np.save(pool / "celeba-small.npy", images)
    card = {"images": 129, "content": "a digest"}
    (pool / "celeba-small.json").write_text(json.dumps(card))
    found = describe.data_state(options, tmp_path)
    assert "129 images, decoded already" in found and str(pool) in found
    assert describe.data_state(resolve({"dataset": "digits"}), tmp_path) == ""


def test_classes_drawn_by_seed_are_described_without_their_images(
    tmp_path, capsys, monkeypatch
):
    called = []

    def draw_classes(spec, data_dir, seed, decode=True):
        called.append((spec.name, seed, decode))
        raise OSError("enough")

    monkeypatch.setattr("gamo_tf.data.load.draw_classes", draw_classes)
    name = next(name for name, spec in DATASETS.items() if spec.draws_classes)
    flags = ["--dataset", name, "--seed", "3", "--data-dir", str(tmp_path)]
    assert describe.main(flags) == 2
    assert train_gamo.main([*flags, "--dry-run"]) == 2
    assert train_gamo.main(flags) == 2
    assert called == [(name, 3, False), (name, 3, False), (name, 3, True)]

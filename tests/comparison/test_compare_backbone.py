"""`gamo compare` behind a pretrained network, beside a small one from scratch."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from gamo_tf.comparison import plan, program
from gamo_tf.comparison.costs import kind_of
from gamo_tf.comparison.peers import FROM_SCRATCH, title_of
from gamo_tf.data import image_folder
from gamo_tf.data.feature_store import FeatureStore


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> Path:
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3))
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2D(24, 3, padding="same", activation="relu")(x)
    path = tmp_path_factory.mktemp("network") / "small.keras"
    keras.Model(image, layers.GlobalAveragePooling2D()(x)).save(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Dark, middle and bright noise: 40, 20 and 12 photographs."""
    root, rng = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
    for name, n, level in (("dark", 40, 60), ("middle", 20, 120), ("bright", 12, 180)):
        (root / name).mkdir()
        for k in range(n):
            noise = rng.normal(level, 40, (24, 20, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(noise).save(root / name / f"{k}.png")
    return root


def test_the_default_list_has_the_small_network_beside():
    names = plan.default_methods(None, pretrained=True)
    scratch = [name for name in names if name.endswith(FROM_SCRATCH)]
    assert len(scratch) == 1 and "from scratch" in title_of(scratch[0])
    assert kind_of("cn") != kind_of(f"cn{FROM_SCRATCH}")
    assert {"balanced-logistic", "lda", "gamo", "cn"} <= set(names)


def test_a_training_from_scratch_has_no_flag_of_the_backbone(tmp_path):
    flags = {"backbone": "x.keras", "head": "linear", "image_size": 64, "color": "gray"}
    some = plan.Plan(flags, ["cn"], 1, 100, tmp_path, 1, tmp_path)
    assert some.settings_for("cn") == {"loss": "ce", **flags}
    found = some.settings_for(f"cn{FROM_SCRATCH}")
    assert found == {
        "learning_rate": 0.001,
        "loss": "ce",
        "color": "gray",
        "augment": True,
    }


def test_each_file_is_decoded_once(folder, monkeypatch):
    files = sorted(map(str, folder.glob("*/*.png")))
    decoded = []
    read = image_folder.file_bytes
    monkeypatch.setattr(
        image_folder, "file_bytes", lambda path: decoded.append(path) or read(path)
    )
    with image_folder.decoded_once():
        one = image_folder.read(files, 16, gray=False)
        two = image_folder.read(files[::-1], 16, gray=False)
        image_folder.read(files[:3], 8, gray=False)
    np.testing.assert_array_equal(one.pixels, two.pixels[::-1])
    assert one.digests == two.digests[::-1]
    assert len(decoded) == len(files) + 3
    image_folder.read(files[:2], 16, gray=False)
    assert len(decoded) == len(files) + 5  # nothing is kept any more


def test_a_method_from_scratch_needs_a_backbone_beside_it(folder, tmp_path, capsys):
    flags = ["--image-folder", str(folder), "--out", str(tmp_path / "out")]
    assert program.main([*flags, "--methods", f"cn{FROM_SCRATCH}"]) == 2
    assert "needs --backbone" in capsys.readouterr().err


@pytest.mark.slow
def test_a_published_set_is_compared_behind_a_network(network, tmp_path):
    out = tmp_path / "out"
    flags = ["--dataset", "digits", "--backbone", str(network), "--image-size", "16"]
    flags += ["--seeds", "2", "--jobs", "1", "--iterations", "60", "--out", str(out)]
    assert program.main([*flags, "--methods", "cn", "lda"]) == 0
    found = json.loads((out / "answer.json").read_text())
    assert {line["method"] for line in found["leaderboard"]} == {"cn", "lda"}


@pytest.mark.slow
def test_photographs_are_compared_behind_a_network(
    network, folder, tmp_path, capsys, monkeypatch
):
    out = tmp_path / "out"
    methods = ("cn", "gamo", "balanced-logistic", "lda", f"cn{FROM_SCRATCH}")
    flags = [
        *("--image-folder", str(folder), "--backbone", str(network)),
        *("--image-size", "16", "--seeds", "2", "--jobs", "2", "--iterations", "60"),
        *("--methods", *methods, "--out", str(out), "--test-split", "0.3"),
    ]
    assert program.main(flags) == 0
    printed = capsys.readouterr()
    assert printed.err.count("small: 100%") == 1  # one extraction, here
    found = json.loads((out / "answer.json").read_text())
    lines = {line["method"]: line for line in found["leaderboard"]}
    assert set(lines) == set(methods)
    records = {
        method: json.loads((out / "jobs" / f"{method}-0" / "record.json").read_text())
        for method in methods
    }
    assert len({tuple(record["test_full"]["rows"]) for record in records.values()}) == 1
    run = next((out / "jobs" / f"cn{FROM_SCRATCH}-0" / "runs").glob("0*"))
    options = json.loads((run / "options.json").read_text())
    assert options["backbone"] == "" and options["shape"] == [32, 32, 3]
    for log in out.glob("jobs/*/log.txt"):
        assert "image/s" not in log.read_text()  # and none in the trainings
    # What is there is not extracted again.
    monkeypatch.setattr(FeatureStore, "_append", None)
    assert program.main([*flags, "--known"]) == 0

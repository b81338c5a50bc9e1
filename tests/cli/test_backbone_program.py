"""Training behind a pretrained network from the command line, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import pytest
from keras import layers

import train_gamo
from gamo_tf.cli import describe


def save(model: keras.Model, path: Path) -> Path:
    model.save(path)
    return path


def network(channels: int = 3, outputs: int = 1) -> keras.Model:
    image = keras.Input((None, None, channels))
    x = layers.Conv2D(6, 3, strides=2, activation="relu")(image)
    x = layers.Conv2D(8, 3, strides=2, activation="relu")(x)
    found = [layers.GlobalAveragePooling2D()(x) for _ in range(outputs)]
    return keras.Model(image, found if outputs > 1 else found[0])


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    keras.utils.set_random_seed(0)
    return save(network(), tmp_path_factory.mktemp("network") / "small.keras")


def started(tmp_path: Path, *more: object) -> int:
    flags = ["--dataset", "digits", "--runs-dir", tmp_path / "runs", *more]
    return train_gamo.main(list(map(str, flags)))


@pytest.mark.slow
def test_a_run_behind_a_file_is_described_trained_and_resumed(file, tmp_path, capsys):
    flags = ("--backbone", file, "--image-size", "24", "--method", "logit-adjust")
    assert started(tmp_path, *flags, "--dry-run") == 0
    options = json.loads(capsys.readouterr().out.split("\ndata from")[0])
    assert options["backbone"] == str(file) and options["backbone_side"] == 24
    assert options["head"] == "linear" and not options["augment"]
    assert started(tmp_path, *flags, "--iterations", "20") == 0
    printed = capsys.readouterr()
    assert "308 rows" in printed.out and "small: 100%" in printed.err
    run = tmp_path / "runs" / "00000-digits-logit-adjust-ce"
    (run / "results.json").unlink()
    assert train_gamo.main(["--resume", str(run)]) == 0
    assert json.loads((run / "results.json").read_text())["iterations"] == 20


@pytest.mark.slow
def test_describe_tells_what_extraction_takes(file, tmp_path, capsys):
    flags = ["--dataset", "digits", "--runs-dir", tmp_path, "--backbone", file]
    assert describe.main(list(map(str, flags))) == 0
    assert "308 training images pass once through small" in capsys.readouterr().out


def no_model(path: Path) -> Path:
    path.write_text("not a network")
    return path


def table_model(path: Path) -> Path:
    x = keras.Input((4,))
    return save(keras.Model(x, layers.Dense(2)(x)), path)


def lambda_model(path: Path) -> Path:
    x = keras.Input((None, None, 3))
    return save(keras.Model(x, layers.Lambda(lambda y: y[:, 0, 0])(x)), path)


def shallow(path: Path) -> Path:
    """Takes images of 16 pixels or more."""
    x = keras.Input((None, None, 3))
    y = layers.Conv2D(4, 16)(x)
    return save(keras.Model(x, layers.GlobalAveragePooling2D()(y)), path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (no_model, "x.keras"),
        (table_model, "no image"),
        (lambda_model, "Lambda"),
        (shallow, "does not fit images of 8 x 8"),
        (lambda path: save(network(outputs=2), path), "has 2 outputs"),
        (lambda path: path, "no such file"),
        (lambda path: path.with_suffix(".h5"), "comes as a .keras file"),
    ],
)
def test_a_network_that_does_not_fit_is_one_line_and_nothing_is_written(
    make, words, tmp_path, capsys
):
    path = make(tmp_path / "x.keras")
    flags = ("--backbone", path, "--image-size", "8", "--method", "cn")
    assert started(tmp_path, *flags) == 2
    said = capsys.readouterr().err
    assert words in said and path.name in said and said.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--backbone", "EfficientNetV2B"), "Did you mean EfficientNetV2B0?"),
        (("--backbone", "given"), "has no name here"),
        (("--backbone", "MobileNetV3Small", "--image-size", "16"), "32 pixels"),
        (("--backbone-trains", "top"), "needs a pretrained network"),
        (("--views", "3"), "needs a pretrained network"),
        (("--image-size", "64"), "--image-size: goes with"),
        (("--backbone", "x.keras", "--method", "cmo"), "needs pixels"),
        (("--backbone", "x.keras", "--method", "dos"), "needs pixels"),
        (("--backbone", "x.keras", "--weight-decay", "-1"), "--weight-decay"),
    ],
)
def test_flags_that_do_not_go_together_are_one_line(flags, words, tmp_path, capsys):
    assert started(tmp_path, *flags) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_weights_of_another_network_are_refused(file, tmp_path, capsys):
    keras.utils.set_random_seed(1)
    other = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(3, 3)])
    weights = save(other, tmp_path / "weights.keras")
    flags = ("--backbone", file, "--backbone-weights", weights, "--method", "cn")
    assert started(tmp_path, *flags) == 2
    assert "not the weights of" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_colour_images_do_not_fit_a_grey_network(tmp_path, image_root, capsys):
    path = save(network(channels=1), tmp_path / "grey.keras")
    flags = ["--image-folder", image_root, "--backbone", path, "--image-size", "16"]
    flags += ["--runs-dir", tmp_path / "runs"]
    assert train_gamo.main(list(map(str, flags))) == 2
    assert "takes images of 1 channel; these have 3" in capsys.readouterr().err

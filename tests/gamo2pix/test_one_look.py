"""Nothing about the files of a balanced folder tells real from generated images."""

import json
import os
import struct
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from gamo2pix import balanced_folder, real_files
from gamo2pix.balanced_folder import Contents
from gamo2pix.generate import ImageGenerator
from gamo2pix.options import PixOptions
from gamo2pix.request import Request, check_folder
from gamo2pix.vae import FeatureDecoder, Vae
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.errors import UserError, speaking_to

SPEC = DATASETS["digits"]
FORMS = ("jpg", "png", "tif", "gif", "bmp", "webp")


def photo(path: Path, k: int) -> None:
    """A photograph like those that people have: any size, format, mode and time."""
    side = 24 + 8 * (k % 5)
    mode = ("RGB", "L", "P", "RGBA")[k % 4]
    image = Image.fromarray(np.full((side, side + k % 3), 9 * (k % 20), np.uint8))
    if path.suffix in (".jpg", ".bmp"):
        mode = "RGB"
    image.convert(mode).save(path, dpi=(72 + k % 3, 72))
    os.utime(path, (k, k))


@pytest.fixture(scope="module")
def contents(untrained, tmp_path_factory) -> Contents:
    """A user's photographs, of which two classes are topped up."""
    generator = ImageGenerator(untrained.run, untrained.split, 0)
    vae = Vae(PixOptions(), 512, SPEC.shape, 10)
    decoder = FeatureDecoder(vae.head, vae.decoder)
    photos = tmp_path_factory.mktemp("photos")
    sets = {}
    usual = real_files.real_sets(untrained.run, untrained.split, None)
    for name, each in usual.items():
        sources = []
        for k in range(len(each.labels)):
            sources.append(str(photos / f"{name}-{k}.{FORMS[k % len(FORMS)]}"))
            photo(Path(sources[-1]), k)
        index, files = np.arange(len(sources)), np.array(sources, object)
        sets[name] = replace(each, index=index, sources=files)
    return Contents(
        untrained.run, SPEC, sets, generator, dict.fromkeys((8, 9), decoder), 60
    )


def chunks(data: bytes) -> list[bytes]:
    names, place = [], 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        names.append(data[place + 4 : place + 8])
        place += 12 + length
    return names


def traits(path: Path) -> list[str]:
    """What can be known of an image without a look at its pixels."""
    data, found = path.read_bytes(), path.stat()
    with Image.open(path) as image:
        values = [*image.size, image.format, image.mode, sorted(image.info)]
        values += [image.getbands(), sorted(image.getexif())]
    values += [path.suffix, len(path.name), found.st_mode, found.st_mtime_ns]
    if image.format == "PNG":
        header = data.index(b"IDAT") + 4
        values += [data[16:29], data[header : header + 2], chunks(data)]
    return [str(value) for value in values + [None] * (14 - len(values))]


def table(folder: Path, part: str = "train") -> tuple[np.ndarray, np.ndarray]:
    files = sorted((folder / part).glob("*/*"))
    y = np.array([path.name.startswith("gamo-") for path in files])
    return np.array([traits(path) for path in files], object), y


def gain(X: np.ndarray, y: np.ndarray) -> float:
    """How far the better of two classifiers is above the share of the larger class."""
    encoded = OneHotEncoder(handle_unknown="ignore").fit_transform(X)
    score = {
        model: cross_val_score(model, encoded, y, cv=5).mean()
        for model in (
            DummyClassifier(),
            DecisionTreeClassifier(random_state=0),
            LogisticRegression(),
        )
    }
    chance, *others = score.values()
    return max(others) - chance


def test_size_and_format_tell_nothing(contents, tmp_path):
    balanced_folder.save(tmp_path / "b", contents)
    X, y = table(tmp_path / "b")
    assert 0 < y.sum() < len(y) and gain(X, y) == 0
    assert all(len(set(column)) == 1 for column in X.T)
    # The other sets look as the training images do, times aside.
    for part in ("test",):
        other, _ = table(tmp_path / "b", part)
        assert {tuple(x) for x in other} == {tuple(X[0])}


@pytest.mark.parametrize("how", ["copy", "link"])
def test_original_files_tell_and_a_warning_says_so(contents, how, tmp_path):
    sets = {name: replace(each, how=how) for name, each in contents.sets.items()}
    balanced_folder.save(tmp_path / "b", replace(contents, sets=sets))
    assert gain(*table(tmp_path / "b")) > 0.05
    with speaking_to("gamo"):
        warning, note = real_files.notes(sets)
    assert "generated ones are PNG files of 8 x 8 pixels" in warning
    assert "give --originals resized" in warning and ".tif" in note
    sheet = pd.read_csv(tmp_path / "b" / "manifest.csv")
    forms = sheet.groupby("synthetic")["form"].unique().map(list).to_dict()
    assert forms == {0: ["original"], 1: ["generated"]}
    card = json.loads((tmp_path / "b" / "dataset.json").read_text())
    assert card["originals"] == how


def test_the_manifest_and_the_card_say_how_images_were_written(contents, tmp_path):
    balanced_folder.save(tmp_path / "b", contents)
    assert not real_files.notes(contents.sets)
    sheet = pd.read_csv(tmp_path / "b" / "manifest.csv")
    forms = sheet.groupby("synthetic")["form"].unique().map(list).to_dict()
    assert forms == {0: ["resized"], 1: ["generated"]}
    card = json.loads((tmp_path / "b" / "dataset.json").read_text())
    assert card["originals"] == "resized" and "'resized'" in card["manifest"]
    data = keras.utils.image_dataset_from_directory(
        tmp_path / "b" / "train", image_size=(8, 8), verbose=False
    )
    assert len(data.file_paths) == len(sheet)  # Keras reads every one


def test_resized_is_the_default(untrained):
    sets = real_files.real_sets(untrained.run, untrained.split, None)
    assert {each.how for each in sets.values()} == {"resized"}
    with pytest.raises(UserError, match="originals copy: digits is a published"):
        real_files.check(untrained.run, "copy")


def test_a_long_suffix_is_none(contents):
    sources = np.array(["/a/x." + "y" * 250, "/a/x.jpeg"], object)
    real = replace(contents.sets["train"], sources=sources, how="copy")
    assert real.file(0, "cat").endswith("/real-000000")
    assert real.file(1, "cat").endswith("/real-000001.jpeg")


def test_a_class_name_that_the_file_system_does_not_take(contents, tmp_path):
    long = "é" * 150
    spec = replace(SPEC, classes=(*SPEC.classes[:-1], long))
    with pytest.raises(UserError, match=f"longest class name is {long}"):
        balanced_folder.save(tmp_path / "b", replace(contents, spec=spec))
    assert not (tmp_path / "b").exists()
    spec = replace(SPEC, classes=(*SPEC.classes[:-1], "é" * 127))
    balanced_folder.save(tmp_path / "b", replace(contents, spec=spec))


@pytest.mark.parametrize(
    "place", ["photos/new", "photos/cat", "photos/cat/b", "tests/dog/b", "photos/cat/x"]
)
def test_a_balanced_folder_never_lies_among_the_images(place, tmp_path, untrained):
    for name in ("photos/cat/x", "photos/dog", "tests/dog"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "1.png").touch()

    class OwnRun(type(untrained.run)):
        @property
        def options(self):
            data, tests = str(tmp_path / "photos"), str(tmp_path / "tests")
            return replace(super().options, data=data, test_data=tests)

    run = OwnRun(untrained.run.path)
    request = Request(save_balanced=tmp_path / place, force=True)
    with speaking_to("gamo"), pytest.raises(UserError) as caught:
        check_folder(run, request)
    start = f"--save-balanced {tmp_path}/{place}: lies among the images of {tmp_path}/"
    assert caught.value.message.startswith(start)

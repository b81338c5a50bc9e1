"""The balanced folder: its images are what the manifest and the card say."""

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gamo2pix import balanced_folder, downstream, real_files
from gamo2pix.balanced_folder import Contents
from gamo2pix.generate import ImageGenerator
from gamo2pix.options import PixOptions
from gamo2pix.reference_classifier import reference
from gamo2pix.trust import Judge, Limits
from gamo2pix.vae import FeatureDecoder, Vae
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data import load
from gamo_tf.errors import UserError, speaking_to

SPEC = DATASETS["digits"]


@pytest.fixture(scope="module")
def generator(untrained) -> ImageGenerator:
    return ImageGenerator(untrained.run, untrained.split, 0)


@pytest.fixture(scope="module")
def decoder() -> FeatureDecoder:
    vae = Vae(PixOptions(), 512, SPEC.shape, 10)
    return FeatureDecoder(vae.head, vae.decoder)


@pytest.fixture(scope="module")
def judge(untrained, generator, digits_reference, tmp_path_factory) -> Judge:
    folder = tmp_path_factory.mktemp("judge")
    digits_reference(folder)
    opinion = reference(SPEC, load.read(SPEC, folder), folder)
    return Judge(untrained.run, generator, opinion)


@pytest.fixture(scope="module")
def contents(untrained, generator, decoder, judge) -> Contents:
    """Of all smaller classes, which get 100 images."""
    decoders = dict.fromkeys(range(1, 10), decoder)
    return Contents(
        untrained.run,
        SPEC,
        real_files.real_sets(untrained.run, untrained.split, None),
        generator,
        decoders,
        100,
        judge=judge,
        verdicts={"9": "do not use: why"},
        details={"scores": [1]},
    )


@pytest.fixture(scope="module")
def folder(contents, tmp_path_factory):
    path = tmp_path_factory.mktemp("balanced") / "below" / "folder"
    added = balanced_folder.save(path, contents)
    assert added["9"] == 95 and "0" not in added and sum(added.values()) == 692
    return path


def read(folder) -> pd.DataFrame:
    return pd.read_csv(folder / "manifest.csv", dtype={"name": str})


def test_every_class_is_topped_up_and_real_images_are_kept(folder, untrained):
    split, sheet = untrained.split, read(folder)
    assert sheet.groupby("label").size().tolist() == [100] * 10
    assert len(list((folder / "train").rglob("*.png"))) == len(sheet) == 1000
    for row, image, label in zip(
        split.train_index, split.images, split.labels, strict=True
    ):
        path = folder / f"train/{label}/real-{row:06d}.png"
        np.testing.assert_array_equal(np.asarray(Image.open(path)), image[..., 0])
    real = sheet[sheet["synthetic"] == 0]
    assert sorted(real["row"]) == sorted(split.train_index)
    made = downstream.load_generated(folder, SPEC)
    assert made.images.shape == (692, 8, 8, 1)
    missing = [100 - n for n in SPEC.counts]
    assert np.bincount(made.labels, minlength=10).tolist() == missing
    assert not list(folder.parent.rglob(".part*"))


def test_parents_are_rows_of_the_class_with_their_weights(
    folder, untrained, generator, decoder
):
    split, sheet = untrained.split, read(folder)
    generated = sheet[sheet["synthetic"] == 1]
    assert generated["parent_1_weight"].between(0.2 / 60, 1).all()
    assert set(generated["seed"]) == {0} and set(sheet["run"]) == {
        untrained.run.path.name
    }
    known = set(sheet["file"])
    labels = dict(zip(split.train_index, split.labels, strict=True))
    for k in range(1, 6):  # the rarest class has five parents
        parents = generated.dropna(subset=[f"parent_{k}"])
        assert set(parents[f"parent_{k}"]) <= known
        rows = parents[f"parent_{k}_row"].astype(int)
        assert [labels[r] for r in rows] == parents["label"].tolist()
    # The seed makes the same image again, in any chunk.
    again = generator.generate(9, decoder, 20, 23)
    for k, image in enumerate(again.images):
        file = f"train/9/gamo-{20 + k:06d}.png"
        kept = np.asarray(Image.open(folder / file))
        assert np.abs(kept.astype(int) - image[..., 0]).max() <= 1  # float order
        line = sheet.set_index("file").loc[file]
        assert line["parent_1_weight"] == pytest.approx(again.weights[k].max(), 1e-3)


def test_card_says_what_the_folder_is(folder, untrained):
    card = json.loads((folder / "dataset.json").read_text())
    assert card["generated"]["9"] == 95 and card["real"]["0"] == 100
    assert card["run_options"] == json.loads(
        json.dumps(untrained.run.options.to_json())
    )
    assert "apostrophe" in card["manifest"]
    assert "CC BY" in card["licence"] and "GAMO2pix" in card["what"]
    assert card["scores"] == [1] and {"versions", "date"} <= set(card)


def test_every_generated_image_is_judged(folder, contents, judge):
    sheet = read(folder)
    columns = ["copy", "confidence", "confidence_m", "realness_d"]
    made = sheet[sheet["synthetic"] == 1]
    assert made[columns].notna().all(axis=None)
    assert made[columns].stack().between(0, 1).all()
    assert sheet[sheet["synthetic"] == 0][columns].isna().all(axis=None)
    files = made[made["label"] == 4]
    images = np.stack([np.asarray(Image.open(folder / f)) for f in files["file"]])
    again = judge(4, images[..., None])
    np.testing.assert_allclose(files[columns], np.stack(again, axis=1), atol=1e-3)
    # A copy is known, whatever it is a copy of.
    real = contents.generator.images[contents.generator.rows[4]]
    assert judge(4, real).copy.min() > 0.99


def test_limits_leave_out_images_and_make_up_the_numbers(contents, judge, tmp_path):
    two = replace(contents, decoders={1: contents.decoders[1]}, per_class=70)
    usual = judge(1, contents.generator.generate(1, two.decoders[1], 0, 90).images)
    limits = Limits(max_copy=float(np.median(usual.copy)))
    some = replace(two, limits=limits)
    added = balanced_folder.save(tmp_path / "some", some)
    sheet = read(tmp_path / "some")
    made = sheet[sheet["synthetic"] == 1]
    assert added == {"1": len(made)} and len(made) == 70 - SPEC.counts[1]
    assert (made["copy"] <= limits.max_copy + 1e-4).all()
    numbers = made["file"].str.extract(r"gamo-(\d+)")[0].astype(int).tolist()
    kept = np.flatnonzero(limits.keep(usual))[: len(made)].tolist()
    assert numbers[: len(kept)] == kept  # the first of the stream that are within it
    card = json.loads((tmp_path / "some" / "dataset.json").read_text())
    assert card["limits"] == {"min_confidence": None, "max_copy": limits.max_copy}
    none = replace(two, limits=Limits(min_confidence=1.0, max_copy=0.0))
    expected = r"min_confidence 1 max_copy 0: of class 1 0 of \d+ generated images"
    with pytest.raises(UserError, match=expected):
        balanced_folder.save(tmp_path / "none", none)
    assert not (tmp_path / "none").exists()


def test_other_readers_read_the_folder(folder, untrained):
    for name, rows in (("train", 1000), ("test", 500)):
        data = keras.utils.image_dataset_from_directory(
            folder / name,
            color_mode="grayscale",
            image_size=(8, 8),
            shuffle=False,
            verbose=False,
        )
        assert data.class_names == list(SPEC.classes) and len(data.file_paths) == rows
        listed = pd.read_csv(folder / name / "metadata.csv", dtype=str)
        below = {str(Path(p).relative_to(folder / name)) for p in data.file_paths}
        assert set(listed["file_name"]) == below and len(listed) == rows
        assert (listed["file_name"].str.split("/").str[0] == listed["label"]).all()
    assert not (folder / "validation").exists()  # the run has no such rows
    first = int(np.flatnonzero(untrained.split.test_labels == 7)[0])
    image = Image.open(folder / f"test/7/real-{first:06d}.png")
    np.testing.assert_array_equal(image, untrained.split.test_images[first, ..., 0])


@pytest.mark.slow
def test_torchvision_reads_the_folder(folder, elsewhere):
    code = """
from torchvision.datasets import ImageFolder
found = ImageFolder(str(values["place"]))
print(json.dumps([found.classes, np.bincount(found.targets).tolist()]))
"""
    classes, sizes = elsewhere("torchvision", code, place=str(folder / "train"))
    assert classes == list(SPEC.classes) and sizes == [100] * 10


@pytest.mark.slow
def test_hugging_face_reads_the_folder(folder, elsewhere):
    code = """
from datasets import load_dataset
place, cache = str(values["place"]), str(values["cache"])
found = load_dataset("imagefolder", data_dir=place, cache_dir=cache)
labels = {name: list(map(str, split["label"])) for name, split in found.items()}
print(json.dumps({name: [len(x), sorted(set(x))] for name, x in labels.items()}))
"""
    cache = folder.parent / "cache"
    found = elsewhere("datasets", code, place=str(folder), cache=str(cache))
    classes = list(SPEC.classes)
    assert found == {"train": [1000, classes], "test": [500, classes]}


def test_the_contact_sheet_shows_every_class(folder):
    assert np.asarray(Image.open(folder / "overview.png")).std() > 10
    page = (folder / "index.html").read_text()
    for name in SPEC.classes[1:]:
        assert f">{name}</h2>" in page
    assert page.count("<img") == 9 and "do not use: why" in page


@pytest.mark.parametrize("how", ["copy", "link", "resized"])
def test_a_users_files_stay_as_they_are(contents, how, tmp_path):
    """Photographs of another size and format, one of which Keras does not read."""
    shown = contents.sets["train"]
    photos = tmp_path / "photos"
    photos.mkdir()
    ends = np.where(shown.labels == 9, "tif", "JPG")
    sources = [str(photos / f"{k}.{end}") for k, end in enumerate(ends)]
    for source in sources:
        Image.new("L", (20, 10), 77).save(source)

    index, files = np.arange(len(sources)), np.array(sources, object)
    sets = {"train": replace(shown, index=index, sources=files, how=how)}
    folder = tmp_path / "folder"
    decoders = {9: contents.decoders[9]}
    own = replace(contents, sets=sets, decoders=decoders, per_class=7)
    assert balanced_folder.save(folder, own) == {"9": 2}
    sheet = read(folder)
    assert sheet.columns.tolist()[4:9] == ["row", "source", "seed", "run", "copy"]
    real, made = (sheet[sheet["synthetic"] == k] for k in (0, 1))
    assert len(made) == 2 and made["source"].isna().all()
    assert real["source"].tolist() == sources
    for file, source in real[["file", "source"]].to_numpy():
        path = folder / file
        assert path.is_symlink() == (how == "link")
        if how == "resized":
            assert Image.open(path).size == (8, 8) and path.suffix == ".png"
        else:
            assert path.read_bytes() == Path(source).read_bytes()
            assert path.suffix == Path(source).suffix
    for k in range(1, 6):
        rows = made[f"parent_{k}_row"].astype(int)
        assert made[f"parent_{k}_source"].tolist() == [sources[row] for row in rows]
        assert set(made[f"parent_{k}"]) <= set(real["file"])
    unread = real_files.unread_by_keras(sets)
    assert unread == ([] if how == "resized" else [".tif"])


def test_a_folder_of_another_is_never_replaced(tmp_path):
    balanced_folder.check(tmp_path / "new", force=False)
    with pytest.raises(UserError, match="not one of ours"):
        balanced_folder.check(tmp_path, force=True)
    (tmp_path / "manifest.csv").touch()
    balanced_folder.check(tmp_path, force=True)
    with speaking_to("gamo"), pytest.raises(UserError, match=r"^--save-balanced .*--f"):
        balanced_folder.check(tmp_path, force=False)


def test_a_place_that_cannot_be_written_is_told(contents, tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "folder"
    with pytest.raises(UserError, match=r"save_balanced .*cannot be written"):
        balanced_folder.save(path, contents)


@pytest.mark.slow
def test_downstream_trains_on_all_sets_and_tests_on_all_test_images(
    folder, untrained, tmp_path
):
    class ShortRun(type(untrained.run)):
        @property
        def options(self):
            return replace(super().options, iterations=4)

    run = ShortRun(untrained.run.path)
    found = downstream.evaluate(run, SPEC, untrained.split, folder, seeds=2)
    made = downstream.load_generated(folder, SPEC)
    sure = int((made.confidence_m >= 0.5).sum())
    assert 0 <= sure < 692
    sizes = found.groupby("trained_on", sort=False)["images"].first().to_dict()
    assert sizes == {
        "originals": 308,
        "originals, repeated": 308,
        "balanced folder": 1000,
        "balanced folder, filtered": 308 + sure,
    }
    assert found["seed"].tolist() == [0] * 4 + [1] * 4
    assert set(found["updates"]) == {8} and found["acsa"].between(0, 1).all()
    shown = downstream.text(found)
    assert "8 updates, full test set" in shown and "the folder is" in shown
    downstream.write(tmp_path / "evaluation.json", found)
    kept = json.loads((tmp_path / "evaluation.json").read_text())
    assert pd.DataFrame(kept["trainings"]).equals(found)


def test_a_manifest_of_a_stranger_names_no_place_outside(folder, tmp_path):
    lines = (folder / "manifest.csv").read_text().splitlines()
    made = next(line for line in lines if "/gamo-0" in line)
    for bad in ("../../outside.png", "/etc/hostname"):
        changed = made.replace(made.split(",")[0], bad)
        (tmp_path / "manifest.csv").write_text(f"{lines[0]}\n{changed}\n")
        with pytest.raises(UserError):
            downstream.load_generated(tmp_path, SPEC)

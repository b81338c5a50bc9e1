"""The balanced folder: its images are what the manifest and the card say."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gamo2pix import balanced_folder, downstream
from gamo2pix.generate import ImageGenerator
from gamo2pix.options import PixOptions
from gamo2pix.vae import FeatureDecoder, Vae
from gamo_tf.config.dataset_specs import DATASETS
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
def folder(untrained, generator, decoder, tmp_path_factory):
    path = tmp_path_factory.mktemp("balanced") / "below" / "folder"
    decoders = dict.fromkeys(range(1, 10), decoder)
    added = balanced_folder.save(
        path, *args(untrained), generator, decoders, 100, {"scores": [1]}
    )
    assert added["9"] == 95 and "0" not in added and sum(added.values()) == 692
    return path


def args(untrained) -> tuple:
    return untrained.run, SPEC, untrained.split


def read(folder) -> pd.DataFrame:
    return pd.read_csv(folder / "manifest.csv", dtype={"name": str})


def test_every_class_is_topped_up_and_real_images_are_kept(folder, untrained):
    split, sheet = untrained.split, read(folder)
    assert sheet.groupby("label").size().tolist() == [100] * 10
    assert len(list(folder.rglob("*.png"))) == len(sheet) == 1000
    for row, image, label in zip(
        split.train_index, split.images, split.labels, strict=True
    ):
        path = folder / f"train/{label}/real-{row:06d}.png"
        np.testing.assert_array_equal(np.asarray(Image.open(path)), image[..., 0])
    real = sheet[sheet["synthetic"] == 0]
    assert sorted(real["row"]) == sorted(split.train_index)
    images, labels = balanced_folder.load(folder, SPEC)
    assert images.shape == (1000, 8, 8, 1)
    assert np.bincount(labels).tolist() == [100] * 10
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


def test_images_of_a_users_files_name_their_files(
    untrained, generator, decoder, tmp_path
):
    class UserRun(type(untrained.run)):
        def row_sources(self):
            return np.array([f"photos/{k}.jpg" for k in range(2000)])

    run = UserRun(untrained.run.path)
    path = tmp_path / "folder"
    save = (path, run, SPEC, untrained.split, generator, {9: decoder}, 7, {})
    assert balanced_folder.save(*save) == {"9": 2}
    sheet = read(path)
    assert sheet.columns.tolist()[4:9] == ["row", "source", "seed", "run", "parent_1"]
    real, generated = (sheet[sheet["synthetic"] == k] for k in (0, 1))
    assert len(generated) == 2 and generated["source"].isna().all()
    assert (real["source"] == [f"photos/{int(k)}.jpg" for k in real["row"]]).all()
    for k in range(1, 6):
        rows = generated[f"parent_{k}_row"].astype(int)
        files = [f"photos/{row}.jpg" for row in rows]
        assert generated[f"parent_{k}_source"].tolist() == files


def test_a_folder_of_another_is_never_replaced(tmp_path):
    balanced_folder.check(tmp_path / "new", force=False)
    with pytest.raises(UserError, match="not one of ours"):
        balanced_folder.check(tmp_path, force=True)
    (tmp_path / "manifest.csv").touch()
    balanced_folder.check(tmp_path, force=True)
    with speaking_to("gamo"), pytest.raises(UserError, match=r"^--save-balanced .*--f"):
        balanced_folder.check(tmp_path, force=False)


def test_a_place_that_cannot_be_written_is_told(
    untrained, generator, decoder, tmp_path
):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "folder"
    with pytest.raises(UserError, match=r"save_balanced .*cannot be written"):
        balanced_folder.save(path, *args(untrained), generator, {9: decoder}, 7, {})


def test_downstream_trains_on_both_and_tests_on_all_test_images(folder, untrained):
    run = SimpleNamespace(options=replace(untrained.run.options, iterations=4))
    found = downstream.evaluate(run, SPEC, untrained.split, folder)
    for title, images in (("imbalanced originals", 308), ("balanced folder", 1000)):
        assert found[title]["images"] == images and found[title]["updates"] == 8
        assert np.sum(found[title]["confusion"]) == 500
    shown = downstream.text(found)
    assert "8 updates, full test set of 500 images" in shown
    assert f"{found['balanced folder']['acsa']:.3f}" in shown and "GM" in shown

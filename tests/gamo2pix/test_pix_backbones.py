"""GAMO2pix of runs whose F is a pretrained network."""

from __future__ import annotations

import math
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import train_gamo2pix
from gamo2pix import code_networks, trained_backbone
from gamo2pix.code_networks import CodeShape
from gamo2pix.generate import ImageGenerator
from gamo2pix.trained_backbone import TrainedBackbone, grid, principal, spread_rows
from gamo2pix.vae import FeatureDecoder
from gamo_tf import train
from gamo_tf.config.options import resolve
from gamo_tf.data.feature_store import FeatureStore
from gamo_tf.errors import UserError
from gamo_tf.networks import backbones
from gamo_tf.networks.saved import load_network
from gamo_tf.runs.run import Run

RNG = np.random.default_rng(0)


def trained(backbone: Path, folder: Path, **more: object) -> Run:
    """A short run of GAMO on digits."""
    chosen = {"dataset": "digits", "method": "gamo", "iterations": 20, **more}
    return train.run(
        resolve({**chosen, "backbone": str(backbone)}), Path(), folder / "runs"
    )


@pytest.fixture(scope="module")
def frozen_run(small_backbone, tmp_path_factory) -> Run:
    """With a frozen F. Its folder gets decoders, and is not to be changed otherwise."""
    return trained(small_backbone, tmp_path_factory.mktemp("frozen"))


# ---- maps -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "place", "expected"),
    [
        (128, 4, 4),  # MobileNet of 128 pixels
        (224, 7, 7),
        (32, 7, 8),  # small images, which the network gets as 224 pixels
        (28, 7, 7),
        (64, 7, 8),
        (8, 4, 4),
        (8, 1, 1),
        (64, 64, 8),  # a network that keeps the size
        (1, 1, 1),
    ],
)
def test_doublings_lead_from_the_grid_to_the_image(side, place, expected):
    found = grid((side, side, 3), (place, place))
    assert found == (expected, expected)
    doublings = math.log2(side / expected)
    assert doublings == int(doublings)


@pytest.mark.parametrize("side", [32, 64, 128])
def test_the_decoder_of_a_large_backbone_stays_small(side):
    place = (*grid((side, side, 3), (4, 4)), trained_backbone.CHANNELS)
    code = CodeShape(1280, place)
    head = code_networks.head(code, 64, 16)
    decoder = code_networks.decoder(64, (*place[:2], 16), (side, side, 3))
    assert decoder.output_shape == (None, side, side, 3)
    assert head.count_params() + decoder.count_params() < 1e6


def test_principal_components_keep_what_varies():
    hidden = RNG.normal(size=(500, 3)) * [9, 4, 2]
    values = (hidden @ RNG.normal(size=(3, 20)) + 5).astype(np.float32)
    kernel, bias = principal(values, 3)
    found = values @ kernel + bias
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-3)
    assert found.var() * 3 == pytest.approx(values.var(axis=0).sum(), rel=1e-3)
    assert (np.diff(found.var(axis=0)) < 0).all()
    again, _ = principal(-values, 3)  # a sign that does not depend on the solver
    np.testing.assert_allclose(again, kernel, atol=1e-4)


def test_few_channels_stay_as_they_are():
    values = RNG.normal(size=(9, 4)).astype(np.float32)
    kernel, bias = principal(values, 4)
    np.testing.assert_array_equal(values @ kernel + bias, values)


def test_rows_of_all_classes_are_fitted():
    labels = np.repeat([0, 1, 2], [500, 40, 2])
    rows = spread_rows(labels, 30)
    assert np.bincount(labels[rows]).tolist() == [10, 10, 2]
    assert rows[0] == 0 and len(np.unique(rows)) == len(rows)


# ---- features of a run ---------------------------------------------------------------


@pytest.mark.slow
def test_a_frozen_F_sees_the_training_images_once(frozen_run, monkeypatch):
    split = frozen_run.load_split(frozen_run.arrays(Path()))
    F = load_network(frozen_run.model("F"))
    first = ImageGenerator(frozen_run, split, 0, "shared")
    np.testing.assert_allclose(first.features[:, :80], F(split.images), atol=1e-5)
    assert first.code == CodeShape(80, (4, 4, 64))

    def extracted(*args: object) -> None:
        raise AssertionError("an image was extracted again")

    monkeypatch.setattr(FeatureStore, "_append", extracted)
    monkeypatch.setattr(trained_backbone, "principal", extracted)
    again = ImageGenerator(frozen_run, split, 0, "shared")
    np.testing.assert_array_equal(again.features, first.features)


@pytest.mark.slow
@pytest.mark.parametrize("trains", ["top", "all"])
def test_an_F_that_learned_has_its_trained_weights(small_backbone, trains, tmp_path):
    more = {"backbone_trains": trains, "backbone_rate": 0.05}
    run = trained(small_backbone, tmp_path, **more)
    split = run.load_split(run.arrays(Path()))
    F = load_network(run.model("F"))
    generator = ImageGenerator(run, split, 0, "shared")
    features = generator.features[:, :80]
    np.testing.assert_allclose(features, F(split.images), atol=1e-5)
    # The map, pooled, is the feature: PCA is linear, and here 64 of 80 channels.
    before = backbones.load_backbone(str(small_backbone), shape=(8, 8, 1), side=16)
    kept = TrainedBackbone(run, F)
    network = kept._map_network((8, 8, 1))
    pooled = network(split.images).numpy().mean(axis=(1, 2))
    scale = features.std() / pooled.std()
    np.testing.assert_allclose(pooled * scale, features, atol=1e-3)
    untrained = before(split.images).numpy()
    assert np.abs(untrained / untrained.std() - pooled / pooled.std()).max() > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["paper", "shared"])
def test_images_of_one_class(frozen_run, recipe, capsys):
    flags = ["--class", "7", "--run", str(frozen_run.path), "--recipe", recipe]
    flags += ["--iterations", "8", "--no-score", "--retrain"]
    assert train_gamo2pix.main(flags) == 0, capsys.readouterr().err
    split = frozen_run.load_split(frozen_run.arrays(Path()))
    generator = ImageGenerator(frozen_run, split, 0, recipe)
    decoder = FeatureDecoder.load(frozen_run.pix_class("7"))
    images = generator.generate(7, decoder, 0, 5).images
    assert images.shape == (5, 8, 8, 1) and images.dtype == np.uint8
    capsys.readouterr()
    assert train_gamo2pix.main(flags[:-1]) == 0
    assert "trained already" in capsys.readouterr().out


@pytest.mark.slow
def test_a_damaged_projection_is_named(frozen_run):
    split = frozen_run.load_split(frozen_run.arrays(Path()))
    ImageGenerator(frozen_run, split, 0, "shared")
    path = frozen_run.pix / ".map.npz"
    content = path.read_bytes()
    try:
        np.savez(path, kernel=np.eye(3), bias=np.zeros(3))
        with pytest.raises(UserError, match=r"map\.npz.*not of a map with 80 channels"):
            ImageGenerator(frozen_run, split, 0, "shared")
    finally:
        path.write_bytes(content)


@pytest.mark.slow
def test_a_network_without_a_map_has_the_paper_recipe(tmp_path):
    image = keras.Input((8, 8, 1))
    x = layers.Dense(12)(layers.Flatten()(layers.Rescaling(1 / 255)(image)))
    keras.Model(image, x).save(tmp_path / "flat.keras")
    run = trained(tmp_path / "flat.keras", tmp_path)
    split = run.load_split(run.arrays(Path()))
    with pytest.raises(UserError, match=r"no feature map.*recipe.*paper"):
        ImageGenerator(run, split, 0, "shared")
    assert ImageGenerator(run, split, 0, "paper").features.shape == (308, 12)


@pytest.mark.slow
def test_the_folder_is_evaluated_behind_the_backbone(
    frozen_run, digits_reference, capsys
):
    if not (frozen_run.path.parent / "reference").exists():
        digits_reference(frozen_run.path.parent)
    flags = ["--class", "all", "--run", str(frozen_run.path), "--recipe", "paper"]
    flags += ["--iterations", "2", "--fid-features", "classifier", "--retrain"]
    flags += ["--save-balanced", "--ignore-verdict", "--force"]
    flags += ["--evaluate", "--updates", "6"]
    assert train_gamo2pix.main(flags) == 0, capsys.readouterr().err
    assert "balanced folder, 1 of 1" in capsys.readouterr().out

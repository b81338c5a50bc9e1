"""Predictions and exports of runs whose F is a pretrained network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gamo_tf import train
from gamo_tf.cli import predict
from gamo_tf.config.options import resolve, spec_of
from gamo_tf.data import user_data
from gamo_tf.errors import UserError
from gamo_tf.inference import export
from gamo_tf.inference.players import load_classifier, load_player
from gamo_tf.inference.predict import predict_rows
from gamo_tf.networks.saved import load_network, save_network
from gamo_tf.runs.run import Run

# What a user writes who has Keras, and neither this package nor the backbone's file.
LOAD = """
import sys, keras, numpy as np
model = keras.saving.load_model(sys.argv[1])
np.save(sys.argv[3], model(np.load(sys.argv[2])).numpy())
assert "gamo_tf" not in sys.modules
"""


@pytest.fixture(scope="module", params=["none", "top", "all"])
def run(request, image_root, small_backbone, tmp_path_factory) -> Run:
    """A finished run on grey images of 24 x 24 pixels, which F makes 16 x 16."""
    found = user_data.from_image_folder(image_root, 24, True, None, 0.2, 0, False)
    settings = {**found.settings, "iterations": 3, "backbone": str(small_backbone)}
    trains = {"backbone_trains": request.param, "backbone_side": 16}
    options = resolve({**settings, **trains})
    return train.run(options, Path(), tmp_path_factory.mktemp("runs"), found)


def square_images(image_root, folder) -> tuple[list[str], np.ndarray]:
    """Files of 24 x 24 pixels, which nobody has to resize, and their pixels."""
    files, pixels = [], []
    for k, path in enumerate(sorted((image_root / "one").glob("*.*g"))[:4]):
        image = Image.open(path).convert("L").resize((24, 24))
        files.append(str(folder / f"{k}.png"))
        image.save(files[-1])
        pixels.append(np.asarray(image)[..., None])
    return files, np.stack(pixels)


@pytest.mark.slow
def test_predictions_and_the_export_agree(run, image_root, tmp_path):
    files, images = square_images(image_root, tmp_path)
    found = predict_rows(run, files, True)
    p = np.array([line[3:] for line in found.lines], float)
    F, M = load_classifier(run)
    np.testing.assert_allclose(p, M(F(images)).numpy(), atol=1e-5)
    export.write(run, tmp_path / "model")
    np.save(tmp_path / "x.npy", images)
    names = ("model/model.keras", "x.npy", "p.npy")
    subprocess.run(
        [sys.executable, "-c", LOAD, *(str(tmp_path / name) for name in names)],
        cwd=tmp_path,
        env={"PATH": ""},
        check=True,
    )
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), p, atol=1e-4)


@pytest.mark.slow
def test_an_export_takes_images_of_any_size(run):
    whole = export.model(run, spec_of(run.options))
    image = np.full((2, 31, 47, 1), 90, np.uint8)
    p = whole(image).numpy()
    assert p.shape == (2, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_a_run_predicts_without_the_file_of_its_backbone(
    run, small_backbone, image_root, tmp_path
):
    file = str(image_root / "one" / "000.png")
    expected = predict_rows(run, [file], True).lines
    moved = small_backbone.rename(tmp_path / "moved.keras")
    try:
        assert predict_rows(run, [file], True).lines == expected
    finally:
        moved.rename(small_backbone)


@pytest.mark.slow
def test_a_foreign_F_is_refused(run, image_root, tmp_path, capsys):
    """It has the shapes of the run's F, and other weights."""
    copy = Run(shutil.copytree(run.path, tmp_path / run.path.name))
    F = load_network(copy.model("F"))
    F.set_weights([w + 1 for w in F.get_weights()])
    save_network(copy.model("F"), F)
    image = str(image_root / "one" / "000.png")
    assert predict.main(["--run", str(copy.path), image]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "F.keras: is not the network that this run saved" in said
    assert "Put the saved file back" in said
    with pytest.raises(UserError, match="is not the network"):
        export.write(copy, tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_a_finished_run_knows_all_its_networks(run):
    digests = run.read_results()["network_digests"]
    files = {path.stem for path in (run.path / "models").iterdir()}
    assert set(digests) == files and {"F", "M"} <= files
    for name in files:
        load_player(run, name)

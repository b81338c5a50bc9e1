"""Figures 1 and 2, from short real trainings."""

import json

import numpy as np
import pytest
from PIL import Image

from reproduction import toy_data, toy_figures


@pytest.mark.slow
@pytest.mark.parametrize("name", ["figure1", "figure2"])
def test_toy_figures(name, tmp_path):
    assert toy_figures.write(name, tmp_path, quick=True) == 0
    picture = np.asarray(Image.open(tmp_path / f"{name}.png"))
    assert picture.shape[1] == 1600 and picture.std() > 10
    numbers = json.loads((tmp_path / f"{name}.json").read_text())
    assert numbers["seed"] == 0 and numbers["quick"]
    if name == "figure1":
        assert len(numbers["recall"]) == 4
        for recall in numbers["recall"].values():
            assert list(recall) == ["majority", "minority", "gm"]
    else:
        updates = [moment["updates_of_M"] for moment in numbers["moments"]]
        assert updates == [0, 68, 204, 680]


def test_points():
    points = toy_data.crescent((30, 7), 1)
    assert points.counts == (30, 7) and points.x.shape == (37, 2)
    assert np.abs(points.x).max() <= 1
    images = points.images.numpy()
    assert images.shape == (37, 1, 2, 1) and images.dtype == np.float32
    np.testing.assert_allclose(images[:, 0, :, 0] / 127.5 - 1, points.x, atol=1e-6)
    more = points.extended(np.zeros((3, 2)))
    assert more.counts == (30, 10) and (more.x[-3:] == 0).all()


@pytest.mark.slow
def test_generated_points_stay_in_the_hull_of_the_minority():
    points = toy_data.line((100, 10), 3)
    training = toy_data.ToyTraining("gamo-no-d", points, 40).train()
    generated = training.generated(50)
    minority = points.x[points.y == toy_data.MINORITY]
    assert generated.shape == (50, 1)
    assert (generated >= minority.min() - 1e-6).all()
    assert (generated <= minority.max() + 1e-6).all()
    np.testing.assert_array_equal(generated, training.generated(50))


def test_a_conditional_gan_fills_the_minority_up():
    points = toy_data.line((40, 10), 3)
    generated = toy_data.conditional_gan_points(points, 3)
    assert generated.shape == (30, 1) and np.abs(generated).max() <= 1

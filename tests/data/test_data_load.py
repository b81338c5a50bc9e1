"""Reading a dataset by the reader that its row names."""

import os
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data import load
from gamo_tf.errors import UserError


@pytest.mark.parametrize("spec", DATASETS.values(), ids=DATASETS)
def test_every_row_has_a_reader(spec):
    reader = import_module(f"gamo_tf.data.readers.{spec.reader}")
    assert hasattr(reader, "draw" if spec.draws_classes else "read")


def test_digits_need_no_files(tmp_path):
    spec = DATASETS["digits"]
    load.check(spec, tmp_path)
    arrays = load.read(spec, tmp_path)
    assert arrays.images.dtype == np.uint8 and arrays.images.shape[1:] == spec.shape
    assert np.bincount(arrays.test_labels).tolist() == [50] * 10
    assert len(arrays.labels) + len(arrays.test_labels) == 1797
    assert arrays.images.max() == 255 and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("celeba-small", "https://mmlab.* its terms forbid"),
        ("lsun-large", "http://dl.yf.io.* states no licence"),
        ("sun397", "https://vision.princeton.*research use"),
    ],
)
def test_missing_files_are_named_with_place_and_terms(name, page, tmp_path):
    spec = DATASETS[name]
    with pytest.raises(UserError, match=page) as caught:
        load.check(spec, tmp_path)
    assert str(caught.value).startswith(f"{name}: missing in {tmp_path / spec.reader}")


def test_classes_that_follow_from_the_seed_are_drawn_not_read(tmp_path):
    with pytest.raises(ValueError, match="draw_classes"):
        load.read(DATASETS["sun397"], tmp_path)
    with pytest.raises(UserError, match="sun397: missing in"):
        load.draw_classes(DATASETS["sun397"], tmp_path, 0)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("mnist", "mnist"),
        ("fashion-mnist", "fashion-mnist"),
        ("cifar10", "cifar-10-batches-bin"),
    ],
)
def test_the_published_files(name, folder):
    data_dir = os.environ.get("GAMO_DATA_DIR")
    if not data_dir or not (Path(data_dir) / folder).is_dir():
        pytest.skip(f"{name}: not in GAMO_DATA_DIR, or that is not set")
    spec = DATASETS[name]
    load.check(spec, Path(data_dir))
    arrays = load.read(spec, Path(data_dir))
    assert arrays.images.shape == (len(arrays.labels), *spec.shape)
    assert arrays.test_images.shape == (len(arrays.test_labels), *spec.shape)
    assert arrays.images.dtype == arrays.test_images.dtype == np.uint8
    assert (np.bincount(arrays.labels) >= spec.counts).all()
    assert (np.bincount(arrays.test_labels) >= spec.test_per_class).all()

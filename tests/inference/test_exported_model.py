"""The exported model: what it gives, and that it needs nothing of this package."""

from __future__ import annotations

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from gamo_tf.config.options import spec_of
from gamo_tf.data import image_folder
from gamo_tf.errors import UserError
from gamo_tf.inference import export
from gamo_tf.inference.predict import predict_rows

# What a user writes who has Keras and not this package.
LOAD = """
import json, sys, zipfile, keras, numpy as np
path = sys.argv[1] + "/model.keras"
model = keras.saving.load_model(path)
facts = json.loads(zipfile.ZipFile(path).read("metadata.json"))
p = model(np.load(sys.argv[2])).numpy().tolist()
print(json.dumps([facts, p, "gamo_tf" in sys.modules]))
"""


@pytest.fixture(scope="module")
def exported(image_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "new" / "model"
    export.write(image_run, folder)
    return folder


@pytest.fixture(scope="module")
def expected(image_run, image_root):
    """Three images [3, 16, 16, 1], their labels and their probabilities."""
    files = sorted(str(p) for p in (image_root / "eight").iterdir())[:3]
    images = np.stack([image_folder.load(f, 16, gray=True) for f in files])
    lines = predict_rows(image_run, files, True).lines
    return images, [x[1] for x in lines], np.array([x[3:] for x in lines], float)


def test_a_saved_model_serves_labels_and_probabilities(exported, expected):
    images, labels, p = expected
    served = tf.saved_model.load(str(exported / "saved_model"))
    found = served.signatures["serving_default"](tf.constant(images, tf.float32))
    assert [v.decode() for v in found["label"].numpy()] == labels
    np.testing.assert_allclose(found["probabilities"], p, atol=1e-4)


@pytest.mark.slow
def test_keras_loads_it_without_this_package(exported, expected, image_run, tmp_path):
    images, _, p = expected
    np.save(tmp_path / "x.npy", images)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(exported), str(tmp_path / "x.npy")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    facts, found, has_package = json.loads(done.stdout.splitlines()[-1])
    assert facts["classes"] == ["eight", "one", "three"] and not has_package
    assert facts["run"] == image_run.path.name and facts["method"] == "gamo"
    assert "keras_version" in facts  # what Keras wrote there is kept
    np.testing.assert_allclose(found, p, atol=1e-4)


def test_a_folder_that_exists_is_left_alone(exported, image_run):
    with pytest.raises(UserError, match="is there already"):
        export.write(image_run, exported)


def test_all_layers_are_those_of_keras(image_run):
    whole = export.model(image_run, spec_of(image_run.options))
    assert isinstance(whole, keras.Model)
    assert {type(layer).__module__.split(".")[0] for layer in whole.layers} == {"keras"}
    assert whole.input_shape == (None, None, None, 1)


def test_images_of_any_size(image_run):
    whole = export.model(image_run, spec_of(image_run.options))
    image = np.full((1, 23, 40, 1), 200, np.float32)
    assert whole(image).shape == (1, 3)


def test_a_model_of_vectors(table_run, cells, tmp_path):
    run = table_run(".csv")
    whole = export.model(run, spec_of(run.options))
    x = cells.drop(columns="kind").head(2).to_numpy()
    assert whole.input_shape == (None, 30) and whole.inputs[0].dtype == "float64"
    p = whole(x).numpy()
    np.testing.assert_allclose(whole(x.astype(np.float32)), p, atol=1e-4)
    export.write(run, tmp_path / "model")
    served = tf.saved_model.load(str(tmp_path / "model" / "saved_model"))
    found = served.signatures["serving_default"](tf.constant(x))
    np.testing.assert_allclose(found["probabilities"], p, atol=1e-6)
    # An array of float32 is taken too.
    found = served.signatures["serving_default"](x=x.astype(np.float32))
    np.testing.assert_allclose(found["probabilities"], p, atol=1e-4)

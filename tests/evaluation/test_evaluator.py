"""The evaluator: what it counts, what it looks at, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import MEASURED, SETS, resolve
from gamo_tf.data import load
from gamo_tf.data.splits import draw_split
from gamo_tf.errors import UserError
from gamo_tf.evaluation import metrics
from gamo_tf.evaluation.evaluator import DeviceSplit, Evaluator
from gamo_tf.methods.build import build

SPEC = DATASETS["digits"]


@pytest.fixture(scope="module")
def rows():
    arrays = load.read(SPEC, Path())
    return DeviceSplit.of(draw_split(arrays, SPEC, SPEC.counts, 25, 0, 20))


def test_an_evaluator_counts_what_the_networks_predict(rows):
    trainer = build(resolve({"dataset": "digits", "method": "cn"}), SPEC)
    found = Evaluator(rows, 10, trainer.F, trainer.M)()
    images = rows.split.test_images
    guess = trainer.M(trainer.F(images)).numpy().argmax(axis=1)
    expected = metrics.confusion(rows.split.test_labels, guess, 10)
    assert found["test_full"]["confusion"] == expected.tolist()
    assert np.sum(found["test"]["confusion"]) == 250
    assert np.sum(found["train"]["confusion"]) == len(rows.split.labels)
    assert np.sum(found["validation"]["confusion"]) == len(rows.split.validation_labels)
    assert list(found) == list(MEASURED)


def seen(monkeypatch, trainer, rows, *names: str) -> tuple[list, dict]:
    """The images that an evaluator looks at for these sets, and what it found."""
    evaluate, looked = Evaluator(rows, 10, trainer.F, trainer.M), []
    compiled = evaluate._predict
    spy = lambda images: looked.append(images) or compiled(images)  # noqa: E731
    monkeypatch.setattr(evaluate, "_predict", spy)
    return looked, evaluate(*names)


def test_an_evaluator_looks_at_nothing_that_it_is_not_asked_for(rows, monkeypatch):
    trainer = build(resolve({"dataset": "digits", "method": "cn"}), SPEC)
    looked, found = seen(monkeypatch, trainer, rows, "train", "validation")
    assert list(found) == ["validation", "train"]
    assert [images is rows.test for images in looked] == [False, False]
    looked, found = seen(monkeypatch, trainer, rows, "test_full", "test")
    assert list(found) == ["test", "test_full"] and len(looked) == 1
    without = DeviceSplit.of(
        draw_split(load.read(SPEC, Path()), SPEC, SPEC.counts, 25, 0)
    )
    assert without.watched == "train" and rows.watched == "validation"
    assert list(seen(monkeypatch, trainer, without)[1]) == list(SETS)


def test_known_features_take_the_place_of_the_training_rows(rows, monkeypatch):
    trainer = build(resolve({"dataset": "digits", "method": "gamo"}), SPEC)
    evaluate = Evaluator(rows, 10, trainer.F, trainer.M)
    expected = evaluate("train")
    monkeypatch.setattr(evaluate, "_predict", None)  # F is not asked
    assert evaluate("train", features=trainer.features(rows.train)) == expected


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_evaluator_refuses_probabilities_that_are_no_numbers(rows, value):
    trainer = build(resolve({"dataset": "digits", "method": "cn"}), SPEC)
    evaluate = Evaluator(rows, 10, trainer.F, trainer.M)
    evaluate()
    bias = next(w for w in reversed(trainer.M.weights) if "bias" in w.path)
    bias.assign(np.full(bias.shape, value, np.float32))
    with pytest.raises(UserError, match=r"diverged.*smaller learning_rate \(0.0002"):
        evaluate()


def test_a_split_is_in_memory_once(rows):
    split = rows.split
    views = (split.images, split.test_images, split.validation_images)
    for view, tensor in zip(views, rows[1:4], strict=True):
        assert np.shares_memory(view, np.asarray(tensor))
    again = DeviceSplit.of(replace(rows.split))
    np.testing.assert_array_equal(again.train, rows.train)

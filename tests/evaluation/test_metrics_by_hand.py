"""Metrics by hand, and against imbalanced-learn."""

import numpy as np
import pytest

from gamo_tf.evaluation import metrics


def test_confusion_and_summary_by_hand():
    matrix = metrics.confusion(
        np.array([0, 0, 1, 1, 1, 1]), np.array([0, 1, 1, 1, 1, 0]), 2
    )
    assert matrix.tolist() == [[1, 1], [1, 3]]
    summary = metrics.summarise(matrix)
    assert summary["recall"] == [0.5, 0.75]
    assert summary["acsa"] == pytest.approx(0.625)
    assert summary["gm"] == pytest.approx(0.375**0.5)


def test_absent_class_is_said():
    summary = metrics.summarise([[1, 0, 0], [0, 0, 0], [0, 1, 1]])
    assert summary["recall"] == [1.0, None, 0.5]
    assert summary["absent"] == [1]
    assert summary["acsa"] == pytest.approx(0.75)


def test_classes_that_are_never_predicted_are_named():
    summary = metrics.summarise([[3, 0, 0], [2, 0, 0], [0, 0, 0]])
    assert summary["never_predicted"] == [1]  # there is no sample of the last
    assert metrics.summarise([[3, 1], [0, 4]])["never_predicted"] == []
    assert metrics.never_predicted([[0, 3], [0, 2]]) == [0]
    assert metrics.never_predicted(np.eye(4, dtype=int)) == []


def test_names_of_classes_stay_on_one_line():
    summary = metrics.summarise([[3, 1], [0, 4]])
    found = [name for name, _ in metrics.scalars(summary, ["a\nb", "\udcff"])]
    assert found[-2:] == [r"recall/a\nb", r"recall/\udcff"]


def test_gm_agrees_with_imbalanced_learn():
    from imblearn.metrics import geometric_mean_score

    rng = np.random.default_rng(0)
    true = rng.integers(0, 4, 200)
    guess = np.where(rng.random(200) < 0.6, true, rng.integers(0, 4, 200))
    ours = metrics.summarise(metrics.confusion(true, guess, 4))["gm"]
    assert ours == pytest.approx(geometric_mean_score(true, guess, correction=0))


def test_all_rows_of_the_table_of_metrics_are_in_every_view():
    summary = metrics.summarise([[3, 1], [0, 4]])
    names = [metric.name for metric in metrics.METRICS]
    assert list(metrics.from_summary(summary)) == names == list(metrics.TITLES)
    assert metrics.RANKED_BY in names
    assert metrics.line(summary, digits=2) == "ACSA 0.88  GM 0.87"
    found = dict(metrics.scalars(summary, ["a", "b"]))
    assert found["recall/a"] == 0.75 and found["recall/b"] == 1.0
    absent = metrics.summarise([[1, 0], [0, 0]])
    assert np.isnan(dict(metrics.scalars(absent, ["a", "b"]))["recall/b"])

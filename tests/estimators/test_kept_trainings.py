"""A second fit trains by what the first one compiled, and finds the same."""

from __future__ import annotations

import numpy as np
import pytest

from gamo_tf import GAMO, GAMOClassifier
from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.estimators import kept
from gamo_tf.estimators.roomy_game import room_for, rounded

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def nothing_kept():
    kept.forget()
    yield
    kept.forget()


def rows(*sizes: int) -> tuple[np.ndarray, np.ndarray]:
    y = np.repeat(range(len(sizes)), sizes)
    return np.random.default_rng(0).normal(size=(len(y), 4)) + y[:, None], y


def resampled(sizes: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return GAMO(iterations=60, random_state=seed).fit_resample(*rows(*sizes))[0]


def alone(monkeypatch, make):
    """What is made where nothing is kept."""
    with monkeypatch.context() as patch:
        patch.setattr(kept, "train", lambda *rest: rest[-1](*rest[:-1]))
        return make()


def test_class_sizes_with_room():
    assert rounded(ClassCounts((187, 53, 27))).sizes == (200, 56, 32)
    assert rounded(ClassCounts((186, 54, 26))).sizes == (200, 56, 32)
    # Two classes that are rounded to one size: the largest stays the largest.
    assert rounded(ClassCounts((41, 48))).minority == (0,)
    assert room_for(7) == 8 and room_for(8) == 16


@pytest.mark.slow
def test_another_fit_in_between_changes_nothing(monkeypatch):
    first = resampled((30, 11, 6))
    other = resampled((29, 10, 6), seed=1)
    assert len(kept.names()) == 1  # both by one game
    np.testing.assert_array_equal(resampled((30, 11, 6)), first)
    kept.forget()
    np.testing.assert_array_equal(resampled((29, 10, 6), seed=1), other)
    # Points that are not there change nothing but the rounding of sums.
    fresh = alone(monkeypatch, lambda: resampled((30, 11, 6)))
    np.testing.assert_allclose(first, fresh, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["cn", "focal", "smote-features"])
def test_methods_of_one_state(method, monkeypatch):
    X, y = rows(30, 11, 6)

    def fitted(seed: int = 0) -> np.ndarray:
        model = GAMOClassifier(method, iterations=60, random_state=seed)
        return model.fit(X, y).predict_proba(X)

    first, other = fitted(), fitted(1)
    assert len(kept.names()) == 1 and (first != other).any()
    np.testing.assert_array_equal(fitted(), first)
    np.testing.assert_allclose(alone(monkeypatch, fitted), first, atol=1e-5)


def test_what_is_not_kept():
    """Short trainings, trainers with a state beyond their checkpoints, the user's
    networks."""
    X, y = rows(30, 11, 6)
    GAMOClassifier("crt", iterations=60).fit(X, y)
    GAMOClassifier(iterations=2).fit(X, y)
    assert not kept.names()


@pytest.mark.slow
def test_the_oldest_goes_first(monkeypatch):
    monkeypatch.setattr(kept, "MOST", 2)
    for iterations in (60, 61, 60, 62):
        GAMOClassifier("cn", iterations=iterations).fit(*rows(9, 5))
    assert [options.iterations for _, options, *_ in kept.names()] == [60, 62]

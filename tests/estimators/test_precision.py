"""The same at any offset and scale; threads; trainings that fail."""

from __future__ import annotations

import joblib
import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from gamo_tf import GAMO, GAMOClassifier
from gamo_tf.networks.feature_extractor import standardiser

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
X = np.concatenate([RNG.normal(size=(90, 4)), RNG.normal(4, 1, (15, 4))])
Y = np.repeat([0, 1], [90, 15])
CHANGES = {
    "1.7e9": lambda x: x + 1.7e9,
    "-1e12": lambda x: x - 1e12,
    "1e20": lambda x: x * 1e20,
    "1e-20": lambda x: x * 1e-20,
    "1e300": lambda x: x * 1e300,
    "1e-300": lambda x: x * 1e-300,
}


def model(method: str = "gamo", iterations: int = 60) -> GAMOClassifier:
    return GAMOClassifier(
        method, iterations=iterations, learning_rate=5e-3, random_state=0
    )


@pytest.fixture(scope="module")
def plain() -> GAMOClassifier:
    return model().fit(X, Y)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["1.7e9", "1e-20", "1e300"])
def test_a_classifier_of_any_offset_and_scale(case, plain):
    change = CHANGES[case]
    found = model().fit(change(X), Y)
    p = found.predict_proba(change(X))
    np.testing.assert_allclose(p, plain.predict_proba(X), atol=0.02)
    assert (found.predict(change(X))[Y == 1] == 1).all()
    samples, own = found.sample(1, 30), change(X)[Y == 1]
    assert (samples >= own.min(axis=0)).all() and (samples <= own.max(axis=0)).all()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["mixup", "smote-features"])
def test_other_methods_at_an_offset(method):
    p = model(method).fit(X, Y).predict_proba(X)
    moved = model(method).fit(X + 1.7e9, Y).predict_proba(X + 1.7e9)
    np.testing.assert_allclose(moved, p, atol=0.02)


@pytest.mark.parametrize("case", CHANGES)
def test_the_standardiser_of_any_offset_and_scale(case):
    F, moved = standardiser(X), standardiser(CHANGES[case](X))
    found = moved(CHANGES[case](X)).numpy()
    np.testing.assert_allclose(found, F(X).numpy(), atol=1e-3)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(found.std(0), 1, atol=1e-3)


def test_a_constant_column_is_zero():
    columns = [np.full(4, 0.1) * 3, [0.3, 0.1 + 0.2, 0.3, 0.3], np.zeros(4), [1, 3] * 2]
    found = standardiser(np.transpose(columns))(np.transpose(columns)).numpy()
    assert found.tolist() == [[0, 0, 0, -1], [0, 0, 0, 1]] * 2


def test_values_near_the_largest_number():
    extreme = np.where(np.arange(210).reshape(105, 2) % 4 < 2, -1.7e308, 1.7e308)
    X_new, _ = GAMO(iterations=2, random_state=0).fit_resample(extreme, Y)
    assert np.isfinite(X_new).all() and np.abs(X_new).max() <= 1.7e308


@pytest.mark.slow
def test_threads_do_not_draw_from_each_other():
    def fit(seed: int) -> np.ndarray:
        found = GAMOClassifier("cn", iterations=20, random_state=seed).fit(X, Y)
        return found.predict_proba(X)

    alone = [fit(seed) for seed in range(3)]
    for prefer in ("threads", "processes"):
        jobs = joblib.Parallel(n_jobs=2, prefer=prefer)
        together = jobs(joblib.delayed(fit)(seed) for seed in range(3))
        np.testing.assert_array_equal(together, alone)


def test_probabilities_that_are_no_numbers(plain):
    weights = plain.M_.get_weights()
    try:
        plain.M_.set_weights([w * np.nan for w in weights])
        with pytest.raises(ValueError, match="of 105 of 105 rows are no numbers"):
            plain.predict(X)
    finally:
        plain.M_.set_weights(weights)


def test_a_class_that_is_never_predicted():
    """All rows are alike, so that all are taken for one class."""
    bad = GAMOClassifier("cn", iterations=2, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"never predicted .*: [01]\. Try more"):
        bad.fit(np.zeros((9, 2)), [0] * 6 + [1] * 3)

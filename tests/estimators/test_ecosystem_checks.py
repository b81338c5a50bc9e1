"""scikit-learn's and imbalanced-learn's own checks of estimators: all, no exception."""

from __future__ import annotations

import pytest
from imblearn.utils.estimator_checks import parametrize_with_checks as sampler_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from gamo_tf import GAMO, GAMOClassifier

# The checks raise warnings of their own.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

# The checks are of the interface, so that a few iterations do; the classifier needs
# enough of them to separate blobs.
CLASSIFIER = GAMOClassifier(iterations=12, learning_rate=0.02, random_state=0)
SAMPLER = GAMO(iterations=2, random_state=0)


@parametrize_with_checks([CLASSIFIER])
def test_classifier(estimator, check):
    check(estimator)


@sampler_checks([SAMPLER])
def test_sampler(estimator, check):
    check(estimator)

"""Real data that the tests of the estimators share."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_wine

from gamo_tf.data.feature_store import FeatureStore


@pytest.fixture(scope="session")
def wine() -> tuple[np.ndarray, np.ndarray]:
    """Wines of three cultivars a, b and c: 59, 40 and 12 of them, shuffled."""
    X, y = load_wine(return_X_y=True)
    rows = [np.flatnonzero(y == k)[:n] for k, n in enumerate((59, 40, 12))]
    shuffled = np.random.default_rng(0).permutation(np.concatenate(rows))
    return X[shuffled], np.array(["a", "b", "c"])[y[shuffled]]


@pytest.fixture(scope="session")
def images() -> tuple[np.ndarray, np.ndarray]:
    """60 images of the digit 3 and 20 of the digit 8, uint8 [80, 8, 8, 1]."""
    X, y = load_digits(return_X_y=True)
    rows = np.concatenate([np.flatnonzero(y == k)[:n] for k, n in ((3, 60), (8, 20))])
    return (X[rows] * 15.9).reshape(-1, 8, 8, 1).astype(np.uint8), y[rows]


@pytest.fixture
def extracted(monkeypatch) -> list[int]:
    """The numbers of images that were not known yet, of each look."""
    found: list[int] = []
    unknown = FeatureStore.unknown

    def counted(self: FeatureStore, *images: np.ndarray) -> np.ndarray:
        places = unknown(self, *images)
        found.append(len(places))
        return places

    monkeypatch.setattr(FeatureStore, "unknown", counted)
    return found

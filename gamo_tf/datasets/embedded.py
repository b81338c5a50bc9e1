"""scikit-learn's digits: 1,797 real 8x8 handwritten digits, no network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gamo_tf.specs import DatasetSpec

_TEST_PER_CLASS = 50


def read(spec: DatasetSpec, data_dir: Path) -> tuple[np.ndarray, ...]:
    """Train and test images and labels: the last 50 rows a class are the test.

    scikit-learn ships one set; a fixed cut by row keeps test rows the same for
    every seed. Pixels 0-16 are scaled to 0-255.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., None]
    labels = bunch.target.astype(np.uint8)
    test = np.concatenate(
        [np.flatnonzero(labels == k)[-_TEST_PER_CLASS:] for k in range(10)]
    )
    train = np.setdiff1d(np.arange(len(labels)), test)
    return images[train], labels[train], images[test], labels[test]

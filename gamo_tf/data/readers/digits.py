"""The digits of scikit-learn: 1,797 real 8x8 handwritten digits, without a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data.splits import Arrays

_TEST_PER_CLASS = 50


def read(spec: DatasetSpec, data_dir: Path) -> Arrays:
    """Read the digits; the last 50 of each class are the test set.

    scikit-learn ships one set. It is cut by position, so that the test rows are the
    same for every seed.

    Args:
      spec: the row "digits".
      data_dir: not needed.

    Returns:
      Images uint8 [n, 8, 8, 1], scaled from 0 ... 16 to 0 ... 255, and labels uint8
      [n].
    """
    # Here and not above, so that it is only imported where it is needed.
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., None]
    labels = bunch.target.astype(np.uint8)
    test = np.concatenate(
        [
            np.flatnonzero(labels == k)[-_TEST_PER_CLASS:]
            for k in range(len(spec.classes))
        ]
    )
    train = np.setdiff1d(np.arange(len(labels)), test)
    return Arrays(images[train], labels[train], images[test], labels[test])

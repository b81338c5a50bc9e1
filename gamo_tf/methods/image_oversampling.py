"""Training images that are added before training, until every class is as large as
the largest.
"""

from __future__ import annotations

import keras
import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from keras import layers

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.options import Options
from gamo_tf.networks.batched import CHUNK
from gamo_tf.networks.feature_extractor import to_uint8

Rows = tuple[np.ndarray, np.ndarray]
_SHIFT, _TURN = 0.1, 10 / 360  # of the side; of a full circle


def random_copies(
    images: np.ndarray, labels: np.ndarray, spec: DatasetSpec, options: Options
) -> Rows:
    """Random oversampling: copies drawn with replacement (imbalanced-learn).

    Args:
      images: uint8 [n, h, w, c], or vectors float64 [n, d].
      labels: int [n].
      spec: of the dataset.
      options: settings of the run.

    Returns:
      The given rows, and then those that were added: images and labels.
    """
    rows = _copied_rows(labels, options.seed)
    return images[rows], labels[rows]


def smote(
    images: np.ndarray, labels: np.ndarray, spec: DatasetSpec, options: Options
) -> Rows:
    """SMOTE (Chawla et al., 2002) on flattened pixels, k = 5 (imbalanced-learn).

    A class of 5 or fewer has all its others as neighbours, and so have the rest:
    imbalanced-learn takes one k for all.

    Args:
      images: uint8 [n, h, w, c].
      labels: int [n].
      spec: of the dataset.
      options: settings of the run.

    Returns:
      The given rows, and then those that were added: images and labels.
    """
    k = min(5, np.bincount(labels)[np.unique(labels)].min() - 1)
    flat = images.reshape(len(images), -1).astype(np.float32)
    sampler = SMOTE(random_state=options.seed, k_neighbors=int(k))
    values, all_labels = sampler.fit_resample(flat, labels)
    return to_uint8(values).reshape(-1, *images.shape[1:]), all_labels


def augment(
    images: np.ndarray, labels: np.ndarray, spec: DatasetSpec, options: Options
) -> Rows:
    """Copies that are shifted by up to a tenth of the side, turned by up to 10
    degrees and, where the class survives it (`spec.mirror`), mirrored.

    The paper does not name the augmentation of its tables.

    Args:
      images: uint8 [n, h, w, c].
      labels: int [n].
      spec: of the dataset.
      options: settings of the run.

    Returns:
      The given rows, and then those that were added: images and labels.
    """
    seed = options.seed
    rows = _copied_rows(labels, seed)
    change = keras.Sequential(
        [
            layers.RandomTranslation(_SHIFT, _SHIFT, fill_mode="nearest", seed=seed),
            layers.RandomRotation(_TURN, fill_mode="nearest", seed=seed + 1),
            *([layers.RandomFlip("horizontal", seed=seed + 2)] * spec.mirror),
        ]
    )
    images, labels, n = images[rows], labels[rows], len(images)
    for start in range(n, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        changed = np.asarray(change(images[part].astype(np.float32), training=True))
        images[part] = to_uint8(changed)
    return images, labels


def _copied_rows(labels: np.ndarray, seed: int) -> np.ndarray:
    """All rows, then rows drawn until every class is as large as the largest."""
    sampler = RandomOverSampler(random_state=seed)
    sampler.fit_resample(np.arange(len(labels))[:, None], labels)
    return sampler.sample_indices_

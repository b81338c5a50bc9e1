"""Training images added before training: EXTRA, name -> function.

Each takes images uint8 [n, h, w, c], labels [n], the dataset's row and a seed, and
returns both topped up to the largest class: the given rows first, then the new.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gamo_tf.specs import DatasetSpec

Rows = tuple[np.ndarray, np.ndarray]
_SHIFT, _TURN = 0.1, 10 / 360  # of the side; of a full circle


def ros(images: np.ndarray, labels: np.ndarray, spec: DatasetSpec, seed: int) -> Rows:
    """Random oversampling: copies drawn with replacement (imbalanced-learn)."""
    rows = _copies(labels, seed)
    return images[rows], labels[rows]


def smote(images: np.ndarray, labels: np.ndarray, spec: DatasetSpec, seed: int) -> Rows:
    """SMOTE (Chawla et al., 2002) on flattened pixels, k = 5 (imbalanced-learn).

    A class of 5 or fewer has all its others as neighbours, and so have the rest:
    imbalanced-learn takes one k for all.
    """
    from imblearn.over_sampling import SMOTE

    k = min(5, np.bincount(labels)[np.unique(labels)].min() - 1)
    flat = images.reshape(len(images), -1).astype(np.float32)
    made, known = SMOTE(random_state=seed, k_neighbors=int(k)).fit_resample(
        flat, labels
    )
    pixels = np.clip(np.rint(made), 0, 255).astype(np.uint8)
    return pixels.reshape(-1, *images.shape[1:]), known


def augment(
    images: np.ndarray, labels: np.ndarray, spec: DatasetSpec, seed: int
) -> Rows:
    """Copies shifted by up to a tenth of the side, turned by up to 10 degrees and,
    where the class survives it (`spec.mirror`), mirrored. The paper names none."""
    import keras
    from keras import layers

    rows = _copies(labels, seed)
    change = keras.Sequential(
        [
            layers.RandomTranslation(_SHIFT, _SHIFT, fill_mode="nearest", seed=seed),
            layers.RandomRotation(_TURN, fill_mode="nearest", seed=seed + 1),
            *([layers.RandomFlip("horizontal", seed=seed + 2)] * spec.mirror),
        ]
    )
    images, labels, n = images[rows], labels[rows], len(images)
    for start in range(n, len(images), 500):
        part = slice(start, start + 500)
        made = np.asarray(change(images[part].astype(np.float32), training=True))
        images[part] = np.clip(np.rint(made), 0, 255).astype(np.uint8)
    return images, labels


def _copies(labels: np.ndarray, seed: int) -> np.ndarray:
    """All rows, then rows drawn until every class is as large as the largest."""
    from imblearn.over_sampling import RandomOverSampler

    sampler = RandomOverSampler(random_state=seed)
    sampler.fit_resample(np.arange(len(labels))[:, None], labels)
    return sampler.sample_indices_


EXTRA: dict[str, Callable[..., Rows]] = {
    "ros": ros,
    "smote": smote,
    "augment": augment,
}

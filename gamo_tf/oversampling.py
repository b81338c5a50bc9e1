"""Training images added before training: EXTRA, name -> function.

Each takes images uint8 [n, h, w, c], labels [n], the dataset's row and the run's
options, and returns both topped up to the largest class: the given rows first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gamo_tf.chunks import CHUNK
from gamo_tf.networks import to_uint8
from gamo_tf.options import Options
from gamo_tf.specs import DatasetSpec

Rows = tuple[np.ndarray, np.ndarray]
_SHIFT, _TURN = 0.1, 10 / 360  # of the side; of a full circle


def ros(
    images: np.ndarray, labels: np.ndarray, spec: DatasetSpec, options: Options
) -> Rows:
    """Random oversampling: copies drawn with replacement (imbalanced-learn)."""
    rows = _copies(labels, options.seed)
    return images[rows], labels[rows]


def smote(
    images: np.ndarray, labels: np.ndarray, spec: DatasetSpec, options: Options
) -> Rows:
    """SMOTE (Chawla et al., 2002) on flattened pixels, k = 5 (imbalanced-learn).

    A class of 5 or fewer has all its others as neighbours, and so have the rest:
    imbalanced-learn takes one k for all.
    """
    from imblearn.over_sampling import SMOTE

    k = min(5, np.bincount(labels)[np.unique(labels)].min() - 1)
    flat = images.reshape(len(images), -1).astype(np.float32)
    made, known = SMOTE(random_state=options.seed, k_neighbors=int(k)).fit_resample(
        flat, labels
    )
    return to_uint8(made).reshape(-1, *images.shape[1:]), known


def augment(
    images: np.ndarray, labels: np.ndarray, spec: DatasetSpec, options: Options
) -> Rows:
    """Copies shifted by up to a tenth of the side, turned by up to 10 degrees and,
    where the class survives it (`spec.mirror`), mirrored. The paper names none."""
    import keras
    from keras import layers

    seed = options.seed
    rows = _copies(labels, seed)
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
        made = np.asarray(change(images[part].astype(np.float32), training=True))
        images[part] = to_uint8(made)
    return images, labels


def cgan(
    images: np.ndarray, labels: np.ndarray, spec: DatasetSpec, options: Options
) -> Rows:
    """A dense conditional GAN (`gan.dense`), trained first."""
    from gamo_tf import gan

    return _by_gan(gan.dense, images, labels, spec, options)


def cdcgan(
    images: np.ndarray, labels: np.ndarray, spec: DatasetSpec, options: Options
) -> Rows:
    """A convolutional conditional GAN (`gan.convolutional`), trained first."""
    from gamo_tf import gan

    return _by_gan(gan.convolutional, images, labels, spec, options)


def _by_gan(
    networks: Callable,
    images: np.ndarray,
    labels: np.ndarray,
    spec: DatasetSpec,
    options: Options,
) -> Rows:
    """As many turns of the GAN as GAMO has iterations for the run's updates of M."""
    import keras
    import tensorflow as tf
    from tqdm import tqdm

    from gamo_tf.gan import Gan

    keras.utils.set_random_seed(options.seed)
    gan = Gan(options, *networks(spec, options.latent))
    turns, done = max(1, options.iterations // 2), 0
    x, y = tf.constant(images), tf.constant(labels, tf.int32)
    with tqdm(total=turns, desc=options.method, unit="turn", disable=None) as bar:
        while done < turns:
            steps = min(100, turns - done)
            gan.train(x, y, tf.constant(steps))
            done += steps
            bar.update(steps)
    counts = np.bincount(labels)
    new = np.repeat(np.arange(len(counts)), counts.max() - counts)
    made = gan.make(new, spec.shape)
    return np.concatenate([images, made]), np.concatenate([labels, new])


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
    "cgan": cgan,
    "cdcgan": cdcgan,
}

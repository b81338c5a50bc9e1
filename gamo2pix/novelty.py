"""Whether generated images are new, and whether they cover what real ones show.

Everything is of features of one class, [n, d], by Euclidean distances.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.stats import mannwhitneyu

from gamo2pix.distances import nearest, pairwise

NEIGHBOURS = 5  # of the balls around images, as Naeem et al. have them
_COPY_QUANTILE = 0.05  # of the ratios of unseen images
# Two training images that are this much nearer than usual neighbours are one picture:
# a duplicate, a re-encoded file, or a frame of the same burst.
_DUPLICATE = 0.2
_BURST = 10  # most images of a burst
_ROUNDING = 1e-6  # error of a distance, as a share of the length of the longest row


class Manifold(NamedTuple):
    """How generated images lie among real ones.

    Around each image is a ball that reaches to its k-th nearest neighbour of its own
    kind. Precision and recall are those of Kynkaanniemi et al. (NeurIPS 2019), density
    and coverage those of Naeem et al. (ICML 2020).

    Attributes:
      precision: share of generated images that are in a ball of a real one.
      recall: share of real images that are in a ball of a generated one.
      density: mean number of real balls that a generated image is in, over k; it can
        be above 1.
      coverage: share of real images whose ball has a generated one.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(real: np.ndarray, fake: np.ndarray, k: int = NEIGHBOURS) -> Manifold:
    """Precision, recall, density and coverage.

    Args:
      real: features [n, d], n at least 2.
      fake: features [m, d], m at least 2.
      k: neighbours; of fewer images all of them.
    """
    real_radius, fake_radius = _radii(real, k), _radii(fake, k)
    between = pairwise(real, fake)
    in_real = between < real_radius[:, None]
    in_fake = between < fake_radius[None]
    return Manifold(
        float(in_real.any(axis=0).mean()),
        float(in_fake.any(axis=1).mean()),
        float(in_real.sum(axis=0).mean() / min(k, len(real) - 1)),
        float(in_real.any(axis=1).mean()),
    )


def _radii(x: np.ndarray, k: int) -> np.ndarray:
    """The distance of each row to its k-th nearest other row."""
    # The nearest is the row itself.
    return nearest(x, x, min(k, len(x) - 1) + 1)[:, -1]


def duplicates(train: np.ndarray) -> np.ndarray:
    """Which training images of a class show the same picture.

    Two images do where their distance is at most a fifth of what is usual: the median
    distance to the tenth nearest other image (of small classes, to one in the middle).

    Args:
      train: features [n, d].

    Returns:
      bool [n, n]; True on the diagonal.
    """
    apart = pairwise(train, train)
    n = len(train)
    k = min(_BURST, max(2, (n - 1) // 2), n - 1)
    usual = np.median(np.partition(apart, k, axis=1)[:, k])  # place 0 is the row itself
    longest = np.linalg.norm(train, axis=1).max()
    same = apart <= max(_DUPLICATE * usual, _ROUNDING * longest)
    np.fill_diagonal(same, True)
    return same


def nearest_two(x: np.ndarray, train: np.ndarray, same: np.ndarray) -> np.ndarray:
    """The distances to the nearest training image and to the nearest other picture.

    A copy of an image that occurs twice is near to both. The second one must not count,
    or `ratios` would take it for a new image.

    Args:
      x: features [m, d].
      train: features of the training images [n, d].
      same: `duplicates` of these.

    Returns:
      float64 [m, 2], ascending. Where all training images show the nearest picture,
      both are the distance to that.
    """
    between = pairwise(x, train)
    closest = between.argmin(axis=1)
    first = between[np.arange(len(between)), closest]
    second = np.where(same[closest], np.inf, between).min(axis=1)
    return np.stack([first, np.where(np.isinf(second), first, second)], axis=1)


def ratios(two: np.ndarray) -> np.ndarray:
    """The distance to the nearest training image over that to the second nearest.

    A copy is far nearer to one training image than to any other, wherever it lies: its
    ratio is near 0. That of an image near the middle of all is near 1, like that of
    other images, although it is near to many.

    Args:
      two: of each image the distances to both [m, 2] (see `nearest_two`).

    Returns:
      [m], 0 to 1; 1 where the second distance is 0.
    """
    first, second = two.T
    return np.where(second > 0, first / np.where(second > 0, second, 1.0), 1.0)


def copies(unseen: np.ndarray, fake: np.ndarray) -> float:
    """The share of images whose ratio is below that of 95 % of unseen real images.

    Args:
      unseen: `nearest_two` of real images that nothing was trained on [m, 2].
      fake: the same of the images in question [k, 2].

    Returns:
      0.05 for unseen real images, by definition; 1 where all are copies.
    """
    limit = np.quantile(ratios(unseen), _COPY_QUANTILE)
    return float((ratios(fake) < limit).mean())


def copying_test(unseen: np.ndarray, fake: np.ndarray) -> float:
    """The test of Meehan, Chaudhuri and Dasgupta (AISTATS 2020), its z value.

    It compares distances to the nearest training image by Mann and Whitney's U: far
    below 0 (under -3) generated images are nearer to the training images than unseen
    ones are, far above 0 they are further away. Images near the middle of a class are
    near to training images without being copies of any: `copies` tells these apart.

    Args:
      unseen: distances to the nearest training image of the class [m], of real images
        that nothing was trained on.
      fake: the same of the images in question [k].
    """
    m, n = len(unseen), len(fake)
    u = mannwhitneyu(fake, unseen).statistic
    return float((u - m * n / 2) / math.sqrt(m * n * (m + n + 1) / 12))

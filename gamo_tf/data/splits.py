"""The arrays of a dataset, and the seeded imbalanced subset that a run trains on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from gamo_tf.config.checks import check_counts, check_range
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.options import Options, spec_of
from gamo_tf.data.mapped_rows import take
from gamo_tf.errors import UserError, setting


class Arrays(NamedTuple):
    """A dataset as its files have it, before anything is drawn from it.

    Attributes:
      images: training rows, uint8 [n, h, w, c], or float64 [n, d] for vectors.
      labels: [n], whole numbers from 0.
      test_images: test rows, as `images` [m, ...].
      test_labels: [m].
      validation_images: rows of a user's data that are set aside for validation, as
        `images` [k, ...]; None: a published set, of whose training rows they are drawn.
      validation_labels: [k]; None likewise.
    """

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    validation_images: np.ndarray | None = None
    validation_labels: np.ndarray | None = None

    @property
    def set_aside(self) -> tuple[np.ndarray, np.ndarray]:
        """Images and labels that `Split.validation_index` counts in: the user's rows
        that are set aside, or the training rows of a published set."""
        if self.validation_images is None or self.validation_labels is None:
            return self.images, self.labels
        return self.validation_images, self.validation_labels


def _no_rows() -> np.ndarray:
    return np.zeros(0, np.int64)


@dataclass(frozen=True)
class Split:
    """The rows that a run trains, is watched and tests on, with the dataset's labels.

    The order of the training rows is their identity: column j of the IGU of class i
    weighs the j-th row with label i.

    Attributes:
      images: training rows, uint8 [n, h, w, c], or float64 [n, d] for vectors.
      labels: int64 [n].
      test_images: every test row there is, as `images` [m, ...].
      test_labels: int64 [m].
      train_index: [n], the position of each training row in the published set.
      protocol_index: positions among the test rows of those that the paper's
        protocol tests on: the same number of each class.
      validation_images: rows that are never trained on and that are looked at while it
        trains, as `images` [k, ...]; none where k is 0.
      validation_labels: int64 [k].
      validation_index: [k], the position of each of them (see `Arrays.set_aside`).
    """

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    train_index: np.ndarray
    protocol_index: np.ndarray
    validation_images: np.ndarray = field(default_factory=_no_rows)
    validation_labels: np.ndarray = field(default_factory=_no_rows)
    validation_index: np.ndarray = field(default_factory=_no_rows)


def profile_counts(largest: int, c: int, ratio: float, profile: str) -> tuple[int, ...]:
    """Class sizes with a chosen imbalance ratio.

    Args:
      largest: rows of the largest class.
      c: the number of classes.
      ratio: rows of the largest class over those of the smallest, 1 or more.
      profile: "step": the first half of the classes has `largest` rows and the
        others have largest / ratio. "exponential": class i of 0 ... c - 1 has
        largest * ratio ** (-i / (c - 1)) (Cui et al., CVPR 2019).

    Returns:
      The sizes in label order, the largest first, rounded to 1 or more.

    Raises:
      UserError: for a ratio below 1, or so large that no class has so many rows.
    """
    check_range("imbalance_ratio", ratio)
    if profile == "step":
        powers = [float(i >= (c + 1) // 2) for i in range(c)]
    else:
        powers = [i / (c - 1) for i in range(c)]
    return tuple(max(1, round(largest * ratio**-p)) for p in powers)


def draw_split(
    arrays: Arrays,
    spec: DatasetSpec,
    counts: tuple[int, ...],
    test_per_class: int,
    seed: int,
    validation_per_class: int = 0,
) -> Split:
    """Draw the imbalanced subset, without replacement, from all rows of each class.

    Validation rows are drawn from what the subset leaves of each class.

    Args:
      arrays: the whole dataset.
      spec: its row.
      counts: training rows to be drawn of each class, in label order.
      test_per_class: test rows of each class in the paper's protocol; 0 takes the
        whole test set.
      seed: of the draws.
      validation_per_class: validation rows of each class, or all that are left where
        they are fewer; of a user's data, which has its own, nothing is drawn.

    Returns:
      The drawn rows, sorted by label and within a label by their position in the
      dataset.

    Raises:
      UserError: the class sizes are unfit (see `check_counts`), or a class has fewer
        rows than asked for.
    """
    images, labels, test_images, test_labels, *_ = arrays
    check_counts(counts, spec)
    # One stream for both draws, training rows first: the order is part of what a
    # seed means, and with it of every published result.
    rng = np.random.default_rng(seed)

    def pick(row_labels: np.ndarray, wanted: list[int], name: str) -> np.ndarray:
        chosen = []
        for label, n in enumerate(wanted):
            rows = np.flatnonzero(row_labels == label)
            if n > len(rows):
                raise UserError(
                    f"{setting(name)}: {n} images of class {spec.classes[label]} "
                    f"(label {label}) asked for, {len(rows)} there."
                )
            # In the order of the files, so that a memory map is read forwards.
            chosen.append(np.sort(rng.permutation(rows)[:n]))
        return np.concatenate(chosen)

    train_index = pick(labels, list(counts), "counts")
    sizes = np.bincount(test_labels, minlength=len(spec.classes)).tolist()
    wanted = [test_per_class] * len(sizes) if test_per_class else sizes
    protocol_index = pick(test_labels, wanted, "test_per_class")
    aside_images, aside_labels = arrays.set_aside
    if arrays.validation_labels is None:
        validation_index = _left_over(labels, train_index, validation_per_class, seed)
    else:
        validation_index = np.arange(len(aside_labels))
    return Split(
        take(images, train_index),
        labels[train_index].astype(np.int64),
        test_images,
        test_labels.astype(np.int64),
        train_index,
        protocol_index,
        take(aside_images, validation_index),
        aside_labels[validation_index].astype(np.int64),
        validation_index,
    )


def split_of(options: Options, arrays: Arrays) -> Split:
    """The split that a run draws from its data.

    Args:
      options: settings of the run.
      arrays: the whole dataset.

    Raises:
      UserError: as `draw_split`.
    """
    return draw_split(
        arrays,
        spec_of(options),
        options.counts,
        options.test_per_class,
        options.seed,
        options.validation_per_class,
    )


def _left_over(
    labels: np.ndarray, train_index: np.ndarray, per_class: int, seed: int
) -> np.ndarray:
    """Positions of validation rows, drawn from those that are not trained on."""
    # A stream of its own: the draws of the other rows are what they always were.
    rng = np.random.default_rng([seed, 1])
    free = np.ones(len(labels), bool)
    free[train_index] = False
    chosen = [
        np.sort(rng.permutation(np.flatnonzero(free & (labels == label)))[:per_class])
        for label in np.unique(labels)
    ]
    return np.concatenate(chosen)

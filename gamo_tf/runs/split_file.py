"""split.npz: which rows of the data a run trains on, is watched on, and tests on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gamo_tf.data.mapped_rows import take
from gamo_tf.data.splits import Arrays, Split
from gamo_tf.errors import UserError, setting
from gamo_tf.files import atomically
from gamo_tf.stored import read_arrays, reading

# Positions and labels of each set. The last is not in files of earlier versions.
_NAMES = ("train_index", "train_labels", "protocol_index", "protocol_labels")
_VALIDATION = ("validation_index", "validation_labels")


def save(path: Path, split: Split) -> None:
    """Write the rows' positions in the data, and their labels.

    Args:
      path: of the file.
      split: what the run trains, is watched and is tested on.
    """
    arrays = (
        split.train_index,
        split.labels,
        split.protocol_index,
        split.test_labels[split.protocol_index],
        split.validation_index,
        split.validation_labels,
    )
    named = dict(zip(_NAMES + _VALIDATION, arrays, strict=True))
    atomically(path, lambda part: np.savez(part, **named))


def load(path: Path, arrays: Arrays, counts: tuple[int, ...]) -> Split:
    """The rows of the data that `save` was given.

    Args:
      path: of the file; where an earlier version wrote it, there are no validation
        rows.
      arrays: the data that the run was drawn from.
      counts: training rows of each class of the run.

    Raises:
      UserError: the file cannot be read, or does not fit the data or the counts.
    """
    images, all_labels, test_images, test_labels, *_ = arrays
    aside_images, aside_labels = arrays.set_aside
    rows = sum(counts) + len(test_labels) + len(aside_labels)
    found = read_arrays(path, _NAMES, 2**16 + 16 * rows, optional=_VALIDATION)
    train, labels, protocol, protocol_labels, *aside = found
    validation, validation_labels = aside or (np.zeros(0, np.int64),) * 2
    with reading(path):
        _check("train_index", train, labels, all_labels)
        _check("protocol_index", protocol, protocol_labels, test_labels)
        _check("validation_index", validation, validation_labels, aside_labels)
        sizes = np.bincount(labels, minlength=len(counts))
        if tuple(sizes.tolist()) != counts:
            raise UserError("other class sizes than those of options.json.")
        if arrays.validation_labels is None and np.isin(validation, train).any():
            raise UserError("validation_index: a row that is trained on.")
    return Split(
        take(images, train),
        labels.astype(np.int64),
        test_images,
        test_labels.astype(np.int64),
        train,
        protocol,
        take(aside_images, validation),
        validation_labels.astype(np.int64),
        validation,
    )


def _check(
    name: str, index: np.ndarray, labels: np.ndarray, all_labels: np.ndarray
) -> None:
    """Raises UserError for positions that are none, or are those of other labels."""
    if index.ndim != 1 or index.shape != labels.shape or index.dtype.kind not in "iu":
        raise UserError(f"{name}: expected a position and a label for each row.")
    n = len(all_labels)
    if index.size and not 0 <= index.min() <= index.max() < n:
        raise UserError(f"{name}: a position outside 0 to {n - 1}.")
    if len(np.unique(index)) != len(index):
        raise UserError(f"{name}: a row twice.")
    if not np.array_equal(all_labels[index], labels):
        raise UserError(
            f"{name}: the data files are not those the run was drawn from (labels "
            f"differ). Give the run's {setting('data_dir')}."
        )

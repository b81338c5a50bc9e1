"""Readers of published formats, and the seeded imbalanced split."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from gamo_tf.errors import UserError
from gamo_tf.specs import DatasetSpec


@dataclass(frozen=True)
class Split:
    """What a run trains and tests on. Labels are the dataset's own.

    Attributes:
      images, labels: training rows, uint8 [n, h, w, c] and int64 [n]; row order
        is identity: IGU column j of class i is the j-th row with label i.
      test_images, test_labels: the full test set.
      train_index: [n] position of each training row in the published set.
      protocol_index: [m] rows of the test set in the paper's N-a-class protocol.
    """

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    train_index: np.ndarray
    protocol_index: np.ndarray


def read(spec: DatasetSpec, data_dir: Path) -> tuple[np.ndarray, ...]:
    """Train images and labels, test images and labels, as published (uint8)."""
    reader = import_module(f"gamo_tf.datasets.{spec.reader}")
    return reader.read(spec, Path(data_dir))


def check(spec: DatasetSpec, data_dir: Path) -> None:
    """Raises UserError where files that we cannot fetch are missing."""
    reader = import_module(f"gamo_tf.datasets.{spec.reader}")
    if hasattr(reader, "check"):
        reader.check(spec, Path(data_dir))


def profile_counts(largest: int, c: int, ratio: float, profile: str) -> tuple[int, ...]:
    """Class counts of a given imbalance ratio, in label order, largest first.

    `step`: the first half keeps `largest`, the rest has largest / ratio.
    `exponential`: largest * ratio ** (-i / (c - 1)) (Cui et al., CVPR 2019).
    """
    if ratio < 1:
        raise UserError(f"--imbalance-ratio {ratio:g}: expected 1 or more.")
    if profile == "step":
        powers = [float(i >= (c + 1) // 2) for i in range(c)]
    else:
        powers = [i / (c - 1) for i in range(c)]
    return tuple(max(1, round(largest * ratio**-p)) for p in powers)


def check_counts(counts: tuple[int, ...], spec: DatasetSpec) -> None:
    """Refuse counts that leave nothing to oversample or nothing to combine."""
    if len(counts) != len(spec.classes):
        raise UserError(
            f"--counts: {len(counts)} numbers given, {len(spec.classes)} classes "
            f"in {spec.name}."
        )
    if min(counts) < 2:
        raise UserError(
            f"--counts: class {spec.classes[int(np.argmin(counts))]} would have "
            f"{min(counts)} sample(s); a convex combination needs 2 or more."
        )
    if min(counts) == max(counts):
        raise UserError(
            "no minority class: all classes have the same number of samples "
            f"({counts[0]}), so there is nothing to oversample."
        )


def draw(
    arrays: tuple[np.ndarray, ...],
    spec: DatasetSpec,
    counts: tuple[int, ...],
    test_per_class: int,
    seed: int,
) -> Split:
    """Draw the imbalanced subset without replacement, from all of each class.

    `test_per_class` 0 takes the whole test set. Raises UserError where a class
    has fewer images than asked for.
    """
    images, labels, test_images, test_labels = arrays
    check_counts(counts, spec)
    rng = np.random.default_rng(seed)

    def pick(pool: np.ndarray, wanted: list[int], flag: str) -> np.ndarray:
        chosen = []
        for label, n in enumerate(wanted):
            rows = np.flatnonzero(pool == label)
            if n > len(rows):
                raise UserError(
                    f"{flag}: {n} images of class {spec.classes[label]} (label "
                    f"{label}) asked for, {len(rows)} there."
                )
            chosen.append(np.sort(rng.permutation(rows)[:n]))
        return np.concatenate(chosen)

    train_index = pick(labels, list(counts), "--counts")
    sizes = np.bincount(test_labels, minlength=len(spec.classes)).tolist()
    wanted = [test_per_class] * len(sizes) if test_per_class else sizes
    return Split(
        images[train_index],
        labels[train_index].astype(np.int64),
        test_images,
        test_labels.astype(np.int64),
        train_index,
        pick(test_labels, wanted, "--test-per-class"),
    )

"""What the benchmarks of images share: scores on images that no training saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gamo2pix.extractors import Extractor
    from gamo2pix.generate import Generated
    from gamo_tf.data.splits import Split
    from gamo_tf.runs.run import Run

COLUMNS = "KID (floor) | recall (floor) | precision | copies |"
RULE = "--- | --- | --- | --- |"


def opened(path: Path, data_dir: Path) -> tuple[Run, Split, Extractor]:
    """A run, its split, and the features of the reference classifier, kept beside it.

    Args:
      path: of the run.
      data_dir: the folder of published datasets.
    """
    from gamo2pix.extractors import choose
    from gamo2pix.reference_classifier import reference
    from gamo_tf.config.options import spec_of
    from gamo_tf.runs.run import Run

    run = Run.open(path)
    arrays = run.arrays(data_dir)
    (extractor,) = choose(
        "classifier", None, lambda: reference(spec_of(run.options), arrays, path.parent)
    )
    return run, run.load_split(arrays), extractor


def means(
    split: Split,
    labels: Sequence[int],
    extractor: Extractor,
    generate: Callable[[int, int], Generated],
) -> dict[str, float]:
    """Generated images against the training images, and validation images for floors.

    Args:
      split: of the run.
      labels: of the classes.
      extractor: of the features.
      generate: of a label and a number, so many images of the class.

    Returns:
      Every score of `score.score`, as its mean over the classes.
    """
    from gamo2pix import score

    rows = []
    for label in labels:
        unseen = split.validation_images[split.validation_labels == label]
        real = split.images[split.labels == label]
        made = {score.GAMO: generate(label, len(unseen))}
        rows += score.score(extractor, real, unseen, made)
    return score.means(rows)[0]


def cells(mean: dict[str, float]) -> str:
    """The cells of COLUMNS.

    Args:
      mean: of `means`.
    """
    shown = [f"{mean['kid']:.3f} ({mean['kid_floor']:.3f})"]
    shown += [f"{mean['recall']:.2f} ({mean['recall_floor']:.2f})"]
    shown += [f"{mean['precision']:.2f}", f"{mean['copies']:.3f}"]
    return " | ".join(shown) + " |"

"""How long to train a conditional GAN: its images against real ones that it never saw.

    python benchmarks/gan_length.py cifar10 --data-dir DIR

Trains cDCGAN on the imbalanced images of seed 0. Now and then as many of its images as
there are validation images are compared with the training images, in the features of
the reference classifier (kept in --runs-dir). Prints a line a look, and writes all to
docs/gan-length.json. The length of the lowest KID is one to give as --gan-turns.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import on_validation

ROOT = Path(__file__).resolve().parents[1]
LOOKS = (1000, 2000, 4000, 6000, 8000, 12000, 16000, 24000)  # turns
RECORD = ROOT / "docs" / "gan-length.json"


def curve(dataset: str, data_dir: Path, runs_dir: Path, last: int) -> list[dict]:
    """Train a GAN and look at what it makes.

    Args:
      dataset: a row of `DATASETS`.
      data_dir: the folder of published datasets.
      runs_dir: has the reference classifier, or gets it.
      last: turns after which no more are trained.

    Returns:
      For each look the turns, and means over the smaller classes of the scores.
    """
    from gamo_tf.import_tensorflow import import_tensorflow

    import_tensorflow()
    import keras
    import numpy as np
    import tensorflow as tf

    from gamo2pix.extractors import choose
    from gamo2pix.generate import Generated
    from gamo2pix.reference_classifier import reference
    from gamo_tf.config.options import resolve, spec_of
    from gamo_tf.data import load
    from gamo_tf.data.splits import draw_split
    from gamo_tf.methods.conditional_gan import ConditionalGan
    from gamo_tf.networks.conditional_gan import convolutional

    options = resolve({"dataset": dataset, "method": "cdcgan"})
    spec = spec_of(options)
    arrays = load.read(spec, data_dir)
    sizes = options.counts, options.test_per_class
    split = draw_split(arrays, spec, *sizes, 0, options.validation_per_class)
    (extractor,) = choose("classifier", None, lambda: reference(spec, arrays, runs_dir))
    keras.utils.set_random_seed(options.seed)
    gan = ConditionalGan(options, *convolutional(spec, options.latent), last)
    data = tf.constant(split.images), tf.constant(split.labels, tf.int32)
    labels = options.class_counts.minority

    def made(label: int, n: int) -> Generated:
        return Generated(gan.generate(np.full(n, label), spec.shape), None)

    found, done = [], 0
    for turns in (n for n in LOOKS if n <= last):
        gan.epoch(*data, steps=turns - done)
        done, mean = turns, on_validation.means(split, labels, extractor, made)
        kept = {k: mean[k] for k in ("kid", "recall", "precision", "copies")}
        found.append({**kept, "turns": turns})
        print(f"| {dataset} | {turns} | {on_validation.cells(mean)}", flush=True)
    return found


def main() -> None:
    """Look at some datasets, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+")
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data")
    parser.add_argument("--runs-dir", type=Path, default=ROOT / "runs")
    parser.add_argument("--last", type=int, default=LOOKS[-1], help="most turns")
    args = parser.parse_args()
    print(f"| set | turns | {on_validation.COLUMNS}")
    print(f"| --- | --- | {on_validation.RULE}", flush=True)
    for dataset in args.datasets:
        found = curve(dataset, args.data_dir, args.runs_dir, args.last)
        known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
        RECORD.write_text(json.dumps(known | {dataset: found}, indent=1) + "\n")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()

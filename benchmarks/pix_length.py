"""How long to train the VAE of a class: unseen real images through F and the VAE.

python benchmarks/pix_length.py RUN [RUN ...] --data-dir DIR

Trains on a run's own images of four of its classes and looks at images of the
published training set that the run did not draw (never at test images). Writes
docs/pix-length.json and prints a table: pixel RMSE, in grey levels of 255.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gamo_tf.import_tensorflow import import_tensorflow  # noqa: E402

import_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from gamo2pix.generate import ImageGenerator  # noqa: E402
from gamo2pix.options import PixOptions  # noqa: E402
from gamo2pix.vae import FeatureDecoder, Vae  # noqa: E402
from gamo_tf.config.dataset_specs import DATASETS  # noqa: E402
from gamo_tf.data import load  # noqa: E402
from gamo_tf.data.splits import Arrays, Split  # noqa: E402
from gamo_tf.runs.run import Run  # noqa: E402

LOOKS = (250, 500, 1000, 2000, 3000, 4000, 6000)  # minibatches
UNSEEN = 400  # images, at most


def rmse(decoder: FeatureDecoder, features: np.ndarray, images: np.ndarray) -> float:
    """Root of the mean squared error of decoded features, in grey levels.

    Args:
      decoder: of the class; it takes the mean of q(z|x).
      features: those of the images, float32 [n, d].
      images: uint8 [n, h, w, c].
    """
    error = decoder(features, None).astype(float) - images
    return float(np.sqrt(np.mean(error**2)))


def curve(
    run: Run, label: int, generator: ImageGenerator, split: Split, arrays: Arrays
) -> dict:
    """Train the VAE of a class, and look at its error now and then.

    Args:
      run: the run that F is from.
      label: of the class.
      generator: of the run.
      split: the split that the run trained on.
      arrays: the dataset that the split was drawn from.

    Returns:
      Run, class, number of images n, and by number of minibatches the error on the
      training images and on unseen ones.
    """
    images, labels = arrays.images, arrays.labels
    free = np.setdiff1d(np.flatnonzero(labels == label), split.train_index)[:UNSEEN]
    rows = generator.rows[label]
    seen, unseen = split.images[rows], images[free]
    x, unseen_x = generator.features[rows], generator.extract(unseen)
    vae = Vae(PixOptions(), x.shape[1], split.images.shape[1:], len(rows))
    decoder, found, done = FeatureDecoder(vae.head, vae.decoder), {}, 0
    for stop in LOOKS:
        vae.epoch(tf.constant(x), tf.constant(seen), steps=stop - done)
        done = stop
        found[stop] = [rmse(decoder, x, seen), rmse(decoder, unseen_x, unseen)]
    name = DATASETS[run.options.dataset].classes[label]
    return {"run": run.path.name, "class": name, "n": len(seen), "rmse": found}


def main() -> None:
    """Go through four minority classes of each run, and write and print all curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data")
    args = parser.parse_args()
    results = []
    for path in args.runs:
        run = Run.open(path)
        arrays = load.read(DATASETS[run.options.dataset], args.data_dir)
        split = run.load_split(arrays)
        generator = ImageGenerator(run, split, 0)
        labels = list(generator.rows)
        for label in (labels[0], labels[3], labels[6], labels[-1]):
            results.append(curve(run, label, generator, split, arrays))
            row = results[-1]
            cells = [f"{a:.1f} / {b:.1f}" for a, b in row["rmse"].values()]
            print(
                f"| {row['run']} {row['class']} | {row['n']} |",
                " | ".join(cells),
                "|",
                flush=True,
            )
    (ROOT / "docs" / "pix-length.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()

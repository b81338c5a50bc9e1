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

from gamo_tf.quiet import import_tensorflow  # noqa: E402

import_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from gamo2pix.options import PixOptions  # noqa: E402
from gamo2pix.synthesis import Synthesis  # noqa: E402
from gamo2pix.vae import Decode, Vae  # noqa: E402
from gamo_tf import datasets  # noqa: E402
from gamo_tf.runs import Run  # noqa: E402
from gamo_tf.specs import DATASETS  # noqa: E402

LOOKS = (250, 500, 1000, 2000, 3000, 4000, 6000)
UNSEEN = 400


def rmse(decode: Decode, features: np.ndarray, images: np.ndarray) -> float:
    error = decode(features, None).astype(float) - images
    return float(np.sqrt(np.mean(error**2)))


def curve(run: Run, label: int, synthesis: Synthesis, split, arrays) -> dict:
    images, labels = arrays[:2]
    free = np.setdiff1d(np.flatnonzero(labels == label), split.train_index)[:UNSEEN]
    rows = synthesis.rows[label]
    seen, unseen = split.images[rows], images[free]
    x, far = synthesis.features[rows], synthesis.extract(unseen)
    vae = Vae(PixOptions(), x.shape[1], split.images.shape[1:])
    decode, found, done = Decode(vae.head, vae.decoder), {}, 0
    for stop in LOOKS:
        vae.train(tf.constant(x), tf.constant(seen), tf.constant(stop - done))
        done = stop
        found[stop] = [rmse(decode, x, seen), rmse(decode, far, unseen)]
    name = DATASETS[run.options.dataset].classes[label]
    return {"run": run.path.name, "class": name, "n": len(seen), "rmse": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data")
    args = parser.parse_args()
    results = []
    for path in args.runs:
        run = Run.open(path)
        arrays = datasets.read(DATASETS[run.options.dataset], args.data_dir)
        split = run.load_split(arrays)
        synthesis = Synthesis(run, split, 0)
        labels = list(synthesis.rows)
        for label in (labels[0], labels[3], labels[6], labels[-1]):
            results.append(curve(run, label, synthesis, split, arrays))
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

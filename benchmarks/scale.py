"""Memory of an epoch on the paper's largest sets, and the cost of many classes.

python benchmarks/scale.py        docs/scale.json and what is printed

Random images of the real sizes (celeba-large: 37,250 of 64x64x3 from a memory map;
sun397: 50 classes). Each case runs in a process of its own, so that its peak memory is
its own; the two numbers of classes run in turn in one process.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gamo_tf.import_tensorflow import import_tensorflow  # noqa: E402

import_tensorflow()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from gamo_tf.config.options import Options, resolve, spec_of  # noqa: E402
from gamo_tf.data.splits import Arrays, draw_split  # noqa: E402
from gamo_tf.evaluation.evaluator import DeviceSplit  # noqa: E402
from gamo_tf.methods.build import build  # noqa: E402


def memory(options: Options) -> dict:
    """Train an epoch of GAMO in the way of `train.run`, from images on disk.

    Args:
      options: of the run.

    Returns:
      Sizes, seconds of the epoch and the peak memory of this process in MiB.
    """
    spec, counts = spec_of(options), np.asarray(options.counts)
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        n = int(counts.sum())
        images = np.lib.format.open_memmap(path, "w+", np.uint8, (n, *spec.shape))
        for k in range(0, n, 1000):
            part = images[k : k + 1000]
            part[:] = rng.integers(0, 256, part.shape, np.uint8)
        images.flush()
        del images
        labels = np.repeat(np.arange(len(counts)), counts)
        test_labels = np.repeat(np.arange(len(counts)), 20)
        test_images = np.zeros((len(test_labels), *spec.shape), np.uint8)
        mapped = np.load(path, mmap_mode="r")
        arrays = Arrays(mapped, labels, test_images, test_labels)
        split = draw_split(arrays, spec, options.counts, 0, 0)
        rows = DeviceSplit.of(split)
        del mapped, arrays, split
        game = build(options, spec)
        y = tf.constant(labels, tf.int32)
        began = time.perf_counter()
        game.epoch(rows.train, y, steps=game.steps_per_epoch)
        took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "images": n,
        "classes": len(counts),
        "batch": options.batch_size,
        "steps": game.steps_per_epoch,
        "seconds": round(took, 1),
        "peak_mib": round(peak),
    }


def scene_options(classes: int, points: int) -> Options:
    """Options of a run on images of 64x64x3, with a batch of 128.

    Args:
      classes: how many there are, the majority class among them.
      points: training images of all minority classes together, spread evenly.
    """
    each = points // (classes - 1)
    return resolve(
        {
            "dataset": "scenes",
            "data": "random",
            "shape": (64, 64, 3),
            "classes": tuple(f"c{k}" for k in range(classes)),
            "counts": (max(1137, each + 1), *[each] * (classes - 1)),
            "batch_size": 128,
        }
    )


def classes() -> dict:
    """Time iterations with 10 and with 50 classes and as many minority points.

    Returns:
      Milliseconds of a whole iteration, and of its game pass alone, by number of
      classes, and the ratios of 50 to 10 classes.
    """
    games, data = {}, {}
    for c in (10, 50):
        options = scene_options(c, 9 * 49 * 20)
        games[c] = build(options, spec_of(options))
        n = sum(options.counts)
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (n, 64, 64, 3), np.uint8)
        labels = np.repeat(np.arange(c), options.counts)
        data[c] = tf.constant(images), tf.constant(labels, tf.int32)
    steps, whole, alone = 30, {10: [], 50: []}, {10: [], 50: []}
    for turn in range(4):
        for c, game in games.items():
            began = time.perf_counter()
            game.epoch(*data[c], steps=steps)
            middle = time.perf_counter()
            features = tf.zeros([len(data[c][1]), 512])
            points, order = game.class_points(features), game.order(data[c][1])
            again = time.perf_counter()
            game.game_pass(
                features, data[c][1], order, tf.constant(steps), points
            ).numpy()
            if turn:  # the first one compiles
                whole[c].append((middle - began) / steps * 1e3)
                alone[c].append((time.perf_counter() - again) / steps * 1e3)
    found = {f"ms_{c}": round(median(whole[c]), 2) for c in games}
    found |= {f"game_ms_{c}": round(median(alone[c]), 2) for c in games}
    found["ratio"] = round(found["ms_50"] / found["ms_10"], 2)
    found["game_ratio"] = round(found["game_ms_50"] / found["game_ms_10"], 2)
    return found


CASES = {
    "celeba-large": lambda: memory(resolve({"dataset": "celeba-large"})),
    "50 classes": lambda: memory(scene_options(50, 49 * 240)),
    "50 and 10 classes": classes,
}


def main() -> None:
    """Run one case here, or all of them in processes of their own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=CASES, help="one, in this process")
    args = parser.parse_args()
    if args.case:
        print(json.dumps(CASES[args.case]()))
        return
    found = {}
    for name in CASES:
        command = [sys.executable, __file__, "--case", name]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found[name] = json.loads(done.stdout.splitlines()[-1])
        print(name, found[name], flush=True)
    found["tensorflow"] = tf.__version__
    (ROOT / "docs" / "scale.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

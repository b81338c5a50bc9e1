"""Time of an iteration of GAMO and of the plain classifier, beside the floor.

python benchmarks/step_time.py --dataset fashion-mnist --data-dir ../shared/data

Prints a table and writes docs/step_time.json. Epochs of the two alternate, so
that a drift of the machine meets both; compare the ratio, not the times.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from datetime import date
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gamo_tf.import_tensorflow import import_tensorflow  # noqa: E402

import_tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from gamo_tf.config.dataset_specs import DATASETS  # noqa: E402
from gamo_tf.config.options import resolve  # noqa: E402
from gamo_tf.data import load  # noqa: E402
from gamo_tf.data.download import default_data_dir  # noqa: E402
from gamo_tf.data.splits import draw_split  # noqa: E402
from gamo_tf.game import Game  # noqa: E402
from gamo_tf.methods.build import build  # noqa: E402

METHODS = ("cn", "gamo")
# Compiled functions of the two trainers. Each should have been traced once.
COMPILED = (
    "feature_pass",
    "features",
    "class_points",
    "game_pass",
    "classifier_pass",
    "order",
)


def forward_flops(network: keras.Model) -> float:
    """Arithmetic of one row's way through the dense and convolution layers.

    Args:
      network: a built model; its other layers are not counted.

    Returns:
      Floating-point operations: twice the number of multiply-adds.
    """
    total = 0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            _, height, width, filters = layer.output.shape
            taps = int(np.prod(layer.kernel.shape[:3]))
            total += 2 * height * width * filters * taps
        elif isinstance(layer, keras.layers.Dense):
            total += 2 * int(np.prod(layer.kernel.shape))
    return total


def floors(game: Game) -> dict[str, float]:
    """The arithmetic that one iteration cannot do without.

    A gradient of inputs, and one of weights, each cost a forward pass. The first layer
    of F needs none of its inputs.

    Args:
      game: with F, M, D and a convex G.

    Returns:
      Floating-point operations of an iteration of each of METHODS.
    """
    F, M, D = (forward_flops(net) for net in (game.F, game.M, game.D))
    first = next((n for n in game.F.layers if isinstance(n, keras.layers.Conv2D)), None)
    f_update = 3 * F - (forward_flops(keras.Sequential([first])) if first else 0)
    counts, b = game.options.class_counts, game.b
    sizes = np.asarray(counts.minority_sizes)
    probabilities = np.asarray(counts.label_probabilities)
    d, t = game.F.output_shape[1], 64
    mapping = 2 * ((game.options.latent + game.c) * 256 + 256 * t)
    generated_rows = -(-b // len(sizes)) * len(sizes)  # of B_g
    generate = b * (mapping + 2 * (probabilities @ sizes) * (t + d))
    update = generated_rows * (3 * mapping + 2 * sizes.mean() * (3 * t + 2 * d))
    opponents = b * (3 * M + 3 * D) * 2 + generated_rows * 2 * (M + D)
    learn = b * (f_update + 2 * M) + b * F if game.learns_features else 0
    return {
        "cn": b * ((f_update if game.learns_features else 0) + 3 * M),
        "gamo": learn + opponents + generate + 2 * update,
    }


def matrix_rate(size: int = 2048) -> float:
    """How fast this machine multiplies square float32 matrices: the best of ten.

    Args:
      size: rows and columns of the matrices.

    Returns:
      Floating-point operations a second.
    """
    a = tf.random.normal([size, size])
    times = []
    for _ in range(10):
        began = time.perf_counter()
        (a @ a).numpy()
        times.append(time.perf_counter() - began)
    return 2 * size**3 / min(times)


def main() -> None:
    """Time the epochs of both methods in turn, print the table and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    # Classes that are drawn by seed have no fixed counts.
    names = [name for name, spec in DATASETS.items() if not spec.draws_classes]
    parser.add_argument("--dataset", default="fashion-mnist", choices=names)
    parser.add_argument("--data-dir", type=Path, default=default_data_dir())
    parser.add_argument("--epochs", type=int, default=7, help="timed, after two")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/step_time.json")
    args = parser.parse_args()
    spec = DATASETS[args.dataset]
    options = {m: resolve({"dataset": spec.name, "method": m}) for m in METHODS}
    arrays = load.read(spec, args.data_dir)
    split = draw_split(arrays, spec, spec.counts, spec.test_per_class, 0)
    images = tf.constant(split.images)
    labels = tf.constant(split.labels, tf.int32)
    trainers = {m: build(o, spec) for m, o in options.items()}
    times: dict[str, list[float]] = {m: [] for m in trainers}
    for epoch in range(args.epochs + 2):
        for method, trainer in trainers.items():
            # The second epoch is cut by one iteration: that must not trace again.
            steps = trainer.steps_per_epoch - (epoch == 1)
            began = time.perf_counter()
            trainer.epoch(images, labels, steps=steps)
            if epoch > 1:
                times[method].append((time.perf_counter() - began) / steps * 1e3)
    rate, work = matrix_rate(), floors(trainers["gamo"])
    rows = {
        method: {
            "ms": median(times[method]),
            "ms_all": [round(t, 3) for t in times[method]],
            "gflop": work[method] / 1e9,
            "floor_ms": work[method] / rate * 1e3,
            "traces": {
                name: getattr(trainer, name).experimental_get_tracing_count()
                for name in COMPILED
                if hasattr(trainer, name)
            },
        }
        for method, trainer in trainers.items()
    }
    ratio = rows["gamo"]["ms"] / rows["cn"]["ms"]
    print("| method | ms an iteration | GFLOP | floor ms | traces |")
    print("| --- | --- | --- | --- | --- |")
    for method, row in rows.items():
        traced = ", ".join(f"{k} {v}" for k, v in row["traces"].items() if v)
        cells = (f"{row['ms']:.2f}", f"{row['gflop']:.2f}", f"{row['floor_ms']:.2f}")
        print("|", " | ".join((method, *cells, traced)), "|")
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    print(
        f"\n{spec.name}, batch {options['gamo'].batch_size}, {device}: GAMO / cn = "
        f"{ratio:.2f}; matrix rate {rate / 1e9:.0f} GFLOP/s"
    )
    found = {
        "dataset": spec.name,
        "device": device,
        "machine": platform.processor() or platform.machine(),
        "date": date.today().isoformat(),
        "tensorflow": tf.__version__,
        "gemm_gflops": rate / 1e9,
        "ratio": ratio,
        "rows": rows,
    }
    args.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

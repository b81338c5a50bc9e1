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

from gamo_tf.quiet import import_tensorflow  # noqa: E402

import_tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from gamo_tf import datasets, train  # noqa: E402
from gamo_tf.datasets.files import default_data_dir  # noqa: E402
from gamo_tf.game import Game  # noqa: E402
from gamo_tf.options import resolve  # noqa: E402
from gamo_tf.specs import DATASETS  # noqa: E402

COMPILED = (
    "feature_pass",
    "features",
    "parts",
    "game_pass",
    "classifier_pass",
    "_order",
)


def forward_flops(network: keras.Model) -> float:
    """Multiply-adds times two of one row's way through dense and conv layers."""
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
    """FLOPs of one iteration. A gradient of inputs, and one of weights, each cost a
    forward pass; the first layer of F needs none of its inputs."""
    F, M, D = (forward_flops(p) for p in (game.F, game.M, game.D))
    first = next((n for n in game.F.layers if isinstance(n, keras.layers.Conv2D)), None)
    f_update = 3 * F - (forward_flops(keras.Sequential([first])) if first else 0)
    counts = np.asarray(game.options.counts)
    small, b = counts[game.small], game.b
    d, t = game.F.output_shape[1], 64
    law = (counts.max() - small) / (counts.max() - small).sum()
    mapping = 2 * ((game.options.latent + game.c) * 256 + 256 * t)
    even = -(-b // len(small)) * len(small)  # rows of B_g
    generate = b * (mapping + 2 * (law @ small) * (t + d))
    update = even * (3 * mapping + 2 * small.mean() * (3 * t + 2 * d))
    players = b * (3 * M + 3 * D) * 2 + even * 2 * (M + D)
    learn = b * (f_update + 2 * M) + b * F if game.learns_features else 0
    return {
        "cn": b * ((f_update if game.learns_features else 0) + 3 * M),
        "gamo": learn + players + generate + 2 * update,
    }


def gemm_rate(size: int = 2048) -> float:
    """FLOP/s of a square float32 matrix product: the best of ten."""
    a = tf.random.normal([size, size])
    times = []
    for _ in range(10):
        began = time.perf_counter()
        (a @ a).numpy()
        times.append(time.perf_counter() - began)
    return 2 * size**3 / min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="fashion-mnist", choices=list(DATASETS))
    parser.add_argument("--data-dir", type=Path, default=default_data_dir())
    parser.add_argument("--epochs", type=int, default=7, help="timed, after two")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/step_time.json")
    args = parser.parse_args()
    spec = DATASETS[args.dataset]
    options = {m: resolve({"dataset": spec.name, "method": m}) for m in ("cn", "gamo")}
    arrays = datasets.read(spec, args.data_dir)
    split = datasets.draw(arrays, spec, spec.counts, spec.test_per_class, 0)
    images = tf.constant(split.images)
    labels = tf.constant(split.labels, tf.int32)
    games = {m: train.build(o, spec) for m, o in options.items()}
    times: dict[str, list[float]] = {m: [] for m in games}
    for epoch in range(args.epochs + 2):
        for method, game in games.items():
            steps = game.steps_per_epoch - (epoch == 1)  # a cut epoch must not retrace
            began = time.perf_counter()
            game.epoch(images, labels, steps)
            if epoch > 1:
                times[method].append((time.perf_counter() - began) / steps * 1e3)
    rate, work = gemm_rate(), floors(games["gamo"])
    rows = {
        method: {
            "ms": median(times[method]),
            "ms_all": [round(t, 3) for t in times[method]],
            "gflop": work[method] / 1e9,
            "floor_ms": work[method] / rate * 1e3,
            "traces": {
                name: getattr(game, name).experimental_get_tracing_count()
                for name in COMPILED
                if hasattr(game, name)
            },
        }
        for method, game in games.items()
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

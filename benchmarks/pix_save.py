"""Generating and saving images: seconds and peak memory by number of images.

python benchmarks/pix_save.py RUN --data-dir DIR

RUN: a finished run whose classes GAMO2pix has trained. Each size has a process of
its own; prints a table.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIZES = (2_500, 10_000, 40_000)


def measure(path: Path, data_dir: Path, images: int) -> None:
    from gamo_tf.quiet import import_tensorflow

    import_tensorflow()
    from gamo2pix import balanced
    from gamo2pix.synthesis import Synthesis
    from gamo2pix.vae import Decode
    from gamo_tf import datasets
    from gamo_tf.runs import Run
    from gamo_tf.specs import DATASETS

    run = Run.open(path)
    spec = DATASETS[run.options.dataset]
    split = run.load_split(datasets.read(spec, data_dir))
    synthesis = Synthesis(run, split, 0)
    label = max(synthesis.rows)
    vae = None
    if not spec.flat:
        vae = Decode.load(run.pix_class(spec.classes[label]))
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        want = len(synthesis.rows[label]) + images
        target = Path(place) / "balanced"
        balanced.save(target, run, spec, split, synthesis, {label: vae}, want, {})
        took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {images} | {took:.1f} | {peak:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data")
    parser.add_argument("--images", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.images:
        measure(args.run, args.data_dir, args.images)
        return
    print("| generated images | seconds | peak MiB |\n| --- | --- | --- |", flush=True)
    for images in SIZES:
        command = [sys.executable, __file__, str(args.run), "--images", str(images)]
        subprocess.run([*command, "--data-dir", str(args.data_dir)], check=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()

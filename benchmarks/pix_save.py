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
    """Save a balanced folder with generated images of one class; print a line.

    Args:
      path: of the run.
      data_dir: the folder of published datasets.
      images: how many are generated.
    """
    from gamo_tf.import_tensorflow import import_tensorflow

    import_tensorflow()
    from gamo2pix import balanced_folder
    from gamo2pix.balanced_folder import Contents
    from gamo2pix.generate import ImageGenerator
    from gamo2pix.options import RECIPE
    from gamo2pix.real_files import real_sets
    from gamo2pix.vae import FeatureDecoder
    from gamo_tf.config.dataset_specs import DATASETS
    from gamo_tf.data import load
    from gamo_tf.runs.run import Run

    run = Run.open(path)
    spec = DATASETS[run.options.dataset]
    split = run.load_split(load.read(spec, data_dir))
    generator = ImageGenerator(run, split, 0, RECIPE)
    label = max(generator.rows)
    decoder = None
    if not spec.flat:
        decoder = FeatureDecoder.load(run.pix_class(spec.classes[label]))
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        want = len(generator.rows[label]) + images
        target = Path(place) / "balanced"
        decoders = {label: decoder}
        sets = real_sets(run, split, None)
        contents = Contents(run, spec, sets, generator, decoders, want)
        balanced_folder.save(target, contents)
        took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {images} | {took:.1f} | {peak:.0f} |", flush=True)


def main() -> None:
    """Measure each of SIZES in a process of its own."""
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

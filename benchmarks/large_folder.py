"""Trains on a folder of images that is larger than what memory should hold.

    python benchmarks/large_folder.py FOLDER [--images 300000] [--size 64] [FLAGS]

Makes FOLDER, which must not be there yet, with five classes whose sizes fall by powers
of three; trains GAMO on it for a few iterations as a program of its own, and prints the
seconds and the most memory that it had: all of it, and without the pages of files,
which the system takes back where it must. Other FLAGS are those of train_gamo.py.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
CLASSES = 5
_EVERY = 0.2  # seconds between two looks at a program's memory
# A short training that is evaluated once; flags that are given stand behind these.
TRAINING = "--iterations 60 --evaluate-every 60 --checkpoint-every 60 --support 1000 "
TRAINING += "--validation-split 0.05 --test-split 0.05"


def make_class(folder: Path, label: int, images: int, size: int) -> None:
    """Photos of nothing: patches of colour, which differ by class.

    Args:
      folder: of the class, which is made.
      label: of the class.
      images: how many.
      size: their side in pixels.
    """
    folder.mkdir(parents=True)
    random = np.random.default_rng(label)
    for k in range(images):
        coarse = random.integers(0, 256, (4, 4, 3), np.uint8)
        coarse[..., label % 3] //= 1 + label
        image = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)
        image.save(folder / f"{k:06}.jpg", quality=80)


def run(command: list[str]) -> tuple[int, float]:
    """Run a program, and watch its memory.

    Args:
      command: and its arguments.

    Returns:
      The exit code, and the most memory of its own, without pages of files, in GiB.
    """
    process, most = subprocess.Popen(command), 0
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        try:
            lines = status.read_text().splitlines()
        except OSError:  # it has just ended
            continue
        own = [line.split()[1] for line in lines if line.startswith("RssAnon")]
        most = max(most, *map(int, own), 0)
        time.sleep(_EVERY)
    return process.returncode, most / 2**20


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=300_000)
    parser.add_argument("--size", type=int, default=64)
    flags, of_training = parser.parse_known_args()
    shares = 3.0 ** -np.arange(CLASSES)
    counts = np.floor(flags.images * shares / shares.sum()).astype(int)
    counts[0] += flags.images - counts.sum()
    began = time.perf_counter()
    with ProcessPoolExecutor() as workers:
        made = [
            workers.submit(
                make_class, flags.folder / f"class{k}", k, int(n), flags.size
            )
            for k, n in enumerate(counts)
        ]
        for each in made:
            each.result()
    print(f"{counts.tolist()} images made in {time.perf_counter() - began:.0f} s")
    asked = ["--image-folder", str(flags.folder), "--image-size", str(flags.size)]
    began = time.perf_counter()
    command = [sys.executable, str(ROOT / "train_gamo.py"), *asked]
    command += [*TRAINING.split(), *of_training]
    code, own = run(command)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    raw = flags.images * flags.size**2 * 3 / 2**30
    print(
        f"{flags.images} images of {flags.size} x {flags.size}, {raw:.2f} GiB decoded: "
        f"{time.perf_counter() - began:.0f} s, at most {peak:.2f} GiB of memory, "
        f"and {own:.2f} GiB without pages of files"
    )
    return code


if __name__ == "__main__":
    sys.exit(main())

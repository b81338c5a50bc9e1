"""What each part of GAMO2pix's shared recipe brings, on images that no training saw.

    python benchmarks/pix_recipes.py RUN --data-dir DIR

RUN is a finished run of GAMO on images. Each variant has the same minibatches; its
images are compared with the training images, and validation images of the run say what
unseen ones score. The table is printed. The reference classifier is kept beside RUN.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import on_validation

ROOT = Path(__file__).resolve().parents[1]


def measure(path: Path, data_dir: Path, iterations: int, only: list[str]) -> None:
    """Train and score each variant; prints a line of the table for each.

    Args:
      path: of the run.
      data_dir: the folder of published datasets.
      iterations: minibatches of each.
      only: names of the variants; none: all.
    """
    from gamo_tf.import_tensorflow import import_tensorflow

    import_tensorflow()
    import numpy as np
    import tensorflow as tf

    from gamo2pix.code_vae import CodeVae
    from gamo2pix.generate import Generated, ImageGenerator
    from gamo2pix.options import RECIPE, PixOptions
    from gamo2pix.recipes import RECIPES
    from gamo2pix.vae import FeatureDecoder
    from gamo_tf.config.options import spec_of

    usual = RECIPES[RECIPE]
    variants = {
        "as it is": usual,
        "not anchored": replace(usual, anchored=False),
        "no critic": replace(usual, adversarial=0.0),
        "a critic of a tenth of the weight": replace(usual, adversarial=0.04),
        "4 spatial channels": replace(usual, spatial=4),
        "32 spatial channels": replace(usual, spatial=32),
    }
    run, split, extractor = on_validation.opened(path, data_dir)
    shape = spec_of(run.options).shape
    labels = run.options.class_counts.minority
    counts = tuple(np.bincount(split.labels).tolist())
    trained: dict = {}
    for name, recipe in variants.items():
        if only and name not in only:
            continue
        RECIPES[name] = recipe
        generator = ImageGenerator(run, split, 0, name)
        key = replace(recipe, anchored=True)  # what is trained does not depend on it
        if key not in trained:
            began = time.perf_counter()
            options = PixOptions(recipe=name)
            assert generator.code is not None  # every variant has a spatial code
            vae = CodeVae(options, generator.code, shape, counts, iterations)
            data = tf.constant(generator.features), tf.constant(split.images)
            vae.epoch(*data, steps=iterations)
            trained[key] = vae, time.perf_counter() - began
        vae, took = trained[key]
        decoder = FeatureDecoder(vae.head, vae.decoder)

        def made(
            label: int,
            n: int,
            generator: ImageGenerator = generator,
            decoder: FeatureDecoder = decoder,
        ) -> Generated:
            return generator.generate(label, decoder, 0, n)

        mean = on_validation.means(split, labels, extractor, made)
        print(f"| {name} | {on_validation.cells(mean)} {took:.0f} |", flush=True)


def main() -> None:
    """Measure all variants, or some."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data")
    parser.add_argument("--iterations", type=int, default=800)
    parser.add_argument("--only", nargs="*", default=[], help="names of variants")
    args = parser.parse_args()
    print(f"| variant | {on_validation.COLUMNS} seconds |")
    print(f"| --- | {on_validation.RULE} --- |", flush=True)
    measure(args.run, args.data_dir, args.iterations, args.only)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()

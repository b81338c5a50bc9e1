"""What the mixtures of GAMO2pix are worth beside those that no adversary chose.

    python benchmarks/pix_mixtures.py RUN --data-dir DIR

RUN is a finished run of GAMO whose classes all have decoders (`train_gamo2pix.py
--class all`). Other convex weights go through the same decoders; as many images as
there are validation images are compared with the training images, in the features of
the reference classifier. Means over the smaller classes are printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import on_validation

ROOT = Path(__file__).resolve().parents[1]


def measure(path: Path, data_dir: Path) -> None:
    """Score every kind of mixture; prints a line of the table for each.

    Args:
      path: of the run.
      data_dir: the folder of published datasets.
    """
    from gamo_tf.import_tensorflow import import_tensorflow

    import_tensorflow()
    import numpy as np

    from gamo2pix.generate import (
        FURTHEST,
        LATENTS,
        NEAREST,
        Generated,
        ImageGenerator,
    )
    from gamo2pix.options import RECIPE
    from gamo2pix.vae import FeatureDecoder
    from gamo_tf.config.options import spec_of

    run, split, extractor = on_validation.opened(path, data_dir)
    generator = ImageGenerator(run, split, 0, RECIPE)

    def by_g(label: int, n: int) -> np.ndarray:
        z = generator.normal(label, LATENTS, n, generator.sampler.latent)
        return generator.sampler.weights(label, z)

    def anchored(partners: np.ndarray) -> np.ndarray:
        m, n = partners.shape
        rng = np.random.default_rng(0)
        share = rng.uniform(NEAREST, FURTHEST, (m, 1)).astype(np.float32)
        weights = share * partners
        weights[np.arange(m), rng.integers(0, n, m)] += 1 - share[:, 0]
        return weights

    def at_random(label: int, n: int) -> np.ndarray:
        rows = len(generator.rows[label])
        drawn = np.random.default_rng([1, label]).integers(0, rows, n)
        return np.eye(rows, dtype=np.float32)[drawn]

    def dirichlet(parents: float) -> Callable[[int, int], np.ndarray]:
        return lambda label, n: generator.random_weights(
            label, n, parents / len(generator.rows[label])
        )

    kinds: dict[str, Callable[[int, int], np.ndarray]] = {
        "as it is": lambda label, n: generator.weights(label, 0, n),
        "anchored, G over all rows": lambda label, n: anchored(by_g(label, n)),
        "G alone": by_g,
        "anchored, a random partner": lambda label, n: anchored(at_random(label, n)),
        "Dirichlet(1/n)": dirichlet(1),
        "Dirichlet(2/n)": dirichlet(2),
        "Dirichlet(4/n)": dirichlet(4),
        "Dirichlet(1)": lambda label, n: generator.random_weights(label, n, 1.0),
    }
    labels, names = run.options.class_counts.minority, spec_of(run.options).classes
    decoders = {k: FeatureDecoder.load(run.pix_class(names[k])) for k in labels}
    for name, weights in kinds.items():

        def made(k: int, n: int, weights: Callable = weights) -> Generated:
            return generator.from_weights(k, decoders[k], weights(k, n))

        mean = on_validation.means(split, labels, extractor, made)
        print(f"| {name} | {on_validation.cells(mean)}", flush=True)


def main() -> None:
    """Measure all kinds of mixtures of a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data")
    args = parser.parse_args()
    print(f"| mixtures | {on_validation.COLUMNS}")
    print(f"| --- | {on_validation.RULE}", flush=True)
    measure(args.run, args.data_dir)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()

"""Pictures of what is generated of a class, beside its real images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gamo2pix.class_vae import SHOWN
from gamo2pix.generate import INTERPOLATION, Generated, ImageGenerator
from gamo2pix.vae import FeatureDecoder
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.errors import printable
from gamo_tf.evaluation import image_grids, plots
from gamo_tf.evaluation.game_watch import coverage
from gamo_tf.files import save_picture
from gamo_tf.inference.convex_sampler import heaviest
from gamo_tf.runs.run_directory import RunDirectory

Lines = list[tuple[str, np.ndarray]]  # of a grid: a word and images [k, h, w, c]
_PAIRS = 4  # of latents that interpolation.png goes between
_PARENT_LINES = 3  # of parents.png
_WATCHED = 256  # generated images of a class whose parents are counted


def draw(
    directory: RunDirectory,
    spec: DatasetSpec,
    label: int,
    generator: ImageGenerator,
    decoder: FeatureDecoder | None,
) -> None:
    """Write the pictures of a class into its folder.

    generated.png has real images and, below, generated ones. interpolation.png goes
    from one latent of G to another, parents.png has generated images with their
    heaviest parents, and reconstructions.png real images and what the VAE makes of
    them.

    Args:
      directory: of the class.
      spec: of the dataset.
      label: of the class.
      generator: of the run.
      decoder: of the class; None for a flat run, which has no reconstructions.png.
    """
    directory.path.mkdir(parents=True, exist_ok=True)
    name = plots.cut(spec.classes[label])
    real = generator.images[generator.rows[label]]
    title = f"{plots.cut(spec.name)}, class {label} ({name}), n={len(real)}"
    generated = generator.generate(label, decoder, 0, SHOWN)
    grids = {
        "generated": (
            "real images, and generated ones",
            image_grids.wrapped("real", real, 2)
            + image_grids.wrapped("generated", generated.images, 2),
        ),
        "interpolation": (
            "from one latent (left) to another (right)",
            _interpolation(label, generator, decoder),
        ),
    }
    if decoder is not None:
        grids["reconstructions"] = (
            "real images, and what the VAE makes of each",
            _reconstructions(label, generator, decoder),
        )
    pictures = {
        name: image_grids.grid(lines, f"{title}: {what}")
        for name, (what, lines) in grids.items()
    }
    pictures["parents"] = _parents(real, generated, title)
    for name, picture in pictures.items():
        save_picture(directory.picture(f"{name}.png"), picture)


def parents_text(
    spec: DatasetSpec, labels: Sequence[int], generator: ImageGenerator
) -> str:
    """How many parents the generated images have, as a table for people.

    Args:
      spec: of the dataset.
      labels: of the classes.
      generator: of the run.
    """
    lines = [
        f"parents of {_WATCHED} images a class (their effective number, exp(H(w))):",
        f"{'class':<24}{'images':>10}{'a picture':>12}{'all pictures':>14}",
    ]
    for label in labels:
        found = coverage(generator.weights(label, 0, _WATCHED))
        lines.append(
            f"{printable(spec.classes[label]):<24}{len(generator.rows[label]):>10}"
            f"{found.per_sample:>12.1f}{found.over_latents:>14.1f}"
        )
    return "\n".join(lines)


def _interpolation(
    label: int, generator: ImageGenerator, decoder: FeatureDecoder | None
) -> Lines:
    """Lines between two latents of G. The VAE's noise is zero, so that nothing else
    moves along a line."""
    width = generator.sampler.latent
    ends = generator.normal(label, INTERPOLATION, 2 * _PAIRS, width)
    share = np.linspace(0.0, 1.0, image_grids.COLUMNS, dtype=np.float32)[:, None]
    lines = []
    for k in range(_PAIRS):
        z = (1.0 - share) * ends[2 * k] + share * ends[2 * k + 1]
        weights = generator.sampler.weights(label, z)
        features = generator.sampler.combine(label, weights)
        lines.append((f"pair {k + 1}", generator.decode(features, decoder)))
    return lines


def _reconstructions(
    label: int, generator: ImageGenerator, decoder: FeatureDecoder
) -> Lines:
    """Real images, and below each the VAE's image of its feature."""
    rows = generator.rows[label][:SHOWN]
    real = generator.images[rows]
    decoded = generator.decode(generator.features[rows], decoder)
    lines = []
    for k in range(0, len(rows), image_grids.COLUMNS):
        line = slice(k, k + image_grids.COLUMNS)
        lines += [("real", real[line]), ("decoded", decoded[line])]
    return lines


def _parents(real: np.ndarray, generated: Generated, title: str) -> np.ndarray:
    """The first generated images, each followed by its heaviest real parents."""
    shown = _PARENT_LINES * image_grids.LATENTS_SHOWN
    assert generated.weights is not None  # of a convex G
    weights = generated.weights[:shown]
    most = int(np.count_nonzero(weights, axis=1).max())  # an anchored one has two
    top = heaviest(weights, min(most, image_grids.PARENTS_SHOWN))
    groups = np.arange(shown) // image_grids.LATENTS_SHOWN
    first = image_grids.LATENTS_SHOWN * np.arange(_PARENT_LINES) + 1
    titles = [f"{k}-{k + image_grids.LATENTS_SHOWN - 1}" for k in first]
    return image_grids.parents_grid(
        real,
        top,
        np.take_along_axis(weights, top, axis=1),
        groups,
        titles,
        generated.images[:shown],
        "generated",
        ("first", "second", "third"),
        f"{title}: generated images, and their heaviest parents with their weights",
    )

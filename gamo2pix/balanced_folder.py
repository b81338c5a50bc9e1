"""The balanced dataset on disk: an image folder, its manifest and its card."""

from __future__ import annotations

import csv
import json
import platform
import re
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tqdm import tqdm

from gamo2pix.generate import Generated, ImageGenerator
from gamo2pix.vae import FeatureDecoder
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError, setting
from gamo_tf.files import inside, mend, png, replace_folder, write_text
from gamo_tf.inference.convex_sampler import LISTED_PARENTS, heaviest
from gamo_tf.networks.batched import CHUNK
from gamo_tf.runs.run import Run

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # how one begins in a spreadsheet
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def check(folder: Path, force: bool) -> None:
    """Make sure, before anything is trained, that a folder may be written.

    Args:
      folder: of the balanced dataset.
      force: replace the folder, if it has a manifest of ours.

    Raises:
      UserError: the folder is there and may not be replaced.
    """
    mend(folder)
    if folder.exists() and not (force and (folder / "manifest.csv").is_file()):
        remedy = "another place: not one of ours"
        if not force:
            remedy = f"{setting('force')} to replace it"
        raise UserError(
            f"{setting('save_balanced')} {folder}: is there already. Give {remedy}."
        )


def save(
    folder: Path,
    run: Run,
    spec: DatasetSpec,
    split: Split,
    generator: ImageGenerator,
    decoders: Mapping[int, FeatureDecoder | None],
    per_class: int,
    details: dict,
) -> dict[str, int]:
    """Write the balanced dataset aside, and rename it to `folder` when it is whole.

    ``train/<class>/real-NNNNNN.png`` are the real images (N: row of the published
    training set), ``gamo-NNNNNN.png`` the generated ones. Every class is topped up to
    `per_class` images; a class that has more keeps all its real ones. Images are
    generated and written CHUNK at a time, so that any number of them fits in memory.

    Args:
      folder: to be written; what is there is replaced.
      run: the run that G is from.
      spec: of the dataset.
      split: the split that the run trained on.
      generator: of the run.
      decoders: by label of each class that may be topped up; None in a flat run.
      per_class: images a class.
      details: more entries of the card, dataset.json.

    Returns:
      The number of generated images of each class that got some, by class name.

    Raises:
      UserError: the folder cannot be written.
    """
    labels = range(len(spec.classes))
    real = np.bincount(split.labels, minlength=len(spec.classes))
    missing = {
        k: max(0, per_class - int(real[k])) if k in decoders else 0 for k in labels
    }
    manifest = Manifest(run, spec, split, generator.seed)
    total = int(real.sum()) + sum(missing.values())

    def write(part: Path) -> None:
        with (
            open(part / "manifest.csv", "w", newline="", encoding="utf-8") as file,
            tqdm(total=total, desc="balanced", unit="image", disable=None) as bar,
        ):
            sheet = csv.writer(file)
            sheet.writerow(manifest.header())
            for label in labels:
                inside(part, part / "train" / spec.classes[label]).mkdir(parents=True)
                for line, image in manifest.real(label):
                    _write_image(part / line[0], image)
                    sheet.writerow(line)
                bar.update(int(real[label]))
                for start in range(0, missing[label], CHUNK):
                    stop = min(start + CHUNK, missing[label])
                    samples = generator.generate(label, decoders[label], start, stop)
                    for line, image in manifest.generated(label, start, samples):
                        _write_image(part / line[0], image)
                        sheet.writerow(line)
                    bar.update(stop - start)
        card = _card(run, spec, real, missing) | details | _versions()
        write_text(part / "dataset.json", json.dumps(card, indent=2) + "\n")

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        replace_folder(folder, write)
    except OSError as err:
        raise UserError(
            f"{setting('save_balanced')} {folder}: cannot be written ({err.strerror})."
        ) from err
    return {spec.classes[k]: n for k, n in missing.items() if n}


class Manifest:
    """The lines of manifest.csv, each with its image.

    Images of a user's own data have further columns for the files they came from.
    Names are written so that no spreadsheet takes one for a formula (see `cell`).

    Args:
      run: that G is from.
      spec: of the dataset.
      split: of the run.
      seed: of what is generated.
    """

    def __init__(self, run: Run, spec: DatasetSpec, split: Split, seed: int) -> None:
        self.run, self.spec, self.split, self.seed = run, spec, split, seed
        self.sources = run.row_sources()  # None for a published dataset

    def header(self) -> list[str]:
        """The names of the columns."""
        source = ["source"] if self.sources is not None else []
        of_parent = ["", "_row", *(f"_{word}" for word in source), "_weight"]
        parents = [
            f"parent_{k}{word}"
            for k in range(1, LISTED_PARENTS + 1)
            for word in of_parent
        ]
        first = ["file", "label", "name", "synthetic", "row", *source, "seed", "run"]
        return [*first, *parents]

    def real(self, label: int) -> Iterator[tuple[list, np.ndarray]]:
        """The lines and images of a class's real images, by its label."""
        name = cell(self.spec.classes[label])
        cells = 3 if self.sources is None else 4  # of a parent; a real image has none
        for row in np.flatnonzero(self.split.labels == label):
            published = self.split.train_index[row]
            file = self._real_file(label, published)
            line = [file, label, name, 0, published, *self._source(published)]
            line += ["", cell(self.run.path.name), *[""] * cells * LISTED_PARENTS]
            yield line, self.split.images[row]

    def generated(
        self, label: int, start: int, samples: Generated
    ) -> Iterator[tuple[list, np.ndarray]]:
        """The lines and images of a class's generated images, numbered from `start`."""
        name = self.spec.classes[label]
        rows = np.flatnonzero(self.split.labels == label)
        weights = samples.weights
        assert weights is not None  # of a convex G
        top = heaviest(weights, LISTED_PARENTS)
        no_source = [] if self.sources is None else [""]
        for k, image in enumerate(samples.images):
            file = f"train/{name}/gamo-{start + k:06d}.png"
            line = [file, label, cell(name), 1, ""]
            line += [*no_source, self.seed, cell(self.run.path.name)]
            # A class with fewer parents than columns has a shorter line.
            for j in top[k]:
                published = self.split.train_index[rows[j]]
                line += [self._real_file(label, published), published]
                line += [*self._source(published), f"{weights[k, j]:.6f}"]
            yield line, image

    def _source(self, published: int) -> list[str]:
        return [] if self.sources is None else [cell(self.sources[published])]

    def _real_file(self, label: int, published: int) -> str:
        return f"train/{self.spec.classes[label]}/real-{published:06d}.png"


def cell(text: str) -> str:
    """A text as manifest.csv has it.

    What a spreadsheet would take for a formula gets an apostrophe in front: it begins
    with = + - @ or white space, and is no number.

    Args:
      text: a name of a class, a file or a run.
    """
    # A name of a file that is no text has characters that UTF-8 does not have.
    text = text.encode("utf-8", "backslashreplace").decode()
    return f"'{text}" if text[:1] in _FORMULA and not _NUMBER.fullmatch(text) else text


def _write_image(path: Path, image: np.ndarray) -> None:
    """A PNG of an image [h, w, 3], or [h, w, 1], which PNG has as [h, w]."""
    path.write_bytes(png(image.squeeze()))


def _card(
    run: Run, spec: DatasetSpec, real: np.ndarray, missing: dict[int, int]
) -> dict:
    """What the dataset is and where it comes from, for dataset.json."""
    names = spec.classes
    return {
        "what": f"{spec.name}, imbalanced as {run.path.name} was trained on, each "
        "smaller class topped up with images generated by GAMO"
        + (" (flat: G makes the images)" if spec.flat else " and GAMO2pix"),
        "run": str(run.path),
        "run_options": run.options.to_json(),
        "real": {names[k]: int(n) for k, n in enumerate(real)},
        "generated": {names[k]: n for k, n in missing.items()},
        "manifest": "manifest.csv: parents are the real images with the largest "
        f"convex weights, at most {LISTED_PARENTS}; 'row' is the row of the published "
        "training set; a seed makes the same images again; a name, source or run that "
        "begins with = + - @ or white space, and is no number, has an apostrophe in "
        "front, so that no spreadsheet takes it for a formula",
        "licence": f"real images: {spec.terms}. Generated images are convex mixtures "
        "of real ones in feature space, decoded: treat them as derived from these.",
    }


def _versions() -> dict:
    packages = ("tensorflow", "keras", "numpy", "pillow")
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in packages},
        },
        "date": date.today().isoformat(),
    }


def load(folder: Path, spec: DatasetSpec) -> tuple[np.ndarray, np.ndarray]:
    """Read a balanced folder as a user of it would: by Keras's reader of folders.

    Args:
      folder: of the balanced dataset.
      spec: of the dataset.

    Returns:
      Images uint8 [n, h, w, c] and labels int64 [n], sorted by label.
    """
    import keras

    data = keras.utils.image_dataset_from_directory(
        folder / "train",
        class_names=list(spec.classes),
        color_mode="grayscale" if spec.shape[2] == 1 else "rgb",
        image_size=spec.shape[:2],
        batch_size=CHUNK,
        shuffle=False,
        verbose=False,
    )
    batches = list(data.as_numpy_iterator())
    images = np.concatenate([x for x, _ in batches]).astype(np.uint8)
    labels = np.concatenate([y for _, y in batches]).astype(np.int64)
    # Keras promises which label an image has, but not the order of the images.
    order = np.argsort(labels, kind="stable")
    return images[order], labels[order]

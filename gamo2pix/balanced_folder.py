"""The balanced dataset on disk: an image folder, its manifest and its card."""

from __future__ import annotations

import csv
import errno
import json
import os
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from tqdm import tqdm

from gamo2pix.contact_sheet import ClassSheet, write_sheets
from gamo2pix.generate import Generated, ImageGenerator
from gamo2pix.manifest import Manifest, generated_file
from gamo2pix.options import RESIZED
from gamo2pix.real_files import RealSet
from gamo2pix.trust import NO_LIMITS, Judge, Limits, Trust, too_few
from gamo2pix.vae import FeatureDecoder
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.errors import UserError, setting
from gamo_tf.files import inside, mend, png, replace_folder, write_text
from gamo_tf.inference.convex_sampler import LISTED_PARENTS
from gamo_tf.networks.batched import CHUNK
from gamo_tf.runs.run import Run

_TRIES = 20  # images that are generated for one that is within the limits


@dataclass(frozen=True)
class Contents:
    """What a balanced folder is made of.

    Attributes:
      run: the run that G is from.
      spec: of the dataset.
      sets: the real images, by `real_files.real_sets`.
      generator: of the run.
      decoders: by label of each class that may be topped up; None in a flat run.
      per_class: training images a class.
      judge: says how far an image can be trusted; None: that is not asked.
      limits: of the generated images that are kept; they need a judge.
      verdicts: by class name, for the pages.
      details: more entries of the card, dataset.json.
    """

    run: Run
    spec: DatasetSpec
    sets: Mapping[str, RealSet]
    generator: ImageGenerator
    decoders: Mapping[int, FeatureDecoder | None]
    per_class: int
    judge: Judge | None = None
    limits: Limits = NO_LIMITS
    verdicts: Mapping[str, str] = field(default_factory=dict)
    details: Mapping = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.limits and self.judge is None:
            raise ValueError("limits: need a judge.")


class Kept(NamedTuple):
    """Some generated images of a class that are kept.

    Attributes:
      numbers: of the samples in the generator's stream, [m].
      samples: m of them.
      trust: of them; None without a judge.
    """

    numbers: np.ndarray
    samples: Generated
    trust: Trust | None


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
            f"{setting('save_balanced', folder)}: is there already. Give {remedy}."
        )


def save(folder: Path, contents: Contents) -> dict[str, int]:
    """Write the balanced dataset aside, and rename it to `folder` when it is whole.

    ``train/<class>/real-NNNNNN`` are the real images (N: row of the published training
    set, or of the user's files), ``gamo-NNNNNN.png`` the generated ones. All have one
    size and format, unless the real ones are a user's original files. Every class is
    topped up to `per_class` images; a class that has more keeps all its real ones.
    Images are generated and written CHUNK at a time, so that any number of them fits in
    memory. ``validation/`` and ``test/`` have the other real images of the run.

    Args:
      folder: to be written; what is there is replaced.
      contents: what it is made of.

    Returns:
      The number of generated images of each class that got some, by class name.

    Raises:
      UserError: the folder cannot be written, or too few images are within the limits.
    """
    sets, classes = contents.sets, len(contents.spec.classes)
    real = np.bincount(sets["train"].labels, minlength=classes)
    missing = {
        k: max(0, contents.per_class - int(real[k])) if k in contents.decoders else 0
        for k in range(classes)
    }

    def write(part: Path) -> None:
        total = sum(len(each.labels) for each in sets.values()) + sum(missing.values())
        with tqdm(total=total, desc="balanced", unit="image", disable=None) as bar:
            for each in sets.values():
                _write_real(part, each, contents.spec, bar)
            sheets = _write_generated(part, sets["train"], contents, missing, bar)
        if sets["train"].form == RESIZED:
            _same_time(part)
        write_sheets(part, contents.run.path.name, sheets)
        card = {**_card(contents, real, missing), **contents.details, **_versions()}
        write_text(part / "dataset.json", json.dumps(card, indent=2) + "\n")

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        replace_folder(folder, write)
    except OSError as err:
        why = err.strerror
        if err.errno == errno.ENAMETOOLONG:
            longest = max(contents.spec.classes, key=lambda x: len(os.fsencode(x)))
            why = f"{why}; the longest class name is {longest}"
        raise UserError(
            f"{setting('save_balanced', folder)}: cannot be written ({why})."
        ) from err
    return {contents.spec.classes[k]: n for k, n in missing.items() if n}


def _write_real(part: Path, real: RealSet, spec: DatasetSpec, bar: tqdm) -> None:
    """The real images of a set, with a metadata.csv as Hugging Face's `imagefolder`
    reads it: names of files, seen from its own place."""
    for name in spec.classes:  # all of them, so that every set has the same labels
        inside(part, part / real.name / name).mkdir(parents=True)
    with _sheet(part / real.name / "metadata.csv") as file:
        sheet = csv.writer(file)
        sheet.writerow(["file_name", "label", "synthetic"])
        for row, label in enumerate(real.labels):
            place = real.file(row, spec.classes[label])
            real.write(row, part / place)
            sheet.writerow([_seen_from(real.name, place), spec.classes[label], 0])
            bar.update()


def _write_generated(
    part: Path,
    real: RealSet,
    contents: Contents,
    missing: Mapping[int, int],
    bar: tqdm,
) -> list[ClassSheet]:
    """The generated images and manifest.csv; what the contact sheet shows of them."""
    spec, sheets = contents.spec, []
    manifest = Manifest(contents.run, spec, real, contents.generator.seed)
    with (
        _sheet(part / "manifest.csv") as listed,
        _sheet(part / "train" / "metadata.csv", "a") as metadata,
    ):
        lines, names = csv.writer(listed), csv.writer(metadata)
        lines.writerow(manifest.header())
        for label, name in enumerate(spec.classes):
            lines.writerows(manifest.real(label))
            sheet = ClassSheet(
                name, real.images[real.rows(label)], contents.verdicts.get(name, "")
            )
            for kept in _kept(contents, label, missing[label]):
                lines.writerows(manifest.generated(label, *kept))
                for number, image in zip(
                    kept.numbers, kept.samples.images, strict=True
                ):
                    place = generated_file(name, number)
                    (part / place).write_bytes(png(image.squeeze()))
                    names.writerow([_seen_from("train", place), name, 1])
                sheet.add(*kept)
                bar.update(len(kept.numbers))
            sheets.append(sheet)
    return sheets


def _kept(contents: Contents, label: int, wanted: int) -> Iterator[Kept]:
    """The first `wanted` images of a class that are within the limits, in parts.

    Raises UserError where one in _TRIES is not.
    """
    found = tried = 0
    while found < wanted:
        if tried >= _TRIES * wanted:
            name = contents.spec.classes[label]
            raise too_few(name, wanted, found, tried, contents.limits)
        stop = tried + min(CHUNK, wanted if contents.limits else wanted - found)
        decoder = contents.decoders[label]
        samples = contents.generator.generate(label, decoder, tried, stop)
        numbers, trust = np.arange(tried, stop), None
        if contents.judge:
            trust = contents.judge(label, samples.images)
            chosen = np.flatnonzero(contents.limits.keep(trust))[: wanted - found]
            numbers, trust = numbers[chosen], trust.some(chosen)
            assert samples.weights is not None  # of a convex G
            samples = Generated(samples.images[chosen], samples.weights[chosen])
        tried, found = stop, found + len(numbers)
        yield Kept(numbers, samples, trust)


def _same_time(part: Path) -> None:
    """Give all images that were written here one time: the real ones came first."""
    now = time.time()
    for path in part.rglob("*.png"):
        if not path.is_symlink():
            os.utime(path, (now, now))


def _sheet(path: Path, mode: str = "w") -> IO[str]:
    # A file's name that is no text has characters that UTF-8 does not have.
    return open(path, mode, newline="", encoding="utf-8", errors="surrogateescape")


def _seen_from(folder: str, place: str) -> str:
    return place.removeprefix(f"{folder}/")


def _card(contents: Contents, real: np.ndarray, missing: Mapping[int, int]) -> dict:
    """What the dataset is and where it comes from, for dataset.json."""
    run, spec, names = contents.run, contents.spec, contents.spec.classes
    decoder = "" if run.options.features_are_pixels else " and GAMO2pix"
    return {
        "what": f"{spec.name}, imbalanced as {run.path.name} was trained on, each "
        "smaller class topped up with images generated by GAMO" + decoder,
        "run": str(run.path),
        "run_options": run.options.to_json(),
        "real": {names[k]: int(n) for k, n in enumerate(real)},
        "generated": {names[k]: n for k, n in missing.items()},
        "verdicts": dict(contents.verdicts),
        "limits": vars(contents.limits),
        "originals": contents.sets["train"].how,
        "manifest": "manifest.csv: parents are the real images with the largest "
        f"convex weights, at most {LISTED_PARENTS}; 'row' is the row of the published "
        "training set; form: 'resized' is a real image as the run saw it, 'original' "
        "your own file; a seed makes the same images again; copy: 1 is a copy of a "
        "real image; confidence: probability of the class by a classifier of the whole "
        "real set, confidence_m: by the run's own M; realness_d: 1 is real to the "
        "run's D; "
        "a name, source or run that "
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

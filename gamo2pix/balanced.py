"""The balanced dataset on disk: an image folder, its manifest and its card."""

from __future__ import annotations

import csv
import json
import platform
import shutil
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from gamo2pix.synthesis import Synthesis
from gamo2pix.vae import Decode
from gamo_tf.chunks import CHUNK
from gamo_tf.datasets import Split
from gamo_tf.errors import UserError
from gamo_tf.folder import atomically
from gamo_tf.plots import heaviest
from gamo_tf.runs import Run
from gamo_tf.specs import DatasetSpec

PARENTS = 5  # heaviest parents listed


def check(folder: Path, force: bool) -> None:
    """Raises UserError where `folder` is there and may not be replaced."""
    if folder.exists() and not (force and (folder / "manifest.csv").is_file()):
        what = (
            "--force to replace it" if not force else "another place: not one of ours"
        )
        raise UserError(f"--save-balanced {folder}: is there already. Give {what}.")


def save(
    folder: Path,
    run: Run,
    spec: DatasetSpec,
    split: Split,
    synthesis: Synthesis,
    vaes: dict[int, Decode | None],
    per_class: int,
    card: dict,
) -> dict[str, int]:
    """Write `folder` aside and rename it when it is whole.

    ``train/<class>/real-NNNNNN.png`` (N: row of the published training set) and
    ``gamo-NNNNNN.png``, topped up to `per_class` images; nothing real is left
    out where a class has more. Images are made and written CHUNK at a time.

    Returns the number of generated images of each class.
    """
    labels = range(len(spec.classes))
    have = np.bincount(split.labels, minlength=len(spec.classes))
    lack = {k: max(0, per_class - int(have[k])) if k in vaes else 0 for k in labels}
    total = int(have.sum()) + sum(lack.values())

    sources = run.sources()  # of own images: their files

    def source(index: int) -> list[str]:
        return [] if sources is None else [sources[index]]

    def write(part: Path) -> None:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        with (
            open(part / "manifest.csv", "w", newline="", encoding="utf-8") as file,
            tqdm(total=total, desc="balanced", unit="image", disable=None) as bar,
        ):
            sheet = csv.writer(file)
            sheet.writerow(_header(sources is not None))
            for label in labels:
                place = part / "train" / spec.classes[label]
                place.mkdir(parents=True)
                rows = np.flatnonzero(split.labels == label)
                known = [label, spec.classes[label]]
                for row in rows:
                    name = _real(spec, label, split.train_index[row])
                    _png(split.images[row], part / name)
                    index = split.train_index[row]
                    own = [name, *known, 0, index, *source(index), "", run.path.name]
                    wide = 3 + (sources is not None)
                    sheet.writerow(own + [""] * wide * PARENTS)
                bar.update(len(rows))
                for start in range(0, lack[label], CHUNK):
                    stop = min(start + CHUNK, lack[label])
                    made = synthesis.make(label, vaes[label], start, stop)
                    top = heaviest(made.weights, PARENTS)
                    for k, image in enumerate(made.images):
                        name = f"train/{spec.classes[label]}/gamo-{start + k:06d}.png"
                        _png(image, part / name)
                        told = [name, *known, 1, "", *[""] * (sources is not None)]
                        told += [synthesis.seed, run.path.name]
                        for j in top[k]:
                            index = split.train_index[rows[j]]
                            parent = _real(spec, label, index)
                            told += [parent, index, *source(index)]
                            told.append(f"{made.weights[k, j]:.6f}")
                        sheet.writerow(told)
                    bar.update(stop - start)
        about = _card(run, spec, have, lack, card)
        (part / "dataset.json").write_text(json.dumps(about, indent=2) + "\n")

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        atomically(folder, write)
    except OSError as err:
        raise UserError(
            f"--save-balanced {folder}: cannot be written ({err.strerror})."
        ) from err
    return {spec.classes[k]: n for k, n in lack.items() if n}


def _header(own: bool) -> list[str]:
    """`own` images have a column for the file they came from."""
    source = ["source"] * own
    of_parent = ["", "_row", *(f"_{s}" for s in source), "_weight"]
    parents = [f"parent_{k}{what}" for k in range(1, PARENTS + 1) for what in of_parent]
    head = ["file", "label", "name", "synthetic", "row", *source, "seed", "run"]
    return [*head, *parents]


def _real(spec: DatasetSpec, label: int, index: int) -> str:
    return f"train/{spec.classes[label]}/real-{index:06d}.png"


def _png(image: np.ndarray, path: Path) -> None:
    Image.fromarray(image.squeeze()).save(path, format="PNG")


def _card(run: Run, spec: DatasetSpec, have, lack: dict, more: dict) -> dict:
    names = spec.classes
    return {
        "what": f"{spec.name}, imbalanced as {run.path.name} was trained on, each "
        "smaller class topped up with images generated by GAMO"
        + (" (flat: G makes the images)" if spec.flat else " and GAMO2pix"),
        "run": str(run.path),
        "run_options": run.options.to_json(),
        "real": {names[k]: int(n) for k, n in enumerate(have)},
        "generated": {names[k]: n for k, n in lack.items()},
        "manifest": "manifest.csv: parents are the real images with the largest "
        f"convex weights, at most {PARENTS}; 'row' is the row of the published "
        "training set; a seed makes the same images again",
        "licence": f"real images: {spec.terms}. Generated images are convex mixtures "
        "of real ones in feature space, decoded: treat them as derived from these.",
        **more,
        "versions": {
            "python": platform.python_version(),
            **{k: version(k) for k in ("tensorflow", "keras", "numpy", "pillow")},
        },
        "date": date.today().isoformat(),
    }


def load(folder: Path, spec: DatasetSpec) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [n, h, w, c] and labels [n] of the folder, sorted by label.

    By Keras's own reader of image folders: what a user of the folder would get.
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
    order = np.argsort(labels, kind="stable")
    return images[order], labels[order]

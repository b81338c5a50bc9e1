"""A pool of images on disk, decoded once, that training on a large set reads from.

``<data-dir>/prepared/NAME.npy`` is a memory map uint8 [n, h, w, c]. NAME.json beside
it is the identity of the pool: where its images came from, which they are and how they
were cut. A pool with another identity is decoded anew. Decoding that was broken off
continues where it was.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError, first_line, setting
from gamo_tf.files import write_text

SPARE = 2  # training images in the pool for each that a run draws
TEST = 500  # test images a class, or a tenth of the class where that is fewer
_FOLDER = "prepared"  # below the data folder
_BLOCK = 512  # images between two notes of how far decoding is

Decode = Callable[[str], np.ndarray]  # a key -> its image, uint8 [h, w, c]


def pool(
    spec: DatasetSpec,
    data_dir: Path,
    keys: Sequence[Sequence[str]],
    decode: Decode,
    origin: Mapping[str, object],
    what: str,
) -> Arrays:
    """The pool of a dataset, decoded now if it is not on disk yet.

    A fixed seed decides which images of each class are in it: `TEST` for testing, and
    for training `SPARE` times the class's size in `spec`, or all that are left. Every
    run draws its training images from these.

    Args:
      spec: the row of the dataset.
      data_dir: the pool is in its folder ``prepared``.
      keys: of each class, in label order, a name for each image.
      decode: the image of a key, uint8 [h, w, c] as in `spec`; called from several
        threads at once.
      origin: where the images are from and how they are cut, part of the identity.
      what: the keys of a class in words, for messages.

    Returns:
      Images (a memory map, uint8 [n, h, w, c]) and labels int64 [n], sorted by label.

    Raises:
      UserError: a class has too few images, one cannot be decoded, or the folder
        cannot be written to.
    """
    train: list[list[str]] = []
    test: list[list[str]] = []
    for label, class_keys in enumerate(keys):
        kept = min(TEST, len(class_keys) // 10)
        if len(class_keys) - kept < spec.counts[label] or kept < spec.test_per_class:
            raise UserError(
                f"{spec.name}: class {spec.classes[label]} has {len(class_keys)} "
                f"{what}; {spec.counts[label]} are trained on, and {max(kept, 1)} (a "
                f"tenth, at least {spec.test_per_class}) are kept for testing."
            )
        # The seed is fixed and not the run's: runs of all seeds share the test images.
        order = np.random.default_rng([0, label]).permutation(len(class_keys))
        test.append([class_keys[k] for k in order[:kept]])
        end = min(len(class_keys), kept + SPARE * spec.counts[label])
        train.append([class_keys[k] for k in order[kept:end]])
    chosen = [key for class_keys in (*train, *test) for key in class_keys]
    # The digest is of the keys in their order, because labels go by position.
    identity = {
        **origin,
        "shape": list(spec.shape),
        "images": len(chosen),
        "keys_sha256": hashlib.sha256("\n".join(chosen).encode()).hexdigest(),
    }
    images = _on_disk(data_dir / _FOLDER, spec, identity, chosen, decode)
    labels, test_labels = (
        np.repeat(np.arange(len(keys)), [len(class_keys) for class_keys in subset])
        for subset in (train, test)
    )
    n = len(labels)
    return Arrays(images[:n], labels, images[n:], test_labels)


def known(spec: DatasetSpec, data_dir: Path) -> dict | None:
    """The identity of the pool that is on disk already.

    Args:
      spec: the row of the dataset.
      data_dir: the folder above ``prepared``.

    Returns:
      What NAME.json says, with the number of ``images`` in it; None where there is no
      whole pool.
    """
    whole = (data_dir / _FOLDER / f"{spec.name}.npy").is_file()
    return _read(data_dir / _FOLDER / f"{spec.name}.json") if whole else None


def _on_disk(
    folder: Path,
    spec: DatasetSpec,
    identity: dict,
    keys: list[str],
    decode: Decode,
) -> np.ndarray:
    """The memory map of the images of `keys`, written first if it is not there."""
    path, card = folder / f"{spec.name}.npy", folder / f"{spec.name}.json"
    if path.is_file() and _read(card) == identity:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    part, note = folder / f".part-{spec.name}.npy", folder / f".part-{spec.name}.json"
    shape = (len(keys), *spec.shape)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        begun = _read(note)
        if part.is_file() and begun and begun["identity"] == identity:
            images, done = np.lib.format.open_memmap(part, "r+"), begun["done"]
        else:
            images, done = np.lib.format.open_memmap(part, "w+", np.uint8, shape), 0
        _fill(images, keys, decode, done, note, identity, spec.name)
        del images
        # New images must never lie beside the card of an older pool, not even after
        # a power cut: that card goes first, and the new one is written last.
        card.unlink(missing_ok=True)
        os.replace(part, path)
        write_text(card, json.dumps(identity, indent=2) + "\n")
        note.unlink(missing_ok=True)
    except OSError as err:
        raise UserError(
            f"{folder}: cannot be written ({err}). Images are decoded once and kept "
            f"there: give a {setting('data_dir')} that can be written to."
        ) from err
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _fill(
    images: np.memmap,
    keys: list[str],
    decode: Decode,
    done: int,
    note: Path,
    identity: dict,
    name: str,
) -> None:
    """Decode in parallel, a block at a time; note after each how far it is."""

    def one(k: int) -> None:
        try:
            images[k] = decode(keys[k])
        except UserError:  # says already what to do
            raise
        except Exception as err:  # Pillow, zipfile and zlib raise many kinds
            raise UserError(
                f"{name}: {keys[k]} cannot be read ({first_line(err)}). The source is "
                "damaged: fetch it again."
            ) from err

    bar = tqdm(total=len(keys), initial=done, desc=f"{name}, once", disable=None)
    with bar, ThreadPoolExecutor() as workers:
        for start in range(done, len(keys), _BLOCK):
            stop = min(start + _BLOCK, len(keys))
            list(workers.map(one, range(start, stop)))
            # The images must be on disk before the note says so.
            images.flush()
            write_text(note, json.dumps({"identity": identity, "done": stop}))
            bar.update(stop - start)


def _read(path: Path) -> dict | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None

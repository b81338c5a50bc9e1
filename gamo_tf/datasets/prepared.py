"""Large sets, decoded once: a pool of images on disk that training reads from.

``<data-dir>/prepared/NAME.npy`` is a memory map uint8 [n, h, w, c], NAME.json its
identity: where the images came from, which they are and how they were cut. A pool with
another identity is made anew. Decoding that was broken off goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from gamo_tf.errors import UserError, first_line
from gamo_tf.folder import write_text
from gamo_tf.specs import DatasetSpec

SPARE = 2  # training images in the pool for each that a run draws
TEST = 500  # test images a class, or a tenth of the class where that is fewer
_BLOCK = 512  # images between two notes of how far decoding is

Decode = Callable[[str], np.ndarray]  # a key -> image uint8 [h, w, c]


def pool(
    spec: DatasetSpec,
    data_dir: Path,
    keys: Sequence[Sequence[str]],
    decode: Decode,
    source: dict,
    what: str,
) -> tuple[np.ndarray, ...]:
    """Training images and labels, test images and labels, of `keys[label]`.

    Which images those are is drawn once, by a fixed seed: for testing TEST a class,
    for training up to SPARE times the class's size in `spec`, of which every run
    draws its own. `source`: what else tells where the images are from; `what`: the
    keys in words.

    Raises UserError where a class has too few.
    """
    train, test = [], []
    for label, mine in enumerate(keys):
        held = min(TEST, len(mine) // 10)
        if len(mine) - held < spec.counts[label] or held < spec.test_per_class:
            raise UserError(
                f"{spec.name}: class {spec.classes[label]} has {len(mine)} {what}; "
                f"{spec.counts[label]} are trained on, and {max(held, 1)} (a tenth, at "
                f"least {spec.test_per_class}) are kept for testing."
            )
        rows = np.random.default_rng([0, label]).permutation(len(mine))
        test.append([mine[k] for k in rows[:held]])
        wanted = min(len(mine), held + SPARE * spec.counts[label])
        train.append([mine[k] for k in rows[held:wanted]])
    chosen = [key for group in (*train, *test) for key in group]
    digest = hashlib.sha256("\n".join(chosen).encode()).hexdigest()
    identity = {**source, "shape": list(spec.shape), "images": len(chosen)}
    identity["keys_sha256"] = digest
    images = _prepared(data_dir / "prepared", spec, identity, chosen, decode)
    sizes = [[len(group) for group in part] for part in (train, test)]
    labels = [np.repeat(np.arange(len(keys)), n) for n in sizes]
    n = sum(sizes[0])
    return images[:n], labels[0], images[n:], labels[1]


def known(spec: DatasetSpec, data_dir: Path) -> dict | None:
    """The identity of the pool that is there already."""
    whole = (data_dir / "prepared" / f"{spec.name}.npy").is_file()
    return _read(data_dir / "prepared" / f"{spec.name}.json") if whole else None


def _prepared(
    folder: Path,
    spec: DatasetSpec,
    identity: dict,
    keys: list[str],
    decode: Decode,
) -> np.ndarray:
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
        card.unlink(missing_ok=True)  # of another pool of this name
        os.replace(part, path)
        write_text(card, json.dumps(identity, indent=2) + "\n")
        note.unlink(missing_ok=True)
    except OSError as err:
        raise UserError(
            f"{folder}: cannot be written ({err}). Images are decoded once and kept "
            "there: give a --data-dir that can be written to."
        ) from err
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _fill(images, keys, decode, done: int, note: Path, identity: dict, name) -> None:
    """Decodes in parallel, a block at a time; notes how far it is after each."""

    def one(k: int) -> None:
        try:
            images[k] = decode(keys[k])
        except UserError:
            raise
        except Exception as err:  # Pillow, zipfile and zlib raise of many kinds
            raise UserError(
                f"{name}: {keys[k]} cannot be read ({first_line(err)}). The source is "
                "damaged: fetch it again."
            ) from err

    bar = tqdm(total=len(keys), initial=done, desc=f"{name}, once", disable=None)
    with bar, ThreadPoolExecutor() as workers:
        for start in range(done, len(keys), _BLOCK):
            stop = min(start + _BLOCK, len(keys))
            list(workers.map(one, range(start, stop)))
            images.flush()
            write_text(note, json.dumps({"identity": identity, "done": stop}))
            bar.update(stop - start)


def _read(path: Path) -> dict | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None

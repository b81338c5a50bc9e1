"""A pool of images on disk, decoded once, that training on a large set reads from.

``<data-dir>/prepared/NAME.npy`` is a memory map uint8 [n, h, w, c]. NAME.json beside
it is the card of the pool: where its images came from, which they are, how they were
cut, and a digest of all of them. A pool that does not agree with its card, or whose
card is another, is decoded anew. Decoding that was broken off continues where it was.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from gamo_tf import stored
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data.pool_file import BLOCK, PoolFile
from gamo_tf.data.splits import Arrays
from gamo_tf.errors import UserError, first_line, setting
from gamo_tf.files import flush, locked, remove

SPARE = 2  # training images in the pool for each that a run draws
TEST = 500  # test images a class, or a tenth of the class where that is fewer
_FOLDER = "prepared"  # below the data folder
_CONTENT = "content"  # the entry of a card with the digest of the images

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
        "keys_sha256": hashlib.sha256(_joined(chosen)).hexdigest(),
    }
    folder = data_dir / _FOLDER
    file = PoolFile(folder / f"{spec.name}.npy", (len(chosen), *spec.shape))
    if not _whole(file, identity):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with locked(folder):  # another process may be decoding the same
                if not _whole(file, identity):
                    _decode(file, identity, chosen, decode, spec.name)
        except OSError as err:
            raise UserError(
                f"{folder}: cannot be written ({err.strerror or err}). Images are "
                f"decoded once and kept there: make room, or give a "
                f"{setting('data_dir')} that can be written to."
            ) from err
    images = file.open()
    labels, test_labels = (
        np.repeat(np.arange(len(keys)), [len(class_keys) for class_keys in subset])
        for subset in (train, test)
    )
    n = len(labels)
    return Arrays(images[:n], labels, images[n:], test_labels)


def known(spec: DatasetSpec, data_dir: Path) -> dict | None:
    """The card of the pool that is on disk already.

    Args:
      spec: the row of the dataset.
      data_dir: the folder above ``prepared``.

    Returns:
      What NAME.json says, with the number of ``images`` in it; None where there is no
      whole pool. The images are not compared with it.
    """
    card = _read(data_dir / _FOLDER / f"{spec.name}.json")
    if _CONTENT not in card or not isinstance(card.get("images"), int):
        return None
    path = data_dir / _FOLDER / f"{spec.name}.npy"
    return card if PoolFile(path, (card["images"], *spec.shape)).fits() else None


def _card(file: PoolFile) -> Path:
    return file.path.with_suffix(".json")


def _whole(file: PoolFile, identity: dict) -> bool:
    """Whether the pool on disk is the one asked for, and as it was decoded."""
    card = _read(_card(file))
    content = card.pop(_CONTENT, None)
    if card != identity or not file.fits():
        return False
    with stored.reading(file.path):
        return stored.digest(_joined(file.digests())) == content


def _decode(
    file: PoolFile, identity: dict, keys: list[str], decode: Decode, name: str
) -> None:
    """Write the pool of `keys`; continue what was broken off."""
    if os.path.lexists(file.path):
        print(
            f"{file.path}: other images, or not as they were decoded; made anew",
            flush=True,
        )
    part = PoolFile(file.path.with_name(f".part-{file.path.name}"), file.shape)
    note = _card(part)
    blocks = _kept(part, note, identity)
    if not blocks:
        remove(part.path)
        part.path.write_bytes(part.header)
    with open(part.path, "r+b") as output:
        kept = min(len(blocks) * part.block_bytes, math.prod(part.shape))
        output.truncate(len(part.header) + kept)
        output.seek(0, os.SEEK_END)
        for data in _blocks(keys, len(blocks) * BLOCK, decode, part.shape[1:], name):
            # Written and not put into a memory map: on a full disk, writing to a map
            # would end the process.
            output.write(data)
            output.flush()
            blocks.append(stored.digest(data))
            done = min(len(blocks) * BLOCK, len(keys))
            progress = {"identity": identity, "done": done, "blocks": blocks}
            stored.write_json(note, progress)
    flush(part.path)
    # The card first: its digest tells that the images beside it are not its own yet,
    # and whoever is killed here has only the renaming left to do. Not by way of its
    # usual temporary name, which is that of the note.
    card = {**identity, _CONTENT: stored.digest(_joined(blocks))}
    new_card = file.path.with_suffix(".card")
    stored.write_json(new_card, card)
    os.replace(new_card, _card(file))
    os.replace(part.path, file.path)
    flush(file.path.parent)
    remove(note)


def _kept(part: PoolFile, note: Path, identity: dict) -> list[str]:
    """Digests of the blocks that an earlier decoding has written, as its note says."""
    begun = _read(note)
    blocks: list[str] = []
    # A link would lead what is written to another place.
    if begun.get("identity") != identity or part.path.is_symlink():
        return blocks
    try:
        for wanted, found in zip(begun["blocks"], part.digests(), strict=False):
            if wanted != found:
                break
            blocks.append(found)
    except (KeyError, TypeError, OSError, UserError):
        return []
    return blocks


def _blocks(
    keys: list[str], start: int, decode: Decode, shape: tuple[int, ...], name: str
) -> Iterator[bytes]:
    """Decode the images from `start` on in parallel; gives the bytes of each block."""

    def one(key: str) -> np.ndarray:
        try:
            image = decode(key)
        except UserError:  # says already what to do
            raise
        except Exception as err:  # Pillow, zipfile and zlib raise many kinds
            raise UserError(
                f"{name}: {key} cannot be read ({first_line(err)}). The source is "
                "damaged: fetch it again."
            ) from err
        if image.shape != shape or image.dtype != np.uint8:
            raise ValueError(f"{key}: decoded to {image.dtype} {image.shape}")
        return image

    bar = tqdm(total=len(keys), initial=start, desc=f"{name}, once", disable=None)
    with bar, ThreadPoolExecutor() as workers:
        for first in range(start, len(keys), BLOCK):
            images = list(workers.map(one, keys[first : first + BLOCK]))
            yield np.stack(images).tobytes()
            bar.update(len(images))


def _joined(texts: Sequence[str] | Iterator[str]) -> bytes:
    return "\n".join(texts).encode()


def _read(path: Path) -> dict:
    """The content of a card or a note; empty where it is none."""
    try:
        return stored.read_object(path)
    except UserError:
        return {}

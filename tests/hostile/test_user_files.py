"""Whatever a stranger's data file holds: it is read, or a line says why not."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pandas as pd
import pytest
from damage import check_damage, damaged, damaged_json, peak
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from gamo_tf.config.dataset_specs import DATASETS, DatasetSpec
from gamo_tf.data import decoded_pool, feature_table, image_folder
from gamo_tf.data.readers import celeba, cifar, idx, sun397, svhn
from gamo_tf.errors import UserError
from gamo_tf.files import remove
from gamo_tf.networks.saved import load_network, save_network

pytestmark = pytest.mark.slow
SMALL = DatasetSpec("made", (4, 4, 3), ("a", "b"), (20, 10), (16,), 2, "", 1, "", "")


class Source(NamedTuple):
    """A file of a user, and how it is read; `expected` where that must not change."""

    path: Path
    read: Callable[[Path], Any]
    expected: Any = ...


def picture(path: Path) -> np.ndarray:
    """An image as all programs read it, with their complaint."""
    found = image_folder.read([str(path)], 8, False)
    if found.bad:
        raise image_folder.complaint(found.bad)
    return found.pixels


def table(path: Path) -> Any:
    return feature_table.read(path, "kind").X


def pool(path: Path) -> Any:
    """Of a decoded pool whose file or card is damaged: decoded anew."""
    keys = [[str(k) for k in range(40)], [str(k) for k in range(40, 60)]]

    def decode(key: str) -> np.ndarray:
        return np.full((4, 4, 3), int(key), np.uint8)

    origin = {"source": "made"}
    place = path.parent.parent
    arrays = decoded_pool.pool(SMALL, place, keys, decode, origin, "images")
    return [np.array(x) for x in arrays]


def sources(place: Path) -> dict[str, Source]:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (12, 10, 3), np.uint8)
    found = {}
    for suffix in ("png", "jpg", "gif", "bmp", "tif", "webp"):
        Image.fromarray(pixels).save(place / f"a.{suffix}")
        found[suffix] = Source(place / f"a.{suffix}", picture)
    images = rng.integers(0, 256, (5, 28, 28), np.uint8)
    header = b"\0\0\x08\x03" + np.array([5, 28, 28], ">u4").tobytes()
    (place / "idx.gz").write_bytes(gzip.compress(header + images.tobytes()))
    found["idx"] = Source(place / "idx.gz", lambda path: idx.parse(path, 3, (28, 28)))
    records = rng.integers(0, 10, (4, 3073), np.uint8)
    (place / "batch.bin").write_bytes(records.tobytes())
    spec = DATASETS["cifar10"]
    found["cifar"] = Source(place / "batch.bin", lambda path: cifar.parse(path, spec))
    X, y = rng.integers(0, 256, (32, 32, 3, 6), np.uint8), np.arange(1.0, 7)[:, None]
    savemat(place / "svhn.mat", {"X": X, "y": y}, do_compression=True)
    of_svhn = DATASETS["svhn"]
    found["mat"] = Source(place / "svhn.mat", lambda path: svhn.parse(path, of_svhn))
    names = "Bald Black_Hair Blond_Hair Brown_Hair Gray_Hair Smiling"
    lines = [
        f"{k:06d}.jpg " + " ".join("1" if k == j else "-1" for j in range(6))
        for k in range(6)
    ]
    (place / "attributes.txt").write_text("\n".join(["6", names, *lines]) + "\n")
    found["celeba"] = Source(place / "attributes.txt", celeba.attributes)
    (place / "sun397").mkdir()
    (place / "sun397" / "ClassName.txt").write_text("/a/abbey\n/b/bakery/shop\n")
    found["sun397"] = Source(
        place / "sun397" / "ClassName.txt",
        lambda path: sun397.categories(DATASETS["sun397"], path.parent.parent),
    )
    frame = pd.DataFrame(rng.normal(size=(30, 3)), columns=list("abc"))
    frame["n"], frame["kind"] = range(30), ["x", "y", "007"] * 10
    frame.to_csv(place / "t.csv", index=False)
    frame.to_parquet(place / "t.parquet")
    rows = frame[list("abc")].to_numpy()
    np.savez(place / "t.npz", X=rows, kind=frame["kind"].to_numpy().astype("U3"))
    np.savez_compressed(place / "small.npz", X=rows, kind=np.arange(30) % 3)
    for name in ("t.csv", "t.parquet", "t.npz", "small.npz"):
        found[name] = Source(place / name, table)
    files = {"pool": "made.npy", "pool card": "made.json"}
    for word, name in files.items():
        path = place / word / "prepared" / name
        path.parent.mkdir(parents=True)
        found[word] = Source(path, pool, pool(path))
    return found


KINDS = ["png", "jpg", "gif", "bmp", "tif", "webp", "idx", "cifar", "mat", "celeba"]
KINDS += ["sun397", "t.csv", "t.parquet", "t.npz", "small.npz", "pool", "pool card"]


@pytest.fixture(scope="module")
def all_sources(tmp_path_factory) -> dict[str, Source]:
    return sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture
def source(all_sources, kind) -> Source:
    return all_sources[kind]


def test_all_kinds_are_damaged(all_sources):
    assert list(all_sources) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_survived(source, kind, capsys):
    content = source.path.read_bytes()
    damage = damaged(content)
    if kind == "pool card":
        damage = st.one_of(damaged_json(content), damage)
    read = partial(source.read, source.path)
    check_damage(source.path, damage, read, source.expected)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_refused(source, kind, tmp_path, capsys):
    """A folder or a named pipe in the place of a file, or nothing."""
    if kind.startswith("pool"):
        pytest.skip("what is no pool is decoded anew: tests/data")
    aside = tmp_path / "aside"
    source.path.rename(aside)

    def refused() -> None:
        with pytest.raises(UserError) as caught:
            source.read(source.path)
        assert "\n" not in caught.value.message

    try:
        refused()
        source.path.mkdir()
        refused()
        source.path.rmdir()
        os.mkfifo(source.path)
        refused()
    finally:
        remove(source.path)
        aside.rename(source.path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
@pytest.mark.parametrize("form", ["EPS", "PDF"])
def test_what_would_start_another_program_is_no_image(tmp_path, suffix, form):
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9)).save(buffer, format=form)
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(UserError):
        picture(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    """640 kB that would take 640 MB."""
    header = b"\0\0\x08\x03" + np.array([800_000, 28, 28], ">u4").tobytes()
    path = tmp_path / "idx.gz"
    with gzip.open(path, "wb") as file:
        file.write(header)
        for _ in range(600):
            file.write(bytes(2**20))
    before = peak()
    with pytest.raises(UserError, match=r"idx\.gz"):
        idx.parse(path, 3, (28, 28))
    assert peak() - before < 50  # MiB


def test_cards_of_pools_are_json(all_sources):
    assert json.loads(all_sources["pool card"].path.read_text())["images"] == 60


def rewritten(path: Path, change: Callable[[str, bytes], bytes], how: int) -> None:
    """A zip with its members changed, packed as `how` says."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, change(name, content))


@pytest.mark.parametrize("kind", ["layer", "zeros"])
def test_a_network_that_is_larger_than_its_file_is_not_built(tmp_path, kind):
    path = tmp_path / "F.keras"
    x = keras.Input((9,))
    save_network(path, keras.Model(x, keras.layers.Dense(7)(x), name="F"))
    assert load_network(path).output_shape == (None, 7)

    def change(name: str, content: bytes) -> bytes:
        if kind == "zeros":
            return content + bytes(2**28 * (name == "metadata.json"))
        return content.replace(b'"units": 7', b'"units": 100000000')

    how = zipfile.ZIP_DEFLATED if kind == "zeros" else zipfile.ZIP_STORED
    rewritten(path, change, how)
    before = peak()
    with pytest.raises(UserError, match=r"F\.keras: .*(larger|unpacked)"):
        load_network(path)
    assert peak() - before < 50  # MiB

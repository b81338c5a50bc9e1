"""The pool of a large dataset, which is decoded once."""

import errno
import json
import os
import resource
from dataclasses import replace

import numpy as np
import pytest

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data import decoded_pool
from gamo_tf.data.splits import draw_split
from gamo_tf.errors import UserError

COUNTS = (300, 4)
SPEC = replace(
    DATASETS["svhn"],
    shape=(1, 2, 3),
    classes=("x", "y"),
    counts=COUNTS,
    test_per_class=2,
)
KEYS = [[f"x{k}" for k in range(700)], [f"y{k}" for k in range(20)]]
# A tenth of each class is kept for testing; twice the counts are for training.
TRAINING, TESTING = [600, 8], [70, 2]


def image_of(key: str) -> np.ndarray:
    """An image that says which key it is of."""
    return np.full((1, 2, 3), (ord(key[0]), *divmod(int(key[1:]), 256)), np.uint8)


def key_of(image: np.ndarray) -> str:
    letter, high, low = (int(v) for v in image[0, 0])
    return f"{chr(letter)}{256 * high + low}"


def make(data_dir, decode=image_of, origin="a"):
    return decoded_pool.pool(SPEC, data_dir, KEYS, decode, {"from": origin}, "keys")


def never(key: str):
    raise AssertionError("decoded again")


def test_which_images_are_in_it(tmp_path):
    assert decoded_pool.known(SPEC, tmp_path) is None
    arrays = make(tmp_path)
    assert isinstance(arrays.images, np.memmap)
    assert np.bincount(arrays.labels).tolist() == TRAINING
    assert np.bincount(arrays.test_labels).tolist() == TESTING
    train, test = (
        [key_of(image) for image in images]
        for images in (arrays.images, arrays.test_images)
    )
    assert len(set(train + test)) == sum(TRAINING + TESTING)
    for keys, labels in ((train, arrays.labels), (test, arrays.test_labels)):
        assert [key[0] for key in keys] == ["xy"[label] for label in labels]
    found = decoded_pool.known(SPEC, tmp_path)
    assert found["images"] == 680 and found["from"] == "a"


@pytest.mark.parametrize("seed", range(3))
def test_validation_images_are_those_that_a_run_leaves_in_it(seed, tmp_path):
    arrays = make(tmp_path)
    split = draw_split(arrays, SPEC, (300, 6), 2, seed, 100)
    train, validation, test = (
        {key_of(image) for image in images}
        for images in (split.images, split.validation_images, split.test_images)
    )
    # Of the smaller class two are left.
    assert np.bincount(split.validation_labels).tolist() == [100, 2]
    assert len(train) == 306 and len(validation) == 102
    assert not train & validation and not (train | validation) & test
    assert {key[0] for key in validation} == {"x", "y"}


def test_it_is_decoded_once_and_anew_for_another_origin(tmp_path):
    arrays = make(tmp_path)
    np.testing.assert_array_equal(make(tmp_path, never).images, arrays.images)
    with pytest.raises(UserError, match="decoded again"):
        make(tmp_path, never, origin="b")


def test_decoding_that_was_broken_off_continues(tmp_path):
    whole = make(tmp_path / "whole")
    keys = [key_of(image) for image in (*whole.images, *whole.test_images)]
    damaged, data_dir = keys[550], tmp_path / "broken"

    def power_cut(key: str) -> np.ndarray:
        if key == damaged:
            raise ValueError("power cut")
        return image_of(key)

    with pytest.raises(UserError, match=f"{damaged} cannot be read .power cut"):
        make(data_dir, power_cut)
    folder = data_dir / "prepared"
    # Nothing looks finished.
    assert {p.name for p in folder.iterdir()} == {".part-svhn.npy", ".part-svhn.json"}
    assert decoded_pool.known(SPEC, data_dir) is None
    done = json.loads((folder / ".part-svhn.json").read_text())["done"]
    assert 0 < done <= 550
    decoded = []

    def noted(key: str) -> np.ndarray:
        decoded.append(key)
        return image_of(key)

    arrays = make(data_dir, noted)
    assert sorted(decoded) == sorted(keys[done:])
    np.testing.assert_array_equal(arrays.images, whole.images)
    np.testing.assert_array_equal(arrays.test_images, whole.test_images)
    assert {p.name for p in folder.iterdir()} == {"svhn.npy", "svhn.json"}


# ---- what is on disk is not believed -----------------------------------------------


@pytest.fixture
def whole(tmp_path):
    """The folder of a whole pool, and its images."""
    return tmp_path / "prepared", np.array(make(tmp_path).images)


def images_start(path) -> int:
    return path.stat().st_size - 680 * 6


@pytest.mark.parametrize(
    "damage",
    [
        lambda data, start: data[:start] + bytes(len(data) - start),
        lambda data, start: data[:-1],
        lambda data, start: data[: start // 2],
        lambda data, start: data + b"\0",
        lambda data, start: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data, start: data.replace(b"|u1", b"|i1"),
        lambda data, start: data.replace(b"False", b"True "),
        lambda data, start: data.replace(b"(680, 1, 2, 3)", b"(999999999, )."),
        lambda data, start: b"",
    ],
    ids=[
        "zeros",
        "short",
        "no-images",
        "long",
        "bit",
        "signed",
        "fortran",
        "shape",
        "empty",
    ],
)
def test_a_damaged_pool_is_decoded_anew(damage, whole, tmp_path, capsys):
    folder, images = whole
    path = folder / "svhn.npy"
    path.write_bytes(damage(path.read_bytes(), images_start(path)))
    np.testing.assert_array_equal(make(tmp_path).images, images)
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 1 and told[0].startswith(f"{path}: other images, or not as")
    np.testing.assert_array_equal(make(tmp_path, never).images, images)


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card.pop("content"),  # a card of an older version
        lambda card: card.update(content="0" * 32),
        lambda card: card.update({"from": "b"}),
        lambda card: card.clear(),
    ],
)
def test_a_false_card_is_not_believed(change, whole, tmp_path):
    folder, images = whole
    card = json.loads((folder / "svhn.json").read_text())
    del card["digest"]  # as in a file that was written by hand
    change(card)
    (folder / "svhn.json").write_text(json.dumps(card))
    with pytest.raises(UserError, match="decoded again"):
        make(tmp_path, never)
    np.testing.assert_array_equal(make(tmp_path).images, images)


def test_random_damage_gives_the_same_images(whole, tmp_path):
    folder, images = whole
    rng = np.random.default_rng(0)
    for k in range(30):
        path = folder / ("svhn.npy", "svhn.json")[k % 2]
        data = bytearray(path.read_bytes())
        for place in rng.integers(0, len(data), 4):
            data[place] = rng.integers(256)
        path.write_bytes(data[: rng.integers(1, len(data) + 1)] if k % 3 else data)
        decoded_pool.known(SPEC, tmp_path)
        np.testing.assert_array_equal(make(tmp_path).images, images)


def broken_off(data_dir, after: int):
    """Leaves a decoding that was broken off after so many images."""
    count = iter(range(after))

    def power_cut(key: str) -> np.ndarray:
        if next(count, None) is None:
            raise ValueError("power cut")
        return image_of(key)

    with pytest.raises(UserError, match="power cut"):
        make(data_dir, power_cut)
    folder = data_dir / "prepared"
    return folder / ".part-svhn.npy", folder / ".part-svhn.json"


@pytest.mark.parametrize("kind", ["false note", "zeros", "short", "link", "no blocks"])
def test_a_false_note_is_not_believed(kind, whole, tmp_path):
    _, images = whole
    data_dir = tmp_path / "b"
    part, note = broken_off(data_dir, 600)
    if kind in ("false note", "no blocks"):
        said = json.loads(note.read_text())
        said.pop("digest")
        said |= {"done": 680, "blocks": [said["blocks"][0], "0" * 32]}
        if kind == "no blocks":
            del said["blocks"]
        note.write_text(json.dumps(said))
        with open(part, "ab") as file:
            file.write(bytes(168 * 6))
    elif kind == "zeros":
        part.write_bytes(part.read_bytes()[:-512] + bytes(512))
    elif kind == "short":
        part.write_bytes(part.read_bytes()[:-1])
    else:
        part.rename(tmp_path / "other")
        part.symlink_to(tmp_path / "other")
        before = (tmp_path / "other").read_bytes()
    np.testing.assert_array_equal(make(data_dir).images, images)
    if kind == "link":
        assert (tmp_path / "other").read_bytes() == before
        assert not (data_dir / "prepared" / "svhn.npy").is_symlink()


@pytest.mark.parametrize("old", [False, True], ids=["new", "in the place of another"])
def test_killed_at_any_rename(old, whole, tmp_path, monkeypatch):
    _, images = whole
    replace_file = os.replace
    for n in range(5):  # two notes, the card twice, the pool
        data_dir = tmp_path / f"killed-{n}"
        if old:
            make(data_dir, lambda key: 255 - image_of(key), origin="b")
        left = iter(range(n))

        def killed(*args, left=left):
            if next(left, None) is None:
                raise OSError(errno.EIO, "killed")
            replace_file(*args)

        with monkeypatch.context() as patched:
            patched.setattr(os, "replace", killed)
            with pytest.raises(UserError, match="killed"):
                make(data_dir)
        decoded = []
        arrays = make(data_dir, lambda key, d=decoded: d.append(key) or image_of(key))
        np.testing.assert_array_equal(arrays.images, images)
        assert len(decoded) == [680, 680 - 512, 0, 0, 0][n]
    assert {p.name for p in (data_dir / "prepared").iterdir()} == {
        "svhn.npy",
        "svhn.json",
    }


def test_a_full_disk(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(UserError) as caught:
            make(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.message.startswith(f"{tmp_path}/prepared: cannot be written (")
    assert "make room, or give a data_dir" in str(caught.value)
    assert len(make(tmp_path).images) == 608


def test_images_of_another_shape_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"decoded to uint8 \(1, 1, 3\)"):
        make(tmp_path, lambda key: np.zeros((1, 1, 3), np.uint8))


def test_too_few_images_and_a_folder_that_cannot_be_written(tmp_path):
    spec = replace(SPEC, counts=(640, 4))
    with pytest.raises(UserError, match="class x has 700 keys; 640 are trained on"):
        decoded_pool.pool(spec, tmp_path, KEYS, image_of, {}, "keys")
    (tmp_path / "prepared").write_text("a file in the folder's place")
    with pytest.raises(UserError, match="give a data_dir that can be written to"):
        make(tmp_path)

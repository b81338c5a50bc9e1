"""CIFAR-10: records of a label and three colour planes."""

import gzip
import io
import os
import shutil
import tarfile

import numpy as np
import pytest

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data.readers import cifar
from gamo_tf.errors import UserError

SPEC = DATASETS["cifar10"]
PIXELS = np.arange(3072, dtype=np.int64).astype(np.uint8)


def record(label: int) -> bytes:
    return bytes([label]) + PIXELS.tobytes()


def test_records_are_channels_first(tmp_path):
    path = tmp_path / "b.bin"
    path.write_bytes(record(7))
    images, labels = cifar.parse(path, SPEC)
    assert labels.tolist() == [7]
    planes = images[0].transpose(2, 0, 1)
    np.testing.assert_array_equal(planes, PIXELS.reshape(3, 32, 32))
    path.write_bytes(record(7)[:-1])
    with pytest.raises(UserError, match="no whole number"):
        cifar.parse(path, SPEC)
    path.write_bytes(record(10))
    with pytest.raises(UserError, match="label 10 found, 0 to 9 expected"):
        cifar.parse(path, SPEC)


def test_the_archive_is_unpacked(tmp_path):
    folder = tmp_path / "packed" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    for k in range(1, 6):
        (folder / f"data_batch_{k}.bin").write_bytes(record(k))
    (folder / "test_batch.bin").write_bytes(record(9) + record(0))
    with tarfile.open(tmp_path / "cifar-10-binary.tar.gz", "w:gz") as archive:
        archive.add(folder, folder.name)
    arrays = cifar.read(SPEC, tmp_path)
    assert arrays.labels.tolist() == [1, 2, 3, 4, 5]
    assert arrays.test_labels.tolist() == [9, 0]
    assert arrays.images.shape == (5, 32, 32, 3)
    (tmp_path / "cifar-10-batches-bin" / "data_batch_3.bin").unlink()
    with pytest.raises(UserError, match=r"data_batch_3.bin missing"):
        cifar.read(SPEC, tmp_path)


def test_a_damaged_archive(tmp_path):
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(b"no archive")
    with pytest.raises(UserError, match="cannot be unpacked"):
        cifar.read(SPEC, tmp_path)


# ---- hostile files -----------------------------------------------------------------


def archive(tmp_path, *members: tuple[str, bytes | str]) -> None:
    """An archive of files, or of links where a text says where they lead."""
    with tarfile.open(tmp_path / "cifar-10-binary.tar.gz", "w:gz") as tar:
        for name, content in members:
            item = tarfile.TarInfo(name)
            if isinstance(content, str):
                item.type, item.linkname = tarfile.SYMTYPE, content
                tar.addfile(item)
            else:
                item.size = len(content)
                tar.addfile(item, io.BytesIO(content))


def refusal(data_dir) -> str:
    with pytest.raises(UserError) as caught:
        cifar.read(SPEC, data_dir)
    assert not (data_dir / "cifar-10-batches-bin").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


FOLDER = "cifar-10-batches-bin"


@pytest.mark.parametrize(
    "member",
    [
        ("../evil.bin", b"x"),
        ("/tmp/evil.bin", b"x"),
        (f"{FOLDER}/../../evil.bin", b"x"),
        (f"{FOLDER}/deep/er.bin", b"x"),
        ("other/test_batch.bin", b"x"),
        ("x.bin", b"x"),
        (f"{FOLDER}/test_batch.bin", "/etc/passwd"),
        (FOLDER, "/tmp"),
    ],
)
def test_members_that_are_not_expected(member, tmp_path):
    archive(tmp_path, (f"{FOLDER}/data_batch_1.bin", record(1)), member)
    assert f"{member[0]} is not expected in it" in refusal(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["cifar-10-binary.tar.gz"]


def test_a_half_archive_leaves_nothing(tmp_path):
    names = [f"data_batch_{k}.bin" for k in range(1, 6)]
    rows = np.random.default_rng(0).bytes(3073 * 20)
    archive(tmp_path, *((f"{FOLDER}/{name}", rows) for name in names))
    path = tmp_path / "cifar-10-binary.tar.gz"
    path.write_bytes(path.read_bytes()[:200_000])
    assert "cannot be unpacked" in refusal(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_no_more_is_unpacked_than_is_expected(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "_MOST_UNPACKED", 2**20)
    path = tmp_path / "cifar-10-binary.tar.gz"
    archive(tmp_path, (f"{FOLDER}/data_batch_1.bin", bytes(2**21)))
    assert "more than 1048576 bytes" in refusal(tmp_path)
    # A header that announces gigabytes of names.
    item = tarfile.TarInfo("pax")
    item.type, item.size = tarfile.XHDTYPE, 2**32
    path.write_bytes(gzip.compress(item.tobuf() + bytes(2**21)))
    assert "more than 1048576 bytes" in refusal(tmp_path)


def test_files_of_a_wrong_kind_or_size(tmp_path, monkeypatch):
    path = tmp_path / "b.bin"
    os.mkfifo(path)
    for odd in (path, tmp_path):
        with pytest.raises(UserError, match="not a regular file"):
            cifar.parse(odd, SPEC)
    path.unlink()
    monkeypatch.setattr(cifar, "_MOST_RECORDS", 2)
    path.write_bytes(record(1) * 3)
    monkeypatch.setattr(np, "fromfile", None)  # not called
    with pytest.raises(UserError, match="or too many"):
        cifar.parse(path, SPEC)


def test_random_damage(tmp_path):
    rng = np.random.default_rng(0)
    names = [*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"]
    archive(tmp_path, *((f"{FOLDER}/{name}", record(3)) for name in names))
    path = tmp_path / "cifar-10-binary.tar.gz"
    whole = path.read_bytes()
    for k in range(120):
        data = bytearray(whole[: rng.integers(len(whole) + 1)] if k % 2 else whole)
        for place in rng.integers(0, max(len(data), 1), 2)[: len(data)]:
            data[place] = rng.integers(256)
        path.write_bytes(data)
        folder = tmp_path / FOLDER
        try:
            arrays = cifar.read(SPEC, tmp_path)
        except UserError as err:
            assert "\n" not in str(err)
        else:
            assert arrays.labels.tolist() == [3] * 5
        if folder.exists():
            shutil.rmtree(folder)

"""CIFAR-10: records of a label and three colour planes."""

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

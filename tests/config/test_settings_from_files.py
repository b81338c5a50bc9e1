"""Settings that come from a file are believed no more than those from flags."""

import json
from pathlib import Path

import pytest

from gamo_tf.config.checks import check_folder_name
from gamo_tf.config.options import Options, resolve
from gamo_tf.errors import UserError
from gamo_tf.runs.run import Run

IMAGES = {
    "dataset": "cells",
    "data": "/photos",
    "shape": (8, 8, 1),
    "classes": ("big", "few"),
    "counts": (20, 5),
    "test_split": 0.2,
}
# What a stranger may write into options.json, and the setting that is to be named.
HOSTILE = [
    ("classes", ["/etc", "few"]),
    ("classes", ["../../../victim", "few"]),
    ("classes", ["..", "few"]),
    ("classes", [".", "few"]),
    ("classes", ["", "few"]),
    ("classes", ["a\0b", "few"]),
    ("classes", ["a\\b", "few"]),
    ("classes", ["few", "few"]),
    ("classes", ["big"]),
    ("classes", "big"),
    ("classes", [1, 2]),
    ("dataset", "../cells"),
    ("dataset", 7),
    ("counts", [20, 1]),
    ("counts", [20, "5"]),
    ("counts", [20, 5, 5]),
    ("shape", [8, 8]),
    ("shape", [8, 0, 1]),
    ("method", "gan"),
    ("loss", "mse"),
    ("counts", [20, 10**10]),
    ("counts", [20, 10**400]),
    ("counts", []),
    ("shape", [10**6, 10**6, 3]),
    ("shape", [8, 8, 2]),
    ("shape", [10**7]),
    ("shape", []),
    ("patches", [0]),
    ("seed", -1),
    ("seed", 2**32),
    ("seed", 10**400),
    ("seed", "0"),
    ("seed", True),
    ("iterations", 0),
    ("iterations", 1.5),
    ("batch_size", 1),
    ("learning_rate", 0),
    ("learning_rate", "fast"),
    ("learning_rate", 10**400),
    ("latent", 10**9),
    ("batch_size", 10**6),
    ("evaluate_every", 10**10),
    ("checkpoint_every", 0),
    ("test_per_class", -1),
    ("test_split", 1),
    ("test_split", float("nan")),
    ("beta_1", 1.0),
    ("label_noise", float("-inf")),
    ("ema", -0.5),
    ("learning_rate", float("nan")),
    ("ema", float("inf")),
    ("deterministic", 1),
    ("data", None),
    ("nonsense", 1),
]


@pytest.fixture
def run(tmp_path) -> Run:
    return Run.create(tmp_path / "runs", resolve(IMAGES))


@pytest.mark.parametrize(("name", "value"), HOSTILE, ids=lambda x: str(x)[:30])
def test_a_value_that_no_program_wrote_is_refused_with_file_and_name(run, name, value):
    path = run.path / "options.json"
    values = {**json.loads(path.read_text()), name: value}
    path.write_text(json.dumps(values))
    with pytest.raises(UserError) as refused:
        _ = run.options
    message = str(refused.value)
    assert message.startswith(f"{path}: ") and name in message and "\n" not in message


@pytest.mark.parametrize("name", ["", ".", "..", "/tmp/x", "../x", "a/b", "a\\b", "\0"])
def test_a_class_has_no_folder_outside_its_run(run, name):
    with pytest.raises(UserError, match="cannot be the name of a folder"):
        run.pix_class(name)
    with pytest.raises(UserError):
        check_folder_name("classes", name)


@pytest.mark.parametrize("name", ["a b", "7", "...", ".hidden", "under $5", "é"])
def test_odd_names_that_are_names_of_folders_stay(run, name):
    folder = run.pix_class(name).path
    assert folder.parent == run.pix and folder.resolve().parent == run.pix.resolve()


def test_labels_of_a_table_are_no_folders():
    table = {**IMAGES, "shape": (3,), "label": "kind", "classes": ("a/b", "..")}
    options = resolve(table)
    assert Options.from_json(options.to_json()) == options


def test_what_is_written_is_read(run):
    assert Run.open(run.path).options == resolve(IMAGES)
    assert Path(run.options.data) == Path("/photos")

"""A run from a stranger can name no place outside its folder."""

import json
import shutil

import keras
import numpy as np
import pytest

import train_gamo2pix
from gamo2pix import balanced_folder, extractors
from gamo_tf.cli import predict
from gamo_tf.config.options import resolve, spec_of
from gamo_tf.errors import UserError
from gamo_tf.methods.build import build
from gamo_tf.networks.saved import save_network
from gamo_tf.runs.run import Run


@pytest.fixture
def victim(tmp_path):
    folder = tmp_path / "victim"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    return folder


@pytest.fixture
def run(images_run, tmp_path):
    """A finished run on a user's images, to be changed."""
    path = tmp_path / "runs" / images_run.name
    shutil.copytree(images_run, path)
    return path


def content(folder):
    return sorted((p.relative_to(folder), p.is_file()) for p in folder.rglob("*"))


NAMES = ["VICTIM", "../../../victim", "..", ".", "", "a/b", "a\\b", "a\0b", "eight"]


@pytest.mark.parametrize("kept", [True, False], ids=["as begun", "of an older version"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wanted", ["1", "all"])
def test_a_class_name_leads_nowhere(run, victim, capsys, name, kept, wanted):
    if not kept:
        (run / "data.json").unlink()
    path = run / "options.json"
    options = json.loads(path.read_text())
    options["classes"][1] = str(victim) if name == "VICTIM" else name
    path.write_text(json.dumps(options))
    before = content(run.parent.parent)
    flags = ["--run", str(run), "--class", wanted, "--iterations", "1"]
    if wanted == "all":
        flags += ["--save-balanced", "--force"]
    assert train_gamo2pix.main(flags) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and "options.json" in said[0]
    assert content(run.parent.parent) == before


@pytest.mark.parametrize("place", ["gamo2pix", "gamo2pix/one", "models", "balanced"])
def test_a_link_leads_nowhere(run, victim, capsys, place):
    shutil.rmtree(run / place, ignore_errors=True)
    (run / place).parent.mkdir(exist_ok=True)
    (run / place).symlink_to(victim)
    flags = ["--run", str(run), "--class", "1", "--iterations", "1"]
    assert train_gamo2pix.main(flags) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and "leads out" in said[0]
    assert [p.name for p in victim.iterdir()] == ["mine.txt"]


def test_a_folder_that_is_not_ours_is_not_replaced(victim):
    with pytest.raises(UserError, match="another place: not one of ours"):
        balanced_folder.check(victim, force=True)


def test_a_replacement_that_was_broken_off_is_put_right(tmp_path, capsys):
    old = tmp_path / ".old-balanced"
    old.mkdir()
    (old / "manifest.csv").write_text("file\n")
    with pytest.raises(UserError, match="is there already"):
        balanced_folder.check(tmp_path / "balanced", force=False)
    assert "the old folder is back" in capsys.readouterr().out
    assert (tmp_path / "balanced" / "manifest.csv").read_text() == "file\n"
    assert not old.exists()


def test_an_image_that_was_replaced_is_named(run, image_root, tmp_path, capsys):
    """The run reads its images again; another one in the place of one is refused."""
    moved = tmp_path / "moved"
    shutil.copytree(image_root, moved)
    rows = (run / "rows.csv").read_text()
    (run / "rows.csv").write_text(rows.replace(str(image_root), str(moved)))
    flags = ["--run", str(run), "--class", "1", "--iterations", "1"]
    assert train_gamo2pix.main(flags) == 2
    assert "rows.csv: is not as it was written" in capsys.readouterr().err
    (run / "rows.csv").write_text(rows)
    first = next(line.split(",")[1] for line in rows.splitlines()[1:])
    kept = np.fromfile(first, np.uint8)
    shutil.copy(image_root / "three" / "000.png", first)
    try:
        assert train_gamo2pix.main(flags) == 2
    finally:
        kept.tofile(first)
    said = capsys.readouterr().err
    assert first in said and "not the image" in said


def test_a_folder_of_images_may_be_moved(run, image_root, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(image_root, moved)
    before = Run(run).arrays(tmp_path)
    path = run / "options.json"
    options = json.loads(path.read_text())
    path.write_text(json.dumps({**options, "data": str(moved)}))
    assert all(source.startswith(f"{moved}/") for source in Run(run).rows()["source"])
    for one, two in zip(before, Run(run).arrays(tmp_path), strict=True):
        np.testing.assert_array_equal(one, two)
    (moved / "one" / "000.png").unlink()
    with pytest.raises(UserError, match=r"moved/one/000\.png"):
        Run(run).arrays(tmp_path)


@pytest.mark.parametrize(
    ("name", "shapes"), [("F", ((9, 9, 1), 512)), ("M", ((512,), 7)), ("M", ((9,), 3))]
)
def test_a_network_of_another_run_is_named(run, image_root, capsys, name, shapes):
    shape, width = shapes
    x = keras.Input(shape)
    y = keras.layers.Dense(width)(keras.layers.Flatten()(x))
    save_network(Run(run).model(name), keras.Model(x, y, name=name))
    Run(run).write_results(Run(run).read_results())  # with the digest of this file
    image = str(image_root / "one" / "000.png")
    assert predict.main(["--run", str(run), image]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert f"{name}.keras: is of another run" in said


def test_a_generator_of_another_run_is_named(run, capsys, monkeypatch):
    monkeypatch.setattr(extractors, "choose", lambda *args: [])
    options = resolve({"dataset": "digits"})
    save_network(Run(run).model("G"), build(options, spec_of(options)).networks["G"])
    Run(run).write_results(Run(run).read_results())  # with the digest of this file
    flags = ["--run", str(run), "--class", "1", "--iterations", "1"]
    assert train_gamo2pix.main(flags) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert "G.keras: is of another run" in said

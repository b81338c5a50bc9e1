"""The wheel, installed away from the checkout, imports and trains.

No test waits on the network: the wheel is built with the setuptools that is here, and
the environment takes its dependencies from the one that runs the tests. `gamo_tf` and
`gamo2pix` come from the wheel alone.
"""

from __future__ import annotations

import email
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import gamo_tf

ROOT = Path(__file__).parents[1]
PACKAGES = ("gamo_tf", "gamo2pix")

pytestmark = pytest.mark.slow


def run(*command: object, cwd: Path) -> str:
    """What a program prints. It sees nothing of the checkout."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(x) for x in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, so that nothing is written to the checkout."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "train_gamo.py"):
        shutil.copy(ROOT / name, copy)
    for name in (*PACKAGES, "tests", "benchmarks"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, copy / name, ignore=ignore)
    target = tmp_path_factory.mktemp("dist")
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir", target, copy)
    run(sys.executable, *build, cwd=copy)
    (found,) = target.iterdir()
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder of the programs of a new environment that has the wheel."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place)
    names = {"base": str(place), "platbase": str(place)}
    packages = Path(sysconfig.get_path("purelib", "venv", names))
    bin_dir = Path(sysconfig.get_path("scripts", "venv", names))
    # A line of a .pth file is one more folder to import from, behind the packages of
    # the environment; the .pth files in that folder are not read.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = (sys.executable, "-m", "pip", "--python", bin_dir / "python")
    run(*pip, "install", "-q", "--no-index", "--no-deps", wheel, cwd=place)
    return bin_dir


def test_what_is_in_the_wheel(wheel):
    assert wheel.name == f"gamo_tf-{gamo_tf.__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    info = f"gamo_tf-{gamo_tf.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {*PACKAGES, info}
    modules = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }
    markers = {f"{package}/py.typed" for package in PACKAGES}
    assert {x for x in names if not x.startswith(info)} == modules | markers
    assert f"{info}/licenses/LICENSE" in names


def test_what_the_wheel_says_of_itself(wheel):
    info = f"gamo_tf-{gamo_tf.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as opened:
        facts = email.message_from_bytes(opened.read(f"{info}/METADATA"))
        programs = opened.read(f"{info}/entry_points.txt").decode()
    assert (facts["Name"], facts["Version"]) == ("gamo-tf", gamo_tf.__version__)
    assert facts["License-Expression"] == "Apache-2.0"
    assert {"gpu", "export", "dev"} <= set(facts.get_all("Provides-Extra"))
    assert "gamo = gamo_tf.cli.main:main" in programs


def test_the_packages_come_from_the_wheel(installed, tmp_path):
    code = "import gamo2pix, gamo_tf; print(gamo_tf.__file__, gamo2pix.__file__)"
    found = run(installed / "python", "-c", code, cwd=tmp_path).split()
    assert len(found) == 2
    for path in found:
        assert Path(path).is_relative_to(installed.parent)


def test_the_tables_of_the_paper_need_a_checkout(installed, tmp_path):
    gamo = (installed / "gamo", "reproduce", "table1")
    done = subprocess.run(gamo, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and "works in a checkout" in done.stderr


def test_the_program_trains(installed, tmp_path):
    text = run(installed / "gamo", "--help", cwd=tmp_path)
    for name in ("train", "pix", "predict", "compare", "describe", "reproduce", "runs"):
        assert name in text
    flags = ("--dataset", "digits", "--iterations", 60, "--runs-dir", "found")
    run(installed / "gamo", "train", *flags, cwd=tmp_path)
    results = tmp_path / "found" / "00000-digits-gamo-ls" / "results.json"
    assert json.loads(results.read_text())["iterations"] == 60

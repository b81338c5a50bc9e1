"""The files about the project agree: versions, ranges, requirements, licence."""

from __future__ import annotations

import ast
import hashlib
import re
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import gamo_tf

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
# Import names that are not the name of the distribution.
DISTRIBUTIONS = {"PIL": "pillow", "imblearn": "imbalanced-learn"}
DISTRIBUTIONS |= {"sklearn": "scikit-learn"}


def pins(name: str) -> dict[str, str]:
    """The exact versions in a file of requirements."""
    lines = (ROOT / name).read_text().splitlines()
    found = [Requirement(x) for x in lines if re.match(r"[a-z]", x)]
    return {r.name: next(iter(r.specifier)).version for r in found}


def test_the_versions_that_are_tested_lie_within_the_ranges():
    ranges = [*PROJECT["dependencies"], *EXTRAS["export"], *EXTRAS["lsun"]]
    found = {r.name: r.specifier for r in map(Requirement, ranges)}
    pinned = pins("requirements.txt")
    assert found.keys() == pinned.keys()
    outside = [name for name in found if pinned[name] not in found[name]]
    assert not outside
    gpu = Requirement(EXTRAS["gpu"][0])
    assert gpu.name == "tensorflow" and gpu.specifier == found["tensorflow"]


def test_the_tools_are_the_same_everywhere():
    found = [Requirement(x) for x in EXTRAS["dev"] if "==" in x]
    tools = {r.name: next(iter(r.specifier)).version for r in found}
    assert tools == pins("requirements-dev.txt")
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert f"ruff-pre-commit\n    rev: v{tools['ruff']} " in hooks


def imported() -> set[str]:
    """Top-level names that the two packages import from elsewhere."""
    names = set()
    for path in [*ROOT.glob("gamo_tf/**/*.py"), *ROOT.glob("gamo2pix/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add((node.module or "").split(".")[0])
    return names - {"gamo_tf", "gamo2pix", *sys.stdlib_module_names}


def test_what_is_imported_is_a_dependency():
    declared = [*PROJECT["dependencies"], *EXTRAS["export"], *EXTRAS["lsun"]]
    names = {canonicalize_name(Requirement(x).name) for x in declared}
    found = {DISTRIBUTIONS.get(name, name) for name in imported()}
    assert found <= names
    # pandas reads .parquet by pyarrow.
    assert names - found == {"pyarrow"}


def test_the_version_stands_in_one_place():
    tree = ast.parse(Path(gamo_tf.__file__).read_text(encoding="utf-8"))
    found = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__version__"
    ]
    assert found == [gamo_tf.__version__]
    assert "version" in PROJECT["dynamic"] and "version" not in PROJECT
    assert not re.search(r"(?m)^version:", (ROOT / "CITATION.cff").read_text())


def test_the_versions_of_python_agree():
    listed = [x.rsplit(" ", 1)[1] for x in PROJECT["classifiers"] if ":: 3." in x]
    ci = (ROOT / ".github/workflows/ci.yml").read_text()
    assert listed == re.findall(r'"(3\.\d+)"', ci)
    first, last = listed[0], int(listed[-1].split(".")[1])
    assert PROJECT["requires-python"] == f">={first},<3.{last + 1}"


@pytest.mark.parametrize("target", PROJECT["scripts"].values())
def test_the_program_exists(target):
    module, name = target.split(":")
    assert callable(getattr(import_module(module), name))


def test_the_licence_is_the_published_text():
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    # Of https://www.apache.org/licenses/LICENSE-2.0.txt
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    assert PROJECT["license"] == "Apache-2.0"
    assert "license: Apache-2.0" in (ROOT / "CITATION.cff").read_text()

"""Imports run down the list of rooms and never up (docs/architecture.md)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from gamo_tf.cli.main import SUBCOMMANDS
from gamo_tf.config.methods import METHODS

ROOT = Path(__file__).resolve().parent.parent
# A room may import itself and those before it.
ROOMS = [
    "command_lines",
    "errors",
    "files",
    "stored",
    "own_settings",
    "import_tensorflow",
    "config",
    "data",
    "networks",
    "training",
    "game",
    "methods",
    "runs",
    "inference",
    "evaluation",
    "prepare",
    "train",
    "estimators",
    "cli",
    "grids",
    "comparison",
    "gamo2pix",
    "reproduction",
]
# Modules beside the rooms that belong to one: those that are started, and the package
# itself, which hands out the estimators.
BELONGS = {"compare": "comparison", "__main__": "cli", "__init__": "estimators"}
PACKAGES = ("gamo_tf", "gamo2pix", "reproduction")
MODULES = sorted(path for name in PACKAGES for path in ROOT.glob(f"{name}/**/*.py"))
TESTS = sorted(ROOT.glob("tests/**/*.py"))


class Import(NamedTuple):
    """A name that a file imports: `name` of `module`; "" stands for all of it."""

    line: int
    module: str
    name: str
    alias: str  # what the file calls it


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    """The dotted name of a file."""
    names = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def imports(path: Path) -> Iterator[Import]:
    """All imports of the two packages, within functions and for type checkers too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found = [(item.name, "", item) for item in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{place(path)}:{node.lineno}: a relative import"
            found = [(str(node.module), item.name, item) for item in node.names]
        else:
            continue
        for module, name, item in found:
            if module.split(".")[0] not in PACKAGES:
                continue
            if name and is_module(f"{module}.{name}"):
                module, name = f"{module}.{name}", ""
            yield Import(node.lineno, module, name, item.asname or item.name)


def room(module: str, name: str = "") -> str:
    """The room of a module, or of what is imported from the package itself."""
    if module.split(".")[0] != "gamo_tf":
        return module.split(".")[0]
    if module == "gamo_tf":
        # The version is a text. Everything else there comes from the estimators.
        return ROOMS[0] if name == "__version__" else BELONGS["__init__"]
    first = module.split(".")[1]
    return BELONGS.get(first, first)


def test_every_module_is_in_a_room():
    assert {room(module_of(path)) for path in MODULES} == set(ROOMS)


def test_imports_run_down_the_rooms():
    upwards = [
        f"{place(path)}:{line}: {room(module_of(path))} imports {module}"
        for path in MODULES
        for line, module, name, _ in imports(path)
        if ROOMS.index(room(module, name)) > ROOMS.index(room(module_of(path)))
    ]
    assert not upwards, "\n".join(upwards)


def test_config_needs_the_standard_library_only():
    """So that every program can answer --help at once."""
    paths = ROOT.glob("gamo_tf/config/*.py")
    nodes = [(path, node) for path in paths for node in ast.walk(tree(path))]
    assert nodes
    for path, node in nodes:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module)]
        for name in names:
            allowed = (
                name.split(".")[0] in sys.stdlib_module_names
                or name == "gamo_tf.errors"
                or name.startswith("gamo_tf.config.")
            )
            assert allowed, f"{place(path)}:{node.lineno}: imports {name}"


def private_names(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of what begins with an underscore in another module."""
    modules = set()
    for line, module, name, alias in imports(path):
        if is_private(name) or any(map(is_private, module.split("."))):
            yield line, f"{module}.{name}"
        if not name:
            modules.add(alias)
    for node in ast.walk(tree(path)):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in modules
            and is_private(node.attr)
        ):
            yield node.lineno, f"{node.value.id}.{node.attr}"


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_no_private_name_of_another_module():
    private = [
        f"{place(path)}:{line}: {name}"
        for path in [*MODULES, *TESTS]
        for line, name in private_names(path)
    ]
    assert not private, "\n".join(private)


def test_there_is_no_circle():
    """Not even within a room, or through imports inside functions."""
    arrows = {
        module_of(path): {found.module for found in imports(path)} for path in MODULES
    }
    finished: set[str] = set()

    def follow(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join([*way, module])
        if module in finished:
            return
        for other in sorted(arrows.get(module, ())):
            follow(other, (*way, module))
        finished.add(module)

    for module in arrows:
        follow(module, ())


def test_importing_the_package_does_not_import_tensorflow():
    code = "import gamo_tf, gamo2pix, sys; "
    code += "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and not done.stdout and not done.stderr, done.stderr


def named() -> list[str]:
    """The texts ``module:name`` by which code is imported when it is asked for."""
    texts = {row.main for row in SUBCOMMANDS.values()}
    for method in METHODS.values():
        below = {method.trainer, method.samples, method.oversample} - {""}
        texts |= {f"gamo_tf.{text}" for text in below}
    return sorted(texts)


def test_code_that_is_named_by_text_exists():
    for text in named():
        module, name = text.split(":")
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        assert path.is_file(), f"{text}: there is no {place(path)}"
        defined = {
            node.name
            for node in tree(path).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        assert name in defined, f"{text}: {place(path)} has no {name}"


def test_several_trainings_in_a_process_are_not_called_retracing(monkeypatch):
    for name in ("TF_CPP_MIN_LOG_LEVEL", "GAMO_TF_SET_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    code = """
from gamo_tf.import_tensorflow import import_tensorflow
import_tensorflow()
import logging
log = logging.getLogger("tensorflow")
log.warning("5 out of the last 6 calls to f triggered tf.function retracing.")
log.warning("something else")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0 and "something else" in done.stderr
    assert "retracing" not in done.stderr

"""What the documents name is there: files, headings, modules, classes, functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *ROOT.glob("docs/*.md"),
        *(ROOT / name for name in ("data/README.md", "runs/README.md")),
    ]
)
PACKAGES = ("gamo_tf", "gamo2pix", "reproduction")
FOLDERS = (*PACKAGES, "tests", "benchmarks", "docs")
# Endings of files, which look like the last part of a dotted name.
ENDINGS = {"csv", "html", "json", "jsonl", "keras", "md", "mdb", "npy", "npz", "png"}
ENDINGS |= {"py", "toml", "txt", "yaml", "zip"}
each_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix()
)


# ---- parts of a document ------------------------------------------------------


@cache
def blocks(path: Path) -> list[str]:
    """The code blocks between lines of three backticks."""
    return re.findall(r"(?ms)^```[^\n]*\n(.*?)^```", path.read_text(encoding="utf-8"))


@cache
def prose(path: Path) -> str:
    """Everything but the code blocks."""
    return re.sub(r"(?ms)^```.*?^```", "", path.read_text(encoding="utf-8"))


@cache
def spans(path: Path) -> list[str]:
    """What stands between single backticks. It may go over the end of a line."""
    return [" ".join(text.split()) for text in re.findall(r"`([^`]+)`", prose(path))]


def anchors(path: Path) -> set[str]:
    """The headings of a document, as links name them."""
    titles = re.findall(r"(?m)^#+ (.*)$", prose(path).lower())
    return {re.sub(r"[^\w\- ]", "", t).strip().replace(" ", "-") for t in titles}


@each_document
def test_a_heading_stands_once(path):
    """A part of a document that is there twice is a slip, as an edit makes it."""
    titles = re.findall(r"(?m)^#+ .*$", prose(path))
    twice = {title for title in titles if titles.count(title) > 1}
    assert not twice, f"{path.name}: {', '.join(twice)}"


# ---- links and paths ----------------------------------------------------------


@each_document
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"[a-z]+:", target):  # https:, mailto:
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        assert there.exists(), f"{target}: there is no such file"
        if anchor:
            assert anchor in anchors(there), f"{target}: there is no such heading"


@each_document
def test_paths_exist(path):
    for word in " ".join([*spans(path), *blocks(path)]).split():
        word = word.strip("\",:;()'")
        if not word.startswith(tuple(f"{folder}/" for folder in FOLDERS)):
            continue
        if path.parent.name == "runs" and word.startswith("gamo2pix/"):
            continue  # a folder in the run's
        # NAME and <class> stand for any name.
        pattern = re.sub(r"<\w+>|\b[A-Z]{2,}\b(?!\.md)", "*", word)
        found = [*ROOT.glob(pattern), *ROOT.glob(f"{pattern}.py")]
        assert found, f"{word}: there is no such path"


def test_the_readme_shows_the_rooms():
    (block,) = (text for text in blocks(ROOT / "README.md") if "config/" in text)
    shown = re.findall(r"(?m)^  (\S+)", block)
    assert all((ROOT / "gamo_tf" / name).exists() for name in shown)
    rooms = {p.parent.name for p in ROOT.glob("gamo_tf/*/__init__.py")}
    assert rooms == {name.rstrip("/") for name in shown if name.endswith("/")}


# ---- modules and names --------------------------------------------------------


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def classes() -> dict[str, ast.ClassDef]:
    """All classes of the packages by name."""
    return {
        node.name: node
        for package in PACKAGES
        for path in ROOT.glob(f"{package}/**/*.py")
        for node in tree(path).body
        if isinstance(node, ast.ClassDef)
    }


def names_in(body: list[ast.stmt]) -> set[str]:
    """What the statements define or import."""
    found = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.If):  # TYPE_CHECKING
            found |= names_in(node.body)
    return found


def attributes(node: ast.ClassDef) -> set[str]:
    """Those of a class: its own, its bases', and what methods put on `self`."""
    found = names_in(node.body)
    for inner in ast.walk(node):
        if (
            isinstance(inner, ast.Attribute)
            and isinstance(inner.ctx, ast.Store)
            and isinstance(inner.value, ast.Name)
            and inner.value.id == "self"
        ):
            found.add(inner.attr)
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in classes():
            found |= attributes(classes()[base.id])
    return found


@cache
def modules() -> list[Path]:
    return [path for package in PACKAGES for path in ROOT.glob(f"{package}/**/*.py")]


def is_ours(name: str) -> bool:
    """Whether a dotted name begins with a package, a room, a module or a class."""
    first, *_, last = name.split(".")
    if last in ENDINGS:
        return False
    first_names = {*PACKAGES, *classes(), *(path.stem for path in modules())}
    return first in first_names or (ROOT / "gamo_tf" / first).is_dir()


def places(parts: list[str]) -> Iterator[tuple[list[Path], list[str]]]:
    """Modules that a name may be in, with what is left of the name.

    It may begin with a package, with a room of gamo_tf or with a module. A name that
    follows a room may be in any of the room's modules.
    """
    folder = ROOT if parts[0] in PACKAGES else ROOT / "gamo_tf"
    rest = list(parts)
    while rest and (folder / rest[0]).is_dir():
        folder /= rest.pop(0)
    if rest and (folder / f"{rest[0]}.py").is_file():
        yield [folder / f"{rest[0]}.py"], rest[1:]
    elif rest != parts:
        in_room = folder.parent == ROOT / "gamo_tf"
        yield list(folder.glob("*.py" if in_room else "__init__.py")), rest
    yield [path for path in modules() if path.stem == parts[0]], parts[1:]


def has(module: Path, names: list[str]) -> bool:
    """Whether a module has a name, or a class of it an attribute."""
    if not names:
        return True
    first, *rest = names
    if first not in names_in(tree(module).body):
        return False
    return not rest or (first in classes() and rest[0] in attributes(classes()[first]))


def in_a_class(module: Path, name: str) -> bool:
    """Whether a class of a module has an attribute: `trainer.epoch` of an object."""
    inside = (node for node in tree(module).body if isinstance(node, ast.ClassDef))
    return any(name in attributes(node) for node in inside)


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or what a module or a class has."""
    parts = name.split(".")
    if parts[0] in classes():
        return parts[1] in attributes(classes()[parts[0]])
    if any(has(module, rest) for files, rest in places(parts) for module in files):
        return True
    stems = [path for path in modules() if path.stem == parts[0] and len(parts) == 2]
    return any(in_a_class(module, parts[1]) for module in stems)


@each_document
def test_dotted_names_exist(path):
    for span in spans(path):
        name = span.split("(")[0]
        if (ROOT / "gamo_tf" / name.split("/")[0]).is_dir():
            # `config/methods.METHODS`. Users have folders data/ and runs/ too.
            if name.startswith(("data/", "runs/")):
                continue
            name = name.rstrip("/").replace("/", ".")
        if re.fullmatch(r"[A-Za-z_]\w*(\.\w+)+", name) and is_ours(name):
            assert exists(name), f"{span}: there is no such module or name"


@pytest.mark.parametrize(
    "name",
    [
        "gamo_tf.networks.convex_generator.CTMU",
        "gamo_tf.GAMO",
        "gamo2pix.vae.Vae.epoch",
        "training.loop",
        "train.run",
        "inference.MinoritySampler.sample",
        "splits.draw_split",
        "Game.real_step",
        "Game.minimize",
        "Game.D",
    ],
)
def test_names_that_exist_are_found(name):
    assert is_ours(name) and exists(name)


@pytest.mark.parametrize(
    "name",
    [
        "gamo_tf.convex.CTMU",
        "gamo_tf.Game",
        "Game.descend",
        "training.losses.LOSS_NAMES",
        "training.players",
        "inference.Synthesis",
        "splits.read",
    ],
)
def test_names_that_do_not_exist_are_not_found(name):
    assert is_ours(name) and not exists(name)

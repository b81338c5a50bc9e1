"""What is no input in a folder of images: hidden files, and what this program wrote.

Folders of this program are known by what is in them and not by their names.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from fnmatch import fnmatch
from pathlib import Path

_LEFT_BEHIND = {  # by file managers, archives and disks
    "thumbs.db",
    "desktop.ini",
    "@eadir",
    "__macosx",
    "$recycle.bin",
    "system volume information",
    "lost+found",
}
_OF_RUNS = {"checkpoints", "models", "metrics.csv", "results.json", "split.npz"}
_BALANCED = {"dataset.json", "manifest.csv"}
_BESIDE_SETS = {*_BALANCED, "overview.png", "index.html"}
_SETS, _LISTED = ("train", "validation", "test"), "metadata.csv"
DESCRIBED = "describe-*.png"  # pictures of `describe`, in the folder of the runs
_DEFAULT_NAMES = ("runs", "comparisons")
# Folders beside runs and in the folder of published files, and what lies in each.
_BESIDE = {
    "tensorboard": "[0-9][0-9][0-9][0-9][0-9] *",
    "reference": "*.keras",
    "mnist": "*-ubyte.gz*",
    "fashion-mnist": "*-ubyte.gz*",
    "cifar-10-batches-bin": "*.bin",
    "svhn": "*_32x32.mat*",
    "celeba": "list_attr_celeba.txt",
    "lsun": "*_lmdb",
    "sun397": "ClassName.txt",
    "prepared": "*.npy",
}
# Of files beside our folders. An image among them makes the folder a person's own.
_TEXTS = (".md", ".txt", ".csv", ".json", ".html", ".tex", ".gz", ".zip", ".part")
_WITH = "a folder with "
RUN, COMPARISON, BALANCED = "a run", "a comparison", "a balanced folder"


def hidden(name: str) -> bool:
    """Whether a file or folder of this name is passed over.

    Args:
      name: of it, without its folder.
    """
    return name.startswith(".") or name.lower() in _LEFT_BEHIND


def own_kind(folder: Path, names: Collection[str] | None = None) -> str:
    """What this program wrote a folder as.

    Args:
      folder: any.
      names: of what is in it, where that is known.

    Returns:
      In words, such as ``a run``; "" for a folder that is not ours.

    Raises:
      OSError: the folder cannot be listed.
    """
    names = set(os.listdir(folder) if names is None else names)
    return _single(folder, names) or _several(folder, names)


def own_files(folder: Path, names: Collection[str]) -> set[str]:
    """The files of this program that lie beside images of its own.

    Args:
      folder: any.
      names: of what is in it.
    """
    if set(names) >= _BALANCED:
        return _BESIDE_SETS
    folder = folder.absolute()  # "." has no name
    if folder.name in _SETS and _LISTED in names:
        beside = (folder.parent / name for name in _BALANCED)
        return {_LISTED} if all(path.is_file() for path in beside) else set()
    return set()


def _single(folder: Path, names: set[str]) -> str:
    """The kind of a folder that is one thing."""
    if "options.json" in names and names & _OF_RUNS:
        return RUN
    if folder.name[:5].isdigit() and {"checkpoints", "models"} <= names:
        return RUN  # which lacks its settings
    if "comparison.json" in names and names & {"jobs", "answer.txt", "report.html"}:
        return COMPARISON
    if names == {"comparison.json"}:  # just begun
        return COMPARISON
    if names >= _BALANCED:
        return BALANCED
    if {"model.keras", "saved_model"} <= names:
        return "an exported model"
    wanted = _BESIDE.get(folder.name)
    if wanted and any(fnmatch(name, wanted) for name in names):
        return "files"
    return ""


def _several(folder: Path, names: set[str]) -> str:
    """The kind of a folder that has nothing but folders of ours, and texts."""
    kinds: set[str] = set()
    for name in names:
        if hidden(name) or os.path.splitext(name)[1].lower() in _TEXTS:
            continue
        if fnmatch(name, DESCRIBED):
            kinds.add("pictures")
            continue
        path = folder / name
        if not os.path.isdir(path):
            return ""  # at the first image: a class may have a million
        # Links could lead in a circle.
        look = own_kind if not path.is_symlink() else _single
        kind = look(path, set(os.listdir(path)))
        if not kind:
            return ""
        kinds.add(kind.removeprefix(_WITH))
    if kinds:
        return _WITH + min(kinds)
    empty = all(map(hidden, names)) and folder.name in _DEFAULT_NAMES
    return "an empty folder of runs" if empty else ""

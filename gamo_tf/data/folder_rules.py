"""Which files of a folder count: one rule for training, testing and prediction.

Hidden files and folders, what file managers leave behind and what this program wrote
(`passed_over`) are passed over at any depth. Links are followed, but never in a circle.
Everything else should be an image, dangling links and named pipes too: whoever reads
them will complain.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

from gamo_tf.data import names as name_rules
from gamo_tf.data.passed_over import BALANCED, DESCRIBED, hidden, own_files, own_kind
from gamo_tf.errors import UserError, setting

_TRAINING = ("train", "training")
_TESTING = ("test", "testing", "val", "valid", "validation", "dev", "eval")


def files_below(folder: Path) -> list[str]:
    """All files of a folder, at any depth.

    Args:
      folder: itself it may have any name.

    Returns:
      Their paths, sorted. No folder is gone through twice, and none that `folder` lies
      in, whatever links lead there; a path without such links is preferred.

    Raises:
      OSError: a folder cannot be listed.
    """
    return _walk(folder)[0]


def own_below(folder: Path) -> list[str]:
    """A line on each folder of this program that `files_below` passes over.

    Args:
      folder: itself it may be one of ours.

    Raises:
      OSError: a folder cannot be listed.
    """
    return _walk(folder)[1]


def _walk(folder: Path) -> tuple[list[str], list[str]]:
    """What `files_below` and `own_below` give."""
    real = Path(os.path.realpath(folder))
    seen = {str(parent) for parent in real.parents}
    files: list[str] = []
    own: list[str] = []
    folders, links = [folder], list[Path]()
    while folders or links:
        # Links last, so that they never hide the place that they lead to.
        place = folders.pop() if folders else links.pop(0)
        if (real_place := os.path.realpath(place)) in seen:
            continue
        seen.add(real_place)
        names = os.listdir(place)
        if place != folder and (kind := own_kind(place, names)):
            own.append(_left_out(place, kind))
            continue
        ours = own_files(place, names)
        for name in sorted(names):
            path = place / name
            if hidden(name) or name in ours:
                continue
            if not os.path.isdir(path):
                files.append(str(path))
            elif path.is_symlink():
                links.append(path)
            else:
                folders.append(path)
    return sorted(files), sorted(own)


def _left_out(place: Path, kind: str) -> str:
    return f"{place}: {kind} of this program; it is left out"


def class_folders(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted; links to folders are such too.

    Folders of this program are left out.

    Args:
      folder: has a folder for each class.

    Raises:
      UserError: a name is not UTF-8, in which class names are kept, or is there twice,
        in two Unicode forms.
      OSError: the folder cannot be listed.
    """
    names = _folders(folder)
    same: dict[str, str] = {}
    for name in names:
        readable = os.fsencode(name).decode("utf-8", "backslashreplace")
        if readable != name:
            raise UserError(
                f"{folder}: the name of the class folder {readable} is not UTF-8; "
                "rename it."
            )
        first = same.setdefault(name_rules.canonical(name), name)
        if first != name:
            raise UserError(
                f"{folder}: the class folders {first!a} and {name!a} have "
                f"the same name, {name}, in two Unicode forms. Move the files of one "
                "into the other, or rename one."
            )
    return names


def _folders(folder: Path) -> list[str]:
    return [name for name, kind in _kinds(folder) if not kind]


def _kinds(folder: Path) -> list[tuple[str, str]]:
    """The name of each folder in a folder, sorted, and what we wrote it as, or ""."""
    return sorted(
        (name, own_kind(folder / name))
        for name in os.listdir(folder)
        if not hidden(name) and os.path.isdir(folder / name)
    )


def own_beside(folder: Path) -> str:
    """A sentence on the folders of this program in a folder; "" where there is none.

    Args:
      folder: has a folder for each class.
    """
    own = ", ".join(name for name, kind in _kinds(folder) if kind)
    return f" Folders of this program are left out: {own}." if own else ""


def check_input(folder: Path, name: str) -> None:
    """Refuse a folder of this program in the place of a folder of images.

    Args:
      folder: the value of the setting.
      name: the setting, ``image_folder`` or ``test_folder``.

    Raises:
      UserError: it is a run, a comparison or the like. A balanced folder has class
        folders one level down, of which `check_level` tells.
    """
    kind = own_kind(folder)
    if kind and kind != BALANCED:
        raise UserError(
            f"{setting(name)} {folder}: {kind} of this program. Expected a folder "
            "with a folder of images for each class."
        )


def check_output(
    name: str, target: Path, inputs: Iterable[Path | None], beside: bool = True
) -> None:
    """Refuse a place where what is written would become input of the next training.

    Folders of this program are left out in later trainings. They may lie beside class
    folders, and not in them.

    Args:
      name: the setting.
      target: its value, a folder that is to be written, there or not.
      inputs: folders that have a folder for each class; None is passed over.
      beside: whether it may lie beside the class folders.

    Raises:
      UserError: it lies in one of the inputs; the message names both.
    """
    place = target.resolve()
    for folder in inputs:
        root = folder and folder.resolve()
        if root is None or not root.is_dir():
            continue
        linked = [root / x for x in class_folders(root) if (root / x).is_symlink()]
        for top in (root, *(path.resolve() for path in linked)):
            if _becomes_input(place, top, beside and top == root):
                raise UserError(
                    f"{setting(name)} {target}: lies among the images of {root}, "
                    "which the next training would take it for. Give a folder outside."
                )


def _becomes_input(place: Path, top: Path, beside: bool) -> bool:
    """Whether a place in or at the folder `top` is none where our folders may lie."""
    if not place.is_relative_to(top):
        return False
    parts = place.relative_to(top).parts
    if not parts:
        return not beside
    path = top
    for depth, part in enumerate(parts):
        path = path / part
        if hidden(part) or (path.is_dir() and own_kind(path)):
            return False
        if not path.is_dir() or not any(path.iterdir()):
            return depth > 0 or not beside
    return True


def check_level(folder: Path, classes: list[str], name: str) -> None:
    """Refuse a folder that is the one above the one that was meant.

    Args:
      folder: the value of the setting.
      classes: of `class_folders`, without those that are known to be classes.
      name: the setting, ``image_folder`` or ``test_folder``.

    Raises:
      UserError: folders like ``train`` and ``test`` with folders in them, two of them
        or no other; or one folder, with several in it. The message says what to give.
    """
    parts = _parts(folder, classes)
    if len(parts) > 1 or (parts and len(classes) == 1):
        train = [part for part in parts if part.lower() in _TRAINING]
        # In the order of _TESTING, so that test is preferred to val.
        test = sorted(set(parts) - set(train), key=lambda x: _TESTING.index(x.lower()))
        wanted = {"image_folder": train, "test_folder": test}
        if name == "test_folder":
            del wanted["image_folder"]
        flags = [setting(key, folder / x[0]) for key, x in wanted.items() if x]
        raise UserError(
            f"{setting(name, folder)}: {', '.join(parts)}: parts of a split, not "
            f"classes. Give {' '.join(flags) or 'the folder of one part'}."
        )
    if name == "image_folder" and len(classes) == 1:
        inside = _folders(folder / classes[0])
        if len(inside) > 1:
            raise UserError(
                f"{setting(name, folder)}: 1 class folder(s) found, with "
                f"{len(inside)} in it. Give {setting(name, folder / classes[0])}."
            )


def _parts(folder: Path, classes: list[str]) -> list[str]:
    """Those of the classes that are called like parts of a split, with folders inside.

    One among others may be a class: a train, among cars and ships.
    """
    names = _TRAINING + _TESTING
    return [x for x in classes if x.lower() in names and _folders(folder / x)]


def notes(folder: Path, suffixes: set[str]) -> list[str]:
    """What is left out of a folder of classes, and what looks odd.

    Args:
      folder: has a folder for each class.
      suffixes: of image files, in lower case.

    Returns:
      A line on images beside the class folders, with their number and an example, and
      a line on each folder of this program, each link that leads nowhere, class
      folders that may be none, and class names that look alike.
    """
    classes = class_folders(folder)
    lines = [_left_out(folder / name, kind) for name, kind in _kinds(folder) if kind]
    for name in classes:
        lines += own_below(folder / name)
    lines += [
        f"{folder / part}: taken for a class; if it is part of a split, give its path"
        for part in _parts(folder, classes)
    ]
    pairs = name_rules.look_alike(map(name_rules.canonical, classes))
    lines += [f"{folder}: two classes look alike: {pair}" for pair in pairs]
    inside = [_folders(folder / name) for name in classes]
    if inside and len(inside[0]) > 1 and all(x == inside[0] for x in inside):
        lines.append(
            f"{folder}: all class folders have the same folders in them "
            f"({', '.join(inside[0][:3])}); if these are the classes, give the path of "
            "a folder that has them"
        )
    loose, names = [], sorted(os.listdir(folder))
    ours = own_files(folder, names)
    for name in names:
        path = folder / name
        if hidden(name) or os.path.isdir(path):
            continue
        if fnmatch(name, DESCRIBED) or name in ours:
            continue
        if path.suffix.lower() in suffixes:
            loose.append(name)
        elif not path.exists():
            lines.append(f"{path}: a link that leads nowhere; it is left out")
    if loose:
        lines.append(
            f"{folder}: {len(loose)} image file(s) beside the class folders are left "
            f"out, such as {loose[0]}; if {folder.name} is one class, of which "
            f"{' and '.join(classes[:2])} are parts, give the folder above it"
        )
    return lines

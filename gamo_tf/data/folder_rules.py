"""Which files of a folder count: one rule for training, testing and prediction.

Hidden files and folders, and what file managers leave behind, are passed over at any
depth. Links are followed, but never in a circle. Everything else should be an image,
dangling links and named pipes too: whoever reads them will complain.
"""

from __future__ import annotations

import os
from pathlib import Path

from gamo_tf.errors import UserError, setting

_LEFT_BEHIND = {  # by file managers, archives and disks
    "thumbs.db",
    "desktop.ini",
    "@eadir",
    "__macosx",
    "$recycle.bin",
    "system volume information",
    "lost+found",
}
_TRAINING = ("train", "training")
_TESTING = ("test", "testing", "val", "valid", "validation", "dev", "eval")


def hidden(name: str) -> bool:
    """Whether a file or folder of this name is passed over.

    Args:
      name: of it, without its folder.
    """
    return name.startswith(".") or name.lower() in _LEFT_BEHIND


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
    real = Path(os.path.realpath(folder))
    seen = {str(parent) for parent in real.parents}
    files: list[str] = []
    folders, links = [folder], list[Path]()
    while folders or links:
        # Links last, so that they never hide the place that they lead to.
        place = folders.pop() if folders else links.pop(0)
        if (real_place := os.path.realpath(place)) in seen:
            continue
        seen.add(real_place)
        for name in sorted(os.listdir(place)):
            path = place / name
            if hidden(name):
                continue
            if not os.path.isdir(path):
                files.append(str(path))
            elif path.is_symlink():
                links.append(path)
            else:
                folders.append(path)
    return sorted(files)


def class_folders(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted; links to folders are such too.

    Args:
      folder: has a folder for each class.

    Raises:
      UserError: a name is not UTF-8, in which class names are kept.
      OSError: the folder cannot be listed.
    """
    names = _folders(folder)
    for name in names:
        readable = os.fsencode(name).decode("utf-8", "backslashreplace")
        if readable != name:
            raise UserError(
                f"{folder}: the name of the class folder {readable} is not UTF-8; "
                "rename it."
            )
    return names


def _folders(folder: Path) -> list[str]:
    return sorted(
        name
        for name in os.listdir(folder)
        if not hidden(name) and os.path.isdir(folder / name)
    )


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
    """What lies beside the class folders and is not read, and what looks odd.

    Args:
      folder: has a folder for each class.
      suffixes: of image files, in lower case.

    Returns:
      A line on images beside the class folders, with their number and an example, and
      a line on each link that leads nowhere and on class folders that may be none.
    """
    classes = class_folders(folder)
    lines = [
        f"{folder / part}: taken for a class; if it is part of a split, give its path"
        for part in _parts(folder, classes)
    ]
    inside = [_folders(folder / name) for name in classes]
    if inside and len(inside[0]) > 1 and all(x == inside[0] for x in inside):
        lines.append(
            f"{folder}: all class folders have the same folders in them "
            f"({', '.join(inside[0][:3])}); if these are the classes, give the path of "
            "a folder that has them"
        )
    loose = []
    for name in sorted(os.listdir(folder)):
        path = folder / name
        if hidden(name) or os.path.isdir(path):
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

"""What the flags of a training run make: the data that it brings along, and Options."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gamo_tf.cli.flags import (
    COUNTS_FLAGS,
    FILE_ORDERED,
    IMAGE_FLAGS,
    IMAGE_SIZE,
    START_FLAGS,
    TEST_SPLIT,
    USER_DATA_FLAGS,
    data_dir,
)
from gamo_tf.config.backbones import GIVEN, is_file, is_pretrained
from gamo_tf.config.checks import check_counts, check_ranges
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.methods import METHODS, recommended
from gamo_tf.config.options import Options, resolve, spec_of
from gamo_tf.config.tuned import settings_for
from gamo_tf.data.splits import profile_counts
from gamo_tf.errors import UserError, command, printable, setting

if TYPE_CHECKING:  # pandas, behind it, takes a while to import
    from gamo_tf.data.user_data import UserData

_NO_SETTINGS = USER_DATA_FLAGS | COUNTS_FLAGS | START_FLAGS


def read_settings(
    flags: Mapping, decode: bool = True, to_train: bool = True
) -> tuple[Options, UserData | None]:
    """The options of a new run, and the data that it brings along.

    Files that are left out are printed, and notes on the data, a line each.

    Args:
      flags: of `flags.parse`.
      decode, to_train: see `read_user_data`.

    Raises:
      UserError: flags do not go together, a value is out of its range, or the data
        cannot be read.
    """
    check_ranges(flags)
    user_data = read_user_data(flags, decode, to_train)
    options = to_options(flags, user_data)
    print_notes(user_data)
    if user_data and not {"method", "dataset"} & set(flags):
        print(_why(options))
    check_save_balanced(flags, options)
    return options, user_data


def _why(options: Options) -> str:
    """Why a run on a person's own data trains the method that nobody asked for."""
    data = "tables" if options.label else "images"
    measured = "docs/table-methods.csv" if options.label else "docs/results/finals.md"
    if options.pretrained:
        data = "images behind a pretrained network"
        measured = "docs/results/backbones.md"
    why = f"it scored highest on validation data of our {data} ({measured})"
    usual = recommended(images=not options.label, pretrained=options.pretrained)
    if options.method != usual:
        why = "it generates samples for --save-balanced"
    return (
        f"method: {options.method}, because {why}. {setting('method')} gamo trains the "
        f"paper's; `{command('methods')}` lists all."
    )


def print_notes(user_data: UserData | None) -> None:
    """Print the files that are left out, and notes on the data, a line each.

    Args:
      user_data: of `read_user_data`.
    """
    for complaint in user_data.skipped if user_data else []:
        print(f"left out: {printable(complaint)}")
    for note in user_data.notes if user_data else []:
        print(f"note: {printable(note)}")


def read_user_data(
    flags: Mapping, decode: bool = True, to_train: bool = True
) -> UserData | None:
    """Read the data that a run brings along: the user's, or classes drawn by seed.

    Args:
      flags: of `flags.parse`.
      decode: False where nothing will be trained: of drawn classes no image is
        opened. A user's images are read all the same, so that bad files show.
      to_train: False describes the user's data only: a class of one sample becomes a
        note.

    Returns:
      What was read; None for a dataset whose classes are fixed.

    Raises:
      UserError: flags do not go together, or the data cannot be read.
    """
    about_data = sorted(USER_DATA_FLAGS & set(flags))
    kinds = [k for k in ("dataset", "image_folder", "features") if k in flags]
    if len(kinds) > 1:
        raise UserError(f"{' and '.join(map(setting, kinds))}: give one of them.")
    if "image_folder" in flags:
        return _read_images(flags, to_train)
    if "features" in flags:
        return _read_features(flags, to_train)
    if "image_size" in about_data and is_pretrained(flags.get("backbone", "")):
        about_data.remove("image_size")  # of a published set, what the network gets
    if about_data:
        raise UserError(
            f"{setting(about_data[0])}: goes with --image-folder or --features."
        )
    if "dataset" in flags and DATASETS[flags["dataset"]].draws_classes:
        from gamo_tf.data import load

        spec, seed = DATASETS[flags["dataset"]], flags.get("seed", Options.seed)
        return load.draw_classes(spec, data_dir(flags), seed, decode=decode)
    return None


def check_output(flags: Mapping, name: str, target: Path) -> None:
    """Refuse an output folder among the images that the flags name.

    Args:
      flags: of `flags.parse`.
      name: the setting of the output.
      target: its value.

    Raises:
      UserError: it lies in a class folder.
    """
    inputs = [flags.get(key) for key in ("image_folder", "test_folder")]
    if any(inputs):
        from gamo_tf.data import folder_rules

        folder_rules.check_output(name, target, inputs)


def _read_images(flags: Mapping, to_train: bool) -> UserData:
    _refuse(flags, ("label", "save_balanced"), "--image-folder")
    size = flags.get("image_size") or own_image_side(flags)
    if "test_folder" in flags and "test_split" in flags:
        raise UserError("--test-folder and --test-split: give one of them.")
    from gamo_tf.data import user_data

    return user_data.from_image_folder(
        flags["image_folder"],
        size,
        flags.get("color") == "gray",
        flags.get("test_folder"),
        flags.get("test_split", TEST_SPLIT),
        flags.get("seed", Options.seed),
        flags.get("skip_bad", False),
        flags.get("validation_split", Options.validation_split),
        to_train,
    )


def own_image_side(flags: Mapping) -> int:
    """The side that images are scaled to where none is asked for, in pixels.

    Args:
      flags: of `flags.parse`.

    Raises:
      UserError: the backbone is none.
    """
    name = flags.get("backbone", "")
    if not is_pretrained(name):
        return IMAGE_SIZE
    from gamo_tf.data.network_file import own_side

    return own_side(name)


def _read_features(flags: Mapping, to_train: bool) -> UserData:
    _refuse(flags, IMAGE_FLAGS, "--features")
    if "label" not in flags:
        raise UserError("--features: needs --label COLUMN too.")
    from gamo_tf.data import user_data

    return user_data.from_feature_table(
        flags["features"],
        flags["label"],
        flags.get("test_split", TEST_SPLIT),
        flags.get("seed", Options.seed),
        flags.get("validation_split", Options.validation_split),
        to_train,
    )


def _refuse(flags: Mapping, names: Sequence[str], beside: str) -> None:
    """Raises UserError for the first of `names` that is among the flags."""
    for name in names:
        if name in flags:
            raise UserError(f"{setting(name)}: does not go with {beside}.")


def to_options(flags: Mapping, user_data: UserData | None) -> Options:
    """The options of a new run.

    Args:
      flags: of `flags.parse`.
      user_data: of `read_user_data`.

    Raises:
      UserError: flags do not go together, or a value is out of its range.
    """
    chosen = {k: v for k, v in flags.items() if k not in _NO_SETTINGS}
    if flags.get("backbone") == GIVEN:
        raise UserError(
            f"{setting('backbone', GIVEN)}: a network from Python has no name here. "
            "Save it to a .keras file, and name that."
        )
    pretrained = is_pretrained(flags.get("backbone", ""))
    for name in ("backbone", "backbone_weights"):
        if is_file(chosen.get(name, "")):  # so that the run knows it from any folder
            chosen[name] = str(Path(chosen[name]).resolve())
    if user_data:
        kind = next(
            setting(k) for k in ("image_folder", "features", "dataset") if k in flags
        )
        sizes = ("counts", "imbalance_ratio", "profile", "class_order")
        _refuse(flags, (*sizes, "test_per_class", "validation_per_class"), kind)
        # The data decides, but for the batch size, which is only advice.
        found = dict(user_data.settings)
        advice = {k: found.pop(k) for k in ("batch_size",) if k in found}
        if "dataset" not in flags:
            images = "image_folder" in flags
            generates = "save_balanced" in flags
            chosen.setdefault("method", recommended(images, generates, pretrained))
            advice |= settings_for(chosen["method"], images, pretrained)
        if pretrained and len(found["shape"]) == 3:
            found["backbone_side"] = found["shape"][0]
        return resolve({**advice, **chosen, **found})
    if "dataset" not in flags:
        names = ", ".join(DATASETS)
        raise UserError(
            f"--dataset is needed (or --image-folder, --features, --resume): one of "
            f"{names}."
        )
    counts = _chosen_counts(flags)
    if "image_size" in flags:
        chosen["backbone_side"] = flags["image_size"]
    options = resolve({**chosen, "counts": counts} if counts else chosen)
    check_counts(options.counts, spec_of(options))
    return options


def _chosen_counts(flags: Mapping) -> tuple[int, ...] | None:
    """Class sizes that the flags ask for, in label order; None: the dataset's."""
    spec, counts = DATASETS[flags["dataset"]], flags.get("counts")
    if "profile" in flags and "imbalance_ratio" not in flags:
        raise UserError("--profile needs --imbalance-ratio.")
    if "imbalance_ratio" in flags:
        if counts:
            raise UserError("--counts and --imbalance-ratio: give one of them.")
        counts = profile_counts(
            max(spec.counts),
            len(spec.classes),
            flags["imbalance_ratio"],
            flags.get("profile", "exponential"),
        )
    if "class_order" not in flags:
        return counts
    if not spec.file_labels:
        names = " or ".join(FILE_ORDERED)
        raise UserError(f"--class-order: goes with --dataset {names}.")
    if flags["class_order"] == "file":
        counts = counts or spec.counts
        # Another number of counts is refused later, with the names of the classes.
        if len(counts) == len(spec.file_labels):
            places = (spec.file_labels.index(k) for k in range(len(counts)))
            counts = tuple(counts[k] for k in places)
    return counts


def check_save_balanced(flags: Mapping, options: Options) -> None:
    """Make sure, before training, that ``--save-balanced`` can be done after it.

    Args:
      flags: of `flags.parse`.
      options: of the run.

    Raises:
      UserError: the method has no convex generator, the data is no table, or the
        file has another suffix than the table or is there already.
    """
    target = flags.get("save_balanced")
    if target is None:
        return
    if not METHODS[options.method].convex:
        raise UserError(f"--save-balanced: {options.method} has no convex generator.")
    suffix, place = Path(options.data).suffix, setting("save_balanced", target)
    if not options.label or target.suffix != suffix:
        raise UserError(f"{place}: expected {suffix}, as --features.")
    if os.path.lexists(target):
        raise UserError(f"{place}: is there already. Name another.")

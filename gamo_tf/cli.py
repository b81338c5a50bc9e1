"""Flags of train_gamo.py, and what they make: a user's own data, and Options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gamo_tf import options as settings
from gamo_tf.datasets import profile_counts
from gamo_tf.datasets.files import default_data_dir
from gamo_tf.errors import UserError
from gamo_tf.specs import DATASETS, DRAWN

if TYPE_CHECKING:
    from gamo_tf.datasets.own import Own

# Flags that say where files are or how to start, not what a run is.
_OUTSIDE = {"data_dir", "runs_dir", "resume", "dry_run", "imbalance_ratio", "profile"}
# Flags of the user's own data; what is found in it becomes settings.
_IMAGES = ("image_size", "color", "test_folder", "skip_bad")
OWN = {"image_folder", "features", "label", "test_split", *_IMAGES}
_OUTSIDE |= {"save_balanced", "describe", "class_order", *OWN}


def parser(description: str) -> argparse.ArgumentParser:
    """Flags left out are absent from the namespace, so that given ones are known."""
    made = argparse.ArgumentParser(
        description=description,
        epilog="example: python train_gamo.py --dataset digits",
        argument_default=argparse.SUPPRESS,
    )
    choices = settings.CHOICES
    add = made.add_argument
    add("--dataset", choices=choices["dataset"], help="what to train on")
    add("--method", choices=choices["method"], help="gamo (default), or cn")
    add(
        "--loss",
        choices=choices["loss"],
        help="least squares (default) or cross entropy",
    )
    add("--iterations", type=int, metavar="N", help="minibatches; paper's sets: 25000")
    add("--seed", type=int, metavar="S", help="of subset, weights and draws; default 0")
    where = made.add_argument_group("files")
    where.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="published files; default: GAMO_DATA_DIR, else data/",
    )
    where.add_argument("--runs-dir", type=Path, metavar="DIR", help="default runs/")
    where.add_argument(
        "--resume",
        type=Path,
        metavar="RUN",
        help="go on with a stopped run; its settings are kept",
    )
    where.add_argument(
        "--dry-run", action="store_true", help="show the settings and do nothing"
    )
    where.add_argument(
        "--describe",
        action="store_true",
        help="show class sizes, and what training would take; do nothing else",
    )
    own = made.add_argument_group("your own data, in the place of --dataset")
    own.add_argument(
        "--image-folder",
        type=Path,
        metavar="DIR",
        help="a folder for each class, with its images; class sizes are kept",
    )
    own.add_argument(
        "--image-size", type=int, metavar="S", help="scale to S x S; default 64"
    )
    own.add_argument("--color", choices=("rgb", "gray"), help="default rgb")
    own.add_argument(
        "--skip-bad", action="store_true", help="leave out files that cannot be read"
    )
    own.add_argument(
        "--test-folder", type=Path, metavar="DIR", help="test images, likewise"
    )
    own.add_argument(
        "--test-split",
        type=float,
        metavar="P",
        help="without --test-folder: share of each class kept for testing; default 0.2",
    )
    own.add_argument(
        "--features",
        type=Path,
        metavar="FILE",
        help="vectors: a table as .csv, .parquet or .npz",
    )
    own.add_argument("--label", metavar="COLUMN", help="of --features: the labels")
    own.add_argument(
        "--save-balanced",
        type=Path,
        metavar="FILE",
        help="of --features: the training rows and generated ones, with parents "
        "(images: train_gamo2pix.py --save-balanced)",
    )
    data = made.add_argument_group("imbalance")
    data.add_argument(
        "--counts",
        type=_counts,
        metavar="N,N,...",
        help="training images a class, in label order; default: the paper's",
    )
    data.add_argument(
        "--imbalance-ratio",
        type=float,
        metavar="R",
        help="largest over smallest class; counts follow --profile",
    )
    data.add_argument(
        "--profile",
        choices=("step", "exponential"),
        help="with --imbalance-ratio; default exponential",
    )
    data.add_argument(
        "--class-order",
        choices=("digit", "file"),
        help="of svhn, left open by the paper: sizes by digit 0, 1, ... (default), or "
        "by the labels of its files 1, 2, ... 9, 10 (the digit 0)",
    )
    data.add_argument(
        "--test-per-class",
        type=_per_class,
        metavar="N|all",
        help="test images a class; paper: 100. The full set is always shown too",
    )
    game = made.add_argument_group("game")
    game.add_argument("--batch-size", type=int, metavar="B", help="default 32")
    game.add_argument("--latent", type=int, metavar="L", help="of z; default 100")
    game.add_argument("--learning-rate", type=float, metavar="A", help="default 2e-4")
    game.add_argument(
        "--generator-update",
        choices=choices["generator_update"],
        help="Algorithm 1 (default), or a batch a class as the authors' program",
    )
    game.add_argument(
        "--weighting",
        choices=choices["weighting"],
        help="of generated batches: equal (Algorithm 1, default) or as Eqs. 2-6",
    )
    game.add_argument(
        "--label-noise",
        type=float,
        metavar="W",
        help="width of noise on D's targets; default 0, the authors' program 0.1",
    )
    game.add_argument(
        "--ema",
        type=float,
        metavar="DECAY",
        help="also report F and M averaged over iterations, such as 0.999",
    )
    keep = made.add_argument_group("keeping")
    keep.add_argument(
        "--evaluate-every", type=int, metavar="N", help="default: 25 times a run"
    )
    keep.add_argument(
        "--checkpoint-every", type=int, metavar="N", help="default: 25 times a run"
    )
    keep.add_argument(
        "--deterministic",
        action="store_true",
        help="bit-exact repeats and resumes on one device; may be slower",
    )
    return made


def _counts(text: str) -> tuple[int, ...]:
    return tuple(int(n) for n in text.split(","))


def _per_class(text: str) -> int:
    value = 0 if text == "all" else int(text)
    if text != "all" and value < 1:
        raise ValueError
    return value


_counts.__name__, _per_class.__name__ = "list of counts", "number (1 or more) or 'all'"


def read_own(flags: dict) -> Own | None:
    """The user's own data, if it is asked for. Raises UserError."""
    given = sorted(OWN & set(flags))
    drawn = flags.get("dataset") == DRAWN
    if given or drawn:  # only now: --help answers at once
        from gamo_tf.datasets import own, sun397
    kinds = [k for k in ("dataset", "image_folder", "features") if k in flags]
    if len(kinds) > 1:
        raise UserError(f"{' and '.join(map(settings.flag, kinds))}: give one of them.")
    seed, split = flags.get("seed", 0), flags.get("test_split", 0.2)
    if "image_folder" in flags:
        _only(flags, ("label", "save_balanced"), "--image-folder")
        size, test = flags.get("image_size", 64), flags.get("test_folder")
        if not 8 <= size <= 512:
            raise UserError(f"--image-size {size}: expected 8 to 512.")
        if test and "test_split" in flags:
            raise UserError("--test-folder and --test-split: give one of them.")
        gray, skip = flags.get("color") == "gray", flags.get("skip_bad", False)
        return own.images(flags["image_folder"], size, gray, test, split, seed, skip)
    if "features" in flags:
        _only(flags, _IMAGES, "--features")
        if "label" not in flags:
            raise UserError("--features: needs --label COLUMN too.")
        return own.features(flags["features"], flags["label"], split, seed)
    if drawn and not given:
        return sun397.draw(flags.get("data_dir", default_data_dir()), seed)
    if given:
        raise UserError(
            f"{settings.flag(given[0])}: goes with --image-folder or --features."
        )
    return None


def _only(flags: dict, names: tuple[str, ...], kind: str) -> None:
    for name in names:
        if name in flags:
            raise UserError(f"{settings.flag(name)}: does not go with {kind}.")


def to_options(flags: dict, mine: Own | None) -> settings.Options:
    """Options of a new run from the flags given and the user's own data."""
    given = {k: v for k, v in flags.items() if k not in _OUTSIDE}
    if mine:
        _only(flags, ("counts", "imbalance_ratio", "profile", "test_per_class"), "it")
        return settings.resolve({**mine.settings, **given, **_fixed(mine)})
    if "dataset" not in flags:
        names = ", ".join(DATASETS)
        raise UserError(
            f"--dataset is needed (or --image-folder, --features, --resume): one of "
            f"{names}."
        )
    if "profile" in flags and "imbalance_ratio" not in flags:
        raise UserError("--profile needs --imbalance-ratio.")
    if "imbalance_ratio" in flags:
        if "counts" in flags:
            raise UserError("--counts and --imbalance-ratio: give one of them.")
        spec = DATASETS[flags["dataset"]]
        given["counts"] = profile_counts(
            max(spec.counts),
            len(spec.classes),
            flags["imbalance_ratio"],
            flags.get("profile", "exponential"),
        )
    if "class_order" in flags:
        if flags["dataset"] != "svhn":
            raise UserError("--class-order: goes with --dataset svhn.")
        if flags["class_order"] == "file":
            from gamo_tf.datasets.svhn import in_file_order

            counts = given.get("counts", DATASETS["svhn"].counts)
            given["counts"] = in_file_order(counts)
    return settings.resolve(given)


def _fixed(mine: Own) -> dict:
    """What flags do not change of data that was read."""
    return {k: v for k, v in mine.settings.items() if k != "batch_size"}

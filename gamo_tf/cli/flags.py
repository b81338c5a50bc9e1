"""The flags of ``train`` and ``describe``: how a command line is read."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from gamo_tf.cli.program import argument_parser, one_of, program_name
from gamo_tf.cli.training_flags import (
    add_backbone,
    add_deterministic,
    add_loss,
    add_training,
    hide_rare,
)
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options
from gamo_tf.data.download import default_data_dir
from gamo_tf.errors import command

NEWEST = "newest"  # in the place of the path of a run
IMAGE_SIZE = 32  # pixels a side of your images: training, comparison and help
TEST_SPLIT = 0.2  # of the user's rows, likewise
# Of `training.replicas`; the first is the default.
STRATEGIES = ("none", "mirrored", "multiworker")

# Flags that go with a folder of images alone, and all that describe the user's data.
# What is found in the data becomes settings; these flags themselves do not.
IMAGE_FLAGS = ("image_size", "color", "test_folder", "skip_bad")
USER_DATA_FLAGS = {"image_folder", "features", "label", "test_split", *IMAGE_FLAGS}
USER_DATA_FLAGS |= {"validation_split"}
# Flags that become the setting `counts`.
COUNTS_FLAGS = {"imbalance_ratio", "profile", "class_order"}
# Flags that say where files are or how to start, and not what a run is.
START_FLAGS = {
    "data_dir",
    "runs_dir",
    "resume",
    "strategy",
    "dry_run",
    "describe",
    "save_balanced",
}
# Datasets whose published files number the classes in another order than ours.
FILE_ORDERED = tuple(name for name, spec in DATASETS.items() if spec.file_labels)


def parse(name: str, description: str | None, argv: list[str] | None) -> dict:
    """Read a command line of ``train`` or ``describe``.

    Args:
      name: the program. Only ``train`` has the flags that say how to start.
      description: what the program does.
      argv: the arguments; None: those of the process.

    Returns:
      Values by name, of the flags that are there. A flag that was left out is absent,
      so that it differs from one that repeats the default.

    Raises:
      SystemExit: for ``--help`` (code 0) and for flags that do not parse (code 2).
    """
    return vars(parser(name, description).parse_args(argv))


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """The parser that `parse` uses.

    Args:
      name: "train" or "describe".
      description: what the program does.
    """
    flags = argument_parser(
        name,
        description,
        usage="%(prog)s --dataset NAME [--method NAME] [options]",
        epilog=f"example: {command(name, '--dataset', 'digits')}",
        argument_default=argparse.SUPPRESS,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(
            prog, max_help_position=27
        ),
    )
    add = flags.add_argument
    names = ", ".join(DATASETS)
    add("--dataset", type=one_of(DATASETS), metavar="NAME", help=f"one of {names}")
    methods = command("methods")
    add(
        "--method",
        type=one_of(METHODS, listed=methods),
        metavar="NAME",
        help=f"default {Options.method}; for your own data as `{methods}` "
        "recommends".replace("%", "%%"),
    )
    add_loss(add)
    add("--iterations", type=int, metavar="N", help="minibatches; default: the set's")
    add("--seed", type=int, metavar="S", help=f"of all draws; default {Options.seed}")
    _add_files(flags, starts=name == "train")
    _add_user_data(flags)
    _add_imbalance(flags)
    add_backbone(flags)
    add_training(flags)
    _add_keeping(flags)
    hide_rare(flags)
    return flags


def add_for_comparison(flags: argparse.ArgumentParser) -> None:
    """Add the flags of data and trainings that a comparison of methods takes.

    Args:
      flags: the parser of ``compare``.
    """
    add = flags.add_argument_group("your own data").add_argument
    _add_data(add, "share to choose the method on; default 0.2")
    add = flags.add_argument_group("or a published dataset").add_argument
    add("--dataset", type=one_of(DATASETS), metavar="NAME", help="such as digits")
    _add_data_dir(add)
    _add_imbalance(flags)
    add_backbone(flags)
    add = add_training(flags, "Adam's; default: the method's own", "0.999")
    add_loss(add)
    add_deterministic(add)


def _add_files(flags: argparse.ArgumentParser, starts: bool) -> None:
    """Where files are; `starts`: and how a training is started."""
    add = flags.add_argument_group("files and starting").add_argument
    _add_data_dir(add)
    add("--runs-dir", type=Path, metavar="DIR", help="default runs/")
    if not starts:
        return
    add(
        "--resume",
        metavar="RUN",
        help=f"a stopped run (path, name or number), or '{NEWEST}'",
    )
    add(
        "--strategy",
        choices=STRATEGIES,
        metavar="NAME",
        help="mirrored: on all GPUs; multiworker: TF_CONFIG",
    )
    add("--dry-run", action="store_true", help="show the settings and do nothing")
    add(
        "--describe",
        action="store_true",
        help="show class sizes, and what training would take",
    )


def _add_data_dir(add: Callable) -> None:
    add(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="published files; default GAMO_DATA_DIR or data/",
    )


def _add_user_data(flags: argparse.ArgumentParser) -> None:
    group = flags.add_argument_group("your own data, in the place of --dataset")
    add = group.add_argument
    words = f"share to watch the training on; default {Options.validation_split:g}"
    _add_data(add, words)
    add(
        "--save-balanced",
        type=Path,
        metavar="FILE",
        help="of --features: write rows and generated ones "
        f"(images: {program_name('pix')} --save-balanced)",
    )


def _add_data(add: Callable, validation: str) -> None:
    """Flags of the user's images or table, and the help of --validation-split."""
    add("--image-folder", type=Path, metavar="DIR", help="has a folder for each class")
    add(
        "--image-size",
        type=int,
        metavar="S",
        help=f"scale to S x S; default {IMAGE_SIZE}, or the backbone's own",
    )
    add("--color", choices=("rgb", "gray"), help="default rgb")
    add("--skip-bad", action="store_true", help="leave out what cannot be read")
    add("--test-folder", type=Path, metavar="DIR", help="test images, likewise")
    add(
        "--test-split",
        type=float,
        metavar="P",
        help=f"or a share of each class to test on; default {TEST_SPLIT:g}",
    )
    add(
        "--validation-split",
        type=float,
        metavar="P",
        help=validation,
    )
    add("--features", type=Path, metavar="FILE", help="vectors: .csv, .parquet, .npz")
    add("--label", metavar="COLUMN", help="of --features: the labels")


def _add_imbalance(flags: argparse.ArgumentParser) -> None:
    add = flags.add_argument_group("class sizes").add_argument
    add(
        "--counts",
        type=_counts,
        metavar="N,N,...",
        help="training images a class, by label; default: the paper's",
    )
    add(
        "--imbalance-ratio",
        type=float,
        metavar="R",
        help="or largest over smallest class, by --profile",
    )
    add(
        "--profile",
        choices=("step", "exponential"),
        help="default exponential",
    )
    add(
        "--class-order",
        choices=("digit", "file"),
        help=f"of {', '.join(FILE_ORDERED)}: sizes by digit 0, 1, ... (default), or by "
        "its files' labels 1, 2, ... 9, 10 (the digit 0)",
    )
    add(
        "--test-per-class",
        type=_per_class,
        metavar="N|all",
        help="beside the full test set; default: the paper's 100",
    )
    add(
        "--validation-per-class",
        type=int,
        metavar="N",
        help="to watch the training on; default: 400, where a set has so many",
    )


def _add_keeping(flags: argparse.ArgumentParser) -> None:
    add = flags.add_argument_group("keeping").add_argument
    add("--evaluate-every", type=int, metavar="N", help="default: 25 times a run")
    add("--checkpoint-every", type=int, metavar="N", help="default: 25 times a run")
    add(
        "--patience",
        type=int,
        metavar="N",
        help="stop after N evaluations without a better ACSA",
    )
    add("--best", action="store_true", help="keep the networks of its best evaluation")
    add_deterministic(add)


def _counts(text: str) -> tuple[int, ...]:
    return tuple(int(n) for n in text.split(","))


def _per_class(text: str) -> int:
    value = 0 if text == "all" else int(text)
    if text != "all" and value < 1:
        raise ValueError
    return value


# argparse names the type in its message: "invalid list of counts value: 'a,b'".
_counts.__name__, _per_class.__name__ = "list of counts", "number (1 or more) or 'all'"


def data_dir(flags: Mapping) -> Path:
    """The folder of the published files that the flags, or the environment, name.

    Args:
      flags: of `parse`.
    """
    return flags.get("data_dir") or default_data_dir()


def runs_dir(flags: Mapping) -> Path:
    """The folder of the runs; default ``runs/``, below where the user is.

    Args:
      flags: of `parse`.
    """
    return flags.get("runs_dir") or Path("runs")


def strategy(flags: Mapping) -> str:
    """How a training is shared out among devices; default none.

    Args:
      flags: of `parse`.
    """
    return flags.get("strategy", STRATEGIES[0])

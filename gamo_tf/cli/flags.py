"""The flags of ``train`` and ``describe``: how a command line is read."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from gamo_tf.cli.program import argument_parser
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import CHOICES
from gamo_tf.data.download import default_data_dir
from gamo_tf.errors import command

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
        epilog=f"example: {command(name, '--dataset', 'digits')}",
        argument_default=argparse.SUPPRESS,
    )
    add = flags.add_argument
    add("--dataset", choices=CHOICES["dataset"], help="what to train on")
    add("--method", choices=CHOICES["method"], help="default gamo")
    add(
        "--loss",
        choices=CHOICES["loss"],
        help="least squares (default) or cross entropy",
    )
    add("--iterations", type=int, metavar="N", help="minibatches; paper's sets: 25000")
    add("--seed", type=int, metavar="S", help="of subset, weights and draws; default 0")
    _add_files(flags, starts=name == "train")
    _add_user_data(flags)
    _add_imbalance(flags)
    _add_game(flags)
    _add_keeping(flags)
    return flags


def _add_files(flags: argparse.ArgumentParser, starts: bool) -> None:
    """Where files are; `starts`: and how a training is started."""
    add = flags.add_argument_group("files").add_argument
    add(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="published files; default: GAMO_DATA_DIR, else data/",
    )
    add("--runs-dir", type=Path, metavar="DIR", help="default runs/")
    if not starts:
        return
    add(
        "--resume",
        type=Path,
        metavar="RUN",
        help="go on with a stopped run; its settings are kept",
    )
    add("--dry-run", action="store_true", help="show the settings and do nothing")
    add(
        "--describe",
        action="store_true",
        help="show class sizes, and what training would take; do nothing else",
    )


def _add_user_data(flags: argparse.ArgumentParser) -> None:
    group = flags.add_argument_group("your own data, in the place of --dataset")
    add = group.add_argument
    add(
        "--image-folder",
        type=Path,
        metavar="DIR",
        help="a folder for each class, with its images; class sizes are kept",
    )
    add("--image-size", type=int, metavar="S", help="scale to S x S; default 64")
    add("--color", choices=("rgb", "gray"), help="default rgb")
    add("--skip-bad", action="store_true", help="leave out files that cannot be read")
    add("--test-folder", type=Path, metavar="DIR", help="test images, likewise")
    add(
        "--test-split",
        type=float,
        metavar="P",
        help="without --test-folder: share of each class kept for testing; default 0.2",
    )
    add(
        "--validation-split",
        type=float,
        metavar="P",
        help="share of each class that is set aside to watch the training on; default "
        "0: none",
    )
    add(
        "--features",
        type=Path,
        metavar="FILE",
        help="vectors: a table as .csv, .parquet or .npz",
    )
    add("--label", metavar="COLUMN", help="of --features: the labels")
    add(
        "--save-balanced",
        type=Path,
        metavar="FILE",
        help="of --features: the training rows and generated ones, with parents "
        f"(images: {command('pix', '--save-balanced')})",
    )


def _add_imbalance(flags: argparse.ArgumentParser) -> None:
    add = flags.add_argument_group("imbalance").add_argument
    add(
        "--counts",
        type=_counts,
        metavar="N,N,...",
        help="training images a class, in label order; default: the paper's",
    )
    add(
        "--imbalance-ratio",
        type=float,
        metavar="R",
        help="largest over smallest class; counts follow --profile",
    )
    add(
        "--profile",
        choices=("step", "exponential"),
        help="with --imbalance-ratio; default exponential",
    )
    add(
        "--class-order",
        choices=("digit", "file"),
        help=f"of {', '.join(FILE_ORDERED)}, left open by the paper: sizes by digit "
        "0, 1, ... (default), or by the labels of its files 1, 2, ... 9, 10 (the "
        "digit 0)",
    )
    add(
        "--test-per-class",
        type=_per_class,
        metavar="N|all",
        help="test images a class; paper: 100. The full set is always shown too",
    )
    add(
        "--validation-per-class",
        type=int,
        metavar="N",
        help="training images a class that are not trained on but watched, as far as "
        "they are left; default: 400 or what the set has room for; 0: none",
    )


def _add_game(flags: argparse.ArgumentParser) -> None:
    add = flags.add_argument_group("game").add_argument
    add("--batch-size", type=int, metavar="B", help="default 32")
    add("--latent", type=int, metavar="L", help="of z; default 100")
    add("--learning-rate", type=float, metavar="A", help="default 2e-4")
    add(
        "--generator-update",
        choices=CHOICES["generator_update"],
        help="Algorithm 1 (default), or a batch a class as the authors' program",
    )
    add(
        "--weighting",
        choices=CHOICES["weighting"],
        help="of generated batches: equal (Algorithm 1, default) or as Eqs. 2-6",
    )
    add(
        "--label-noise",
        type=float,
        metavar="W",
        help="width of noise on D's targets; default 0, the authors' program 0.1",
    )
    add(
        "--ema",
        type=float,
        metavar="DECAY",
        help="also report F and M averaged over iterations, such as 0.999",
    )
    add(
        "--support",
        type=int,
        metavar="K",
        help="points of a class that G combines in a pass, drawn anew; default 0: all",
    )
    add(
        "--augment",
        action="store_true",
        help="shift images each time they are used, and mirror those that may be",
    )
    add(
        "--sampling",
        type=float,
        metavar="Q",
        help="balanced methods show a class's rows in proportion to n_i^Q; default 0.5",
    )
    add(
        "--tau",
        type=float,
        metavar="T",
        help="strength of logit adjustment and tau-normalisation; default 1",
    )


def _add_keeping(flags: argparse.ArgumentParser) -> None:
    add = flags.add_argument_group("keeping").add_argument
    add("--evaluate-every", type=int, metavar="N", help="default: 25 times a run")
    add("--checkpoint-every", type=int, metavar="N", help="default: 25 times a run")
    add(
        "--patience",
        type=int,
        metavar="N",
        help="stop after N evaluations without a better validation ACSA; 0: never",
    )
    add(
        "--best",
        action="store_true",
        help="what is tested and saved are the networks of the best validation ACSA",
    )
    add(
        "--deterministic",
        action="store_true",
        help="bit-exact repeats and resumes on one device; may be slower",
    )


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

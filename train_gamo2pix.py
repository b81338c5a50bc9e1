"""GAMO2pix: turn what a GAMO run generates into images, scored and saved."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from gamo2pix.options import LIMITS, PASSES, PixOptions
from gamo_tf.datasets.files import default_data_dir
from gamo_tf.errors import Stopped, UserError
from gamo_tf.methods import METHODS
from gamo_tf.quiet import import_tensorflow
from gamo_tf.runs import Run, finished

_BESIDE_RUN = Path()  # --save-balanced without a folder


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python train_gamo2pix.py --class all --save-balanced",
    )
    add = made.add_argument
    add(
        "--class",
        dest="wanted",
        required=True,
        metavar="LABEL|NAME|all",
        help="the dataset's own label or name, or all smaller classes",
    )
    add("--run", type=Path, metavar="RUN", help="default: the newest finished GAMO run")
    add("--runs-dir", type=Path, default=Path("runs"), metavar="DIR")
    add("--data-dir", type=Path, metavar="DIR", help="default: GAMO_DATA_DIR or data/")
    add("--dry-run", action="store_true", help="show the settings and do nothing")
    vae = made.add_argument_group("the VAE of a class")
    default = PixOptions()
    vae.add_argument(
        "--iterations",
        type=int,
        metavar="N",
        help=f"minibatches a class; default {PASSES} passes, {LIMITS[0]}-{LIMITS[1]}",
    )
    vae.add_argument(
        "--seed",
        type=int,
        default=default.seed,
        metavar="S",
        help="of weights, minibatches and generated images; default 0",
    )
    vae.add_argument(
        "--retrain",
        action="store_true",
        help="train classes anew that are trained already",
    )
    score = made.add_argument_group("scores")
    score.add_argument(
        "--fid-features",
        choices=("inception", "classifier"),
        help="default: Inception-v3 if its weights can be had, else a classifier "
        "trained on the full real set",
    )
    score.add_argument(
        "--inception-weights",
        type=Path,
        metavar="FILE",
        help=".h5 of Keras's Inception-v3 without top",
    )
    keep = made.add_argument_group("the balanced dataset")
    keep.add_argument(
        "--save-balanced",
        type=Path,
        nargs="?",
        const=_BESIDE_RUN,
        metavar="DIR",
        help="with --class all: write an image folder; default RUN/balanced",
    )
    keep.add_argument(
        "--per-class",
        type=int,
        metavar="N",
        help="top up to N images; default: the largest class",
    )
    keep.add_argument("--force", action="store_true", help="replace the folder")
    keep.add_argument(
        "--evaluate",
        action="store_true",
        help="train the plain classifier on the folder and on the originals",
    )
    return made


def main(argv: list[str] | None = None) -> int:
    flags = parser().parse_args(argv)
    try:
        _check(flags)
        options = PixOptions(flags.iterations, flags.seed)
        run = Run.open(flags.run) if flags.run else newest(flags.runs_dir)
        data_dir = flags.data_dir or default_data_dir()
        if flags.dry_run:
            print(json.dumps({"run": str(run.path), **options.to_json()}, indent=2))
            return 0
        import_tensorflow()  # only now: --help answers at once
        from gamo2pix import train

        target = flags.save_balanced
        request = train.Request(
            flags.fid_features,
            flags.inception_weights,
            flags.retrain,
            run.balanced if target == _BESIDE_RUN else target,
            flags.per_class,
            flags.force,
            flags.evaluate,
        )
        train.run(run, flags.wanted, options, request, data_dir)
    except (UserError, OSError) as err:
        print(f"train_gamo2pix.py: {err}", file=sys.stderr)
        return 2
    except (Stopped, KeyboardInterrupt) as err:
        told = str(err) or "left at once; the same command goes on"
        print(f"train_gamo2pix.py: {told}", file=sys.stderr)
        return 130
    return 0


def _check(flags: argparse.Namespace) -> None:
    if flags.save_balanced is not None and flags.wanted != "all":
        raise UserError("--save-balanced: needs --class all.")
    if flags.per_class is not None and flags.save_balanced is None:
        raise UserError("--per-class: needs --save-balanced.")
    if flags.per_class is not None and flags.per_class < 1:
        raise UserError(f"--per-class {flags.per_class}: expected 1 or more.")
    if flags.inception_weights and flags.fid_features == "classifier":
        raise UserError("--inception-weights: not used by --fid-features classifier.")
    if flags.inception_weights and not flags.inception_weights.is_file():
        raise UserError(f"--inception-weights {flags.inception_weights}: no such file.")


def newest(runs_dir: Path) -> Run:
    """The newest finished run that has a generator."""
    for run in reversed(finished(runs_dir)):
        if METHODS[run.options.method].convex:
            print(f"the newest finished GAMO run: {run.path}")
            return run
    raise UserError(
        f"{runs_dir}: no finished run with a generator. Train one first, for "
        "example: python train_gamo.py --dataset digits"
    )


if __name__ == "__main__":
    sys.exit(main())

"""Train GAMO, or a method to compare it with, on an imbalanced image dataset."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from gamo_tf import options as settings
from gamo_tf.datasets import profile_counts
from gamo_tf.datasets.files import default_data_dir
from gamo_tf.errors import Stopped, UserError
from gamo_tf.quiet import import_tensorflow
from gamo_tf.specs import DATASETS

# Flags that say where files are or how to start, not what a run is.
_OUTSIDE = {"data_dir", "runs_dir", "resume", "dry_run", "imbalance_ratio", "profile"}


def parser() -> argparse.ArgumentParser:
    """Flags left out are absent from the namespace, so that given ones are known."""
    made = argparse.ArgumentParser(
        description=__doc__,
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


def to_options(flags: dict) -> settings.Options:
    """Options of a new run from the flags given."""
    if "dataset" not in flags:
        names = ", ".join(DATASETS)
        raise UserError(f"--dataset is needed (or --resume RUN): one of {names}.")
    given = {k: v for k, v in flags.items() if k not in _OUTSIDE}
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
    return settings.resolve(given)


def main(argv: list[str] | None = None) -> int:
    flags = vars(parser().parse_args(argv))
    data_dir = flags.get("data_dir", default_data_dir())
    runs_dir = flags.get("runs_dir", Path("runs"))
    try:
        if "resume" in flags:
            return _resume(flags, data_dir)
        options = to_options(flags)
        if "dry_run" in flags:
            print(json.dumps(options.to_json(), indent=2))
            print(f"data from {data_dir}, a new folder in {runs_dir}; nothing was done")
            return 0
        import_tensorflow()  # only now: --help answers at once
        from gamo_tf import train

        print(train.report(train.run(options, data_dir, runs_dir)))
    except (UserError, OSError) as err:
        print(f"train_gamo.py: {err}", file=sys.stderr)
        return 2
    except Stopped as err:
        print(f"train_gamo.py: {err}", file=sys.stderr)
        return 130
    except KeyboardInterrupt:
        print(
            "train_gamo.py: left at once; --resume goes on from the last checkpoint",
            file=sys.stderr,
        )
        return 130
    return 0


def _resume(flags: dict, data_dir: Path) -> int:
    from gamo_tf.runs import Run

    path = flags["resume"]
    options = Run.open(path).options
    kept = options.to_json()
    for name, value in flags.items():
        if name in kept and kept[name] != value:
            raise UserError(
                f"{settings.flag(name)} {value}: {path} was begun with {kept[name]}. "
                "A run is resumed with its own settings; begin a new one instead."
            )
        if name in ("imbalance_ratio", "profile"):
            raise UserError(f"{settings.flag(name)}: cannot be changed by --resume.")
    if "dry_run" in flags:
        print(json.dumps(kept, indent=2))
        return 0
    import_tensorflow()
    from gamo_tf import train

    print(train.report(train.resume(path, data_dir)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

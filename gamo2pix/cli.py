"""GAMO2pix: turn what a GAMO run generates into images, scored and saved."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from gamo2pix.options import HOW, LIMITS, PASSES, RECIPE, RESIZED, TUNING, PixOptions
from gamo2pix.recipes import RECIPES
from gamo_tf.cli.flags import NEWEST, STRATEGIES
from gamo_tf.cli.program import WRONG_INPUT, argument_parser, run_program
from gamo_tf.config.checks import check_ranges
from gamo_tf.data.download import default_data_dir
from gamo_tf.errors import UserError, command, setting
from gamo_tf.import_tensorflow import import_tensorflow
from gamo_tf.runs.newest import with_generator
from gamo_tf.runs.run import Run
from gamo_tf.runs.run_list import named

UNBALANCED = 3  # exit code: a folder is written, and a class has no generated images
_STATUS = f"""exit status:
  0  everything was done; a class that cannot be judged is no error
  {UNBALANCED}  the balanced folder is written; a class whose verdict is 'do not use'
     has only its real images there
  {WRONG_INPUT}  an error, which the last line names"""
_BESIDE_RUN = Path()  # --save-balanced without a folder


def main(argv: list[str] | None = None) -> int:
    """Train the VAEs of a run's classes, draw, score and save what they generate.

    Args:
      argv: the arguments; None: those of the process.

    Returns:
      The exit code: UNBALANCED, or see `run_program`.
    """
    return run_program(
        "pix",
        lambda: _generate(argv),
        interrupted="left at once; the same command goes on",
    )


def parser() -> argparse.ArgumentParser:
    """The flags of the program; their help names it as it was started."""
    line = command("pix", "--class", "all", "--save-balanced")
    flags = argument_parser(
        "pix",
        __doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"example: {line}\n\n{_STATUS}",
    )
    add = flags.add_argument
    add(
        "--class",
        dest="wanted",
        required=True,
        metavar="LABEL|NAME|all",
        help="the dataset's own label or name, or all smaller classes",
    )
    add(
        "--run",
        metavar="RUN",
        help=f"a path, or a name or number in --runs-dir; default: '{NEWEST}', the "
        "newest finished GAMO run of images",
    )
    add("--runs-dir", type=Path, default=Path("runs"), metavar="DIR")
    add("--data-dir", type=Path, metavar="DIR", help="default: GAMO_DATA_DIR or data/")
    add("--dry-run", action="store_true", help="show the settings and do nothing")
    _add_vae(flags.add_argument_group("the VAE of a class"))
    _add_scores(flags.add_argument_group("scores"))
    _add_balanced(flags.add_argument_group("the balanced dataset"))
    return flags


def _add_vae(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--recipe",
        default=RECIPE,
        metavar="NAME",
        help=f"{', '.join(RECIPES)} (README says what each does); default {RECIPE}",
    )
    group.add_argument(
        "--iterations",
        type=int,
        metavar="N",
        help=f"minibatches a class; default {TUNING}, fewer for a small class; with "
        f"--recipe paper {PASSES} passes, {LIMITS[0]}-{LIMITS[1]}",
    )
    group.add_argument(
        "--shared-iterations",
        type=int,
        metavar="N",
        help="minibatches of the decoder of all classes; default that of the recipe, "
        "fewer with few images or a small --iterations",
    )
    group.add_argument(
        "--seed",
        type=int,
        default=PixOptions.seed,
        metavar="S",
        help="of weights, minibatches and generated images; default 0",
    )
    group.add_argument(
        "--strategy",
        choices=STRATEGIES,
        default=STRATEGIES[0],
        help="mirrored: on all GPUs of this machine; multiworker: on several machines "
        "(docs/scale.md); default none",
    )
    group.add_argument(
        "--retrain",
        action="store_true",
        help="train classes anew that are trained already",
    )


def _add_scores(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--fid-features",
        metavar="inception|classifier|FILE.keras",
        help="default: Inception-v3 if its weights can be had, else a classifier "
        "trained on the full real set; FILE: any Keras model of images (0 to 255)",
    )
    group.add_argument(
        "--inception-weights",
        type=Path,
        metavar="FILE",
        help=".h5 of Keras's Inception-v3 without top",
    )
    group.add_argument(
        "--no-score", action="store_true", help="score nothing: no verdict, no trust"
    )
    group.add_argument(
        "--parents",
        action="store_true",
        help="say how many parents a picture has, and all of them together",
    )


def _add_balanced(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--save-balanced",
        type=Path,
        nargs="?",
        const=_BESIDE_RUN,
        metavar="DIR",
        help="with --class all: write an image folder; default RUN/balanced",
    )
    group.add_argument(
        "--per-class",
        type=int,
        metavar="N",
        help="top up to N images; default: the largest class",
    )
    group.add_argument("--force", action="store_true", help="replace the folder")
    group.add_argument(
        "--originals",
        choices=HOW,
        help="the real images: in the size and format of the generated ones "
        f"({RESIZED}, the default), or your files as they are: copies or links",
    )
    group.add_argument(
        "--min-confidence",
        type=float,
        metavar="P",
        help="only images whose class has this probability by the reference classifier",
    )
    group.add_argument(
        "--max-copy",
        type=float,
        metavar="C",
        help="only images that are no more of a copy (0 to 1) of a training image",
    )
    group.add_argument(
        "--ignore-verdict",
        action="store_true",
        help="add generated images also to classes whose verdict is: do not use",
    )
    group.add_argument(  # its name in earlier versions
        "--anyway",
        dest="ignore_verdict",
        action="store_true",
        help=argparse.SUPPRESS,
    )
    group.add_argument(
        "--evaluate",
        action="store_true",
        help="train the plain classifier on the originals and on the folder",
    )
    group.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help="with --evaluate: trainings on each, of which differences are tested; "
        "default 1",
    )
    group.add_argument(
        "--updates",
        type=int,
        metavar="N",
        help="with --evaluate: of M in a training; default as many as the run made",
    )


def _generate(argv: list[str] | None) -> int:
    flags = parser().parse_args(argv)
    _check(flags)
    options = PixOptions(
        flags.iterations,
        flags.seed,
        recipe=flags.recipe,
        shared_iterations=flags.shared_iterations,
    )
    if flags.run in (None, NEWEST):
        run = with_generator(flags.runs_dir, flags.wanted)
        print(f"the newest finished GAMO run that fits: {run.path}")
    else:
        run = Run.open(named(flags.run, flags.runs_dir))
    import_tensorflow()  # not earlier: --help and wrong flags are answered at once
    from gamo2pix import train
    from gamo2pix.request import Request, check, check_folder, pick
    from gamo2pix.trust import Limits
    from gamo_tf.training import replicas

    target = flags.save_balanced
    request = Request(
        fid_features=flags.fid_features,
        score=not flags.no_score,
        inception_weights=flags.inception_weights,
        retrain=flags.retrain,
        save_balanced=run.balanced if target == _BESIDE_RUN else target,
        per_class=flags.per_class,
        force=flags.force,
        evaluate=flags.evaluate,
        originals=flags.originals,
        limits=Limits(flags.min_confidence, flags.max_copy),
        ignore_verdict=flags.ignore_verdict,
        seeds=flags.seeds or 1,
        updates=flags.updates,
        parents=flags.parents,
        strategy=flags.strategy,
    )
    if flags.dry_run:
        pick(flags.wanted, check(run), run)
        check_folder(run, request)
        print(json.dumps({"run": str(run.path), **options.to_json()}, indent=2))
        return 0
    data_dir = flags.data_dir or default_data_dir()
    if replicas.helps(flags.strategy):
        train.assist(run, flags.wanted, options, request, data_dir)
        return 0
    outcome = train.run(run, flags.wanted, options, request, data_dir)
    return UNBALANCED if outcome.unbalanced else 0


def _check(flags: argparse.Namespace) -> None:
    """Raises UserError for flags that do not go together, or are out of range."""
    save_balanced, weights = setting("save_balanced"), setting("inception_weights")
    if flags.save_balanced is not None and flags.wanted != "all":
        raise UserError(f"{save_balanced}: needs {setting('class')} all.")
    of_folder = "per_class", "originals", "min_confidence", "max_copy", "ignore_verdict"
    for name in of_folder:
        if getattr(flags, name) not in (None, False) and flags.save_balanced is None:
            raise UserError(f"{setting(name)}: needs {save_balanced}.")
    for name in ("seeds", "updates"):
        if getattr(flags, name) is not None and not flags.evaluate:
            raise UserError(f"{setting(name)}: needs {setting('evaluate')}.")
    check_ranges({k: v for k, v in vars(flags).items() if v is not None})
    wanted, features = flags.fid_features, setting("fid_features")
    if flags.no_score and (wanted or flags.inception_weights):
        raise UserError(f"{setting('no_score')}: then {features} has no meaning.")
    if wanted and wanted not in ("inception", "classifier"):
        if not wanted.endswith(".keras"):
            raise UserError(
                f"{features} {wanted}: expected inception, classifier or a .keras file."
            )
        if not Path(wanted).is_file():
            raise UserError(f"{features} {wanted}: no such file.")
    if flags.inception_weights and wanted not in (None, "inception"):
        raise UserError(f"{weights}: not used by {features} {wanted}.")
    if flags.inception_weights and not flags.inception_weights.is_file():
        raise UserError(f"{weights} {flags.inception_weights}: no such file.")

"""Train GAMO, or a method to compare it with, on an imbalanced image dataset."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gamo_tf.cli import describe
from gamo_tf.cli.flags import (
    COUNTS_FLAGS,
    NEWEST,
    USER_DATA_FLAGS,
    data_dir,
    parse,
    runs_dir,
    strategy,
)
from gamo_tf.cli.program import run_program
from gamo_tf.cli.run_settings import check_output, check_save_balanced, read_settings
from gamo_tf.errors import UserError, setting
from gamo_tf.import_tensorflow import import_tensorflow
from gamo_tf.own_settings import check_backend

if TYPE_CHECKING:
    from gamo_tf.config.options import Options
    from gamo_tf.runs.run import Run

# Flags that decided what the run is without being among its options. Those that are
# can be compared with what the run has; these cannot.
_NOT_KEPT = COUNTS_FLAGS | USER_DATA_FLAGS - {"label", "test_split", "validation_split"}


def main(argv: list[str] | None = None) -> int:
    """Start or resume a run, or show what it would be.

    Args:
      argv: the arguments; None: those of the process.

    Returns:
      The exit code (see `run_program`).
    """
    return run_program(
        "train",
        lambda: _train(argv),
        interrupted="left at once; --resume goes on from the last checkpoint",
    )


def _train(argv: list[str] | None) -> int:
    flags = parse("train", __doc__, argv)
    if "resume" in flags:
        return _resume(flags)
    check_backend()
    check_output(flags, "runs_dir", runs_dir(flags))
    decode = not {"dry_run", "describe"} & set(flags)
    options, user_data = read_settings(flags, decode, "describe" not in flags)
    if "dry_run" in flags:
        print(json.dumps(options.to_json(), indent=2))
        print(
            f"data from {data_dir(flags)}, a new folder in {runs_dir(flags)}; "
            "nothing was done"
        )
        return 0
    if "describe" in flags:
        describe.write(options, runs_dir(flags), data_dir(flags))
        return 0
    import_tensorflow()  # not earlier: --help and wrong flags are answered at once
    from gamo_tf import train

    if _helps(flags, options):
        train.assist(options, data_dir(flags), user_data, strategy(flags))
        return 0
    places = data_dir(flags), runs_dir(flags)
    run = train.run(options, *places, user_data, strategy(flags))
    _report(run, flags)
    if user_data and user_data.skipped:
        print(f"  left out         {len(user_data.skipped)} unreadable file(s)")
    return 0


def _resume(flags: Mapping) -> int:
    """Go on with a run. A flag beside --resume may repeat its settings only."""
    from gamo_tf.runs.run import Run
    from gamo_tf.runs.run_list import named, newest_unfinished

    if flags["resume"] == NEWEST:
        path = newest_unfinished(runs_dir(flags)).path
        print(f"the newest unfinished run: {path}", file=sys.stderr)
    else:
        path = named(flags["resume"], runs_dir(flags))
    options = Run.open(path).options
    kept = options.to_json()
    for name, value in flags.items():
        if name in kept and kept[name] != value:
            raise UserError(
                f"{setting(name, value)}: {path} was begun with {kept[name]}. "
                "A run is resumed with its own settings; begin a new one instead."
            )
        if name in _NOT_KEPT:
            raise UserError(f"{setting(name)}: cannot be changed by --resume.")
    if "describe" in flags:
        raise UserError("--describe and --resume: give one of them.")
    check_save_balanced(flags, options)
    if "dry_run" in flags:
        print(json.dumps(kept, indent=2))
        return 0
    import_tensorflow()
    from gamo_tf import train

    if _helps(flags, options):
        train.assist(options, data_dir(flags), None, strategy(flags), path)
        return 0
    run = Run.open(path)
    # Of a finished run the balanced table can still be written.
    if not (run.finished and "save_balanced" in flags):
        run = train.resume(path, data_dir(flags), strategy(flags))
    _report(run, flags)
    return 0


def _helps(flags: Mapping, options: Options) -> bool:
    """Whether this process only helps another, on the machine that keeps the run.

    Raises UserError where several machines are asked for in the wrong way.
    """
    from gamo_tf.training import replicas

    name = strategy(flags)
    for flag in ("patience", "best"):
        if name == replicas.MULTIWORKER and getattr(options, flag):
            raise UserError(
                f"{setting(flag)}: cannot be had with {setting('strategy', name)}, "
                "whose machines do not all look at the validation rows."
            )
    return replicas.helps(name)


def _report(run: Run, flags: Mapping) -> None:
    """Print what came of a run, and write the balanced table if it is asked for."""
    from gamo_tf.evaluation import results

    print(results.report(run))
    if "save_balanced" not in flags:
        return
    from gamo_tf.inference import balanced_table

    target = flags["save_balanced"]
    saved = balanced_table.save(run, target, run.options.seed)
    print(f"  balanced         {target}, {sum(saved.added.values())} generated rows")
    for name, measured in saved.spread.items():
        print(f"  spread of {name}: {measured}")
    if saved.prefix:
        print(f"  added columns    named {saved.prefix}...: the table has their names")

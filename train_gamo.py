"""Train GAMO, or a method to compare it with, on an imbalanced image dataset."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gamo_tf import cli
from gamo_tf import options as settings
from gamo_tf.datasets.files import default_data_dir
from gamo_tf.errors import Stopped, UserError
from gamo_tf.methods import METHODS
from gamo_tf.quiet import import_tensorflow

if TYPE_CHECKING:
    from gamo_tf.runs import Run


def main(argv: list[str] | None = None) -> int:
    flags = vars(cli.parser(__doc__).parse_args(argv))
    data_dir = flags.get("data_dir", default_data_dir())
    runs_dir = flags.get("runs_dir", Path("runs"))
    try:
        if "resume" in flags:
            return _resume(flags, data_dir)
        mine = cli.read_own(flags)
        options = cli.to_options(flags, mine)
        for told in mine.skipped if mine else ():
            print(f"left out: {told}")
        _check_target(flags, options)
        if "dry_run" in flags:
            print(json.dumps(options.to_json(), indent=2))
            print(f"data from {data_dir}, a new folder in {runs_dir}; nothing was done")
            return 0
        import_tensorflow()  # only now: --help answers at once
        if "describe" in flags:
            from gamo_tf import describe

            describe.write(options, runs_dir, data_dir)
            return 0
        from gamo_tf import train

        run = train.run(options, data_dir, runs_dir, mine)
        _told(run, flags)
        if mine and mine.skipped:
            print(f"  left out        {len(mine.skipped)} unreadable file(s)")
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


def _check_target(flags: dict, options: settings.Options) -> None:
    """Raises UserError where --save-balanced could not be written after training."""
    target = flags.get("save_balanced")
    if target is None:
        return
    if not METHODS[options.method].convex:
        raise UserError(f"--save-balanced: {options.method} has no convex generator.")
    suffix = Path(options.data).suffix
    if not options.label or target.suffix != suffix:
        raise UserError(f"--save-balanced {target}: expected {suffix}, as --features.")
    if target.exists():
        raise UserError(f"--save-balanced {target}: is there already; name another.")


def _told(run: Run, flags: dict) -> None:
    """What came of a run, and the balanced table if it was asked for."""
    from gamo_tf import balanced_table, results

    print(results.report(run))
    if "save_balanced" in flags:
        target = flags["save_balanced"]
        added = balanced_table.save(run, target, run.options.seed)
        print(f"  balanced        {target}, {sum(added.values())} generated rows")


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
        if name in ("imbalance_ratio", "profile", *cli.OWN - {"label", "test_split"}):
            raise UserError(f"{settings.flag(name)}: cannot be changed by --resume.")
    _check_target(flags, options)
    if "dry_run" in flags:
        print(json.dumps(kept, indent=2))
        return 0
    import_tensorflow()
    from gamo_tf import train

    _told(train.resume(path, data_dir), flags)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How often balanced GAMO should play its game, and by which loss, by validation rows.

    python benchmarks/game_turns.py DATASET ... --data-dir DIR [--first N]

Trains gamo-balanced for as long as the main table does, with another number of
minibatches for one of the game, its control without a game, and both by least squares.
Scores are ACSA / GM of the averaged weights on validation rows; no seed is one of the
main table, and test rows are not read from the results.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SEEDS = {"mnist": (100, 101, 102, 103), "cifar10": (100, 101)}
TURNS = (8, 16, 32)


def scores(
    method: str, dataset: str, data_dir: Path, **changed: object
) -> list[tuple[float, float]]:
    """ACSA and GM of each seed.

    Args:
      method: a tuned row of `METHODS`.
      dataset: of `SEEDS`.
      data_dir: the folder of published datasets.
      **changed: settings in the place of the tuned ones.
    """
    from gamo_tf import train
    from gamo_tf.config.tuned import TUNED
    from reproduction import contest, tuning

    found = []
    for seed in SEEDS[dataset]:
        options = tuning.equal_options(
            *(method, {**TUNED[method], **changed}, dataset, seed),
            contest.UPDATES[dataset],
        )
        folder = Path(tempfile.mkdtemp())
        with contextlib.redirect_stdout(io.StringIO()):
            run = train.run(options, data_dir, folder)
        measured = run.read_results()["ema"]["validation"]
        found.append((measured["acsa"], measured["gm"]))
        shutil.rmtree(folder)
    return found


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("datasets", nargs="+", choices=SEEDS)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--first", type=int, default=0, help="row to begin with")
    flags = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from gamo_tf.import_tensorflow import import_tensorflow

    import_tensorflow()
    import numpy as np

    from gamo_tf.methods import balanced_game

    print("| set | minibatches for one of the game | seeds | ACSA / GM |")
    print("| --- | --- | ---: | --- |")
    least_squares = {"loss": "ls"}
    rows: list[tuple[str, int, str, dict]] = [
        *((str(turns), turns, "gamo-balanced", {}) for turns in TURNS),
        ("no game", 1, "balanced-repeats", {}),
        ("32, least squares", 32, "gamo-balanced", least_squares),
        ("no game, least squares", 1, "balanced-repeats", least_squares),
    ]
    for dataset in flags.datasets:
        for name, turns, method, changed in rows[flags.first :]:
            balanced_game.TURNS = turns
            found = scores(method, dataset, flags.data_dir, **changed)
            acsa, gm = np.mean(found, axis=0)
            cells = f"{name} | {len(found)} | {acsa:.3f} / {gm:.3f}"
            print(f"| {dataset} | {cells} |", flush=True)


if __name__ == "__main__":
    main()

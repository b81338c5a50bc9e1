"""Finished runs side by side: python -m gamo_tf.compare [RUN ...]

Without RUN: the two newest finished runs under runs/.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gamo_tf.errors import UserError
from gamo_tf.runs import Run, finished


def table(runs: list[Run]) -> str:
    """ACSA and GM on every set, and test recall by class, a column a run.

    Raises UserError where a run has not finished or the classes differ.
    """
    for run in runs:
        if not run.finished:
            raise UserError(f"{run.path}: not finished (no results.json).")
    results = [run.read_results() for run in runs]
    classes = results[0]["classes"]
    if any(r["classes"] != classes for r in results):
        raise UserError("the runs have different classes; compare like with like.")
    lines = [("", *(run.path.name for run in runs))]
    lines += [(key, *(r[key] for r in results)) for key in ("iterations", "m_updates")]
    for name in ("test", "test_full", "train"):
        for key in ("acsa", "gm"):
            label = f"{name} {key.upper()}"
            lines.append((label, *(f"{r[name][key]:.3f}" for r in results)))
            if any("ema" in r for r in results):
                cells = [
                    f"{r['ema'][name][key]:.3f}" if "ema" in r else "-" for r in results
                ]
                lines.append((f"{label} (EMA)", *cells))
    for i, label in enumerate(classes):
        recalls = [r["test"]["recall"][i] for r in results]
        cells = ["-" if x is None else f"{x:.3f}" for x in recalls]
        count = results[0]["counts"][i]
        lines.append((f"recall {label} (of {count})", *cells))
    lines = [tuple(map(str, line)) for line in lines]
    widths = [max(len(line[i]) for line in lines) for i in range(len(runs) + 1)]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN")
    parser.add_argument("--runs-dir", type=Path, default=Path("runs"), metavar="DIR")
    args = parser.parse_args(argv)
    try:
        if args.runs:
            runs = [Run.open(path) for path in args.runs]
        else:
            runs = finished(args.runs_dir)[-2:]
        print(table(runs))
    except UserError as err:
        print(f"compare: {err}", file=sys.stderr)
        return 2
    print("\nresults    " + ", ".join(str(run.path / "results.json") for run in runs))
    print("pictures   curves.png, confusion.png and samples/ in the same folders")
    print(f"TensorBoard  tensorboard --logdir {runs[0].path.parent}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

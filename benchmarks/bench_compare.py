"""Is a revision faster? Two of them, measured in turn.

    python benchmarks/bench_compare.py HEAD~1 HEAD --part iteration/fashion-mnist

Each pair measures one and then the other, and the next pair the other way round. The
ratio of a pair is B's time over A's; the median of the pairs stands with the least and
the largest.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import bench


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Path]:
    """The files of a revision, in a worktree that is taken away again.

    Args:
      revision: as git names it.
      folder: that it gets a folder in.
    """
    path = folder / "tree"
    git = ["git", "-C", str(bench.ROOT), "worktree"]
    subprocess.run([*git, "add", "-q", "--detach", str(path), revision], check=True)
    try:
        yield path
    finally:
        subprocess.run([*git, "remove", "--force", str(path)], check=True)


def main() -> None:
    """Measure the pairs, and print a line for each time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("a", metavar="A", help="a revision")
    parser.add_argument("b", metavar="B", help="another")
    parser.add_argument(
        "--part", default="iteration/fashion-mnist", choices=bench.PARTS
    )
    parser.add_argument("--pairs", type=int, default=3, metavar="N")
    args = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as other,
        checked_out(args.a, Path(one)) as a,
        checked_out(args.b, Path(other)) as b,
    ):
        found: dict[Path, list[dict]] = {a: [], b: []}
        for pair in range(args.pairs):
            for tree in (a, b) if pair % 2 == 0 else (b, a):
                found[tree].append(bench.measured(args.part, tree))
            print(f"pair {pair + 1} of {args.pairs} measured", flush=True)
    print(f"\n| {args.part} | {args.a} | {args.b} | B / A | from | to |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for what in found[a][0]:
        mine = [times[what] for times in found[a]]
        theirs = [times[what] for times in found[b]]
        ratios = [y / x for x, y in zip(mine, theirs, strict=True)]
        cells = [bench.shown(median(times)) for times in (mine, theirs)]
        spread = (median(ratios), min(ratios), max(ratios))
        cells += [f"{ratio:.3f}" for ratio in spread]
        print(f"| {what} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

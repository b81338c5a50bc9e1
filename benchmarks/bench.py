"""How fast it is, part by part: a table, and docs/bench.json.

    python benchmarks/bench.py                # all, in under 10 minutes
    python benchmarks/bench.py iteration/fashion-mnist resample

Every part has a process of its own, so that its peak memory is its own. Times drift
with the machine, whose rate of float32 products stands in the first line; ratios are of
epochs that alternate in one process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "docs" / "bench.json"
SETS = ("mnist", "fashion-mnist", "cifar10", "scenes")
# Title -> function of `bench_parts`, and its arguments.
PARTS: dict[str, tuple[str, tuple]] = {
    "machine": ("matrix_rate", ()),
    **{f"iteration/{name}": ("iteration", (name,)) for name in SETS},
    **{
        f"memory/{name}/{method}": ("memory", (name, method))
        for name in SETS
        for method in ("cn", "gamo")
    },
    "parts/fashion-mnist": ("parts", ("fashion-mnist",)),
    "points": ("points", ()),
    "points/support": ("points", (2000,)),
    "classes": ("classes", ()),
    "resample": ("resample", ()),
    "pix": ("pix", ()),
    "start": ("", ()),
}
STARTS = {
    "train_gamo.py --help": ["train_gamo.py", "--help"],
    "import TensorFlow": ["-c", "import tensorflow"],
    "import the estimators": ["-c", "from gamo_tf import GAMO"],
}


def measured(title: str, root: Path = ROOT) -> dict[str, float]:
    """What a part takes, measured in a process of its own.

    Args:
      title: of PARTS.
      root: of the source that is measured, which may be of another revision.
    """
    if title == "start":
        return {f"{name}, s": _start(words, root) for name, words in STARTS.items()}
    function, arguments = PARTS[title]
    code = (
        "from gamo_tf.import_tensorflow import import_tensorflow\n"
        "import_tensorflow()\n"
        "import json, bench_parts\n"
        f"found = bench_parts.{function}(*{arguments!r})\n"
        "print('found', json.dumps(found))"
    )
    # Its own folder comes first: the parts are this revision's, whatever they measure.
    path = f"{ROOT / 'benchmarks'}{os.pathsep}{root}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("found ")]
    if not lines:
        raise SystemExit(f"{title}: failed\n{done.stderr[-2000:]}")
    found = json.loads(lines[-1].removeprefix("found "))
    return found if isinstance(found, dict) else {"GFLOP/s": found / 1e9}


def _start(words: list[str], root: Path) -> float:
    """Seconds of a short program: the median of three."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, *words], cwd=root, check=True, **_QUIET)
        times.append(time.perf_counter() - began)
    return median(times)


_QUIET: dict = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def shown(value: float) -> str:
    """A number to three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main() -> None:
    """Measure what was asked for, print it, and keep it if it was all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    asked = parser.parse_args().parts
    for name in asked:
        if name not in PARTS:
            parser.error(f"{name}: expected one of {', '.join(PARTS)}")
    began = time.perf_counter()
    found: dict[str, dict] = {}
    print("| part | what | value |")
    print("| --- | --- | ---: |")
    for title in asked or PARTS:
        found[title] = measured(title)
        for what, value in found[title].items():
            print(f"| {title} | {what} | {shown(value)} |", flush=True)
    print(f"\nmeasured in {time.perf_counter() - began:.0f} s")
    if not asked:
        record = {"date": date.today().isoformat(), "cores": os.cpu_count(), **found}
        RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()

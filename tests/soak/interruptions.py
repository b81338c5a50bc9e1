"""Kill programs, and take the disk away from them, at seeded moments; then compare.

A moment is one of the operations by which files change: a write that is flushed, a
rename, a folder that is made, a file that is removed. `counted` counts them in a
process, and at the chosen one the process kills itself (as ``kill -9`` would), or the
disk is full from there on. Then the program is started again as a person would do it,
and what it leaves has to be what a program leaves that nothing happened to.

Run by ``make soak``; the result goes to docs/reliability.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
from scenarios import DIGITS, POOL, Scenario, pixels, scenarios

BEGIN, END = "<!-- interruptions -->", "<!-- end of interruptions -->"
ROOT = Path(__file__).resolve().parent.parent.parent
KILLED = -9
# What is executed in a process before its program. It counts operations below FOLDER,
# and strikes at number AT.
COUNT = """
import errno, os, signal, sys
FOLDER, AT, HOW = {folder!r}, {at}, {how!r}
count = 0
def strike(path):
    global count
    if isinstance(path, int):
        path = os.readlink(f"/proc/self/fd/{{path}}")
    if not os.path.abspath(os.fspath(path)).startswith(FOLDER):
        return
    count += 1
    if HOW == "kill" and count == AT:
        os.kill(os.getpid(), signal.SIGKILL)
    if HOW == "full" and count >= AT:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
def counted(name):
    function = getattr(os, name)
    def counting(path, *args, **kwargs):
        strike(path)
        return function(path, *args, **kwargs)
    setattr(os, name, counting)
for name in ("replace", "rename", "fsync", "mkdir") + ("unlink",) * (HOW != "full"):
    counted(name)
import atexit
atexit.register(lambda: HOW == "count" and print("operations", count, file=sys.stderr))
"""


def execute(
    words: list[str], folder: Path, how: str = "none", at: int = 0
) -> subprocess.CompletedProcess:
    """Run a program in a process of its own."""
    module, *arguments = words
    code = COUNT.format(folder=str(folder.resolve()), at=at, how=how)
    code += POOL if module == "pool" else f"import {module}\n"
    code += f"sys.exit({module}.main())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""},
        timeout=900,
    )


def said(done: subprocess.CompletedProcess) -> list[str]:
    """The lines on standard error that are the program's own."""
    noise = ("E0000", "I0000", "W0000", "WARNING: All log", "operations")
    lines = done.stderr.splitlines()
    return [x for x in lines if x.strip() and not x.startswith(noise)]


def fail(message: str, done: subprocess.CompletedProcess) -> None:
    raise AssertionError("\n".join([message, *said(done)[-15:]]))


def reference(scenario: Scenario, folder: Path) -> tuple[int, object]:
    """How many moments the program has, and what it leaves undisturbed."""
    scenario.prepare(folder)
    done = execute(scenario.start(folder), folder, "count")
    if done.returncode:
        fail("the undisturbed program failed", done)
    (line,) = (x for x in done.stderr.splitlines() if x.startswith("operations"))
    return int(line.split()[1]), scenario.content(folder)


def disturb(scenario: Scenario, folder: Path, how: str, at: int) -> object:
    """What is left after something has happened at a moment, and the program has been
    started again. Raises AssertionError for what may not be."""
    scenario.prepare(folder)
    done = execute(scenario.start(folder), folder, how, at)
    if how == "kill" and done.returncode != KILLED:
        fail(f"exit code {done.returncode}, not killed", done)
    if how == "full" and done.returncode:
        lines = said(done)
        if done.returncode != 2 or len(lines) != 1 or "No space left" not in lines[0]:
            fail(f"exit code {done.returncode}, expected 2 and one line", done)
    scenario.whole(folder)
    words = scenario.again(folder)
    if words:
        done = execute(words, folder)
        if done.returncode:
            fail("could not go on", done)
    return scenario.content(folder)


def difference(a: object, b: object, place: str = "") -> str:
    """Where two contents differ first; "" for equal ones."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b), key=str):
            if key not in a or key not in b:
                return f"{place}/{key}: only in one"
            if found := difference(a[key], b[key], f"{place}/{key}"):
                return found
        return ""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple) and len(a) == len(b):
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            if found := difference(x, y, f"{place}[{k}]"):
                return found
        return ""
    return "" if a == b else f"{place}: {str(a)[:80]} | {str(b)[:80]}"


def base_run(folder: Path) -> None:
    """A finished run of GAMO on digits, with all its classes as images, and a
    reference classifier that was trained a little."""
    code = """
from pathlib import Path
from gamo2pix.reference_classifier import RECIPE, Recipe, reference
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.data import load
spec, place = DATASETS["digits"], Path(sys.argv[1])
recipe = Recipe(RECIPE.name, epochs=1, updates=40)
reference(spec, load.read(spec, place), place, recipe)
"""
    subprocess.run(
        [sys.executable, "-c", "import sys" + code, str(folder / "runs")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    flags = [*DIGITS.split(), "--iterations", "40", "--runs-dir", str(folder / "runs")]
    done = execute(["train_gamo", *flags], folder)
    if done.returncode:
        fail("the run could not be trained", done)
    all_classes = "--class all --save-balanced FOLDER/balanced --per-class 40"
    done = execute(pixels(folder, "", 0, 0, all_classes).start(folder), folder)
    if done.returncode:
        fail("its images could not be made", done)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="scenarios with this in their name")
    parser.add_argument("--most", type=int, default=1000, help="of each kind")
    parser.add_argument("--page", type=Path, help="gets the result, between its marks")
    flags = parser.parse_args()
    rows, failed = [], 0
    with tempfile.TemporaryDirectory() as place:
        base = Path(place, "base")
        base.mkdir()
        if not flags.only or flags.only in "GAMO2pix, a class anew balanced folder":
            base_run(base)
        rng = np.random.default_rng(flags.seed)
        for scenario in scenarios(base):
            if flags.only not in scenario.name:
                continue
            folder = Path(place, "reference")
            folder.mkdir()
            moments, expected = reference(scenario, folder)
            shutil.rmtree(folder)
            row = {"scenario": scenario.name, "moments": moments}
            for how, times in (("kill", scenario.kills), ("full", scenario.full)):
                equal, times = 0, min(times, flags.most)
                for at in sorted(rng.permutation(moments)[:times] + 1):
                    folder = Path(place, "work")
                    folder.mkdir()
                    try:
                        left = disturb(scenario, folder, how, int(at))
                        found = difference(expected, left)
                    except AssertionError as err:
                        found = str(err)
                    shutil.rmtree(folder)
                    equal += not found
                    failed += bool(found)
                    word = f"NOT EQUAL: {found}" if found else "equal"
                    print(f"{scenario.name}, {how} at {at}: {word}", flush=True)
                row |= {how: times, f"{how}_equal": equal}
            rows.append(row)
            print(row, flush=True)
    if flags.page:
        begin, rest = flags.page.read_text(encoding="utf-8").split(BEGIN)
        _, end = rest.split(END)
        page = f"{begin}{BEGIN}\n{report(rows, flags.seed)}\n{END}{end}"
        flags.page.write_text(page, encoding="utf-8")
    return int(failed > 0)


def report(rows: list[dict], seed: int) -> str:
    """The counts as a table, with what they are of."""
    words = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(words, cwd=ROOT, capture_output=True, text=True).stdout
    lines = [
        f"{date.today().isoformat()}, commit {commit.strip()}, seed {seed}, "
        f"{platform.machine()}, {os.cpu_count()} cores:",
        "",
        "| program | moments there are | killed | equal | disk full | equal |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    keys = ("scenario", "moments", "kill", "kill_equal", "full", "full_equal")
    total = {k: sum(row[k] for row in rows) for k in keys[1:]} | {"scenario": "all"}
    for row in [*rows, total]:
        lines.append("| " + " | ".join(str(row[k]) for k in keys) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

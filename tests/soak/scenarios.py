"""The programs that are interrupted, and what is compared of what they leave."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

DIGITS = "--dataset digits --deterministic --checkpoint-every 10 --evaluate-every 20"


@dataclass(frozen=True)
class Scenario:
    """A program that files depend on.

    Attributes:
      name: for people.
      kills: how often it is killed.
      full: how often the disk is full.
      start: folder -> the module of the program and its arguments.
      again: folder -> the same for who goes on with it afterwards; None: nothing is
        left to do.
      content: folder -> what the program leaves, to be compared.
      prepare: folder -> makes what has to be there before.
      whole: folder -> complains of what may not be so even right after a kill.
    """

    name: str
    kills: int
    full: int
    start: Callable[[Path], list[str]]
    again: Callable[[Path], list[str] | None]
    content: Callable[[Path], object]
    prepare: Callable[[Path], None] = field(default=lambda folder: None)
    whole: Callable[[Path], None] = field(default=lambda folder: None)


# ---- what is compared --------------------------------------------------------------


def plain(path: Path) -> object:
    """The content of a file, without times and dates."""
    if path.suffix == ".json":
        values = json.loads(path.read_text())
        times = ("seconds", "extra_seconds", "date")
        dropped = (*times, "digest", "metrics_digest", "network_digests")
        if isinstance(values, dict):
            values = {k: v for k, v in values.items() if k not in dropped}
        return values
    if path.suffix == ".csv":
        lines = [line.split(",") for line in path.read_text().splitlines()]
        drop = lines[0].index("seconds") if "seconds" in lines[0] else None
        return [[c for k, c in enumerate(line) if k != drop] for line in lines]
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return archive.read("model.weights.h5")
    if path.suffix == ".npz":
        with np.load(path) as found:
            kept = [name for name in found.files if name != "seconds"]
            return {name: found[name].tobytes() for name in kept}
    return path.read_bytes()


def contents(folder: Path, *patterns: str) -> dict[str, object]:
    """`plain` of all files that fit, by their place."""
    return {
        str(path.relative_to(folder)): plain(path)
        for pattern in patterns
        for path in sorted(folder.glob(pattern))
    }


RUN_FILES = ("*/options.json", "*/split.npz", "*/fed.npz", "*/metrics.csv")
RUN_FILES += ("*/results.json", "*/models/*.keras", "*/*.png", "*/samples/*.png")


# ---- the scenarios -----------------------------------------------------------------


def training(method: str, kills: int, full: int) -> Scenario:
    flags = [*DIGITS.split(), "--method", method, "--iterations", "40", "--ema", "0.9"]

    def start(folder: Path) -> list[str]:
        return ["train_gamo", *flags, "--runs-dir", str(folder / "runs")]

    def again(folder: Path) -> list[str] | None:
        runs = sorted((folder / "runs").glob("*-digits-*"))
        if not runs or not (runs[0] / "split.npz").exists():
            shutil.rmtree(folder / "runs", ignore_errors=True)  # it had not begun
            return start(folder)
        if (runs[0] / "results.json").exists():
            return None
        return ["train_gamo", "--resume", str(runs[0])]

    def content(folder: Path) -> object:
        return contents(folder / "runs", *RUN_FILES)

    return Scenario(f"training, {method}", kills, full, start, again, content)


def pixels(base: Path, name: str, kills: int, full: int, flags: str) -> Scenario:
    """GAMO2pix on a run that is trained already, in `base`."""

    def start(folder: Path) -> list[str]:
        words = flags.replace("FOLDER", str(folder)).split()
        return [
            *("train_gamo2pix", "--run", str(folder / "runs" / "00000-digits-gamo-ls")),
            *("--fid-features", "classifier", "--data-dir", str(folder / "data")),
            *("--iterations", "8", *words),
        ]

    def prepare(folder: Path) -> None:
        shutil.copytree(base, folder, dirs_exist_ok=True)

    def content(folder: Path) -> object:
        names = ("*/models/*.keras", "*.json", "*/*.json", "*/metrics.csv", "*/*.png")
        pix = [f"runs/*/gamo2pix/{name}" for name in names]
        found = contents(folder, *pix, "balanced/train/*/*.png")
        manifest = folder / "balanced" / "manifest.csv"
        return found, manifest.exists() and manifest.read_text()

    def whole(folder: Path) -> None:
        """Old or new: every image of the manifest is there, and no other."""
        places = [folder / "balanced", folder / ".old-balanced"]
        for place in [p for p in places if p.exists()][:1]:
            lines = (place / "manifest.csv").read_text().splitlines()[1:]
            listed = {line.split(",")[0] for line in lines}
            there = {str(p.relative_to(place)) for p in place.glob("train/*/*")}
            assert listed == there, f"{place} is not whole"
            json.loads((place / "dataset.json").read_text())
        trained = folder / "runs" / "00000-digits-gamo-ls" / "gamo2pix" / "7"
        old = trained.with_name(".old-7")
        if "--retrain" in flags:
            place = trained if trained.exists() else old
            assert (place / "results.json").exists(), "the trained class is lost"

    return Scenario(name, kills, full, start, start, content, prepare, whole)


def table(kills: int, full: int) -> Scenario:
    def prepare(folder: Path) -> None:
        from sklearn.datasets import load_wine

        frame = load_wine(as_frame=True).frame
        frame.drop(index=range(70, 110)).to_csv(folder / "wine.csv", index=False)

    def start(folder: Path) -> list[str]:
        return [
            *("train_gamo", "--features", str(folder / "wine.csv")),
            *("--label", "target", "--iterations", "20", "--deterministic"),
            *("--runs-dir", str(folder / "runs")),
            *("--save-balanced", str(folder / "out.csv")),
        ]

    def again(folder: Path) -> list[str] | None:
        runs = sorted((folder / "runs").glob("*-wine-*"))
        if not runs or not (runs[0] / "split.npz").exists():
            shutil.rmtree(folder / "runs", ignore_errors=True)
            return start(folder)
        if (folder / "out.csv").exists():
            return None
        words = ["train_gamo", "--resume", str(runs[0])]
        return [*words, "--save-balanced", str(folder / "out.csv")]

    def content(folder: Path) -> object:
        run = contents(folder / "runs", *RUN_FILES)
        for values in run.values():
            if isinstance(values, dict):
                values.pop("data", None)
        return run, (folder / "out.csv").read_text()

    name = "training and balanced table"
    return Scenario(name, kills, full, start, again, content, prepare)


POOL = """
import numpy as np
from pathlib import Path
from types import SimpleNamespace
from gamo_tf.cli.program import run_program
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.data import decoded_pool
SPEC = DatasetSpec("made", (8, 8, 3), ("a", "b"), (1500, 300), (16,), 25, "", 1, "", "")
def decode(key):
    return np.random.default_rng(int(key)).integers(0, 256, (8, 8, 3), np.uint8)
def body():
    keys = [[str(k) for k in range(3000)], [str(k) for k in range(3000, 4000)]]
    origin = {"source": "made"}
    decoded_pool.pool(SPEC, Path(sys.argv[1]), keys, decode, origin, "images")
    return 0
pool = SimpleNamespace(main=lambda: run_program("train", body))
"""


def pool(kills: int, full: int) -> Scenario:
    def start(folder: Path) -> list[str]:
        return ["pool", str(folder / "data")]

    def content(folder: Path) -> object:
        return contents(folder / "data", "prepared/*")

    return Scenario("decoding a pool", kills, full, start, start, content)


def scenarios(base: Path) -> Iterator[Scenario]:
    export = "--class all --per-class 60 --force --save-balanced FOLDER/balanced"
    yield pool(8, 6)
    yield training("gamo", 12, 6)
    yield training("smote", 6, 3)
    yield table(8, 5)
    yield pixels(base, "GAMO2pix, a class anew", 8, 4, "--class 7 --retrain")
    yield pixels(base, "balanced folder, replaced", 8, 4, export)

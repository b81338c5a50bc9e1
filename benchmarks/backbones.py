"""What a pretrained feature extractor gives: docs/results/backbones/.

GAMO_DATA_DIR=DIR python benchmarks/backbones.py FILE.keras WORK [PART ...]

Parts: `compare` runs `gamo compare` on each of `GRIDS` and copies its leaderboard;
`decay` trains logit adjustment with several weight decays and lengths, and writes
validation scores; `half` rounds features to float16; `rate` times the extraction;
`tune` fine-tunes the network; `page` puts all tables into docs/results/backbones.md. A
stopped `compare` or `tune` continues.
Validation samples choose every setting; test samples report.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

OUT = ROOT / "docs" / "results" / "backbones"
PAGE = OUT.with_suffix(".md")
_ALL = (
    *("cn", "ros", "class-weight", "logit-adjust", "smote-features"),
    *("balanced-repeats", "balanced-pairs", "gamo", "gamo-balanced"),
)
_CLASSICAL = ("balanced-logistic", "lda")
_SHORT = ("cn", "logit-adjust", "balanced-pairs", "gamo", *_CLASSICAL)
_THREE = ("cn", "logit-adjust", "balanced-pairs")
_MLP = ("cn", "ros", "logit-adjust", "balanced-repeats", "balanced-pairs", "gamo")
_CIFAR = ("--dataset", "cifar10")
# Exponential profiles. The largest class is small enough for 400 validation images of
# each class in files that have 1,000.
_RATIO_100 = "600,360,216,129,77,46,28,17,10,6"
_RATIO_10 = "600,465,360,279,216,167,129,100,77,60"
# Name, number of seeds, methods, flags of `gamo compare`.
GRIDS = (
    ("cifar10", 10, (*_ALL, *_CLASSICAL), _CIFAR),
    ("digits", 10, _SHORT, ("--dataset", "digits", "--image-size", "64")),
    ("cifar10-ratio-100", 10, _SHORT, (*_CIFAR, "--counts", _RATIO_100)),
    ("cifar10-ratio-10", 10, _SHORT, (*_CIFAR, "--counts", _RATIO_10)),
    ("cifar10-96", 3, _THREE, (*_CIFAR, "--image-size", "96")),
    ("cifar10-mlp", 10, _MLP, (*_CIFAR, "--head", "mlp")),
    ("cifar10-224", 3, _THREE, (*_CIFAR, "--image-size", "224")),
    ("cifar10-views", 3, _THREE, (*_CIFAR, "--views", "4")),
    (
        *("fashion-mnist", 3, _SHORT),
        ("--dataset", "fashion-mnist", "--image-size", "64"),
    ),
)
_TENTH = (450, 200, 100, 80, 60, 50, 40, 25, 15, 8)
_DECAYS = (0.003, 0.01, 0.03, 0.1, 0.3)
TRIALS = (
    *({"weight_decay": w} for w in _DECAYS),
    *({"weight_decay": w, "counts": _TENTH} for w in (*_DECAYS, 1.0)),
    *({"weight_decay": w, "head": "mlp"} for w in (0.0, 0.001, 0.003, 0.01)),
    *({"weight_decay": w, "dataset": "digits"} for w in _DECAYS),
    *({"weight_decay": 0.015, "iterations": n} for n in (1600, 3200, 9600)),
)
_TRIED = 3  # seeds of each trial
_TUNED = 1  # seeds of fine-tuning, which takes some minutes each


def compare(file: str, work: Path) -> None:
    """Run all comparisons, and copy their leaderboards to `OUT`."""
    for name, seeds, methods, flags in GRIDS:
        folder = work / name
        command = [sys.executable, "-m", "gamo_tf", "compare", *flags]
        command += ["--backbone", file, "--out", str(folder), "--seeds", str(seeds)]
        command += ["--budget", "3h", "--jobs", "2", "--methods", *methods]
        path = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, check=True, env=path)
        for source, suffix in (("leaderboard.csv", "csv"), ("answer.txt", "txt")):
            shutil.copy(folder / source, OUT / f"{name}.{suffix}")


def decay(file: str, work: Path) -> None:
    """Validation scores of `TRIALS`, to OUT/decay.csv."""
    lines = []
    for trial in TRIALS:
        scores = np.array([_validation(file, trial, seed) for seed in range(_TRIED)])
        acsa, gm = scores.mean(axis=0)
        shown = {k: "tenth" if k == "counts" else v for k, v in trial.items()}
        lines.append({"dataset": "cifar10", **shown, "acsa": acsa, "gm": gm})
        print(lines[-1], flush=True)
        frame = pd.DataFrame(lines)
        frame.to_csv(OUT / "decay.csv", index=False, float_format="%.4f")


def half(file: str, work: Path) -> None:
    """Validation scores with features in float32 and in float16, to OUT/half.json."""
    found = {}
    for kind in ("float32", "float16"):
        scores = [_validation(file, {}, seed, kind) for seed in range(_TRIED)]
        acsa, gm = np.mean(scores, axis=0)
        found[kind] = {"acsa": round(acsa, 4), "gm": round(gm, 4)}
    (OUT / "half.json").write_text(json.dumps(found, indent=2) + "\n")


def rate(file: str, work: Path) -> None:
    """Images a second of the extraction and of `predict`, to OUT/rate.json."""
    from gamo_tf.config.options import resolve
    from gamo_tf.training.extraction import BATCH
    from gamo_tf.training.feature_stage import FeatureStage

    stage = FeatureStage(resolve({"dataset": "cifar10", "backbone": file}))
    rng, found = np.random.default_rng(), []
    for _ in range(4):  # the first one traces
        images = rng.integers(0, 256, (1024, 32, 32, 3), np.uint8)
        began = time.perf_counter()
        stage.F.predict(images, batch_size=BATCH, verbose=0)
        middle = time.perf_counter()
        stage.extract(images)
        end = time.perf_counter()
        found.append((len(images) / (middle - began), len(images) / (end - middle)))
    predicted, extracted = np.median(found[1:], axis=0).round().tolist()
    text = json.dumps({"predict": predicted, "extraction": extracted}, indent=2)
    (OUT / "rate.json").write_text(text + "\n")


def _validation(
    file: str, trial: dict, seed: int, kind: str = "float32"
) -> tuple[float, float]:
    """ACSA and GM of a training on its validation samples."""
    from gamo_tf import prepare
    from gamo_tf.config.options import resolve, spec_of
    from gamo_tf.data import load
    from gamo_tf.data.splits import split_of
    from gamo_tf.evaluation.metrics import confusion, summarise
    from gamo_tf.methods.build import prediction_model
    from gamo_tf.networks.batched import compiled
    from gamo_tf.training.feature_stage import FeatureStage

    side = 64 if trial.get("dataset") == "digits" else 128
    chosen = {"dataset": "cifar10", "backbone_side": side, **trial, "seed": seed}
    options = resolve({**chosen, "method": "logit-adjust", "backbone": file})
    spec = spec_of(options)
    data_dir = Path(os.environ["GAMO_DATA_DIR"])
    split = split_of(options, load.read(spec, data_dir))
    stage = FeatureStage(options)
    extract = stage.extract
    stage.extract = lambda *sets, **more: [
        x.astype(kind).astype(np.float32) for x in extract(*sets, **more)
    ]
    trainer, data = prepare.prepared(options, spec, split, stage=stage)
    prepare.run_loop(trainer, data)
    M = prediction_model(options, trainer.M)
    features = compiled(trainer.F)(stage.start_of(split.validation_images))
    guess = compiled(M)(features).argmax(axis=1)
    found = summarise(confusion(split.validation_labels, guess, len(spec.classes)))
    return found["acsa"], found["gm"]


def tune(file: str, work: Path) -> None:
    """Fine-tune the whole network on CIFAR-10, to OUT/tune.json."""
    from gamo_tf import train
    from gamo_tf.config.options import resolve
    from gamo_tf.runs.run import finished_runs

    runs_dir = work / "tune"
    known = finished_runs(runs_dir) if runs_dir.is_dir() else []
    for seed in range(len(known), _TUNED):
        options = resolve(
            {
                "dataset": "cifar10",
                "method": "logit-adjust",
                "backbone": file,
                "backbone_trains": "all",
                "backbone_rate": 3e-4,
                "iterations": 966,
                "evaluate_every": 966,
                "seed": seed,
            }
        )
        train.run(options, Path(os.environ["GAMO_DATA_DIR"]), runs_dir)
        found = [run.read_results() for run in finished_runs(runs_dir)]
        kept = [
            {
                f"{name}_{metric}": results["ema"][name][metric]
                for name in ("validation", "test_full")
                for metric in ("acsa", "gm")
            }
            | {key: results[key] for key in ("seed", "iterations", "seconds", "date")}
            for results in found
        ]
        (OUT / "tune.json").write_text(json.dumps(kept, indent=2) + "\n")


def page(file: str = "", work: Path = ROOT) -> None:
    """Put the tables of `OUT` into docs/results/backbones.md."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def filled(text: str) -> str:
    """The page with the tables of the committed files: each follows a line
    ``<!-- NAME -->`` and ends with an empty line."""

    def block(found: re.Match) -> str:
        name = found[1]
        rows = decays() if name == "decay" else leaderboard(name)
        return f"<!-- {name} -->\n\n" + "\n".join(rows) + "\n\n"

    return re.sub(r"<!-- (\S+) -->\n\n(?:\|.*\n)*\n?", block, text)


def leaderboard(name: str) -> list[str]:
    """The lines of a table: a comparison of methods on test samples."""
    frame = pd.read_csv(OUT / f"{name}.csv")
    lines = [
        "| method | ACSA / GM, test | 95 % CI of ACSA | ACSA, validation "
        "| best minus this, adjusted p | seconds |",
        "| --- | --- | --- | --- | --- | ---: |",
    ]
    for row in frame.itertuples():
        pair = ""
        if not pd.isna(row.p_adjusted):
            p = f"{row.p_adjusted:.2g}" if row.p_adjusted >= 1e-4 else "below 0.0001"
            pair = f"{row.difference:+.3f}, {p}"
        lines.append(
            f"| `{row.method}` | {row.acsa:.3f} / {row.gm:.3f} "
            f"| {row.acsa_low:.3f} to {row.acsa_high:.3f} | {row.acsa_validation:.3f} "
            f"| {pair} | {row.seconds:.0f} |"
        )
    return lines


def decays() -> list[str]:
    """The lines of the table of weight decays on validation samples."""
    frame = pd.read_csv(OUT / "decay.csv")
    lines = [
        "| data | head | side | updates | weight decay | ACSA / GM, validation |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for row in frame.itertuples():
        data = "CIFAR-10" if row.dataset == "cifar10" else "digits"
        if row.counts == "tenth":
            data += ", a tenth of the samples"
        side = "64" if row.dataset == "digits" else "128"
        head = "linear" if pd.isna(row.head) else row.head
        updates = "" if pd.isna(row.iterations) else f"{row.iterations:.0f}"
        lines.append(
            f"| {data} | {head} | {side} | {updates or 'default'} "
            f"| {row.weight_decay:g} | {row.acsa:.3f} / {row.gm:.3f} |"
        )
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", help="of the pretrained network")
    parser.add_argument("work", type=Path)
    parts = {"compare": compare, "decay": decay, "half": half, "tune": tune}
    parts |= {"rate": rate, "page": page}
    parser.add_argument("parts", nargs="*", metavar="PART", default=list(parts))
    asked = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    for part in asked.parts:
        parts[part](str(Path(asked.file).resolve()), asked.work)

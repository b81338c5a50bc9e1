"""results.json of a run, and what a person is told of it at the end."""

from __future__ import annotations

import platform
from datetime import date
from importlib.metadata import version

from gamo_tf import datasets
from gamo_tf.methods import METHODS
from gamo_tf.options import Options
from gamo_tf.runs import Run
from gamo_tf.specs import DatasetSpec
from gamo_tf.watch import clock


def collect(
    options: Options,
    spec: DatasetSpec,
    split: datasets.Split,
    took: dict,
    raw: dict,
    ema: dict | None,
) -> dict:
    """results.json: raw metrics under `test`, `test_full`, `train`; averages under
    `ema`, never mixed up with them."""
    per = options.test_per_class
    sets = {
        "test": f"{per} images a class, drawn by seed" if per else "all test images",
        "test_full": f"all {len(split.test_labels)} test images",
        "train": f"the {len(split.labels)} imbalanced training images",
    }
    results = {
        "dataset": options.dataset,
        "method": options.method,
        "loss": options.loss,
        "seed": options.seed,
        "iterations": options.iterations,
        "m_updates": options.iterations * METHODS[options.method].m_updates,
        **took,  # seconds in all; extra_seconds of them before training
        "classes": list(spec.classes),
        "counts": list(options.counts),
        "sets": sets,
        **raw,
    }
    if ema:
        results["ema"] = {"decay": options.ema, **ema}
    packages = ("tensorflow", "keras", "numpy")
    results["versions"] = {name: version(name) for name in packages}
    results["versions"]["python"] = platform.python_version()
    results["date"] = date.today().isoformat()
    return results


def report(made: Run) -> str:
    """What a person wants to see at the end: the metrics, and where to look."""
    results = made.read_results()
    lines = [f"finished {made.path} in {clock(results['seconds'])}"]
    for name, what in results["sets"].items():
        for kind, source in (("", results), (" (EMA)", results.get("ema"))):
            if source:
                summary = source[name]
                lines.append(
                    f"  {name + kind:<15} ACSA {summary['acsa']:.3f}  "
                    f"GM {summary['gm']:.3f}   {what}"
                )
                if summary["absent"]:
                    absent = [results["classes"][i] for i in summary["absent"]]
                    lines.append(f"    no image of: {', '.join(absent)}; left out")
    recall = " ".join(
        f"{c} {'-' if r is None else format(r, '.2f')}"
        for c, r in zip(results["classes"], results["test"]["recall"], strict=True)
    )
    lines.append(f"  test recall     {recall}")
    lines.append(f"  pictures        {made.path}/curves.png, confusion.png, samples/")
    lines.append(f"  TensorBoard     tensorboard --logdir {made.tensorboard}")
    return "\n".join(lines)

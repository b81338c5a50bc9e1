"""results.json of a run, and what a person is told at its end."""

from __future__ import annotations

import platform
from datetime import date
from importlib.metadata import version

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.options import VALIDATION, Options
from gamo_tf.data.splits import Split
from gamo_tf.errors import setting
from gamo_tf.evaluation import game_warnings, metrics
from gamo_tf.evaluation.plots import cut
from gamo_tf.files import clock
from gamo_tf.runs.run import Run

_LISTED = 10  # classes named in a line


def collect(
    options: Options,
    spec: DatasetSpec,
    split: Split,
    spent: dict[str, float],
    raw: dict[str, dict],
    ema: dict[str, dict] | None,
    watched: dict[str, dict[int, float]],
) -> dict:
    """The content of results.json.

    Args:
      options: settings of the run.
      spec: of its dataset.
      split: its rows.
      spent: ``seconds`` in all, ``extra_seconds`` of them before the training, and
        what M and F were given: ``m_updates``, ``f_updates``, and ``f_images`` through
        F's gradient. Of a run with `Options.patience` or `Options.best` also the
        iteration that it was ``stopped_at``, and that whose networks were ``kept``.
      raw: what an `Evaluator` found of F and M: keys ``test``, ``test_full``,
        ``train``, and ``validation`` if there are such rows.
      ema: the same of their moving averages; it stands under ``ema``, never mixed
        with the raw metrics.
      watched: what `game_watch` found at the end, by name and label.
    """
    per, word = options.test_per_class, "samples" if spec.vector else "images"
    sets = {
        "test": f"{per} {word} a class, drawn by seed" if per else f"all test {word}",
        "test_full": f"all {len(split.test_labels)} test {word}",
        VALIDATION: f"{len(split.validation_labels)} {word} that are not trained on",
        "train": f"the {len(split.labels)} imbalanced training {word}",
    }
    sets = {name: words for name, words in sets.items() if name in raw}
    results: dict = {
        "dataset": options.dataset,
        "method": options.method,
        "loss": options.loss,
        "seed": options.seed,
        "iterations": options.iterations,
        **spent,
        "classes": list(spec.classes),
        "counts": list(options.counts),
        "sets": sets,
        **raw,
    }
    if ema:
        results["ema"] = {"decay": options.ema, **ema}
    results["game"] = {
        name: {spec.classes[label]: round(value, 4) for label, value in found.items()}
        for name, found in watched.items()
    }
    packages = ("tensorflow", "keras", "numpy")
    results["versions"] = {name: version(name) for name in packages}
    results["versions"]["python"] = platform.python_version()
    results["date"] = date.today().isoformat()
    return results


def report(run: Run) -> str:
    """What a person wants to see at the end: the metrics, and where to look.

    Args:
      run: a finished run.

    Returns:
      Text of several lines.
    """
    results = run.read_results()
    classes = [cut(name) for name in results["classes"]]
    collapsed = False
    lines = [f"finished {run.path} in {clock(results['seconds'])}"]
    if "stopped_at" in results:
        lines.append(
            f"  stopped at iteration {results['stopped_at']} of "
            f"{results['iterations']}; the networks are those of iteration "
            f"{results['kept']}"
        )
    for name, what in results["sets"].items():
        for kind, sets in (("", results), (" (EMA)", results.get("ema"))):
            if sets:
                summary = sets[name]
                lines.append(f"  {name + kind:<16} {metrics.line(summary)}   {what}")
                if summary["absent"]:
                    absent = _names(classes, summary["absent"])
                    lines.append(f"    no sample of: {absent}; left out")
                # Worked out here: older results have the matrix only.
                if never := metrics.never_predicted(summary["confusion"]):
                    lines.append(f"    never predicted: {_names(classes, never)}")
                    collapsed = True
    if collapsed:
        lines.append(
            "  A class that is never predicted was not learned: the training was too "
            f"short or collapsed. Try more {setting('iterations')}, or a smaller "
            f"{setting('learning_rate')} ({Options.learning_rate:g} is the default)."
        )
    lines += [f"  {said}" for said in game_warnings.warnings(results.get("game", {}))]
    recall = " ".join(
        f"{c} {'-' if r is None else format(r, '.2f')}"
        for c, r in zip(classes, results["test"]["recall"], strict=True)
    )
    lines.append(f"  test recall      {recall}")
    lines.append(f"  pictures         {run.path}/curves.png, confusion.png, samples/")
    lines.append(f"  TensorBoard      tensorboard --logdir {run.tensorboard}")
    return "\n".join(lines)


def _names(classes: list[str], labels: list[int]) -> str:
    """The names of classes, the first of them where they are many."""
    names = ", ".join(classes[k] for k in labels[:_LISTED])
    more = len(labels) - _LISTED
    return f"{names} and {more} more" if more > 0 else names

"""The words of the report: what a section shows, what names mean, whence the runs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pandas as pd

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import Options
from gamo_tf.evaluation import metrics
from gamo_tf.evaluation.metrics import METRICS, RANKED_BY
from gamo_tf.grids import document
from gamo_tf.grids.paired_tests import SIGNIFICANT, Paired
from reproduction.report_statistics import (
    OURS,
    Group,
    Trained,
    comparisons,
    seed_count,
)

# What the words of the comparisons mean, for who has not met these tests before.
HOW_TO_READ = (
    "How to read the comparisons. A seed decides which training images a run gets, and "
    "they are the same for every method. So two methods are compared seed by seed "
    "(paired), and a t test asks whether the differences lie further from 0 than their "
    "scatter over the seeds explains. Its p value is the chance of such differences "
    "between methods that are equally good. Among twenty comparisons one falls below "
    f"{SIGNIFICANT:g} by luck; Holm's correction therefore raises the p values of a "
    "table, of all its methods and both metrics together, so that the chance of even "
    f"one wrong word in the table stays below {SIGNIFICANT:.0%}. `ahead` and `behind` "
    f"stand where the corrected p value is below {SIGNIFICANT:g}, and nowhere else. "
    "`no difference shown` does not say that two methods are equal, but that these "
    "seeds do not tell them apart: with three seeds or fewer hardly any difference can "
    "be told. `one seed` cannot be tested. An interval is of its comparison alone and "
    "is not corrected: it can leave out 0 where no word is said."
)

# What the short names of the page stand for.
GLOSSARY = (
    "Recall of a class: the share of its images that are predicted to be of it.",
    "ACSA: average class-specific accuracy, the mean of the recalls of all classes; "
    "elsewhere it is called balanced accuracy. Every class counts alike, however many "
    "images it has.",
    "GM: the geometric mean of the recalls. It is 0 as soon as one class is never "
    "found.",
    "F and M: the networks of the classifier. F makes features of an image, and M "
    "predicts the class from them. All methods have the same F and M.",
    "G and D: in GAMO, G generates features of the smaller classes, as convex "
    "combinations of those of real images, where M errs; D tells them from real ones.",
    "EMA: an exponential moving average of the weights of F and M, beside the weights "
    "that training ends on (raw). The paper has none.",
    "protocol: the paper's test set, 100 images a class (digits 25). full test set: "
    "all published test images.",
    "n: images; a seed decides which of a class's images are trained on.",
)


def origins(store: Iterable[tuple[Options, dict]]) -> str:
    """When the runs were made and with which versions, in a sentence.

    Args:
      store: options and results.
    """
    results = [result for _, result in store]
    days = sorted({result["date"] for result in results if "date" in result})
    versions = sorted(
        {
            ", ".join(f"{name} {number}" for name, number in result["versions"].items())
            for result in results
            if "versions" in result
        }
    )
    text = f"This page was made on {date.today().isoformat()} of {len(results)} runs"
    if days:
        text += f" from {days[0]} to {days[-1]}"
    return f"{text}, with {'; and '.join(versions)}." if versions else f"{text}."


def section_title(group: Group) -> str:
    """The heading of a group of runs.

    Args:
      group: what they have in common.
    """
    dataset, counts, updates = group
    title, spec = f"{dataset}, {updates:,} updates of M", DATASETS.get(dataset)
    if spec and counts != spec.counts:
        title += f", {'/'.join(map(str, counts))} images"
    return title


def in_words(mine: pd.DataFrame, group: Group) -> str:
    """What a group shows: who has the highest mean, and what the tests say of GAMO.

    Args:
      mine: the lines of the group.
      group: what they have in common.
    """
    full = mine[(mine["set"] == "test_full") & (mine["weights"] == "")]
    trained = {key: rows for key, rows in full.groupby(["variant", "loss"], sort=False)}
    means = {key: rows[RANKED_BY].mean() for key, rows in trained.items()}

    def cell(key: tuple[str, str]) -> str:
        count, rows = seed_count(trained[key]), trained[key]
        seeds = "one seed" if count == "1" else f"{count} seeds"
        return f"`{document.method_cell(*key, '')}` {_figures(rows)} ({seeds})"

    several = {k: v for k, v in means.items() if trained[k]["seed"].nunique() > 1}
    best = max(several or means, key=lambda key: means[key])
    among = " of those with several seeds" if several and several != means else ""
    words = f"{section_title(group)}: {cell(best)} has the highest mean "
    words += f"{metrics.TITLES[RANKED_BY]}{among}"
    if OURS in trained and best != OURS:
        words += f"; {cell(OURS)}"
    compared = comparisons(mine, "")
    verdicts = [pair.verdict for each in compared.values() for pair in each.values()]
    tests = len(verdicts) - verdicts.count("one seed")
    said = "there is nothing to test GAMO by"
    if tests:
        none = f"none of {tests} corrected tests tells GAMO from another method"
        said = _verdicts_in_words(compared) or none
    return f"{words}. With raw weights, {said}."


def _verdicts_in_words(compared: dict[Trained, dict[str, Paired]]) -> str:
    """What GAMO is ahead of and behind, by which metrics; empty where by nothing."""
    found: dict[tuple[str, str], list[str]] = {}
    for key, by_metric in compared.items():
        for verdict in ("behind", "ahead"):
            shown = [n for n, pair in by_metric.items() if pair.verdict == verdict]
            if shown:
                by = " and ".join(metrics.TITLES[name] for name in shown)
                name = f"`{document.method_cell(*key, '')}`"
                found.setdefault((verdict, by), []).append(name)
    said = [
        f"{verdict}{' of' * (verdict == 'ahead')} {', '.join(names)} by {by}"
        for (verdict, by), names in found.items()
    ]
    return f"GAMO is {'; '.join(said)}" if said else ""


def _figures(rows: pd.DataFrame) -> str:
    """The means of all metrics, in words."""
    return ", ".join(f"{m.title} {rows[m.name].mean():.3f}" for m in METRICS)

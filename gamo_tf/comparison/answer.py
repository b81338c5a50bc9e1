"""The answer of a comparison: sentences first, then the leaderboard, as files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from gamo_tf.comparison.evidence import METRIC, Evidence, Line
from gamo_tf.comparison.peers import title_of
from gamo_tf.comparison.words import TITLES, decision, recommended
from gamo_tf.errors import printable
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.files import atomically, write_text
from gamo_tf.grids import document
from gamo_tf.grids.paired_tests import LEVEL, SIGNIFICANT, Mean, Paired


class Training(NamedTuple):
    """How to train the recommended method on your data.

    Attributes:
      command: command line, or Python code of a peer.
      note: how it differs from the trainings of the comparison.
    """

    command: str
    note: str


def blocks(
    evidence: Evidence, said: Sequence[str], then: Training, command: str
) -> list[document.Block]:
    """The page: the answer, the leaderboard, recalls, and what the words mean.

    Args:
      evidence: of the comparison.
      said: of `words.sentences`.
      then: how to train the recommended method.
      command: that made the page.
    """
    versions = ", ".join(f"{name} {value}" for name, value in evidence.versions.items())
    return [
        document.Heading("Which method to use", 1),
        *(document.Text(sentence) for sentence in said),
        document.Text(f"Train it: `{then.command}`"),
        document.Text(then.note),
        document.Heading("Leaderboard"),
        leaderboard(evidence),
        document.Heading("Recall of each class"),
        document.Text(
            f"Mean over all splits, with Wilson's {LEVEL * 100:.0f} % interval for the "
            "samples that one test set has of the class."
        ),
        recalls(evidence),
        document.Heading("What the words mean"),
        document.Text(
            "Balanced accuracy (ACSA in the paper) is the mean of the recalls of all "
            "classes. The geometric mean of the recalls is 0 if one class is never "
            "found. Reported scores use test data only."
        ),
        document.Text(
            "The leading method is the best one on validation data. You should use it "
            "if it is significantly better than the plain classifier on test data. "
            "The test is a paired t test with Holm's correction over all comparisons "
            f"of this page, at p < {SIGNIFICANT}."
        ),
        document.Text(
            f"Intervals are at {LEVEL * 100:.0f} %. Where all splits share the same "
            "samples, intervals and tests have Nadeau and Bengio's correction for "
            "splits that overlap."
        ),
        document.Table(
            ["method", "what it is"],
            [[line.method, title_of(line.method)] for line in evidence.lines],
        ),
        document.Text(f"`{command}`, {evidence.date}; {versions}."),
    ]


def leaderboard(evidence: Evidence) -> document.Table:
    """A line for each method, the highest metric on test samples first.

    Args:
      evidence: of the comparison.
    """
    interval = f"({LEVEL * 100:.0f} % CI)"
    head = ["method", "splits"]
    head += [f"{TITLES[metric.name]} {interval}" for metric in METRICS]
    head += [f"{TITLES[METRIC.name]}, validation"]
    head += [f"{evidence.chosen} minus this {interval}", "adjusted p", "verdict"]
    head += ["seconds", "MiB"]
    lines = []
    for line in evidence.lines:
        cells = [_mean_cell(line.metrics[metric.name]) for metric in METRICS]
        pair = line.difference.cells[:2] if line.difference else ["", ""]
        lines.append(
            [
                *(line.method, str(line.seeds), *cells, f"{line.validation:.3f}"),
                *(*pair, verdict(evidence, line)),
                *(f"{line.seconds:.0f}", f"{line.mebibytes:.0f}"),
            ]
        )
    return document.Table(head, lines)


def verdict(evidence: Evidence, line: Line) -> str:
    """What the test shows of a line, in the words of the answer.

    Args:
      evidence: of the comparison.
      line: of it.
    """
    if line.difference is None:
        return "best on validation data"
    return {
        "ahead": f"{evidence.chosen} is significantly better",
        "behind": f"{evidence.chosen} is significantly worse",
        "no difference shown": "no significant difference",
        "one seed": "not tested",
    }[line.difference.verdict]


def _mean_cell(mean: Mean) -> str:
    text = f"{mean.mean:.3f}"
    if math.isnan(mean.low):
        return text
    return f"{text} ({mean.low:.3f} to {mean.high:.3f})"


def recalls(evidence: Evidence) -> document.Table:
    """A line for each class, the smallest first, with a column for each method.

    Args:
      evidence: of the comparison.
    """
    head = ["class", "training samples", "test samples"]
    head += [line.method for line in evidence.lines]
    lines = []
    for k in sorted(range(len(evidence.classes)), key=lambda k: evidence.counts[k]):
        cells = []
        for line in evidence.lines:
            found = line.recalls[k]
            cells.append(
                f"{found.mean:.2f} ({found.low:.2f} to {found.high:.2f})"
                if found
                else "-"
            )
        name = printable(evidence.classes[k])
        sizes = [str(evidence.counts[k]), str(evidence.rows[k])]
        lines.append([name, *sizes, *cells])
    return document.Table(head, lines)


def frame(evidence: Evidence) -> pd.DataFrame:
    """The leaderboard as numbers.

    Args:
      evidence: of the comparison.

    Returns:
      A line for each method.
    """
    return pd.DataFrame([_numbers(evidence, line) for line in evidence.lines])


def _numbers(evidence: Evidence, line: Line) -> dict:
    found: dict = {"method": line.method, "seeds": line.seeds}
    for metric in METRICS:
        mean = line.metrics[metric.name]
        found |= {
            metric.name: mean.mean,
            f"{metric.name}_low": mean.low,
            f"{metric.name}_high": mean.high,
        }
    found[f"{METRIC.name}_validation"] = line.validation
    pair = line.difference or Paired(line.seeds, 0.0)
    found |= {
        "difference": pair.mean,
        "ci_low": pair.low,
        "ci_high": pair.high,
        "p_adjusted": pair.corrected,
        "verdict": verdict(evidence, line),
        "seconds": line.seconds,
        "mebibytes": line.mebibytes,
    }
    for name, recall in zip(evidence.classes, line.recalls, strict=True):
        found[f"recall/{name}"] = recall.mean if recall else math.nan
    return found


def write(
    folder: Path, evidence: Evidence, said: Sequence[str], then: Training, command: str
) -> list[Path]:
    """Write the answer as text, CSV, JSON, LaTeX and HTML.

    Args:
      folder: of the comparison.
      evidence: of it.
      said: of `words.sentences`.
      then: how to train the recommended method.
      command: that made it.

    Returns:
      The files, ``answer.txt`` first.
    """
    names = ("answer.txt", "leaderboard.csv", "leaderboard.tex", "answer.json")
    paths = [folder / name for name in (*names, "report.html")]
    text, sheet, latex, machine, page = paths
    lines = [*said, f"Train it: {then.command}", then.note]
    write_text(text, "\n".join(lines) + "\n")
    numbers = frame(evidence)
    atomically(sheet, lambda part: numbers.to_csv(part, index=False))
    write_text(latex, document.latex(leaderboard(evidence)))
    answer: Mapping = {
        "decision": decision(evidence),
        "use": recommended(evidence),
        "best_on_validation": evidence.chosen,
        "sentences": list(said),
        "train": then.command,
        "train_note": then.note,
        "command": command,
        "missing": evidence.missing,
        "leaderboard": json.loads(numbers.to_json(orient="records")),
        "date": evidence.date,
        "versions": dict(evidence.versions),
    }
    write_text(machine, json.dumps(answer, indent=2) + "\n")
    content = blocks(evidence, said, then, command)
    write_text(page, document.html_page(content, "Which method to use"))
    return paths

"""The answer of a comparison: sentences first, then the leaderboard, as files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from gamo_tf.comparison.evidence import METRIC, Evidence, Line, reach, uncertain
from gamo_tf.comparison.peers import title_of
from gamo_tf.comparison.plan import PLAIN_ONES
from gamo_tf.errors import printable, setting
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.experiments import document
from gamo_tf.experiments.paired_tests import LEVEL, Mean, Paired
from gamo_tf.files import atomically, write_text

_FEW = 30  # test rows of a class; below it, its recall is called uncertain


def plain_line(evidence: Evidence) -> Line | None:
    """The line of the classifier that does nothing about imbalance, if one was asked.

    Args:
      evidence: of a comparison.
    """
    found = (evidence.line(method) for method in PLAIN_ONES)
    return next((line for line in found if line), None)


def recommended(evidence: Evidence) -> str:
    """The method to use: the one that validation rows choose, if the test shows that
    it is ahead of the plain classifier; else the plain classifier.

    Args:
      evidence: of a comparison.
    """
    plain = plain_line(evidence)
    if plain is None or plain.less is None or plain.less.verdict == "ahead":
        return evidence.chosen
    return plain.method


def sentences(evidence: Evidence, split_word: str) -> list[str]:
    """The answer in words.

    Args:
      evidence: of a comparison.
      split_word: what a seed is, such as "splits".

    Returns:
      The first says what to use.
    """
    use, chosen = recommended(evidence), evidence.chosen
    line = evidence.line(use)
    assert line is not None
    stands = f"balanced accuracy {_interval(line.metrics[METRIC.name])}"
    stands += f", over {line.seeds} {split_word}" if line.seeds > 1 else ""
    plain = plain_line(evidence)
    keep = f"Nothing here is shown to help: keep the plain classifier ({use})"
    if plain is None or use != plain.method:
        said = [f"Use {use} ({title_of(use)}): {stands}."]
    elif chosen == use:
        said = [f"{keep}, which is best on validation rows: {stands}."]
    else:
        said = [
            f"{keep}: {stands}.",
            f"{chosen} is best on validation rows; on test rows it is "
            f"{_apart(plain.less)} from {use}, which may be chance. More "
            f"{setting('seeds')} would tell.",
        ]
    said += _others(evidence, use)
    if line.seeds < 2:
        said.append(f"One seed tests nothing: give more {setting('seeds')}.")
    said += _uncertainty(evidence, use)
    if evidence.missing:
        said.append(f"Trainings that are still missing: {evidence.missing}.")
    return said


def _others(evidence: Evidence, use: str) -> list[str]:
    """How the others stand against the chosen one, by the corrected test."""
    by_verdict: dict[str, list[str]] = {}
    for line in evidence.lines:
        if line.less and line.method != use:
            word = f"{line.method} ({_apart(line.less)})"
            by_verdict.setdefault(line.less.verdict, []).append(word)
    chosen = evidence.chosen
    heads = {
        "ahead": f"{chosen} is ahead of",
        "behind": f"On test rows {chosen} is behind",
        "no difference shown": f"No difference is shown between {chosen} and",
    }
    return [
        f"{head} {', '.join(by_verdict[verdict])}."
        for verdict, head in heads.items()
        if verdict in by_verdict
    ]


def _uncertainty(evidence: Evidence, use: str) -> list[str]:
    line, sizes = evidence.line(use), [n for n in evidence.rows if n]
    few = [k for k in uncertain(evidence, use) if evidence.rows[k] < _FEW]
    few_many = sorted({min(sizes), max(sizes)})
    text = f"The test sets hold {' to '.join(map(str, few_many))} rows a class"
    if line is None or not few:
        return [f"{text}."]
    names = ", ".join(printable(evidence.classes[k]) for k in few)
    most = max(reach(line.recalls[k]) for k in few)
    return [f"{text}, so that the recall of {names} is uncertain by {most:.1f}."]


def _interval(mean: Mean) -> str:
    text = f"{mean.mean:.2f}"
    if math.isnan(mean.low):
        return text
    return f"{text}, {mean.low:.2f} to {mean.high:.2f}"


def _apart(pair: Paired | None) -> str:
    if pair is None:
        return ""
    text = f"{pair.mean:+.3f}"
    if math.isnan(pair.corrected):
        return text
    p = "below 0.001" if pair.corrected < 0.001 else f"{pair.corrected:.3f}"
    return f"{text}, corrected p {p}"


def blocks(
    evidence: Evidence, said: Sequence[str], then: str, command: str
) -> list[document.Block]:
    """The page: the answer, the leaderboard, recalls, and what the words mean.

    Args:
      evidence: of the comparison.
      said: of `sentences`.
      then: the command that trains the recommended method.
      command: that made the page.
    """
    versions = ", ".join(f"{name} {value}" for name, value in evidence.versions.items())
    return [
        document.Heading("Which method to use", 1),
        *(document.Text(sentence) for sentence in said),
        document.Text(f"Train it: `{then}`"),
        document.Heading("Leaderboard"),
        leaderboard(evidence),
        document.Heading("Recall of each class"),
        document.Text(
            f"Mean over the seeds, with Wilson's {LEVEL:.0%} interval for the rows "
            "that one test set has of the class."
        ),
        recalls(evidence),
        document.Heading("What the words mean"),
        document.Text(
            f"{METRIC.title} is balanced accuracy: the mean of the recalls of all "
            "classes. GM is their geometric mean: it is 0 where one class is never "
            f"found. Intervals are at {LEVEL:.0%}; where every seed splits the same "
            "rows anew, they and the p values have Nadeau and Bengio's correction for "
            "splits that overlap. The chosen method is chosen by validation rows. "
            "Words such as ahead follow from the paired t test on test rows, after "
            "Holm's correction over all comparisons of this page."
        ),
        document.Table(
            ["method", "what it is"],
            [[line.method, title_of(line.method)] for line in evidence.lines],
        ),
        document.Text(f"`{command}`, {evidence.date}; {versions}."),
    ]


def leaderboard(evidence: Evidence) -> document.Table:
    """A line for each method, the highest metric on test rows first.

    Args:
      evidence: of the comparison.
    """
    head = ["method", "seeds", *(f"{metric.title} (interval)" for metric in METRICS)]
    head += [f"{METRIC.title}, validation", f"{evidence.chosen} less it (interval)"]
    head += ["corrected p", f"{evidence.chosen} is", "seconds", "MiB"]
    lines = []
    for line in evidence.lines:
        cells = [_mean_cell(line.metrics[metric.name]) for metric in METRICS]
        pair = line.less.cells if line.less else ["", "", "chosen"]
        lines.append(
            [
                *(line.method, str(line.seeds), *cells, f"{line.validation:.3f}"),
                *(*pair, f"{line.seconds:.0f}", f"{line.mebibytes:.0f}"),
            ]
        )
    return document.Table(head, lines)


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
    head = ["class", "training rows", "test rows"]
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
    less = line.less or Paired(line.seeds, 0.0)
    found |= {
        "chosen_less_it": less.mean,
        "less_low": less.low,
        "less_high": less.high,
        "corrected_p": less.corrected,
        "chosen_is": line.less.verdict if line.less else "chosen",
        "seconds": line.seconds,
        "mebibytes": line.mebibytes,
    }
    for name, recall in zip(evidence.classes, line.recalls, strict=True):
        found[f"recall/{name}"] = recall.mean if recall else math.nan
    return found


def write(
    folder: Path, evidence: Evidence, said: Sequence[str], then: str, command: str
) -> list[Path]:
    """Write the answer as text, CSV, JSON, LaTeX and HTML.

    Args:
      folder: of the comparison.
      evidence: of it.
      said: of `sentences`.
      then: the command that trains the recommended method.
      command: that made it.

    Returns:
      The files, ``answer.txt`` first.
    """
    names = ("answer.txt", "leaderboard.csv", "leaderboard.tex", "answer.json")
    paths = [folder / name for name in (*names, "report.html")]
    text, sheet, latex, machine, page = paths
    write_text(text, "\n".join([*said, f"Train it: {then}"]) + "\n")
    numbers = frame(evidence)
    atomically(sheet, lambda part: numbers.to_csv(part, index=False))
    write_text(latex, document.latex(leaderboard(evidence)))
    answer: Mapping = {
        "use": recommended(evidence),
        "chosen_on_validation": evidence.chosen,
        "sentences": list(said),
        "train": then,
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

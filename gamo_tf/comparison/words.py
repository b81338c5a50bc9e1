"""The answer of a comparison in sentences."""

from __future__ import annotations

import math
from typing import Literal

from gamo_tf.comparison.evidence import METRIC, Evidence, Line, reach, uncertain
from gamo_tf.comparison.peers import title_of
from gamo_tf.comparison.plan import PLAIN_ONES
from gamo_tf.comparison.power import splits_needed
from gamo_tf.errors import printable, setting
from gamo_tf.grids.paired_tests import LEVEL, Mean, Paired

TITLES = {"acsa": "balanced accuracy", "gm": "geometric mean"}  # of METRICS
_FEW = 30  # test samples of a class; below it, its recall is called uncertain
_SPLITS = 5  # that are advised where one was run

Decision = Literal["use", "keep", "undecided"]


def plain_line(evidence: Evidence) -> Line | None:
    """The line of the classifier that does nothing about imbalance, if it is there.

    Args:
      evidence: of a comparison.
    """
    found = (evidence.line(method) for method in PLAIN_ONES)
    return next((line for line in found if line), None)


def decision(evidence: Evidence) -> Decision:
    """What the comparison shows of its best method on validation data.

    Args:
      evidence: of a comparison.

    Returns:
      "use": it is significantly better than the plain classifier, or there is no plain
      one. "undecided": it is better, not significantly. "keep" the plain one: else.
    """
    plain = plain_line(evidence)
    if plain is None:
        return "use"
    pair = plain.difference
    if pair is None or pair.verdict == "behind" or pair.mean <= 0:
        return "keep"
    return "use" if pair.verdict == "ahead" else "undecided"


def recommended(evidence: Evidence) -> str:
    """The method to train now; while it is undecided, the plain classifier.

    Args:
      evidence: of a comparison.
    """
    plain = plain_line(evidence)
    if plain is None or decision(evidence) == "use":
        return evidence.chosen
    return plain.method


def sentences(evidence: Evidence, split_word: str) -> list[str]:
    """The answer in words.

    Args:
      evidence: of a comparison.
      split_word: what a seed is, such as "splits".

    Returns:
      The first says what to use, what to keep, or that it is undecided.
    """
    chosen, plain = evidence.chosen, plain_line(evidence)
    decided = decision(evidence)
    said = []
    leader = f"{chosen} ({title_of(chosen)})"
    score = _score(evidence, chosen, split_word)
    if plain is None:
        said.append(f"Use {leader}: {score}.")
        said.append("No plain classifier was compared, so its gain is unknown.")
    elif decided == "use":
        said.append(f"Use {leader}: {score}.")
        said.append(f"It is {_apart(plain.difference, plain.method)}.")
    elif decided == "undecided":
        said += [
            f"Undecided: {chosen} is not significantly better than the plain "
            f"classifier ({plain.method}).",
            f"{leader} leads: {score}; {_apart(plain.difference, plain.method)}.",
            _to_decide(evidence, plain, split_word),
            f"Until then, keep the plain classifier ({plain.method}).",
        ]
    else:
        score = _score(evidence, plain.method, split_word)
        said.append(f"Keep the plain classifier ({plain.method}): {score}.")
        if chosen == plain.method:
            said.append("It scored highest on validation data.")
        else:
            said.append(
                f"{chosen} scored highest on validation data; on test data it is "
                f"{_apart(plain.difference, plain.method)}."
            )
    said += _others(evidence, plain)
    if decided != "undecided" and evidence.lines[0].seeds < 2:
        said.append(f"One split tests nothing: give {setting('seeds')} {_SPLITS}.")
    said += _uncertainty(evidence)
    if evidence.missing:
        said.append(
            f"Missing trainings: {evidence.missing}. The same command trains them."
        )
    return said


def _score(evidence: Evidence, method: str, split_word: str) -> str:
    """Balanced accuracy of a method."""
    line = evidence.line(method)
    assert line is not None
    mean = line.metrics[METRIC.name]
    text = f"{TITLES[METRIC.name]} {mean.mean:.2f}{_interval(mean)}"
    return f"{text}, mean of {line.seeds} {split_word}" if line.seeds > 1 else text


def _interval(mean: Mean) -> str:
    if math.isnan(mean.low):
        return ""
    return f" ({LEVEL * 100:.0f} % CI {mean.low:.2f} to {mean.high:.2f})"


def _to_decide(evidence: Evidence, plain: Line, split_word: str) -> str:
    """How many more splits would settle the leader's difference."""
    pair = plain.difference
    assert pair is not None
    if pair.seeds < 2:
        return f"One split tests nothing. To decide, give {setting('seeds')} {_SPLITS}."
    tests = sum(line.difference is not None for line in evidence.lines)
    needed = splits_needed(pair, evidence.overlap, tests)
    if needed is None:
        return (
            f"More {split_word} of these data will hardly decide it; more samples may."
        )
    return (
        f"To decide, run about {needed - pair.seeds} more {split_word}: add "
        f"`{setting('seeds')} {needed}`."
    )


def _others(evidence: Evidence, plain: Line | None) -> list[str]:
    """How the leader stands against the others, by the corrected test."""
    by_verdict: dict[str, list[str]] = {}
    for line in evidence.lines:
        if line.difference and (plain is None or line.method != plain.method):
            text = f"{line.method} ({_signed(line.difference)})"
            by_verdict.setdefault(line.difference.verdict, []).append(text)
    chosen = evidence.chosen
    heads = {
        "ahead": f"On test data {chosen} is significantly better than",
        "behind": f"On test data {chosen} is significantly worse than",
        "no difference shown": f"No significant difference between {chosen} and",
    }
    return [
        f"{head} {', '.join(by_verdict[verdict])}."
        for verdict, head in heads.items()
        if verdict in by_verdict
    ]


def _uncertainty(evidence: Evidence) -> list[str]:
    """What small classes leave open."""

    def named(labels: list[int]) -> str:
        return ", ".join(printable(evidence.classes[k]) for k in labels)

    labels = range(len(evidence.classes))
    untested = [k for k in labels if not evidence.rows[k]]
    unchosen = [k for k in labels if not evidence.validation_rows[k]]
    said = []
    if untested:
        said.append(
            f"Never tested, because a split leaves no test sample: {named(untested)}. "
            "The answer says nothing about it."
        )
    if others := [k for k in unchosen if k not in untested]:
        said.append(
            f"Without a validation sample, so not part of the choice: {named(others)}."
        )
    sizes = [n for n in evidence.rows if n]
    line = evidence.line(recommended(evidence))
    assert line is not None
    few = [k for k in uncertain(evidence, line.method) if evidence.rows[k] < _FEW]
    sizes_text = " to ".join(str(n) for n in sorted({min(sizes), max(sizes)}))
    text = f"Each test set has {sizes_text} samples a class."
    if few:
        most = max(reach(line.recalls[k]) for k in few)
        text += f" The recall of {named(few)} is uncertain by up to {most:.1f}."
    return [*said, text]


def p_text(value: float) -> str:
    """An adjusted p-value for a sentence: ``p = 0.40``; "" where nothing was tested.

    Args:
      value: the p-value.
    """
    if math.isnan(value):
        return ""
    if value < 0.001:
        return "p < 0.001"
    return f"p = {value:.2f}" if value >= 0.1 else f"p = {value:.3f}"


def _apart(pair: Paired | None, other: str) -> str:
    """A difference from a method: ``0.013 above cn, not significant (p = 0.40)``."""
    if pair is None:
        return ""
    way = "above" if pair.mean >= 0 else "below"
    text = f"{abs(pair.mean):.3f} {way} {other}"
    p = p_text(pair.corrected)
    if pair.verdict in ("ahead", "behind"):
        return f"{text} ({p})"
    return f"{text}, not significant ({p})" if p else f"{text}, not tested"


def _signed(pair: Paired) -> str:
    p = p_text(pair.corrected)
    return f"{pair.mean:+.3f}, {p}" if p else f"{pair.mean:+.3f}"

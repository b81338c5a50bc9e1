"""A page as a list of blocks, written as Markdown and as one HTML file.

The tables of the paper and the report are made of the same blocks and cells, so that
one figure looks alike wherever it stands.
"""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.files import png

# What a cell of `metric_cell` shows, for headings and notes.
METRIC_TITLES = " / ".join(metric.title for metric in METRICS)
PROTOCOL_NOTE = (
    "Protocol: the paper's test set, 100 images a class (digits 25). EMA: averaged "
    "weights, which the paper does not have. Seconds: of one run, training, evaluation "
    "and pictures; behind +, those spent before (making or training what adds images), "
    "which are among them."
)


@dataclass(frozen=True)
class Heading:
    """A heading.

    Attributes:
      text: of one line.
      level: 1 for the page's title, 2 and more below it.
    """

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph; what stands between backticks is set as code."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table of text; the first column is set to the left, the others to the right.

    Attributes:
      head: the titles of the columns.
      lines: the cells of each line, as many as `head` has.
    """

    head: list[str]
    lines: list[list[str]]


@dataclass(frozen=True)
class Picture:
    """A picture with a text in its place for who cannot see it.

    Attributes:
      name: of the PNG file that Markdown points to.
      alt: what the picture shows, in words.
      pixels: uint8 [h, w, 3], RGB.
    """

    name: str
    alt: str
    pixels: np.ndarray


Block = Heading | Text | Table | Picture


def markdown(blocks: Sequence[Block]) -> str:
    """The page as Markdown.

    Args:
      blocks: from top to bottom. A picture becomes a link to its name; the caller
        writes the file beside the page.
    """
    paragraphs = []
    for block in blocks:
        match block:
            case Heading(text, level):
                paragraphs.append("#" * level + " " + text)
            case Text(text):
                paragraphs.append(text)
            case Table(head, lines):
                rule = ["---"] + ["---:"] * (len(head) - 1)
                rows = [head, rule, *lines]
                paragraphs.append("\n".join("| " + " | ".join(r) + " |" for r in rows))
            case Picture(name, alt, _):
                paragraphs.append(f"![{alt}]({name})")
    return "\n\n".join(paragraphs) + "\n"


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 84rem; margin: 2rem auto;
       padding: 0 1rem; color: #1c1c1c; background: #fff; }
table { border-collapse: collapse; font-size: 13px; margin: 1rem 0; display: block;
        overflow-x: auto; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #ddd; text-align: right;
         white-space: nowrap; font-variant-numeric: tabular-nums; }
th { border-bottom: 2px solid #888; }
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; }
h2 { margin-top: 2.5rem; }
code { background: #f3f3f3; padding: 0 .2rem; }
"""


def html_page(blocks: Sequence[Block], title: str) -> str:
    """The page as one HTML file that holds its pictures and loads nothing else.

    Args:
      blocks: from top to bottom.
      title: of the browser's window.
    """
    elements = []
    for block in blocks:
        match block:
            case Heading(text, level):
                elements.append(f"<h{level}>{_inline(text)}</h{level}>")
            case Text(text):
                elements.append(f"<p>{_inline(text)}</p>")
            case Table(head, lines):
                elements.append(_html_table(head, lines))
            case Picture(_, alt, pixels):
                data = base64.b64encode(png(pixels)).decode()
                address = f"data:image/png;base64,{data}"
                elements.append(f'<img alt="{html.escape(alt)}" src="{address}">')
    body = "\n".join(elements)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _html_table(head: list[str], lines: list[list[str]]) -> str:
    top = "".join(f"<th>{_inline(cell)}</th>" for cell in head)
    rows = (
        "<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in line) + "</tr>"
        for line in lines
    )
    return (
        f"<table><thead><tr>{top}</tr></thead>\n<tbody>"
        + "\n".join(rows)
        + "</tbody></table>"
    )


_LATEX = {"&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "$": r"\$"}
_LATEX |= {"{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "±": r"$\pm$"}
_LATEX |= {"^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "<": "$<$"}


def latex(table: Table) -> str:
    """A table in LaTeX, for a document that uses the package booktabs.

    Args:
      table: of text, whose own characters of LaTeX are escaped.
    """
    lines = [
        " & ".join("".join(_LATEX.get(sign, sign) for sign in cell) for cell in cells)
        + r" \\"
        for cells in (table.head, *table.lines)
    ]
    columns = "l" + "r" * (len(table.head) - 1)
    top = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", lines[0], r"\midrule"]
    end = [r"\bottomrule", r"\end{tabular}"]
    return "\n".join([*top, *lines[1:], *end]) + "\n"


def _inline(text: str) -> str:
    """Text with HTML's own characters escaped, and code between backticks."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text))


# ---- cells ---------------------------------------------------------------------


def spread(mean: float, deviation: float = math.nan, digits: int = 3) -> str:
    """A mean and its standard deviation: ``0.912±0.004``.

    Args:
      mean: of some repeats.
      deviation: of the same; NaN (as of one repeat) leaves it out.
      digits: behind the point.
    """
    text = f"{mean:.{digits}f}"
    return text if math.isnan(deviation) else f"{text}±{deviation:.{digits}f}"


def metric_cell(line: Mapping, prefix: str = "", digits: int = 3) -> str:
    """All metrics of a line in one cell, in the order of `METRIC_TITLES`.

    Args:
      line: has for each metric, behind `prefix`, its mean under the metric's name
        and its deviation under that name with ``_sd``; NaN stands for none.
      prefix: of the names, such as ``paper_``.
      digits: behind the point.

    Returns:
      ``0.912±0.004 / 0.908±0.005``, with ``-`` for a metric that the line lacks; ""
      where it lacks all of them.
    """
    cells = []
    for metric in METRICS:
        mean, deviation = (
            line.get(f"{prefix}{metric.name}{end}", math.nan) for end in ("", "_sd")
        )
        cells.append("-" if math.isnan(mean) else spread(mean, deviation, digits))
    return "" if set(cells) == {"-"} else " / ".join(cells)


def seconds_cell(line: Mapping) -> str:
    """How long a run took: ``103``, or ``250 (+147)``.

    Args:
      line: has ``seconds``, all of them, and ``extra_seconds``, those of them that
        were spent before the training; they are shown from one second on.
    """
    extra = line["extra_seconds"]
    text = f"{line['seconds']:.0f}"
    return text if math.isnan(extra) or extra < 1 else f"{text} (+{extra:.0f})"


def method_cell(method: str, loss: str, weights: str, usual: str = "ls") -> str:
    """A method's name with what sets it apart: ``cn (CE, EMA)``.

    Args:
      method: its name.
      loss: that it was trained with.
      weights: "" for those that training ends on, "EMA" for averaged ones.
      usual: the loss that goes without saying in this table.
    """
    apart = [loss.upper()] * (loss != usual) + [weights] * bool(weights)
    return f"{method} ({', '.join(apart)})" if apart else method

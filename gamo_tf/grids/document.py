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


@dataclass(frozen=True)
class Items:
    """A list, each item of it a line; what stands between backticks is set as code."""

    lines: list[str]


@dataclass(frozen=True)
class Contents:
    """Links to all headings of level 2 that come after it."""


Block = Heading | Text | Table | Picture | Items | Contents


def anchor(text: str) -> str:
    """The name by which links find a heading, as GitHub makes it of its text.

    Args:
      text: of the heading.
    """
    kept = re.sub(r"[^\w\- ]", "", text.lower())
    return kept.replace(" ", "-")


def _sections(blocks: Sequence[Block]) -> list[str]:
    """The headings of level 2."""
    return [b.text for b in blocks if isinstance(b, Heading) and b.level == 2]


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
            case Items(lines):
                paragraphs.append("\n".join(f"- {line}" for line in lines))
            case Contents():
                links = [f"- [{t}](#{anchor(t)})" for t in _sections(blocks)]
                paragraphs.append("\n".join(links))
    return "\n\n".join(paragraphs) + "\n"


# Tables and pictures that are wider than a narrow screen are moved sideways, each by
# itself; a picture is as large there as it was drawn, so that its letters are read.
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 1.5rem auto;
       padding: 0 1rem; color: #1c1c1c; background: #fff; overflow-wrap: break-word; }
p, ul, h1, h2, figcaption { max-width: 46rem; }
h1 { line-height: 1.2; }
h2 { margin-top: 3rem; border-top: 1px solid #ddd; padding-top: 1rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: 13px; line-height: 1.3; }
th, td { padding: .25rem .5rem; border-bottom: 1px solid #ddd; text-align: right;
         vertical-align: top; font-variant-numeric: tabular-nums; }
th { border-bottom: 2px solid #888; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0;
         background: #fff; min-width: 6rem; max-width: 14rem; }
figure { margin: 1rem 0; }
figcaption { font-size: 14px; color: #444; }
img { max-width: 100%; height: auto; }
code { background: #f3f3f3; padding: 0 .2rem; }
@media (max-width: 700px) {
  img { max-width: none; }
  th:first-child, td:first-child { max-width: 7rem; }
}
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
                place = f' id="{html.escape(anchor(text))}"' if level > 1 else ""
                elements.append(f"<h{level}{place}>{_inline(text)}</h{level}>")
            case Text(text):
                elements.append(f"<p>{_inline(text)}</p>")
            case Table(head, lines):
                elements.append(_html_table(head, lines))
            case Picture(_, alt, pixels):
                data = base64.b64encode(png(pixels)).decode()
                address = f"data:image/png;base64,{data}"
                image = f'<img alt="{html.escape(alt)}" src="{address}">'
                elements.append(
                    f'<figure><div class="scroll">{image}</div>\n'
                    f"<figcaption>{_inline(alt)}</figcaption></figure>"
                )
            case Items(lines):
                elements.append(_html_list([_inline(line) for line in lines]))
            case Contents():
                links = [
                    f'<a href="#{html.escape(anchor(t))}">{_inline(t)}</a>'
                    for t in _sections(blocks)
                ]
                elements.append(f"<nav>{_html_list(links)}</nav>")
    body = "\n".join(elements)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _html_list(lines: Sequence[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{line}</li>" for line in lines) + "\n</ul>"


def _html_table(head: list[str], lines: list[list[str]]) -> str:
    top = "".join(f"<th>{_inline(cell)}</th>" for cell in head)
    rows = (
        f"<tr><td>{_inline(line[0])}</td>"
        + "".join(f"<td>{_inline(_together(cell))}</td>" for cell in line[1:])
        + "</tr>"
        for line in lines
    )
    return (
        f'<div class="scroll"><table><thead><tr>{top}</tr></thead>\n<tbody>'
        + "\n".join(rows)
        + "</tbody></table></div>"
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


def _together(cell: str) -> str:
    """A cell whose figures stay on one line; one of words may go over several."""
    figures = any(letter.isdigit() for letter in cell)
    return cell.replace(" ", "\u00a0") if figures else cell


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

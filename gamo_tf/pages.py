"""A page as a list of blocks, written as Markdown and as one HTML file."""

from __future__ import annotations

import base64
import html
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gamo_tf import plots

NOTE = (
    "Protocol: the paper's test set, 100 images a class (digits 25). EMA: averaged "
    "weights, which the paper does not have. Seconds: of one run, training, evaluation "
    "and pictures; behind +, those spent before (making or training what adds images), "
    "which are among them."
)


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph; `code` between backticks is set so."""

    text: str


@dataclass(frozen=True)
class Table:
    """Cells are text; the first column is set to the left, the others to the right."""

    head: list[str]
    lines: list[list[str]]


@dataclass(frozen=True)
class Picture:
    """RGB [h, w, 3]; `name` of the file that Markdown points to."""

    name: str
    alt: str
    pixels: np.ndarray


Block = Heading | Text | Table | Picture


def markdown(blocks: list[Block]) -> str:
    """Pictures are links: the caller writes the files beside the text."""
    parts = []
    for block in blocks:
        match block:
            case Heading(text, level):
                parts.append("#" * level + " " + text)
            case Text(text):
                parts.append(text)
            case Table(head, lines):
                rule = ["---"] + ["---:"] * (len(head) - 1)
                rows = [head, rule, *lines]
                parts.append("\n".join("| " + " | ".join(r) + " |" for r in rows))
            case Picture(name, alt, _):
                parts.append(f"![{alt}]({name})")
    return "\n\n".join(parts) + "\n"


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


def page(blocks: list[Block], title: str) -> str:
    """One HTML file with everything in it; it asks for nothing else."""
    parts = []
    for block in blocks:
        match block:
            case Heading(text, level):
                parts.append(f"<h{level}>{_inline(text)}</h{level}>")
            case Text(text):
                parts.append(f"<p>{_inline(text)}</p>")
            case Table(head, lines):
                top = "".join(f"<th>{_inline(cell)}</th>" for cell in head)
                rows = (
                    "<tr>" + "".join(f"<td>{_inline(c)}</td>" for c in line) + "</tr>"
                    for line in lines
                )
                parts.append(
                    f"<table><thead><tr>{top}</tr></thead>\n<tbody>"
                    + "\n".join(rows)
                    + "</tbody></table>"
                )
            case Picture(_, alt, pixels):
                held = io.BytesIO()
                plots.save(pixels, held)
                data = base64.b64encode(held.getvalue()).decode()
                source = f"data:image/png;base64,{data}"
                parts.append(f'<img alt="{html.escape(alt)}" src="{source}">')
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _inline(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text))


# ---- cells ---------------------------------------------------------------------


def pair(line: Mapping, prefix: str = "", digits: int = 3) -> str:
    """ACSA / GM of a line with columns acsa, acsa_sd, gm, gm_sd; "" if they lack."""
    cells = []
    for key in ("acsa", "gm"):
        mean, sd = (line.get(f"{prefix}{key}{end}", math.nan) for end in ("", "_sd"))
        if math.isnan(mean):
            return ""
        cells.append(
            f"{mean:.{digits}f}" + ("" if math.isnan(sd) else f"±{sd:.{digits}f}")
        )
    return " / ".join(cells)


def seconds(line: Mapping) -> str:
    extra = line["extra_seconds"]
    told = f"{line['seconds']:.0f}"
    return told if math.isnan(extra) or extra < 1 else f"{told} (+{extra:.0f})"


def label(method: str, loss: str, weights: str, usual: str = "ls") -> str:
    """A method's name with what sets it apart in a table of the loss `usual`."""
    apart = [loss.upper()] * (loss != usual) + [weights] * bool(weights)
    return f"{method} ({', '.join(apart)})" if apart else method

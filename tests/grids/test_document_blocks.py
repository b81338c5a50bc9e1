"""Pages as blocks, and the cells of their tables."""

import math

import numpy as np

from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.grids import document
from gamo_tf.grids.document import (
    Contents,
    Heading,
    Items,
    Picture,
    Table,
    Text,
)

PAGE = [
    Heading("Title", 1),
    Text("a < b, `x & y`"),
    Table(["m", "n"], [["cn", "1"], ["gamo", "2"]]),
    Picture("p.png", "what it shows", np.zeros((2, 2, 3), np.uint8)),
]


def test_markdown():
    assert document.markdown(PAGE) == (
        "# Title\n\na < b, `x & y`\n\n| m | n |\n| --- | ---: |\n| cn | 1 |\n"
        "| gamo | 2 |\n\n![what it shows](p.png)\n"
    )


def test_html_is_escaped_code_is_set_and_pictures_are_inside():
    page = document.html_page(PAGE, "t & u")
    assert "<p>a &lt; b, <code>x &amp; y</code></p>" in page
    assert "<title>t &amp; u</title>" in page and "<h1>Title</h1>" in page
    assert "<tr><th>m</th><th>n</th></tr>" in page and "<td>gamo</td>" in page
    # What is wider than the window is moved sideways by itself.
    assert page.count('<div class="scroll">') == 2
    assert "<figcaption>what it shows</figcaption>" in page
    assert 'alt="what it shows" src="data:image/png;base64,iVBOR' in page


def test_contents_and_lists():
    blocks = [
        Heading("Page", 1),
        Contents(),
        Heading("mnist, 8,000 updates of M"),
        Heading("below", 3),
        Items(["`a` & b", "c"]),
        Heading("Under_score - x"),
    ]
    assert document.markdown(blocks[:3] + blocks[4:]) == (
        "# Page\n\n- [mnist, 8,000 updates of M](#mnist-8000-updates-of-m)\n"
        "- [Under_score - x](#under_score---x)\n\n## mnist, 8,000 updates of M\n\n"
        "- `a` & b\n- c\n\n## Under_score - x\n"
    )
    page = document.html_page(blocks, "")
    assert '<a href="#mnist-8000-updates-of-m">mnist, 8,000 updates of M</a>' in page
    assert '<h2 id="mnist-8000-updates-of-m">' in page and page.count("<a ") == 2
    assert "<li><code>a</code> &amp; b</li>" in page


def test_cells():
    names = [metric.name for metric in METRICS]
    line = {name: 0.5 for name in names} | {f"{name}_sd": 0.25 for name in names}
    every = " / ".join(["0.500±0.250"] * len(names))
    assert document.metric_cell(line) == every
    assert document.metric_cell({name: 0.5 for name in names}, digits=1) == " / ".join(
        ["0.5"] * len(names)
    )
    assert document.metric_cell(line, "paper_") == ""
    assert document.metric_cell(line | {names[-1]: math.nan}).endswith(" / -")
    assert document.METRIC_TITLES.count("/") == len(names) - 1
    assert document.seconds_cell({"seconds": 9.6, "extra_seconds": 0.4}) == "10"
    assert document.seconds_cell({"seconds": 9.6, "extra_seconds": 3.2}) == "10 (+3)"
    assert document.seconds_cell({"seconds": 9, "extra_seconds": math.nan}) == "9"
    assert document.method_cell("cn", "ls", "") == "cn"
    assert document.method_cell("cn", "ce", "EMA") == "cn (CE, EMA)"
    assert document.method_cell("cn", "ce", "", usual="ce") == "cn"

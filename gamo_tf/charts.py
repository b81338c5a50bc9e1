"""Pictures of the report: methods side by side, and recall against class size."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gamo_tf import pages, plots

_SHOWN = ("gamo", "cn", "ros", "convex-random", "logit-adjust")  # in colour


def scores(mine: pd.DataFrame) -> np.ndarray:
    """ACSA and GM on the full test set, a line a method, bars over seeds."""
    full = mine[mine["set"] == "test_full"]
    groups = dict(list(full.groupby(["name", "loss"], sort=False)))
    keys = sorted(groups, key=lambda k: groups[k].query("weights == ''")["gm"].mean())
    figure = Figure(figsize=(11, 1.2 + 0.3 * len(keys)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, metric in zip(panels, ("acsa", "gm"), strict=True):
        for weights, color, marker, shift in (
            ("", "C0", "o", 0.12),
            ("EMA", "C1", "s", -0.12),
        ):
            for y, key in enumerate(keys):
                rows = groups[key]
                values = rows[rows["weights"] == weights][metric]
                if len(values):
                    axes.errorbar(
                        values.mean(),
                        y + shift,
                        xerr=values.std() if len(values) > 1 else None,
                        fmt=marker,
                        color=color,
                        ms=4,
                        capsize=2,
                    )
        axes.set(xlabel=f"{metric.upper()}, full test set")
        axes.grid(alpha=0.3, axis="x")
    words = [pages.label(word, loss, "") for word, loss in keys]
    panels[0].set_yticks(range(len(keys)), words)
    for tick in panels[0].get_yticklabels():
        if tick.get_text() == "gamo":
            tick.set_fontweight("bold")
    figure.suptitle("circles: raw weights; squares: EMA; bars: deviation over seeds")
    return plots.render(figure)


def recalls(
    mine: pd.DataFrame, classes: tuple[str, ...], counts: tuple[int, ...]
) -> np.ndarray:
    """Recall on the full test set against class size, mean over seeds, raw weights."""
    full = mine[(mine["set"] == "test_full") & (mine["weights"] == "")]
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    order = np.argsort(counts)[::-1]
    for (word, loss), rows in full.groupby(["name", "loss"], sort=False):
        table = np.array(
            [[np.nan if r is None else r for r in x] for x in rows["recall"]]
        )
        mean = table.mean(axis=0)[order]
        if word in _SHOWN and (loss == "ls" or word == "logit-adjust"):
            color = f"C{_SHOWN.index(word)}"
            text = pages.label(word, loss, "")
            axes.plot(mean, marker="o", ms=3, color=color, label=text, zorder=3)
        else:
            axes.plot(mean, color="0.8", lw=0.8)
    words = [f"{classes[k]}\n{counts[k]}" for k in order]
    axes.set_xticks(range(len(order)), words, fontsize=8)
    axes.set(ylabel="recall, full test set", ylim=(0, 1.02))
    axes.set_xlabel("class, and its training images; grey: all other methods")
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8)
    return plots.render(figure)

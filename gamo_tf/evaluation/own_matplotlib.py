"""Matplotlib whatever its user's settings are: its own defaults, and no window.

Every module that draws imports Matplotlib's names from here. The user's backend and rc
file are neither used nor changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gamo_tf.own_settings import without_backend

__all__ = [
    "Axes",
    "Figure",
    "FigureCanvasAgg",
    "ScaledTranslation",
    "Transform",
    "with_default_style",
]

with without_backend():
    import matplotlib
    import matplotlib.style
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.transforms import ScaledTranslation, Transform


@contextmanager
def with_default_style() -> Iterator[None]:
    """Within it, Matplotlib draws by its own defaults. It also decorates functions."""
    with matplotlib.style.context("default"):
        yield

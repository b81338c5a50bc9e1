"""Matplotlib whatever its user's settings are: its own defaults, and no window.

Every module that draws imports Matplotlib's names from here. The user's backend and rc
file are neither used nor changed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = [
    "Axes",
    "Figure",
    "FigureCanvasAgg",
    "ScaledTranslation",
    "Transform",
    "with_default_style",
]

_BACKEND = "MPLBACKEND"  # of the environment; a notebook sets its own


@contextmanager
def _without_backend() -> Iterator[None]:
    """Within it, Matplotlib can be imported whatever backend the environment names.

    Afterwards Matplotlib has that backend, if it is one here.
    """
    backend = os.environ.get(_BACKEND)
    if not backend or "matplotlib" in sys.modules:
        yield
        return
    del os.environ[_BACKEND]
    try:
        yield
    finally:
        os.environ[_BACKEND] = backend
    with suppress(ValueError):
        matplotlib.rcParams["backend"] = backend


with _without_backend():
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

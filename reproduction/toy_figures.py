"""Figures 1 and 2: the game on points of a plane and of a line, from real trainings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from scipy.stats import gaussian_kde

from gamo_tf.evaluation import style
from gamo_tf.files import save_picture, write_text
from reproduction import toy_plots
from reproduction.toy_data import (
    CLASSES,
    MAJORITY,
    MINORITY,
    SEED,
    Points,
    ToyTraining,
    conditional_gan_points,
    crescent,
    line,
)

_UPDATES, _QUICK_UPDATES = 6000, 60  # of M, in Figure 1
_MOMENTS, _QUICK_MOMENTS = (0, 3, 15, 60), (0, 1, 3, 10)  # epochs, in Figure 2
_SHOWN = 300  # generated points in a panel of Figure 1
_GENERATED = 2000  # points that a density of Figure 2 is of
_CUT = 5  # the largest density of generated points that Figure 2 shows
_COLORS = {MAJORITY: style.REAL_MAJORITY, MINORITY: style.REAL_MINORITY}
_SIZES = {MAJORITY: 5, MINORITY: 14}  # of dots: the few are drawn larger


def figure1(quick: bool) -> tuple[np.ndarray, dict]:
    """Four panels: plain classifier, conditional GAN, G against M, GAMO (Figure 1).

    Args:
      quick: train for a moment only, to see that it runs.

    Returns:
      The picture, uint8 [h, w, 3], and its numbers: class sizes, updates of M, and
      recalls on 8,000 other points by panel.
    """
    points, test = crescent((800, 40), SEED), crescent((4000, 4000), SEED + 1)
    updates = _QUICK_UPDATES if quick else _UPDATES
    training = ToyTraining("cn", points, updates).train()
    trainings: list[tuple[str, ToyTraining, np.ndarray | None]] = [
        ("(a) plain classifier", training, None)
    ]
    extra = conditional_gan_points(points, updates // 2)
    training = ToyTraining("cn", points, updates, points.extended(extra)).train()
    trainings.append(("(b) conditional GAN, then classifier", training, extra))
    for title, method in (("(c) G against M", "gamo-no-d"), ("(d) GAMO", "gamo")):
        # A game updates M twice in an iteration.
        training = ToyTraining(method, points, updates // 2).train()
        trainings.append((title, training, training.generated(_SHOWN)))

    axis = np.linspace(-1, 1, 200)
    mesh = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    real = [
        (_named(points, k), _COLORS[k], _SIZES[k], points.x[points.y == k])
        for k in (MAJORITY, MINORITY)
    ]
    panels, recalls = [], {}
    for title, training, generated in trainings:
        recall = recalls[title] = training.recall(test)
        words = ", ".join(f"{name} {recall[name]:.2f}" for name in CLASSES)
        panels.append(
            toy_plots.PlanePanel(
                f"{title}\nrecall: {words}",
                real,
                None if generated is None else generated[:_SHOWN],
                training.minority_probability(mesh).reshape(200, 200),
            )
        )
    numbers = {"updates_of_M": updates, "counts": points.counts, "recall": recalls}
    title = (
        f"Figure 1: what M learns after {updates:,} updates, one seed; recalls of "
        f"{sum(test.counts):,} other points"
    )
    return toy_plots.plane(panels, axis, title), numbers


def figure2(quick: bool) -> tuple[np.ndarray, dict]:
    """Four moments of a training of G against M on a line (Section 3.1, Figure 2).

    Args:
      quick: train for a moment only, to see that it runs.

    Returns:
      The picture, uint8 [h, w, 3], and its numbers: class sizes and, for each moment,
      updates of M, mean and deviation of generated points, M's mean probability of
      the minority at them, and the border of M.
    """
    points = line((1000, 60), SEED)
    # Without an end: the moments are counted in epochs.
    training = ToyTraining("gamo-no-d", points, 10**9)
    axis = np.linspace(-1, 1, 400)
    real = [
        (_named(points, k), _COLORS[k], _density(_values(points, k), axis))
        for k in (MAJORITY, MINORITY)
    ]
    panels, moments, epochs = [], [], 0
    for moment in _QUICK_MOMENTS if quick else _MOMENTS:
        while epochs < moment:
            training.epoch()
            epochs += 1
        generated = training.generated(_GENERATED)[:, 0]
        minority = training.minority_probability(axis[:, None])
        updates = 2 * training.iterations
        density = np.minimum(_density(generated, axis), _CUT)
        title = f"after {updates} updates of M"
        panels.append(toy_plots.LinePanel(title, real, density, minority))
        at_generated = training.minority_probability(generated[:, None])
        moments.append(
            {
                "updates_of_M": updates,
                "generated_mean": float(generated.mean()),
                "generated_sd": float(generated.std()),
                "M_of_generated": float(at_generated.mean()),
                "border": _border(axis, minority),
            }
        )
    numbers = {"counts": points.counts, "moments": moments}
    title = (
        "Figure 2: G against M on a line, one seed; densities of real points and of "
        f"{_GENERATED:,} generated ones"
    )
    return toy_plots.line(panels, axis, _CUT, title), numbers


def _named(points: Points, label: int) -> str:
    """A class with the number of its points, as a legend says it."""
    return f"{CLASSES[label]}, real (n={points.counts[label]})"


def _values(points: Points, label: int) -> np.ndarray:
    """The points of a class on the line, [n]."""
    return points.x[points.y == label, 0]


def _density(values: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """A kernel estimate of the density at `axis` [k]; zero for values [n] that are
    all the same, of which there is none."""
    if values.std() > 1e-6:
        return gaussian_kde(values)(axis)
    return np.zeros_like(axis)


def _border(axis: np.ndarray, minority: np.ndarray) -> float | None:
    """The largest x at which M still says minority; None if it never does."""
    inside = axis[minority > 0.5]
    return float(inside.max()) if len(inside) else None


def write(name: str, out: Path, quick: bool) -> int:
    """Write a figure as ``NAME.png``, and its numbers as ``NAME.json``.

    Args:
      name: ``figure1`` or ``figure2``.
      out: directory of both files.
      quick: train for a moment only, to see that it runs.

    Returns:
      0, as nothing can fail in part.
    """
    picture, numbers = {"figure1": figure1, "figure2": figure2}[name](quick)
    numbers = {"seed": SEED, "quick": quick, "tensorflow": tf.__version__, **numbers}
    save_picture(out / f"{name}.png", picture)
    write_text(out / f"{name}.json", json.dumps(numbers, indent=2) + "\n")
    print(f"written: {out / name}.png, {name}.json")
    return 0

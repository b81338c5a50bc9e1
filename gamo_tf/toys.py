"""Figures 1 and 2: the game on points of a plane and of a line, from real trainings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from scipy.stats import gaussian_kde

from gamo_tf import gan, metrics, plots, train
from gamo_tf.folder import atomically, write_text
from gamo_tf.options import Options
from gamo_tf.specs import DatasetSpec

SEED, QUICK = 0, 60
_CLASSES = ("majority", "minority")


class Points(NamedTuple):
    """Points [n, dims] within [-1, 1] and labels [n]: 0, the majority, first."""

    x: np.ndarray
    y: np.ndarray

    @property
    def counts(self) -> tuple[int, ...]:
        return tuple(np.bincount(self.y).tolist())

    @property
    def images(self) -> tf.Tensor:
        """As an F without layers takes them: "pixels" [n, 1, dims, 1], 0 to 255."""
        return tf.constant((self.x[:, None, :, None] + 1) * 127.5, tf.float32)


def crescent(n: tuple[int, int], seed: int) -> Points:
    """A round majority within the hull of a crescent-shaped minority: a class that is
    not convex (Section 3.3)."""
    rng = np.random.default_rng(seed)
    blob = rng.normal((0.0, -0.05), 0.17, (n[0], 2))
    angle = rng.uniform(-0.15 * np.pi, 1.15 * np.pi, n[1])
    arc = 0.55 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    arc += rng.normal((0.0, -0.05), 0.08, arc.shape)
    x = np.clip(np.concatenate([blob, arc]), -1, 1)
    return Points(x, np.repeat([0, 1], n))


def line(n: tuple[int, int], seed: int) -> Points:
    """Two normal distributions that overlap."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.normal(0.25, 0.22, n[0]), rng.normal(-0.3, 0.18, n[1])])
    return Points(np.clip(x, -1, 1)[:, None], np.repeat([0, 1], n))


class Trial:
    """A method of METHODS on points, an epoch at a time.

    `rows`, if given, are trained on in the place of `points` (a method that adds
    points before training).
    """

    def __init__(
        self, method: str, points: Points, iterations: int, rows: Points | None = None
    ) -> None:
        self.points, self.rows = points, rows or points
        self.options = Options(
            dataset="toy",
            iterations=iterations,
            counts=points.counts,
            test_per_class=0,
            checkpoint_every=iterations,
            evaluate_every=iterations,
            method=method,
            seed=SEED,
        )
        self.spec = _spec(points)
        self.game = train.build(self.options, self.spec, len(self.rows.x))
        self.images = self.rows.images
        self.labels = tf.constant(self.rows.y, tf.int32)
        self.done = 0

    def epoch(self) -> None:
        self.done, _ = train.epoch(self.game, self.images, self.labels, self.done)

    def finish(self) -> Trial:
        while self.done < self.options.iterations:
            self.epoch()
        return self

    def minority(self, x: np.ndarray) -> np.ndarray:
        """M's probability of the minority at points [n, dims]."""
        images = Points(x, np.zeros(len(x), int)).images
        return self.game.M(self.game.F(images)).numpy()[:, 1]

    def generated(self, n: int) -> np.ndarray:
        """G(z|minority) of n fixed latents [n, dims]."""
        rng = np.random.default_rng(SEED)
        z = tf.constant(rng.standard_normal((n, self.options.latent)), tf.float32)
        own = self.points.x[self.points.y == 1].astype(np.float32)
        made, _ = self.game.G([z, tf.ones(n, tf.int32), tf.constant(own)])
        return made.numpy()

    def recall(self, test: Points) -> dict:
        guess = (self.minority(test.x) > 0.5).astype(int)
        found = metrics.summarise(metrics.confusion(test.y, guess, 2))
        return {**dict(zip(_CLASSES, found["recall"], strict=True)), "gm": found["gm"]}


def _spec(points: Points) -> DatasetSpec:
    shape = (1, points.x.shape[1], 1)
    return DatasetSpec(
        "toy", shape, _CLASSES, points.counts, (), 0, "", 0, "this project", ""
    )


# ---- Figure 1 ------------------------------------------------------------------


def figure1(quick: bool) -> tuple[np.ndarray, dict]:
    """Four panels: plain classifier, conditional GAN, G against M, GAMO."""
    points, test = crescent((800, 40), SEED), crescent((4000, 4000), SEED + 1)
    updates = QUICK if quick else 6000
    panels = [("(a) plain classifier", Trial("cn", points, updates).finish(), None)]
    extra = _conditional_gan(points, updates // 2)
    rows = Points(
        np.concatenate([points.x, extra]),
        np.concatenate([points.y, np.ones(len(extra), int)]),
    )
    trial = Trial("cn", points, updates, rows).finish()
    panels.append(("(b) conditional GAN, then classifier", trial, extra))
    for title, method in (("(c) G against M", "gamo-no-d"), ("(d) GAMO", "gamo")):
        trial = Trial(method, points, updates // 2).finish()
        panels.append((title, trial, trial.generated(300)))
    figure = Figure(figsize=(16, 4.4), layout="constrained")
    axis = np.linspace(-1, 1, 200)
    mesh = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    told = {"updates_of_M": updates, "counts": points.counts, "recall": {}}
    for axes, (title, trial, made) in zip(
        figure.subplots(1, 4, sharex=True, sharey=True), panels, strict=True
    ):
        recall = told["recall"][title] = trial.recall(test)
        p = trial.minority(mesh).reshape(200, 200)
        axes.contourf(axis, axis, p, [0, 0.5, 1], colors=["#dfe9f5", "#f9e3e0"])
        axes.contour(axis, axis, p, [0.5], colors="black", linewidths=1)
        for label, color, size in ((0, "C0", 5), (1, "C3", 14)):
            x = points.x[points.y == label]
            axes.scatter(*x.T, s=size, c=color, label=f"{_CLASSES[label]}, real")
        if made is not None:
            x = made[:300]
            axes.scatter(*x.T, s=22, c="C2", marker="+", lw=0.8, label="generated")
        words = ", ".join(f"{k} {recall[k]:.2f}" for k in _CLASSES)
        axes.set_title(f"{title}\nrecall: {words}", fontsize=10)
        axes.legend(fontsize=7, loc="lower left")
    return plots.render(figure), told


def _conditional_gan(points: Points, turns: int) -> np.ndarray:
    """Minority points that top it up to the majority, by a cGAN trained on all."""
    options = Trial("cn", points, 2).options
    made = gan.Gan(options, *gan.dense(_spec(points), options.latent))
    labels = tf.constant(points.y, tf.int32)
    made.train(points.images, labels, tf.constant(turns))
    n = points.counts[0] - points.counts[1]
    z = made.random.normal([n, options.latent])
    return made.G([z, tf.one_hot(tf.ones(n, tf.int32), 2)], training=False).numpy()


# ---- Figure 2 ------------------------------------------------------------------


def figure2(quick: bool) -> tuple[np.ndarray, dict]:
    """Densities of real and generated points, and M, at four moments of a training of
    G against M (Section 3.1)."""
    points = line((1000, 60), SEED)
    looks = (0, 1, 3, 10) if quick else (0, 3, 15, 60)  # epochs
    trial = Trial("gamo-no-d", points, 10**9)
    axis = np.linspace(-1, 1, 400)
    figure = Figure(figsize=(16, 4), layout="constrained")
    told, done = {"counts": points.counts, "moments": []}, 0
    for axes, look in zip(figure.subplots(1, 4, sharey=True), looks, strict=True):
        for _ in range(look - done):
            trial.epoch()
        done = look
        made, p = trial.generated(2000)[:, 0], trial.minority(axis[:, None])
        for label, color in ((0, "C0"), (1, "C3")):
            density = gaussian_kde(points.x[points.y == label, 0])
            axes.plot(
                axis, density(axis), color=color, label=f"{_CLASSES[label]}, real"
            )
        density = np.zeros_like(axis)
        if made.std() > 1e-6:
            density = gaussian_kde(made)(axis)
        axes.plot(
            axis,
            np.minimum(density, 5),
            color="C5",
            ls="--",
            label="generated (cut at 5)",
        )
        axes.plot(axis, p, color="black", ls=":", label="M, minority")
        updates = 2 * trial.done
        own = trial.minority(made[:, None]).mean()
        axes.set_title(f"after {updates} updates of M", fontsize=10)
        axes.set(xlabel="x", ylim=(0, 5.2))
        axes.legend(fontsize=7)
        told["moments"].append(
            {
                "updates_of_M": updates,
                "generated_mean": float(made.mean()),
                "generated_sd": float(made.std()),
                "M_of_generated": float(own),
                "border": _border(axis, p),
            }
        )
    return plots.render(figure), told


def _border(axis: np.ndarray, p: np.ndarray) -> float | None:
    """The largest x at which M still says minority; None if it never does."""
    inside = axis[p > 0.5]
    return float(inside.max()) if len(inside) else None


def write(name: str, out: Path, quick: bool) -> int:
    """NAME.png and its numbers, NAME.json, in `out`."""
    picture, told = {"figure1": figure1, "figure2": figure2}[name](quick)
    told = {"seed": SEED, "quick": quick, "tensorflow": tf.__version__, **told}
    atomically(out / f"{name}.png", lambda part: plots.save(picture, part))
    write_text(out / f"{name}.json", json.dumps(told, indent=2) + "\n")
    print(f"written: {out / name}.png, {name}.json")
    return 0

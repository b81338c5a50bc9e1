"""What is looked at while a run trains: metrics, parents, pictures; no test row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import MEASURED, VALIDATION
from gamo_tf.errors import printable
from gamo_tf.evaluation import game_watch, metrics, plots
from gamo_tf.evaluation.evaluator import DeviceSplit, Evaluator
from gamo_tf.files import save_picture
from gamo_tf.inference.convex_sampler import ConvexSampler, heaviest
from gamo_tf.methods.build import prediction_model
from gamo_tf.networks.feature_extractor import to_pixels
from gamo_tf.runs.metric_logger import MetricLogger
from gamo_tf.runs.run import Run
from gamo_tf.training.trainer import FeatureTrainer

LATENTS = 16  # fixed latents a minority class; the first few are drawn as pictures
MOST_LATENTS = 4000  # of all classes, whose weights [m, N] are in memory together


class FixedSamples(NamedTuple):
    """What G makes of the fixed latents at one moment.

    Attributes:
      labels: int [m].
      values: [m, d].
      weights: convex weights [m, N].
      rows: int [N], the training row of each column of the weights.
    """

    labels: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    rows: np.ndarray


class FixedLatents:
    """The same latents at every look, so that one sees how G moves.

    They are drawn once, by the run's seed.

    Args:
      trainer: a game with a convex generator.
    """

    def __init__(self, trainer: FeatureTrainer) -> None:
        self.trainer = trainer
        options = trainer.options
        minority = options.class_counts.minority
        fair = MOST_LATENTS // max(1, len(minority))
        each = min(LATENTS, max(plots.LATENTS_SHOWN, fair))
        self.labels = np.repeat(minority, each)
        shape = (len(self.labels), options.latent)
        rng = np.random.default_rng(options.seed)
        self.latents = rng.standard_normal(shape).astype(np.float32)

    def look(self, features: np.ndarray, labels: np.ndarray) -> FixedSamples:
        """What G makes of them.

        Args:
          features: of the training rows, at present, [n, d].
          labels: int [n].
        """
        sampler = ConvexSampler(self.trainer.G, features, labels)
        values, weights = sampler.generate(self.latents, self.labels)
        return FixedSamples(self.labels, values, weights, sampler.minority_rows)


class GameMonitor(MetricLogger):
    """Evaluates a run of any method and writes what it found to the run's folder.

    While the run trains, it looks at the validation rows and the training rows alone.
    The test rows are for `test`, which is called once, at the end.

    Args:
      run: is written to.
      spec: of its dataset.
      trainer: is looked at.
      rows: the split that it trains, is watched and is tested on.

    Attributes:
      raw: the newest evaluation of F and M (see `Evaluator`).
      ema: that of their moving averages; None where there are none.
      watched: what `game_watch` found last, by name and label: the ``prior`` of M on
        the rows that are watched, and more of a game with a convex generator.
    """

    def __init__(
        self, run: Run, spec: DatasetSpec, trainer: FeatureTrainer, rows: DeviceSplit
    ) -> None:
        titles = {**metrics.TITLES, "parents": "parents_per_sample"}
        super().__init__(run, trainer.iterations, _message, titles)
        self.run, self.spec, self.trainer, self.rows = run, spec, trainer, rows
        self.raw: dict[str, dict] = {}
        self.ema: dict[str, dict] | None = None
        self.watched: dict[str, dict[int, float]] = {}
        self._raw = self._evaluator({})
        # Of the networks, those that have an average are measured by it.
        averages = {k: average.network for k, average in trainer.averages.items()}
        self._ema = self._evaluator(averages) if averages else None
        self.fixed: FixedLatents | None = None
        if METHODS[trainer.options.method].convex:
            self.fixed = FixedLatents(trainer)

    def begin(self, iteration: int, history: list[dict]) -> None:
        super().begin(iteration, history)
        if iteration:
            print(f"resumed after iteration {iteration}", flush=True)

    def _evaluator(self, averages: dict[str, keras.Model]) -> Evaluator:
        networks = {**self.trainer.networks, **averages}
        M = prediction_model(self.trainer.options, networks["M"])
        return Evaluator(self.rows, len(self.spec.classes), networks["F"], M)

    def measure(self) -> np.ndarray | None:
        """Evaluate the validation rows and the training rows, into `raw`, `ema` and
        `watched`.

        Returns:
          Of a game with a convex generator, the features of the training rows [n, d].
        """
        self.raw = self._raw(VALIDATION, "train")
        self.ema = self._ema(VALIDATION, "train") if self._ema else None
        prior = self._raw.priors[self.rows.watched]
        self.watched = {"prior": dict(enumerate(prior.tolist()))}
        if not self.fixed:
            return None
        labels, others = self.rows.split.labels, self.rows.split.validation_labels
        features = self.trainer.features(self.rows.train).numpy()
        # The first rows of each class: validation rows are sorted by label.
        ranks = np.arange(len(others)) - np.searchsorted(others, others)
        beside = np.flatnonzero(ranks < game_watch.LOOKED_AT)
        looked_at = features[:0]
        if len(beside):
            images = tf.gather(self.rows.validation, beside)
            looked_at = self.trainer.features(images).numpy()
        self.watched |= game_watch.look(
            self.trainer, features, labels, looked_at, others[beside]
        )
        return features

    def test(self) -> None:
        """Evaluate the test rows, into `raw` and `ema`, and draw their confusion."""
        if not self.raw:  # the run was killed after its last checkpoint
            self.measure()
        self.raw = _merged(self.raw, self._raw("test", "test_full"))
        if self._ema and self.ema:
            self.ema = _merged(self.ema, self._ema("test", "test_full"))
        save_picture(self.run.picture("confusion.png"), self._confusion("test"))

    def evaluate(
        self, iteration: int, seconds: float, losses: dict[str, float]
    ) -> None:
        features = self.measure()
        pairs = [*self._scalars(), *((f"loss/{k}", v) for k, v in losses.items())]
        for name, found in self.watched.items():
            for label, value in found.items():
                pairs.append((f"{name}/{printable(self.spec.classes[label])}", value))
        samples = None
        # Of vectors there is nothing to look at.
        if self.fixed and features is not None and not self.spec.vector:
            fixed = self.fixed.look(features, self.rows.split.labels)
            samples = self._parents_picture(fixed)
        self.log(iteration, seconds, pairs)
        self._pictures(iteration, samples)

    def score(self) -> float:
        """The validation ACSA; of the averages, where there are any."""
        found = self.ema or self.raw
        return found[VALIDATION][metrics.CHOSEN_BY]

    def _scalars(self) -> Iterator[tuple[str, float]]:
        for prefix, sets in (("", self.raw), ("ema/", self.ema or {})):
            for name, summary in sets.items():
                for key, value in metrics.scalars(summary, self.spec.classes):
                    yield f"{prefix}{name}/{key}", value

    def _parents_picture(self, found: FixedSamples) -> np.ndarray:
        """The picture of some generated samples and the images they are made of, of the
        smallest classes."""
        sizes = self.trainer.options.counts
        smallest = sorted(set(found.labels), key=lambda label: sizes[label])
        shown = np.isin(found.labels, smallest[: plots.LINES_SHOWN])
        weights = found.weights[shown]
        top = heaviest(weights, plots.PARENTS_SHOWN)
        generated = None
        if self.spec.flat:  # features are pixels
            generated = to_pixels(found.values[shown], self.spec.shape)
        return plots.parents_grid(
            self.rows.split.images,
            found.rows[top],
            np.take_along_axis(weights, top, axis=1),
            found.labels[shown],
            self.spec.classes,
            generated,
        )

    def _pictures(self, iteration: int, samples: np.ndarray | None) -> None:
        if samples is not None:
            self.picture("samples", self.run.sample(iteration), samples, "train")
        path, watched = self.run.picture("confusion.png"), self.rows.watched
        self.picture("confusion", path, self._confusion(watched), watched)
        curves = plots.curves(self.history, self._title)
        save_picture(self.run.picture("curves.png"), curves)
        self.flush()

    @property
    def _title(self) -> str:
        return plots.cut(self.run.path.name, 60)

    def _confusion(self, name: str) -> np.ndarray:
        """The picture of the confusion matrix of a set."""
        matrix, title = self.raw[name]["confusion"], f"{self._title}, {name}"
        return plots.confusion_matrix(matrix, self.spec.classes, title)


def _merged(one: dict[str, dict], two: dict[str, dict]) -> dict[str, dict]:
    """What was found of the sets, in the order of `MEASURED`."""
    found = {**one, **two}
    return {name: found[name] for name in MEASURED if name in found}


def _message(row: dict) -> str:
    """The metrics of the set that is watched. Rows of a version before this one have
    those of the training rows too."""
    name = plots.watched(row)
    found = {m.name: row[f"{name}_{m.name}"] for m in metrics.METRICS}
    return f"{name} {metrics.line(found)}"

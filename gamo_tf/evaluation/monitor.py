"""What is looked at while a run trains: metrics of three sets, parents, pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.methods import METHODS
from gamo_tf.errors import printable
from gamo_tf.evaluation import metrics, plots
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
      effective: of each minority label, the effective number of parents: exp(entropy
        of the weights), mean over its latents. 1 copies one parent; n_i weighs all
        rows of the class alike.
    """

    labels: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    rows: np.ndarray
    effective: dict[int, float]


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

    def look(self, rows: DeviceSplit) -> FixedSamples:
        """What G makes of them from the present features of the training rows.

        Args:
          rows: the split.
        """
        features = self.trainer.features(rows.train).numpy()
        sampler = ConvexSampler(self.trainer.G, features, rows.split.labels)
        values, weights = sampler.generate(self.latents, self.labels)
        effective = {}
        for label in sampler.rows:
            own = weights[self.labels == label]
            entropy = -np.sum(own * np.log(np.maximum(own, 1e-12)), axis=1)
            effective[label] = float(np.exp(entropy).mean())
        found = (self.labels, values, weights, sampler.minority_rows)
        return FixedSamples(*found, effective)


class GameMonitor(MetricLogger):
    """Evaluates a run of any method and writes what it found to the run's folder.

    Args:
      run: is written to.
      spec: of its dataset.
      trainer: is looked at.
      rows: the split that it trains and is tested on.

    Attributes:
      raw: the newest evaluation of F and M (see `Evaluator`).
      ema: that of their moving averages; None where there are none.
    """

    def __init__(
        self, run: Run, spec: DatasetSpec, trainer: FeatureTrainer, rows: DeviceSplit
    ) -> None:
        titles = {**metrics.TITLES, "parents": "effective_parents"}
        super().__init__(run, trainer.iterations, _message, titles)
        self.run, self.spec, self.trainer, self.rows = run, spec, trainer, rows
        self.raw: dict[str, dict] = {}
        self.ema: dict[str, dict] | None = None
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

    def measure(self) -> None:
        """Evaluate now, into `raw` and `ema`."""
        self.raw = self._raw()
        self.ema = self._ema() if self._ema else None

    def evaluate(
        self, iteration: int, seconds: float, losses: dict[str, float]
    ) -> None:
        self.measure()
        pairs = [*self._scalars(), *((f"loss/{k}", v) for k, v in losses.items())]
        samples = None
        if self.fixed:
            found = self.fixed.look(self.rows)
            for label, value in found.effective.items():
                pairs.append((f"parents/{printable(self.spec.classes[label])}", value))
            if not self.spec.vector:  # of vectors there is nothing to look at
                samples = self._parents_picture(found)
        self.log(iteration, seconds, pairs)
        self._pictures(iteration, samples)

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
            self.picture("samples", self.run.sample(iteration), samples)
        title, classes = plots.cut(self.run.path.name, 60), self.spec.classes
        matrix = self.raw["test"]["confusion"]
        picture = plots.confusion_matrix(matrix, classes, f"{title}, test")
        self.picture("confusion", self.run.picture("confusion.png"), picture)
        curves = plots.curves(self.history, title)
        save_picture(self.run.picture("curves.png"), curves)
        self.flush()


def _message(row: dict) -> str:
    on_test = {m.name: row[f"test_{m.name}"] for m in metrics.METRICS}
    return f"test {metrics.line(on_test)}"

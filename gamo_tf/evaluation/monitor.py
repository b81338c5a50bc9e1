"""What is looked at while a run trains: metrics, parents, pictures; no test row."""

from __future__ import annotations

import math
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import MEASURED, VALIDATION, Options
from gamo_tf.errors import printable
from gamo_tf.evaluation import game_watch, image_grids, metrics, plots
from gamo_tf.evaluation.evaluator import DeviceSplit, Evaluator
from gamo_tf.evaluation.fixed_latents import FixedLatents, FixedSamples, mixed
from gamo_tf.files import save_picture
from gamo_tf.inference.convex_sampler import heaviest
from gamo_tf.methods.build import prediction_model
from gamo_tf.networks.feature_extractor import to_pixels
from gamo_tf.runs.metric_logger import MetricLogger
from gamo_tf.runs.run import Run
from gamo_tf.training.feature_trainer import FeatureTrainer

# The groups of what `game_watch` finds: the prior is of the rows that are watched.
_OF_GAME = ["parents", "parents_over_latents", "share_of_rows", "outside_hull"]
_OF_GAME += ["d_accuracy", "weights", "coverage"]
_LOOKS = 3  # times in a run that pictures are drawn and the game is watched


def looks_closely(options: Options, evaluated: int, iteration: int) -> bool:
    """Whether an evaluation draws pictures and watches the game, which takes longer
    than the metrics: some `_LOOKS` times in a run, at the first and at the last.

    Args:
      options: of the run.
      evaluated: evaluations before this one.
      iteration: minibatches trained.
    """
    planned = math.ceil(options.iterations / options.evaluate_every)
    due = evaluated % max(1, planned // _LOOKS) == 0
    return due or iteration >= options.iterations


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
        number, options = run.path.name.split("-")[0], trainer.options
        super().__init__(
            run,
            trainer.iterations,
            _message,
            {**metrics.TITLES, "parents": "parents_per_sample"},
            groups={**dict.fromkeys(_OF_GAME, "game"), "prior": rows.watched},
            section=f"{plots.cut(spec.name)}{' (own data)' * bool(options.data)} ",
            short=f"{number} {options.method}",
        )
        self.run, self.spec, self.trainer, self.rows = run, spec, trainer, rows
        self.raw: dict[str, dict] = {}
        self.ema: dict[str, dict] | None = None
        self.watched: dict[str, dict[int, float]] = {}
        self._raw = self._evaluator({})
        # Of the networks, those that have an average are measured by it.
        averages = {k: average.network for k, average in trainer.averages.items()}
        self._ema = self._evaluator(averages) if averages else None
        self._drawn = 0  # evaluations that curves.png shows
        self.fixed: FixedLatents | None = None
        if METHODS[trainer.options.method].learns_generator:
            self.fixed = FixedLatents(trainer)

    def begin(self, iteration: int, history: list[dict]) -> None:
        super().begin(iteration, history)
        self.card("settings", self._settings, self.rows.watched)
        if iteration:
            print(f"resumed after iteration {iteration}", flush=True)

    def _evaluator(self, averages: dict[str, keras.Model]) -> Evaluator:
        networks = {**self.trainer.networks, **averages}
        M = prediction_model(self.trainer.options, networks["M"])
        c, chunk = len(self.spec.classes), self.trainer.chunk
        return Evaluator(self.rows, c, networks["F"], M, chunk)

    def measure(self, closely: bool = True) -> np.ndarray | None:
        """Evaluate the validation rows and the training rows, into `raw`, `ema` and
        `watched`.

        Args:
          closely: whether the game is watched too; else `watched` has the prior alone.

        Returns:
          Of a game with a convex generator that is watched closely, the features of
          the training rows [n, d].
        """
        known = None
        if self.fixed:
            known = self.trainer.training_features(self.rows.train)
            self.raw = self._raw(VALIDATION, "train", features=known)
        else:  # others have no use for the features of all rows
            self.raw = self._raw(VALIDATION, "train")
        self.ema = self._ema(VALIDATION, "train") if self._ema else None
        prior = self._raw.priors[self.rows.watched]
        self.watched = {"prior": dict(enumerate(prior.tolist()))}
        if known is None or not closely:
            return None
        labels, others = self.rows.split.labels, self.rows.split.validation_labels
        features = np.asarray(known)  # shares its memory
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
        if self.history and self._drawn != len(self.history):
            self._curves()  # the last evaluation came before its time
        save_picture(self.run.picture("confusion.png"), self._confusion("test"))
        kinds = (("", self.raw), (", EMA", self.ema or {}))
        self.final(
            self._settings,
            {
                f"{name} {metric.title}{kind}": summary[metric.name]
                for kind, sets in kinds
                for name, summary in sets.items()
                for metric in metrics.METRICS
            },
        )
        self.flush()

    @property
    def _settings(self) -> dict[str, object]:
        """Every setting of the run, and what it was called."""
        return {"run": self._title, **self.trainer.options.to_json()}

    def evaluate(
        self, iteration: int, seconds: float, losses: dict[str, float]
    ) -> None:
        options = self.trainer.options
        closely = looks_closely(options, len(self.history), iteration)
        features = self.measure(closely)
        pairs = [*self._scalars(), *((f"loss/{k}", v) for k, v in losses.items())]
        for name, found in self.watched.items():
            for label, value in found.items():
                pairs.append((f"{name}/{printable(self.spec.classes[label])}", value))
        self.log(iteration, seconds, pairs)
        if not closely:
            self.flush()
            return
        samples = None
        if self.fixed and features is not None:
            fixed = self.fixed.look(features, self.rows.split.labels)
            self._histograms(fixed, iteration)
            if not self.spec.vector:  # of vectors there is nothing to look at
                samples = self._parents_picture(fixed, iteration)
        self._pictures(iteration, samples)

    def _histograms(self, found: FixedSamples, iteration: int) -> None:
        """Of the smallest classes: the convex weights, and how often each row is used
        (1: as often as if all rows of its class were used alike)."""
        labels = self.rows.split.labels[found.rows]
        for label in self._smallest(found):
            rows = np.flatnonzero(labels == label)
            weights = found.weights[found.labels == label][:, rows]
            name = printable(self.spec.classes[label])
            self.histogram(f"weights/{name}", weights, iteration)
            used = weights.mean(axis=0) * len(rows)
            self.histogram(f"coverage/{name}", used, iteration)

    def _smallest(self, found: FixedSamples) -> list[int]:
        """The smallest classes, as many as a picture shows."""
        sizes = self.trainer.options.counts
        labels = sorted(set(found.labels.tolist()), key=lambda label: sizes[label])
        return labels[: image_grids.LINES_SHOWN]

    def score(self) -> float:
        """The validation ACSA; of the averages, where there are any."""
        found = self.ema or self.raw
        return found[VALIDATION][metrics.CHOSEN_BY]

    def _scalars(self) -> Iterator[tuple[str, float]]:
        for prefix, sets in (("", self.raw), ("ema/", self.ema or {})):
            for name, summary in sets.items():
                for key, value in metrics.scalars(summary, self.spec.classes):
                    yield f"{prefix}{name}/{key}", value

    def _parents_picture(self, found: FixedSamples, iteration: int) -> np.ndarray:
        """The picture of some generated samples and the images they are made of, of the
        smallest classes."""
        options, images = self.trainer.options, self.rows.pictures
        shown = found.first(self._smallest(found))
        weights = found.weights[shown]
        top = heaviest(weights, image_grids.PARENTS_SHOWN)
        if self.run.options.features_are_pixels:
            made, word = to_pixels(found.values[shown], self.spec.shape), "generated"
        else:
            made, word = mixed(images, found.rows, weights), "pixels mixed"
        return image_grids.parents_grid(
            images,
            found.rows[top],
            np.take_along_axis(weights, top, axis=1),
            found.labels[shown],
            [
                f"{name} (n={n})"
                for name, n in zip(self.spec.classes, options.counts, strict=True)
            ],
            made,
            word,
            [f"latent {k + 1}" for k in range(image_grids.LATENTS_SHOWN)],
            f"{self._title}, iteration {iteration}: G's weights for fixed latents, and "
            "the real images that weigh most",
        )

    def _pictures(self, iteration: int, samples: np.ndarray | None) -> None:
        if samples is not None:
            self.picture("samples", self.run.sample(iteration), samples, "train")
        path, watched = self.run.picture("confusion.png"), self.rows.watched
        self.picture("confusion", path, self._confusion(watched), watched)
        self._curves()
        self.flush()

    def _curves(self) -> None:
        """Draw curves.png of all evaluations so far."""
        self._drawn = len(self.history)
        split, options = self.rows.split, self.trainer.options
        title = (
            f"{self._title}, seed {options.seed}: {len(split.labels)} training rows, "
            f"{len(split.validation_labels)} validation rows"
        )
        columns = [printable(name).replace("/", "_") for name in self.spec.classes]
        sizes = dict(zip(columns, options.counts, strict=True))
        curves = plots.curves(self.history, title, sizes)
        save_picture(self.run.picture("curves.png"), curves)

    @property
    def _title(self) -> str:
        return plots.cut(self.run.path.name, 60)

    def _confusion(self, name: str) -> np.ndarray:
        """The picture of the confusion matrix of a set."""
        matrix, title = self.raw[name]["confusion"], f"{self._title}, {name} rows"
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

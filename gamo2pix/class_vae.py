"""The VAE of one class, or of all, in its folder: trained, watched, kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tensorflow as tf

from gamo2pix.code_vae import CodeVae
from gamo2pix.generate import ImageGenerator
from gamo2pix.options import OLD, TUNING_RATE, PixOptions
from gamo2pix.vae import DecoderTrainer, FeatureDecoder, Vae
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.errors import UserError, printable, setting
from gamo_tf.evaluation import image_grids
from gamo_tf.files import beside, clock, mend, put_in_place, replace_folder
from gamo_tf.networks.saved import load_network, save_network
from gamo_tf.runs.metric_logger import MetricLogger
from gamo_tf.runs.run_directory import Reader, RunDirectory
from gamo_tf.stored import read_object, write_json
from gamo_tf.training import replicas
from gamo_tf.training.loop import Schedule, run_loop

SHOWN = 2 * image_grids.COLUMNS  # generated images in a picture
# What other machines are told of a training: its minibatches, and whether what is there
# is trained anew. Of what is trained already:
_NOTHING = (0, 0)


class VaeMonitor(MetricLogger):
    """Logs the losses of a class's VAE and draws what it generates.

    Args:
      directory: of the class.
      title: of the class, for pictures and messages.
      vae: the training.
      label: of the class that pictures show.
      generator: of the run.
      images: that are trained on.
    """

    def __init__(
        self,
        directory: RunDirectory,
        title: str,
        vae: DecoderTrainer,
        label: int,
        generator: ImageGenerator,
        images: int,
    ) -> None:
        super().__init__(directory, vae.iterations, _message)
        self.title, self.label, self.generator = title, label, generator
        self.images = images
        # It reads the networks as they are trained: each call sees their new weights.
        self.decoder = FeatureDecoder(vae.head, vae.decoder)

    def begin(self, iteration: int, history: list[dict]) -> None:
        """Say what is trained, and from which iteration if it goes on.

        Args:
          iteration: minibatches that a checkpoint has trained already; 0: none.
          history: of that checkpoint.
        """
        super().begin(iteration, history)
        resumed = f", from {iteration}" if iteration else ""
        print(f"{self.title}: VAE on {self.images} images{resumed}")

    def evaluate(
        self, iteration: int, seconds: float, losses: dict[str, float]
    ) -> None:
        """Write the losses, and generated images of the same latents every time.

        Args:
          iteration: minibatches trained.
          seconds: since the training began.
          losses: means over the last epoch, in nats.
        """
        self.log(iteration, seconds, losses.items())
        shown = self.generator.generate(self.label, self.decoder, 0, SHOWN).images
        lines = image_grids.wrapped("generated", shown, 2)
        path = self.directory.picture("generated.png")
        self.picture("generated", path, image_grids.grid(lines, self.title), "train")


def _message(row: dict) -> str:
    """What the progress line says of a row of metrics.csv."""
    return f"nats: image {row['reconstruction']:.0f}, KL {row['KL']:.0f}"


@dataclass(frozen=True)
class Job:
    """A training in a folder.

    Attributes:
      directory: is filled with options.json, metrics.csv, pictures, checkpoints, the
        networks and, at last, results.json.
      title: for pictures and messages.
      name: of what is trained on, for results.json.
      label: of the class that pictures show.
      rows: of the training images of the run.
      options: settings.
      iterations: minibatches.
      begin: folder of the networks to begin with; None: new ones.
    """

    directory: RunDirectory
    title: str
    name: str
    label: int
    rows: np.ndarray
    options: PixOptions
    iterations: int
    begin: RunDirectory | None = None


def train_shared(
    directory: RunDirectory,
    options: PixOptions,
    generator: ImageGenerator,
    retrain: bool = False,
) -> None:
    """Train the decoder of all classes, as `train` does that of one.

    Args:
      directory: of what all classes share.
      options: settings, whose recipe has a shared decoder.
      generator: of the run.
      retrain: train it anew.

    Raises:
      UserError: as `train`.
      Stopped: as `train`.
    """
    smallest = min(generator.rows, key=lambda label: len(generator.rows[label]))
    rows = np.arange(len(generator.images))
    length = options.shared_iterations
    if not length and not retrain:
        length = _begun_length(directory)  # what there is does for any class
    length = length or options.shared_length(len(rows))
    name = "all classes"
    # The minibatches of a class are no matter here.
    own = replace(options, iterations=None, shared_iterations=length)
    job = Job(directory, name, name, smallest, rows, own, length)
    _train_or_replace(job, generator, retrain)


def _begun_length(directory: RunDirectory) -> int | None:
    """Minibatches of a shared training that was begun; None: none was."""
    path = directory.path / "options.json"
    return read_object(path).get("shared_iterations") if path.is_file() else None


def train(
    directory: RunDirectory,
    spec: DatasetSpec,
    label: int,
    options: PixOptions,
    generator: ImageGenerator,
    retrain: bool = False,
    shared: RunDirectory | None = None,
) -> None:
    """Train the VAE of a class, unless its folder has it; go on where it was stopped.

    Args:
      directory: of the class (see `Job`).
      spec: of the dataset.
      label: of the class.
      options: settings.
      generator: of the run; it has the class's images and their features.
      retrain: train it anew. What the folder has stays until that is finished.
      shared: has what `train_shared` trained; of recipes without it None.

    Raises:
      UserError: the folder was begun with other settings, or a loss became NaN.
      Stopped: Ctrl-C, with a checkpoint saved.
    """
    title = f"class {label} ({printable(spec.classes[label])})"
    rows = generator.rows[label]  # in the order of G's columns
    length, name = options.length(len(rows)), spec.classes[label]
    job = Job(directory, title, name, label, rows, options, length, shared)
    _train_or_replace(job, generator, retrain)


def _train_or_replace(job: Job, generator: ImageGenerator, retrain: bool) -> None:
    directory, anew = job.directory, _anew(job)
    if replicas.assists():
        _assist(job, generator)
        return
    mend(directory.path)
    broken_off = anew.path.is_dir()
    if broken_off:
        print(f"{job.title}: was being trained anew when that was broken off")
    if directory.finished and (retrain or broken_off):
        _train(replace(job, directory=anew), generator, retrain, anew=True)
        put_in_place(anew.path, directory.path)
        return
    _train(job, generator, retrain)


def _anew(job: Job) -> RunDirectory:
    """Where what is there already is trained anew."""
    return RunDirectory(beside(job.directory.path, ".new-"))


def _assist(job: Job, generator: ImageGenerator) -> None:
    """Train along with the process that keeps the folder, if that trains at all."""
    iterations, anew = replicas.told(*_NOTHING)
    if not iterations:
        return
    directory = _anew(job) if anew else job.directory
    vae, data = _prepared(replace(job, iterations=iterations), generator)
    run_loop(vae, data, store=Reader(directory))


def _train(
    job: Job, generator: ImageGenerator, retrain: bool, anew: bool = False
) -> None:
    """Train in a folder, or go on there."""
    directory, title = job.directory, job.title
    if not _begin(directory, job.options, retrain):
        replicas.told(*_NOTHING)
        print(f"{title}: trained already; {setting('retrain')} trains it anew")
        return
    replicas.told(job.iterations, anew)
    vae, data = _prepared(job, generator)
    monitor = VaeMonitor(directory, title, vae, job.label, generator, len(job.rows))
    run_loop(
        vae,
        data,
        # Every epoch is looked at and saved: there are only about ten.
        schedule=Schedule(vae.steps_per_epoch, vae.steps_per_epoch),
        monitor=monitor,
        store=directory,
        go_on="the same command",
        remedy="",  # the learning rate of a VAE cannot be chosen
    )
    monitor.flush()
    for name, network in vae.networks.items():
        save_network(directory.model(name), network)
    last = monitor.history[-1]
    results = {"class": job.name, "images": len(job.rows), **last}
    directory.write_results(results)
    print(f"{title}: done in {clock(results['seconds'])}", flush=True)


def _prepared(
    job: Job, generator: ImageGenerator
) -> tuple[DecoderTrainer, tuple[tf.Tensor, tf.Tensor]]:
    """The training of a job, and its rows."""
    features, images = generator.features[job.rows], generator.images[job.rows]
    data = tf.constant(features), tf.constant(images)
    shape, options = images.shape[1:], job.options
    if generator.code is None:
        return Vae(options, features.shape[1], shape, len(job.rows)), data
    if job.begin:
        rate = TUNING_RATE * options.learning_rate
        options = replace(options, learning_rate=rate)
    labels = generator.labels
    counts = tuple(np.bincount(labels[job.rows], minlength=labels.max() + 1).tolist())
    vae = CodeVae(options, generator.code, shape, counts, job.iterations)
    if job.begin:
        for name, network in vae.networks.items():
            begun = load_network(job.begin.model(name))
            network.set_weights(begun.get_weights())
    return vae, data


def _begin(directory: RunDirectory, options: PixOptions, retrain: bool) -> bool:
    """Prepare the folder of a class; False where its training is finished.

    Raises UserError where it was begun with other settings and is not to be trained
    anew, or its settings cannot be read.
    """
    path = directory.path / "options.json"
    if path.is_file():
        begun = read_object(path)
        # A VAE that went on with other settings would not be the one that
        # options.json describes.
        begun = OLD | begun
        differ = [k for k, v in options.to_json().items() if begun.get(k) != v]
        if not differ:
            directory.check_links()
            return not directory.finished
        if not retrain:
            settings = ", ".join(f"{k} {begun.get(k) or 'as default'}" for k in differ)
            raise UserError(
                f"{directory.path}: was begun with {settings}. Give the same, or "
                f"{setting('retrain')}."
            )

    def write(part: Path) -> None:
        RunDirectory(part).make()
        write_json(part / "options.json", options.to_json())

    replace_folder(directory.path, write)
    return True

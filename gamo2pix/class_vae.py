"""The VAE of one class in its folder: trained, watched, kept."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from gamo2pix.generate import ImageGenerator
from gamo2pix.options import PixOptions
from gamo2pix.vae import FeatureDecoder, Vae
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.errors import UserError, printable, setting
from gamo_tf.evaluation import image_grids
from gamo_tf.files import clock, mend, put_in_place, replace_folder
from gamo_tf.networks.saved import save_network
from gamo_tf.runs.metric_logger import MetricLogger
from gamo_tf.runs.run_directory import RunDirectory
from gamo_tf.stored import read_object, write_json
from gamo_tf.training.loop import Schedule, run_loop

SHOWN = 2 * image_grids.COLUMNS  # generated images in a picture


class VaeMonitor(MetricLogger):
    """Logs the losses of a class's VAE and draws what it generates.

    Args:
      directory: of the class.
      title: of the class, for pictures and messages.
      vae: the training.
      label: of the class.
      generator: of the run.
    """

    def __init__(
        self,
        directory: RunDirectory,
        title: str,
        vae: Vae,
        label: int,
        generator: ImageGenerator,
    ) -> None:
        super().__init__(directory, vae.iterations, _message)
        self.title, self.label, self.generator = title, label, generator
        # It reads the networks as they are trained: each call sees their new weights.
        self.decoder = FeatureDecoder(vae.head, vae.decoder)

    def begin(self, iteration: int, history: list[dict]) -> None:
        """Say what is trained, and from which iteration if it goes on.

        Args:
          iteration: minibatches that a checkpoint has trained already; 0: none.
          history: of that checkpoint.
        """
        super().begin(iteration, history)
        images = len(self.generator.rows[self.label])
        resumed = f", from {iteration}" if iteration else ""
        print(f"{self.title}: VAE on {images} images{resumed}")

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
    return "  ".join(f"{name} {row[name]:.1f}" for name in Vae.loss_names) + " nats"


def train(
    directory: RunDirectory,
    spec: DatasetSpec,
    label: int,
    options: PixOptions,
    generator: ImageGenerator,
    retrain: bool = False,
) -> None:
    """Train the VAE of a class, unless its folder has it; go on where it was stopped.

    Args:
      directory: of the class. It is filled with options.json, metrics.csv, pictures,
        checkpoints, the networks and, at last, results.json.
      spec: of the dataset.
      label: of the class.
      options: settings.
      generator: of the run; it has the class's images and their features.
      retrain: train it anew. What the folder has stays until that is finished.

    Raises:
      UserError: the folder was begun with other settings, or a loss became NaN.
      Stopped: Ctrl-C, with a checkpoint saved.
    """
    title = f"class {label} ({printable(spec.classes[label])})"
    mend(directory.path)
    anew = RunDirectory(directory.path.with_name(f".new-{directory.path.name}"))
    broken_off = anew.path.is_dir()
    if broken_off:
        print(f"{title}: was being trained anew when that was broken off")
    if directory.finished and (retrain or broken_off):
        _train(anew, title, spec, label, options, generator, retrain)
        put_in_place(anew.path, directory.path)
        return
    _train(directory, title, spec, label, options, generator, retrain)


def _train(
    directory: RunDirectory,
    title: str,
    spec: DatasetSpec,
    label: int,
    options: PixOptions,
    generator: ImageGenerator,
    retrain: bool,
) -> None:
    """Train in a folder, or go on there. Arguments as `train` has them."""
    if not _begin(directory, options, retrain):
        print(f"{title}: trained already; {setting('retrain')} trains it anew")
        return
    rows = generator.rows[label]  # in the order of G's columns
    features, images = generator.features[rows], generator.images[rows]
    vae = Vae(options, features.shape[1], spec.shape, len(rows))
    monitor = VaeMonitor(directory, title, vae, label, generator)
    run_loop(
        vae,
        (tf.constant(features), tf.constant(images)),
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
    results = {"class": spec.classes[label], "images": len(rows), **last}
    directory.write_results(results)
    print(f"{title}: done in {clock(results['seconds'])}", flush=True)


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

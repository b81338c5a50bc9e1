"""The composer of GAMO2pix: a run's classes -> VAEs, pictures, scores, a folder."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from gamo2pix import (
    balanced_folder,
    class_vae,
    downstream,
    extractors,
    figures,
    score,
)
from gamo2pix.generate import Generated, ImageGenerator
from gamo2pix.options import PixOptions
from gamo2pix.vae import FeatureDecoder
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import spec_of
from gamo_tf.errors import UserError, command, did_you_mean, printable, setting
from gamo_tf.files import clock, write_text
from gamo_tf.runs.run import Run
from gamo_tf.runs.run_directory import RunDirectory


@dataclass(frozen=True)
class Request:
    """What to do with a run's classes, beyond training their VAEs.

    Attributes:
      fid_features: "inception", "classifier" or a .keras file; None: what can be had.
      inception_weights: .h5 file of Inception-v3; None: Keras downloads them.
      retrain: train classes anew that are trained already.
      save_balanced: folder of the balanced dataset; None: none is written.
      per_class: images a class in that folder; None: as many as the largest has.
      force: replace that folder.
      evaluate: train the plain classifier on that folder and on the originals.
      score: compare the generated images with real ones.
    """

    fid_features: str | None = None
    inception_weights: Path | None = None
    retrain: bool = False
    save_balanced: Path | None = None
    per_class: int | None = None
    force: bool = False
    evaluate: bool = False
    score: bool = True


def pick(wanted: str, spec: DatasetSpec, run: Run) -> list[int]:
    """The labels of the classes that were asked for.

    Args:
      wanted: a label, a class name, or "all" for every minority class.
      spec: of the dataset.
      run: whose class sizes count.

    Returns:
      Labels, ascending.

    Raises:
      UserError: there is no such class, or it is one of the largest, which have no
        IGU.
    """
    counts = run.options.class_counts
    if wanted == "all":
        return list(counts.minority)
    if wanted in spec.classes:
        label = spec.classes.index(wanted)
    elif wanted.isdigit() and int(wanted) < len(spec.classes):
        label = int(wanted)
    else:
        names = ", ".join(f"{k} {name}" for k, name in enumerate(spec.classes))
        near = did_you_mean(wanted, ["all", *spec.classes])
        raise UserError(
            f"{setting('class')} {wanted}: expected 'all' or one of {names}.{near}"
        )
    if label not in counts.minority:
        raise UserError(
            f"{setting('class')} {wanted}: {spec.classes[label]} is the largest class "
            f"of {run.path.name} ({counts.sizes[label]} images); it needs no "
            "generation."
        )
    return [label]


def check(run: Run) -> DatasetSpec:
    """Make sure that GAMO2pix can use a run.

    Args:
      run: any run.

    Returns:
      The spec of its dataset.

    Raises:
      UserError: the run is not finished, has no convex G, or has no images.
    """
    options = run.options
    if not run.finished:
        go_on = command("train", "--resume", run.path)
        raise UserError(f"{run.path}: not finished. Go on with: {go_on}")
    if not METHODS[options.method].convex:
        train_one = command("train", "--dataset", options.dataset, "--method", "gamo")
        raise UserError(
            f"{run.path}: {options.method} has no convex generator. Train one: "
            f"{train_one}"
        )
    spec = spec_of(options)
    if spec.vector:
        raise UserError(f"{run.path}: was trained on vectors; there are no images.")
    return spec


def run(
    gamo_run: Run, wanted: str, options: PixOptions, request: Request, data_dir: Path
) -> list[dict]:
    """Do everything that was asked for, in order; print what was found and where.

    Args:
      gamo_run: a finished run with a convex G.
      wanted: the classes (see `pick`).
      options: of the VAEs.
      request: what to do beside.
      data_dir: folder of the published files.

    Returns:
      The scores (see `score.score_classes`).

    Raises:
      UserError: something that was asked for cannot be done.
      Stopped: Ctrl-C while a VAE was trained, with a checkpoint saved.
    """
    spec = check(gamo_run)
    labels = pick(wanted, spec, gamo_run)
    _check_folder(gamo_run, request)
    gamo_run.check_links()
    gamo_run.pix.mkdir(exist_ok=True)
    with RunDirectory(gamo_run.pix).lock():
        return _run(gamo_run, wanted, options, request, data_dir, spec, labels)


def _run(
    gamo_run: Run,
    wanted: str,
    options: PixOptions,
    request: Request,
    data_dir: Path,
    spec: DatasetSpec,
    labels: list[int],
) -> list[dict]:
    """As `run`, once everything is found fit."""
    # Of a run that repeats bit for bit, everything that follows does.
    if gamo_run.options.deterministic:
        tf.config.experimental.enable_op_determinism()
    arrays = gamo_run.arrays(data_dir)
    split = gamo_run.load_split(arrays)
    names = printable(", ".join(spec.classes[k] for k in labels))
    print(f"{gamo_run.path}: GAMO2pix of {names}")
    # Before the VAEs, which take minutes: Inception's weights may not be there.
    chosen = []
    if request.score:
        chosen = extractors.choose(
            request.fid_features, request.inception_weights, spec, arrays, data_dir
        )
    generator = ImageGenerator(gamo_run, split, options.seed)
    decoders = train_classes(
        gamo_run, spec, labels, options, generator, request.retrain
    )

    # Asked for class by class, so that the images of one class are in memory at a time.
    def generate(label: int, n: int) -> dict[str, Generated]:
        decoder = decoders[label]
        found = {score.GAMO: generator.generate(label, decoder, 0, n)}
        for name, concentration in score.CONTROLS.items():
            alpha = concentration(len(generator.rows[label]))
            weights = generator.random_weights(label, n, alpha)
            found[name] = generator.from_weights(label, decoder, weights)
        return found

    # The scores of one class must not replace those of all classes.
    folder = gamo_run.pix
    if wanted != "all":
        folder = gamo_run.pix_class(spec.classes[labels[-1]]).path
    scores = []
    if chosen:
        scores = score.score_classes(folder, spec, split, labels, generate, chosen)
    target = request.save_balanced
    if target:
        began = time.perf_counter()
        added = balanced_folder.save(
            target,
            gamo_run,
            spec,
            split,
            generator,
            decoders,
            request.per_class or gamo_run.options.class_counts.largest,
            {"gamo2pix_options": options.to_json(), "scores": scores},
        )
        took = clock(time.perf_counter() - began)
        n = sum(added.values())
        print(f"balanced folder: {target}, {n} generated images, written in {took}")
    if request.evaluate:
        found = downstream.evaluate(gamo_run, spec, split, target or gamo_run.balanced)
        path = gamo_run.pix / "evaluation.json"
        write_text(path, json.dumps(found, indent=2) + "\n")
        print(downstream.text(found))
    print(f"pictures     {gamo_run.pix}/<class>/generated.png, parents.png, ...")
    print(f"TensorBoard  tensorboard --logdir {gamo_run.pix}")
    return scores


def _check_folder(gamo_run: Run, request: Request) -> None:
    """Raises UserError for a balanced folder that is in the way, or is missing."""
    if request.save_balanced:
        balanced_folder.check(request.save_balanced, request.force)
    elif request.evaluate and not (gamo_run.balanced / "manifest.csv").is_file():
        raise UserError(
            f"{setting('evaluate')}: {gamo_run.balanced} is not there yet. Give "
            f"{setting('class')} all {setting('save_balanced')} too."
        )


def train_classes(
    gamo_run: Run,
    spec: DatasetSpec,
    labels: Sequence[int],
    options: PixOptions,
    generator: ImageGenerator,
    retrain: bool = False,
) -> dict[int, FeatureDecoder | None]:
    """Train the VAEs of classes, those that are missing, and draw their pictures.

    Args:
      gamo_run: the run that G is from.
      spec: of the dataset.
      labels: of the classes.
      options: of the VAEs.
      generator: of the run.
      retrain: train classes anew that are trained already.

    Returns:
      What decodes the features of each class, by label; None for a flat run, whose G
      makes the images itself.

    Raises:
      UserError: a class was begun with other settings.
      Stopped: Ctrl-C while a VAE was trained, with a checkpoint saved.
    """
    if spec.flat:
        print("a flat run: G makes the images itself, there is no VAE to train")
    decoders: dict[int, FeatureDecoder | None] = {}
    for label in labels:
        directory = gamo_run.pix_class(spec.classes[label])
        decoders[label] = None
        if not spec.flat:
            class_vae.train(directory, spec, label, options, generator, retrain)
            decoders[label] = FeatureDecoder.load(directory)
        figures.draw(directory, spec, label, generator, decoders[label])
    return decoders

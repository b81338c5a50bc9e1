"""The composer of GAMO2pix: a run's classes -> VAEs, pictures, scores, a folder."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gamo2pix import (
    balanced_folder,
    class_vae,
    downstream,
    extractors,
    figures,
    real_files,
    reference_classifier,
    score,
    verdict,
)
from gamo2pix.generate import Generated, ImageGenerator
from gamo2pix.options import PixOptions
from gamo2pix.reference_classifier import ReferenceClassifier
from gamo2pix.request import Request, check, check_folder, pick
from gamo2pix.trust import Judge
from gamo2pix.vae import FeatureDecoder
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.methods import METHODS
from gamo_tf.data.splits import Split
from gamo_tf.errors import printable, setting, tensorboard
from gamo_tf.files import clock
from gamo_tf.own_settings import own_settings
from gamo_tf.prepare import repeat_exactly
from gamo_tf.runs.run import Run
from gamo_tf.runs.run_directory import RunDirectory
from gamo_tf.training import replicas

_AFTER_LOSS = "All is kept up to the last checkpoint; the same command goes on."


class Outcome(NamedTuple):
    """What `run` found and wrote.

    Attributes:
      scores: see `score.score_classes`.
      unbalanced: classes by name that a balanced folder has without generated images,
        each with the verdict that is the reason.
    """

    scores: list[dict]
    unbalanced: dict[str, str]


@own_settings()
def run(
    gamo_run: Run, wanted: str, options: PixOptions, request: Request, data_dir: Path
) -> Outcome:
    """Do everything that was asked for, in order; print what was found and where.

    Args:
      gamo_run: a finished run with a convex G.
      wanted: the classes (see `request.pick`).
      options: of the VAEs.
      request: what to do beside.
      data_dir: folder of the published files.

    Raises:
      UserError: something that was asked for cannot be done.
      Stopped: Ctrl-C while a VAE was trained, with a checkpoint saved.
    """
    spec = check(gamo_run)
    labels = pick(wanted, spec, gamo_run)
    check_folder(gamo_run, request)
    gamo_run.check_links()
    gamo_run.pix.mkdir(exist_ok=True)
    with RunDirectory(gamo_run.pix).lock():
        return _run(gamo_run, wanted, options, request, data_dir, spec, labels)


@own_settings()
def assist(
    gamo_run: Run, wanted: str, options: PixOptions, request: Request, data_dir: Path
) -> None:
    """Train the VAEs along with a process on another machine, which keeps them and does
    all else.

    Args and errors: as `run` has them; or the other process ended early.
    """
    spec = check(gamo_run)
    labels = pick(wanted, spec, gamo_run)
    repeat_exactly(gamo_run.options)
    split = gamo_run.load_split(gamo_run.arrays(data_dir))
    shared_out = replicas.strategy(request.strategy, options.batch_size // 2)
    generator = ImageGenerator(gamo_run, split, options.seed, options.recipe)
    with replicas.using(shared_out), replicas.losing_none(_AFTER_LOSS):
        train_classes(gamo_run, spec, labels, options, generator, request.retrain)


def _run(
    gamo_run: Run,
    wanted: str,
    options: PixOptions,
    request: Request,
    data_dir: Path,
    spec: DatasetSpec,
    labels: list[int],
) -> Outcome:
    """As `run`, once everything is found fit."""
    repeat_exactly(gamo_run.options)
    arrays = gamo_run.arrays(data_dir)
    split = gamo_run.load_split(arrays)
    names = printable(", ".join(spec.classes[k] for k in labels))
    print(f"{gamo_run.path}: GAMO2pix of {names}")

    @cache  # it takes minutes, and is needed at two places
    def reference() -> ReferenceClassifier:
        return reference_classifier.reference(spec, arrays, gamo_run.path.parent)

    # Devices share out halves of a minibatch (see `CodeVae`).
    shared_out = replicas.strategy(request.strategy, options.batch_size // 2)
    # Before the VAEs, which take minutes: Inception's weights may not be there.
    chosen = []
    if request.score:
        chosen = extractors.choose(
            request.fid_features, request.inception_weights, reference
        )
    generator = ImageGenerator(gamo_run, split, options.seed, options.recipe)
    with replicas.using(shared_out), replicas.losing_none(_AFTER_LOSS):
        decoders = train_classes(
            gamo_run, spec, labels, options, generator, request.retrain
        )
    if request.parents:
        print(figures.parents_text(spec, labels, generator))
    scores = []
    if chosen:
        # The scores of one class must not replace those of all classes.
        folder = gamo_run.pix
        if wanted != "all":
            folder = gamo_run.pix_class(spec.classes[labels[-1]]).path
        generate = _sources(generator, decoders)
        scores = score.score_classes(folder, spec, split, labels, generate, chosen)
    verdicts = {}
    if chosen:
        sizes = {spec.classes[label]: _images(split, label) for label in labels}
        verdicts = verdict.of_classes(scores, sizes)
    for name, said in verdicts.items():
        print(f"{printable(name)}: {said}")
    method = METHODS[gamo_run.options.method]
    rival = "G" if "G" in method.players else method.name
    for sentence in verdict.better_controls(scores, rival):
        print(sentence)
    target, unbalanced = request.save_balanced, {}
    if target:
        if not request.ignore_verdict:
            unbalanced = {
                name: str(said)
                for name, said in verdicts.items()
                if said.word == verdict.REFUSE
            }
        judged = request.score or bool(request.limits)
        details = {"gamo2pix_options": options.to_json(), "scores": scores}
        contents = balanced_folder.Contents(
            gamo_run,
            spec,
            real_files.real_sets(gamo_run, split, request.originals),
            generator,
            {k: x for k, x in decoders.items() if spec.classes[k] not in unbalanced},
            request.per_class or gamo_run.options.class_counts.largest,
            Judge(gamo_run, generator, reference()) if judged else None,
            request.limits,
            {name: str(said) for name, said in verdicts.items()},
            {"without_generated_images": unbalanced, **details},
        )
        _save(target, contents)
        if unbalanced:
            names = printable(", ".join(unbalanced))
            print(
                f"note: no generated images of {names}, since the verdict is "
                f"'{verdict.REFUSE}'; {setting('ignore_verdict')} adds them"
            )
    if request.evaluate:
        folder = target or gamo_run.balanced
        found = downstream.evaluate(
            gamo_run, spec, split, folder, request.seeds, request.updates
        )
        downstream.write(gamo_run.pix / "evaluation.json", found)
        print(downstream.text(found))
    print(f"pictures     {gamo_run.pix}/<class>/generated.png, parents.png, ...")
    print(f"TensorBoard  {tensorboard(gamo_run.pix)}")
    return Outcome(scores, unbalanced)


def _images(split: Split, label: int) -> int:
    """Training or test images of a class, whichever are fewer."""
    counts = [np.sum(x == label) for x in (split.labels, split.test_labels)]
    return int(min(counts))


def _sources(
    generator: ImageGenerator, decoders: Mapping[int, FeatureDecoder | None]
) -> score.GenerateAll:
    """GAMO's images and those of its controls, through the same decoder.

    They are asked for class by class, so that the images of one are in memory at a
    time.
    """

    def generate(label: int, n: int) -> dict[str, Generated]:
        decoder = decoders[label]
        found = {score.GAMO: generator.generate(label, decoder, 0, n)}
        for name, concentration in score.CONTROLS.items():
            alpha = concentration(len(generator.rows[label]))
            weights = generator.random_weights(label, n, alpha)
            found[name] = generator.from_weights(label, decoder, weights)
        return found

    return generate


def _save(target: Path, contents: balanced_folder.Contents) -> None:
    """Write the balanced folder, and say what is in it."""
    began = time.perf_counter()
    added = balanced_folder.save(target, contents)
    took = clock(time.perf_counter() - began)
    n = sum(added.values())
    print(f"balanced folder: {target}, {n} generated images, written in {took}")
    print(f"look at it: {target}/overview.png, {target}/index.html")
    for note in real_files.notes(contents.sets):
        print(printable(note))


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
    if gamo_run.options.features_are_pixels:
        print("a flat run: G makes the images itself, there is no VAE to train")
    shared = None
    if generator.code:
        shared = gamo_run.pix_shared
        class_vae.train_shared(shared, options, generator, retrain)
    decoders: dict[int, FeatureDecoder | None] = {}
    for label in labels:
        directory = gamo_run.pix_class(spec.classes[label])
        decoders[label] = None
        if not gamo_run.options.features_are_pixels:
            class_vae.train(directory, spec, label, options, generator, retrain, shared)
        if replicas.assists():
            continue  # the other process has it, and draws
        if not gamo_run.options.features_are_pixels:
            decoders[label] = FeatureDecoder.load(directory)
        figures.draw(directory, spec, label, generator, decoders[label])
    return decoders

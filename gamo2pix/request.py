"""What is asked of GAMO2pix, and whether a run can give it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gamo2pix import balanced_folder, real_files
from gamo2pix.trust import NO_LIMITS, Limits
from gamo_tf.config.dataset_specs import DATASETS, DatasetSpec
from gamo_tf.config.methods import METHODS, RECOMMENDED
from gamo_tf.config.options import spec_of
from gamo_tf.data.folder_rules import check_output
from gamo_tf.data.names import canonical, look_alike, quoted
from gamo_tf.errors import UserError, command, did_you_mean, setting
from gamo_tf.runs.run import Run


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
      score: compare the generated images with real ones, and judge each.
      originals: one of `real_files.HOW`; None: see `real_files.real_sets`.
      limits: of the generated images that the folder gets.
      ignore_verdict: generated images of every class go into the folder, whatever the
        verdict on them.
      seeds: trainings of `evaluate` on each set of images.
      updates: of M in each of them; None: as many as the run made.
      parents: say how many parents the pictures have.
      strategy: by which the VAEs are trained, as `replicas.strategy` takes it.
    """

    fid_features: str | None = None
    inception_weights: Path | None = None
    retrain: bool = False
    save_balanced: Path | None = None
    per_class: int | None = None
    force: bool = False
    evaluate: bool = False
    score: bool = True
    originals: str | None = None
    limits: Limits = NO_LIMITS
    ignore_verdict: bool = False
    seeds: int = 1
    updates: int | None = None
    parents: bool = False
    strategy: str = "none"


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
    # The shell gives a name in the form of the disk (see `data.names`).
    labels = {canonical(name): label for label, name in enumerate(spec.classes)}
    if wanted in spec.classes:
        label = spec.classes.index(wanted)
    elif canonical(wanted) in labels:
        label = labels[canonical(wanted)]
    elif wanted.isdigit() and int(wanted) < len(spec.classes):
        label = int(wanted)
    else:
        names = ", ".join(
            f"{k} {quoted(name, [wanted])}" for k, name in enumerate(spec.classes)
        )
        near = "".join(f" {pair}" for pair in look_alike([wanted], spec.classes))
        near = near or did_you_mean(wanted, ["all", *spec.classes])
        raise UserError(
            f"{setting('class')} {quoted(wanted, spec.classes)}: expected 'all' or one "
            f"of {names}.{near}"
        )
    if label not in counts.minority:
        raise UserError(
            f"{setting('class', wanted)}: {spec.classes[label]} is the largest class "
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
    spec = spec_of(options)
    if spec.vector:
        raise UserError(f"{run.path}: was trained on vectors; there are no images.")
    if not METHODS[options.method].convex:
        data = ("--dataset", options.dataset)
        if options.data and options.dataset not in DATASETS:
            data = ("--image-folder", options.data)
        raise UserError(
            f"{run.path}: {options.method} generates nothing. Train a method that "
            f"does: {command('train', *data, '--method', RECOMMENDED)}"
        )
    return spec


def check_folder(run: Run, request: Request) -> None:
    """Make sure, before anything is trained, that a balanced folder can be written, or
    is there to be evaluated.

    Args:
      run: the run.
      request: what is asked.

    Raises:
      UserError: it is in the way, is missing or lies among the training images, or its
        originals cannot be had.
    """
    if request.save_balanced:
        inputs = [
            Path(folder)
            for folder in (run.options.data, run.options.test_data)
            if folder
        ]
        check_output("save_balanced", request.save_balanced, inputs, beside=False)
        balanced_folder.check(request.save_balanced, request.force)
        real_files.check(run, request.originals)
    elif request.evaluate and not (run.balanced / "manifest.csv").is_file():
        raise UserError(
            f"{setting('evaluate')}: {run.balanced} is not there yet. Give "
            f"{setting('class')} all {setting('save_balanced')} too."
        )

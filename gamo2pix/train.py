"""The composer of GAMO2pix: a run's classes -> VAEs, pictures, scores, a folder."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import tensorflow as tf

from gamo2pix import balanced, classes, evaluate, extractors, score
from gamo2pix.options import PixOptions
from gamo2pix.synthesis import Made, Synthesis
from gamo2pix.vae import Decode
from gamo_tf import datasets
from gamo_tf.errors import UserError
from gamo_tf.folder import atomically, write_text
from gamo_tf.methods import METHODS
from gamo_tf.options import spec_of
from gamo_tf.runs import Run
from gamo_tf.specs import DatasetSpec
from gamo_tf.watch import clock


@dataclass(frozen=True)
class Request:
    """What to do with a run's classes, beyond training their VAEs."""

    features: str | None = None  # "inception", "classifier"; None: what can be had
    inception_weights: Path | None = None
    retrain: bool = False
    save_balanced: Path | None = None
    per_class: int | None = None  # images a class in the folder; None: the largest
    force: bool = False
    evaluate: bool = False


def pick(wanted: str, spec: DatasetSpec, run: Run) -> list[int]:
    """Labels of ``--class``. Raises UserError for no class, or the largest."""
    counts = run.options.counts
    small = [k for k, n in enumerate(counts) if n < max(counts)]
    if wanted == "all":
        return small
    if wanted in spec.classes:
        label = spec.classes.index(wanted)
    elif wanted.isdigit() and int(wanted) < len(spec.classes):
        label = int(wanted)
    else:
        names = ", ".join(f"{k} {name}" for k, name in enumerate(spec.classes))
        raise UserError(f"--class {wanted}: expected 'all' or one of {names}.")
    if label not in small:
        raise UserError(
            f"--class {wanted}: {spec.classes[label]} is the largest class of "
            f"{run.path.name} ({counts[label]} images); it needs no generation."
        )
    return [label]


def check(run: Run) -> DatasetSpec:
    """The run's dataset. Raises UserError for a run that GAMO2pix cannot use."""
    options = run.options
    if not run.finished:
        raise UserError(
            f"{run.path}: not finished. Go on with: python train_gamo.py --resume "
            f"{run.path}"
        )
    if not METHODS[options.method].convex:
        raise UserError(
            f"{run.path}: {options.method} has no convex generator. Train one: python "
            f"train_gamo.py --dataset {options.dataset} --method gamo"
        )
    spec = spec_of(options)
    if spec.vector:
        raise UserError(f"{run.path}: was trained on vectors; there are no images.")
    return spec


def run(
    made: Run, wanted: str, options: PixOptions, request: Request, data_dir: Path
) -> list[dict]:
    """Everything that was asked for, in order; prints what was found and where.

    Returns the scores (see `score_classes`).
    """
    spec = check(made)
    labels = pick(wanted, spec, made)
    target = request.save_balanced
    if target:
        balanced.check(target, request.force)
    elif request.evaluate and not (made.balanced / "manifest.csv").is_file():
        raise UserError(
            f"--evaluate: {made.balanced} is not there yet. Give --class all "
            "--save-balanced too."
        )
    if made.options.deterministic:
        tf.config.experimental.enable_op_determinism()
    arrays = made.arrays(data_dir)
    split = made.load_split(arrays)
    print(f"{made.path}: GAMO2pix of {', '.join(spec.classes[k] for k in labels)}")
    chosen = choose(request, spec, arrays, data_dir)  # first: it may be refused
    synthesis = Synthesis(made, split, options.seed)
    vaes = train_classes(made, spec, labels, options, request.retrain, synthesis)
    one = made.pix_class(spec.classes[labels[-1]])
    place = made.pix if wanted == "all" else one.path

    def fakes(label: int, n: int) -> dict[str, Made]:
        found = {score.GAMO: synthesis.make(label, vaes[label], 0, n)}
        for source, concentration in score.CONTROLS.items():
            few = concentration(len(synthesis.rows[label]))
            weights = synthesis.random_weights(label, n, few)
            found[source] = synthesis.from_weights(label, vaes[label], weights)
        return found

    scores = score_classes(place, spec, split, labels, fakes, chosen)
    if target:
        per_class = request.per_class or max(made.options.counts)
        card = {"gamo2pix_options": options.to_json(), "scores": scores}
        began = time.perf_counter()
        added = balanced.save(
            target, made, spec, split, synthesis, vaes, per_class, card
        )
        took = clock(time.perf_counter() - began)
        n = sum(added.values())
        print(f"balanced folder: {target}, {n} generated images, written in {took}")
    if request.evaluate:
        found = evaluate.evaluate(made, spec, split, target or made.balanced)
        write_text(made.pix / "evaluation.json", json.dumps(found, indent=2) + "\n")
        print(evaluate.text(found))
    print(f"pictures     {made.pix}/<class>/generated.png, parents.png, ...")
    print(f"TensorBoard  tensorboard --logdir {made.pix}")
    return scores


def train_classes(
    made: Run,
    spec: DatasetSpec,
    labels: list[int],
    options: PixOptions,
    retrain: bool,
    synthesis: Synthesis,
) -> dict[int, Decode | None]:
    """The VAEs of the classes, those that are missing trained, and their pictures.

    None for a flat run, whose G makes the images itself.
    """
    if spec.flat:
        print("a flat run: G makes the images itself, there is no VAE to train")
    vaes: dict[int, Decode | None] = {}
    for label in labels:
        folder = made.pix_class(spec.classes[label])
        vaes[label] = None
        if not spec.flat:
            features = synthesis.features[synthesis.rows[label]]
            classes.train(folder, spec, label, options, retrain, synthesis, features)
            vaes[label] = Decode.load(folder)
        classes.draw(folder, spec, label, synthesis, vaes[label])
    return vaes


def choose(
    request: Request, spec: DatasetSpec, arrays: tuple, data_dir: Path
) -> list[extractors.Extractor]:
    """The extractors asked for; by default Inception-v3, else the classifier."""
    if request.features != "classifier":
        try:
            return extractors.inception(request.inception_weights)
        except UserError as err:
            if request.features == "inception" or request.inception_weights:
                raise
            print(f"{err} Now a reference classifier's features are used.")
    return [extractors.reference(spec, arrays, data_dir)]


def score_classes(
    place: Path,
    spec: DatasetSpec,
    split: datasets.Split,
    labels: list[int],
    fakes: Callable[[int, int], dict[str, Made]],
    chosen: list[extractors.Extractor],
) -> list[dict]:
    """Scores of the classes, printed; scores.csv and .json in `place`.

    `fakes`: a label and a number of images -> what each source makes of them.
    """
    rows = []
    for label in labels:
        real = split.images[split.labels == label]
        held = split.test_images[split.test_labels == label]
        n = len(held)
        if min(len(real), n) < 4:
            print(f"{spec.classes[label]}: no score; 4 real and 4 test images needed")
            continue
        made = fakes(label, n)
        for extractor in chosen:
            if min(len(real), n) >= extractor.least:
                found = score.score(extractor, real, held, made)
                rows += [
                    {"label": label, "name": spec.classes[label], **r} for r in found
                ]
    if not rows:
        return rows
    print(score.text(rows))
    kept = {"features": {x.name: x.details for x in chosen}, "rows": rows}
    kept["means"] = score.means(rows)
    write_text(place / "scores.json", json.dumps(kept, indent=2) + "\n")
    atomically(
        place / "scores.csv",
        lambda part: pd.DataFrame(rows).to_csv(part, index=False),
    )
    return rows

"""The composer of GAMO2pix: a run's classes -> VAEs, pictures, scores, a folder."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from gamo2pix import balanced, evaluate, extractors, pictures, score
from gamo2pix.options import PixOptions
from gamo2pix.synthesis import Synthesis
from gamo2pix.vae import TERMS, Decode, Vae
from gamo_tf import datasets, plots
from gamo_tf.errors import Stopped, UserError
from gamo_tf.folder import Folder, atomically, write_text
from gamo_tf.interrupts import interrupts
from gamo_tf.methods import METHODS
from gamo_tf.runs import Run
from gamo_tf.specs import DATASETS, DatasetSpec
from gamo_tf.watch import Watch, clock

_LOOKS = 10  # times a class is looked at while its VAE trains
_SHOWN = 2 * pictures.COLUMNS


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
    if "G" not in METHODS[options.method].players:
        raise UserError(
            f"{run.path}: {options.method} has no generator. Train one: python "
            f"train_gamo.py --dataset {options.dataset} --method gamo"
        )
    return DATASETS[options.dataset]


def run(
    made: Run, wanted: str, options: PixOptions, request: Request, data_dir: Path
) -> None:
    """Everything that was asked for, in order; prints what was found and where."""
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
    arrays = datasets.read(spec, data_dir)
    split = made.load_split(arrays)
    print(f"{made.path}: GAMO2pix of {', '.join(spec.classes[k] for k in labels)}")
    synthesis = Synthesis(made, split, options.seed)
    if spec.flat:
        print("a flat run: G makes the images itself, there is no VAE to train")
    vaes: dict[int, Decode | None] = {}
    for label in labels:
        folder = made.pix_class(spec.classes[label])
        rows = synthesis.rows[label]
        vaes[label] = None
        if not spec.flat:
            features = synthesis.features[rows]
            train_class(
                folder, spec, label, options, request.retrain, synthesis, features
            )
            vaes[label] = Decode(
                folder.load_model("head"), folder.load_model("decoder")
            )
        draw(folder, spec, label, synthesis, vaes[label])
    scores = score_classes(
        made, spec, arrays, split, synthesis, vaes, request, data_dir
    )
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


def train_class(
    folder: Folder,
    spec: DatasetSpec,
    label: int,
    options: PixOptions,
    retrain: bool,
    synthesis: Synthesis,
    features: np.ndarray,
) -> None:
    """The VAE of a class, unless `folder` has it; goes on where it was stopped.

    Raises UserError where the folder was begun with other settings.
    """
    name = f"class {label} ({spec.classes[label]})"
    known = folder.path / "options.json"
    if retrain or not known.is_file():
        atomically(folder.path, lambda part: Folder(part).make())
        write_text(known, json.dumps(options.to_json(), indent=2) + "\n")
    elif (begun := json.loads(known.read_text())) != options.to_json():
        differ = [k for k, v in options.to_json().items() if begun.get(k) != v]
        told = ", ".join(f"{k} {begun.get(k) or 'as default'}" for k in differ)
        raise UserError(
            f"{folder.path}: was begun with {told}. Give the same, or --retrain."
        )
    elif folder.finished:
        print(f"{name}: trained already; --retrain trains it anew")
        return

    images = tf.constant(synthesis.images[synthesis.rows[label]])
    x = tf.constant(features)
    vae = Vae(options, features.shape[1], spec.shape)
    state = vae.checkpoint()
    done, history = folder.restore(state)
    print(f"{name}: VAE on {len(features)} images" + f", from {done}" * bool(done))
    total = options.length(len(features))
    watch = VaeWatch(folder, total, history)
    before = history[-1]["seconds"] if history else 0.0
    began = time.perf_counter()
    every = max(1, total // _LOOKS)
    decode = Decode(vae.head, vae.decoder)
    with interrupts() as interrupted:
        while done < total:
            steps = min(every - done % every, total - done)
            terms = vae.train(x, images, tf.constant(steps)).numpy()
            done += steps
            if not np.isfinite(terms).all():
                raise UserError(f"{folder.path}: the loss became NaN by {done}.")
            seconds = before + time.perf_counter() - began
            row = dict(zip(TERMS, map(float, terms), strict=True))
            watch.record({"iteration": done, "seconds": seconds, **row})
            watch.scalars("train", row)
            shown = synthesis.make(label, decode, 0, _SHOWN).images
            picture = pictures.grid(pictures.wrapped("generated", shown, 2), name)
            watch.picture("generated", folder.picture("generated.png"), picture)
            watch.progress(done, True)
            folder.save_checkpoint(done, state, watch.history)
            if interrupted and done < total:
                raise Stopped(f"{name}: saved at {done}; the same command goes on")
    watch.flush()
    folder.save_model("head", vae.head)
    folder.save_model("decoder", vae.decoder)
    results = {
        "class": spec.classes[label],
        "images": len(features),
        **watch.history[-1],
    }
    folder.write_results(results)
    print(f"{name}: done in {clock(results['seconds'])}", flush=True)


class VaeWatch(Watch):
    def told(self, row: dict) -> str:
        return "  ".join(f"{key} {row[key]:.1f}" for key in TERMS) + " nats"


def draw(
    folder: Folder,
    spec: DatasetSpec,
    label: int,
    synthesis: Synthesis,
    vae: Decode | None,
) -> None:
    """generated.png, parents.png, interpolation.png and, with a VAE,
    reconstructions.png: grids beside real images."""
    folder.path.mkdir(parents=True, exist_ok=True)
    name = f"{spec.name}, class {label} ({spec.classes[label]})"
    real = synthesis.images[synthesis.rows[label]]
    made = synthesis.make(label, vae, 0, _SHOWN)
    grids = {
        "generated": pictures.wrapped("real", real, 2)
        + pictures.wrapped("generated", made.images, 2)
    }
    # Between two latents of G; the mean of q(z|x), so that only they move.
    ends = synthesis.latents(label, 8, synthesis.G.inputs[0].shape[1], 2)
    share = np.linspace(0.0, 1.0, pictures.COLUMNS, dtype=np.float32)[:, None]
    lines = []
    for k in range(0, len(ends), 2):
        z = (1.0 - share) * ends[k] + share * ends[k + 1]
        features = synthesis.combine(label, synthesis.weights(label, z))
        lines.append((f"pair {k // 2 + 1}", synthesis.decode(features, vae, None)))
    grids["interpolation"] = lines
    if vae is not None:
        features = synthesis.features[synthesis.rows[label]][:_SHOWN]
        back = synthesis.decode(features, vae, None)
        grids["reconstructions"] = []
        for k in range(0, len(back), pictures.COLUMNS):
            part = slice(k, k + pictures.COLUMNS)
            grids["reconstructions"] += [("real", real[part]), ("decoded", back[part])]
    done = {key: pictures.grid(lines, f"{name}: {key}") for key, lines in grids.items()}
    groups = np.arange(9) // plots.SHOWN
    words = [f"{3 * k + 1}-{3 * k + 3}" for k in range(3)]
    done["parents"] = plots.samples(
        made.weights[:9], groups, real, words, made.images[:9]
    )
    for key, picture in done.items():
        atomically(
            folder.picture(f"{key}.png"),
            lambda part, picture=picture: plots.save(picture, part),
        )


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
    made: Run,
    spec: DatasetSpec,
    arrays: tuple,
    split: datasets.Split,
    synthesis: Synthesis,
    vaes: dict[int, Decode | None],
    request: Request,
    data_dir: Path,
) -> list[dict]:
    """Scores of every class in `vaes`, printed and kept as scores.csv, .json."""
    chosen = choose(request, spec, arrays, data_dir)
    rows = []
    for label, vae in vaes.items():
        real = synthesis.images[synthesis.rows[label]]
        held = split.test_images[split.test_labels == label]
        n = len(held)
        if min(len(real), n) < 4:
            print(f"{spec.classes[label]}: no score; 4 real and 4 test images needed")
            continue
        fakes = {score.GAMO: synthesis.make(label, vae, 0, n)}
        for source, concentration in score.CONTROLS.items():
            weights = synthesis.random_weights(label, n, concentration(len(real)))
            fakes[source] = synthesis.from_weights(label, vae, weights)
        for extractor in chosen:
            if min(len(real), n) >= extractor.least:
                found = score.score(extractor, real, held, fakes)
                rows += [
                    {"label": label, "name": spec.classes[label], **r} for r in found
                ]
    if not rows:
        return rows
    print(score.text(rows))
    kept = {"features": {x.name: x.details for x in chosen}, "rows": rows}
    kept["means"] = score.means(rows)
    write_text(made.pix / "scores.json", json.dumps(kept, indent=2) + "\n")
    atomically(
        made.pix / "scores.csv",
        lambda part: pd.DataFrame(rows).to_csv(part, index=False),
    )
    keras.backend.clear_session()
    return rows

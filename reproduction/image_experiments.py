"""What the paper shows of generated images: Table 5, Figures 4 and 5."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from gamo2pix import extractors, generate, score, train
from gamo2pix.options import RECIPE, PixOptions
from gamo2pix.reference_classifier import reference
from gamo2pix.request import Request
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import Options, usual_gan_turns
from gamo_tf.data.splits import Split
from gamo_tf.errors import UserError
from gamo_tf.evaluation import image_grids
from gamo_tf.files import save_picture
from gamo_tf.runs.run import Run
from reproduction import runner, table5
from reproduction.published import FID
from reproduction.tables import TableRequest

_QUICK_ITERATIONS = 20  # minibatches a VAE, and turns of a GAN
_LINES, _SIDE = 3, 5  # images of a class: down in figure 4, beside in figure 5
_METHOD, _LOSS = "gamo", "ls"  # of the runs that GAMO2pix is shown with
FIGURE4 = {  # methods, from top to bottom, with their titles
    "smote": "SMOTE",
    "cgan": "cGAN",
    "cg": "cG against M",
    "cg-d": "cG + D",
    "gamo-no-d": "GAMO\\D",
    "gamo": "GAMO",
}


@dataclass(frozen=True)
class _Experiment:
    """Everything that was asked for, as `make` takes it."""

    request: TableRequest
    scoring: Request
    pix: PixOptions
    runs_dir: Path
    out: Path
    quick: bool

    def run(self, dataset: str, method: str, seed: int = 0) -> tuple[Run, Split]:
        """The finished run and its split. It must be here: its networks are needed,
        and a line of results is not enough."""
        return self._of(self.request.options(dataset, method, _LOSS, seed))

    def _of(self, options: Options) -> tuple[Run, Split]:
        run = runner.train(options, self.runs_dir, self.request.data_dir)
        return run, run.load_split(run.arrays(self.request.data_dir))

    def rival(self, dataset: str, seed: int = 0) -> tuple[Run, Split]:
        """As `run`, of the rival. Only its images are of interest: its GAN has as many
        turns as `rival_turns` says, and its classifier a single update."""
        options = self.request.options(dataset, table5.RIVAL, _LOSS, seed)
        turns = self.rival_turns(dataset)
        short = replace(options, iterations=1, evaluate_every=1, gan_turns=turns)
        return self._of(replace(short, checkpoint_every=1))

    def rival_turns(self, dataset: str) -> int:
        """Turns of the rival's GAN."""
        if self.quick:
            return _QUICK_ITERATIONS
        return table5.RIVAL_TURNS.get(dataset, usual_gan_turns(self.m_updates(dataset)))

    def m_updates(self, dataset: str) -> int:
        """Updates of M in a run of GAMO."""
        options = self.request.options(dataset, _METHOD, _LOSS, 0)
        return options.iterations * METHODS[_METHOD].m_updates


def make(
    request: TableRequest,
    *,
    fid_features: str | None,
    inception_weights: Path | None,
    runs_dir: Path,
    out: Path,
    quick: bool,
    command: str,
    published: table5.Published = FID,
) -> int:
    """Make table5, figure4 or figure5, with the runs that it needs.

    A dataset that fails is told in a line, and the others go on.

    Args:
      request: what to make. Its `methods` take the place of those of figure4.
      fid_features: features of table5 (see `extractors.choose`).
      inception_weights: likewise.
      runs_dir: where runs are looked for, and made.
      out: folder of the tables and pictures. The scores of table5 are kept there, in
        scores.csv, and are not worked out again.
      quick: short VAEs, to see whether all of it runs.
      command: the command line, for the page.
      published: what the paper reports in Table 5.

    Returns:
      The number of datasets that failed.

    Raises:
      UserError: no dataset of table5 could be scored.
      KeyboardInterrupt: for Ctrl-C; the same call goes on.
    """
    short = _QUICK_ITERATIONS if quick else None
    pix = PixOptions(short, recipe=RECIPE, shared_iterations=short)
    scoring = Request(fid_features, inception_weights)
    experiment = _Experiment(request, scoring, pix, runs_dir, out, quick)
    make_one: Callable[[_Experiment, str], None] = {
        "table5": _table5,
        "figure4": _figure4,
        "figure5": _figure5,
    }[request.table]
    # Figure 4 shows methods that generate pixels, which not all do for other datasets.
    datasets = ["mnist"] if request.table == "figure4" else list(published)
    failed = 0
    for dataset in request.datasets or datasets:
        try:
            request.check(dataset)
            make_one(experiment, dataset)
        except UserError as err:
            failed += 1
            message = err.message.removeprefix(f"{dataset}: ")
            print(f"{dataset}: {message}", flush=True)
    if request.table == "table5":
        sheet = _sheet(experiment)
        known = dict.fromkeys(sheet.table["dataset"])
        table5.write(
            sheet,
            {dataset: experiment.m_updates(dataset) for dataset in known},
            pix.iterations or 0,
            request.repeats,
            published,
            out,
            command,
        )
    return failed


# ---- Table 5 -------------------------------------------------------------------


def _sheet(experiment: _Experiment) -> table5.Sheet:
    return table5.Sheet(experiment.out / "scores.csv")


def _table5(experiment: _Experiment, dataset: str) -> None:
    """Scores of a dataset's seeds that the sheet does not have yet."""
    sheet = _sheet(experiment)
    for seed in range(experiment.request.repeats):
        updates = experiment.m_updates(dataset)
        pix = experiment.pix
        key = table5.Key(
            dataset,
            seed,
            updates,
            pix.iterations or 0,
            pix.recipe,
            experiment.rival_turns(dataset),
        )
        if key in sheet:
            print(f"{dataset}, seed {seed}: known from {sheet.path}")
        else:
            sheet.add(key, _scores(experiment, dataset, seed))


def _scores(experiment: _Experiment, dataset: str, seed: int) -> list[dict]:
    """Rows of GAMO2pix, its controls and cDCGAN, class by class."""
    spec, data_dir = DATASETS[dataset], experiment.request.data_dir
    scoring = experiment.scoring
    run, split = experiment.run(dataset, _METHOD, seed)
    rival, rival_split = experiment.rival(dataset, seed)
    if not np.array_equal(split.train_index, rival_split.train_index):
        raise UserError(f"{rival.path} and {run.path} have other training images.")
    rows = train.run(run, "all", experiment.pix, scoring, data_dir).scores
    chosen = extractors.choose(
        scoring.fid_features,
        scoring.inception_weights,
        partial(reference, spec, run.arrays(data_dir), experiment.runs_dir),
    )
    images = generate.generator_for(rival, split)
    return rows + score.score_classes(
        rival.path,
        spec,
        split,
        run.options.class_counts.minority,
        lambda label, n: {table5.RIVAL: images(label, n)},
        chosen,
    )


# ---- Figures 4 and 5 -----------------------------------------------------------


def _figure4(experiment: _Experiment, dataset: str) -> None:
    """Digits of every minority class: real ones, and below a block for each method."""
    spec, blocks = DATASETS[dataset], {}
    for method in experiment.request.methods or FIGURE4:
        run, split = experiment.run(dataset, method)
        counts = run.options.class_counts
        images = generate.generator_for(run, split)
        blocks[FIGURE4.get(method, method)] = [
            images(k, _LINES).images for k in counts.minority
        ]
    real = {"real": [_real(split, k, _LINES) for k in counts.minority]}
    lines = []
    for title, classes in (real | blocks).items():
        # [_LINES, classes, h, w, c]: a line has one image of each class.
        block = np.stack(classes, axis=1)
        lines += [(title * (k == 0), line) for k, line in enumerate(block)]
    sizes = zip(counts.minority, counts.minority_sizes, strict=True)
    heads = [(f"{spec.classes[k]} ({n})", 1) for k, n in sizes]
    title = f"{dataset}: real and generated images by class (training images)"
    _save(experiment.out / "figure4.png", image_grids.grid(lines, title, heads))


def _figure5(experiment: _Experiment, dataset: str) -> None:
    """Each minority class: real images, images of cDCGAN, and of GAMO2pix."""
    spec = DATASETS[dataset]
    run, split = experiment.run(dataset, _METHOD)
    rival, _ = experiment.rival(dataset)
    counts = run.options.class_counts
    pix = experiment.pix
    generator = generate.ImageGenerator(run, split, pix.seed, pix.recipe)
    train.train_classes(run, spec, counts.minority, pix, generator)
    left = generate.generator_for(rival, split)
    right = generate.generator_for(run, split, pix.seed, pix.recipe)
    lines = [
        (
            f"{spec.classes[k]} ({n})",
            np.concatenate(
                [
                    _real(split, k, _SIDE),
                    left(k, _SIDE).images,
                    right(k, _SIDE).images,
                ]
            ),
        )
        for k, n in zip(counts.minority, counts.minority_sizes, strict=True)
    ]
    title = f"{dataset}: real and generated images by class (training images)"
    heads = [(word, _SIDE) for word in ("real", "cDCGAN", "GAMO2pix")]
    picture = image_grids.grid(lines, title, heads)
    _save(experiment.out / f"figure5-{dataset}.png", picture)


def _real(split: Split, label: int, n: int) -> np.ndarray:
    """The first training images of a class; of fewer than n, the last one again."""
    rows = np.flatnonzero(split.labels == label)
    return split.images[rows[np.minimum(np.arange(n), len(rows) - 1)]]


def _save(path: Path, picture: np.ndarray) -> None:
    save_picture(path, picture)
    print(f"written: {path}")

"""What the paper shows of generated images: Table 5, Figures 4 and 5."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from gamo2pix import generated, score, train
from gamo2pix.options import PixOptions
from gamo2pix.synthesis import Made, Synthesis
from gamo_tf import datasets, grids, pages, plots, tables
from gamo_tf.convex import minority
from gamo_tf.datasets import Split
from gamo_tf.errors import UserError
from gamo_tf.folder import atomically, write_text
from gamo_tf.paper import FID
from gamo_tf.runs import Run
from gamo_tf.specs import DATASETS, DatasetSpec

_QUICK = 20  # minibatches a VAE
_KEY = ["dataset", "seed", "m_updates", "vae_iterations"]
_TITLES = {
    score.GAMO: "GAMO2pix",
    "cdcgan": "cDCGAN",
    "dirichlet-sparse": "a few random parents",
    "dirichlet-uniform": "random weights",
}
FIGURE4 = {
    "smote": "SMOTE",
    "cgan": "cGAN",
    "cg": "cG against M",
    "cg-d": "cG + D",
    "gamo-no-d": "GAMO\\D",
    "gamo": "GAMO",
}


class Place(NamedTuple):
    """Where runs are, and where the result goes."""

    runs_dir: Path
    out: Path


def write(
    wish: tables.Wish, request: train.Request, place: Place, quick: bool, command: str
) -> int:
    """table5, figure4 or figure5; the number of datasets that failed, each told."""
    make: Callable = {"table5": _table5, "figure4": _figure4, "figure5": _figure5}[
        wish.table
    ]
    known = ["mnist"] if wish.table == "figure4" else list(FID)
    pix = PixOptions(iterations=_QUICK if quick else None)
    failed = 0
    for dataset in wish.datasets or known:
        try:
            wish.check(dataset)
            make(wish, dataset, request, place, pix)
        except UserError as err:
            failed += 1
            print(f"{dataset}: {str(err).removeprefix(f'{dataset}: ')}", flush=True)
    if wish.table == "table5":
        _write_table5(wish, pix, place.out, command)
    return failed


def _run(
    wish: tables.Wish, dataset: str, method: str, seed: int, place: Place
) -> tuple[Run, Split]:
    """The finished run, which must be here (its networks are needed), and its split."""
    options = wish.options(dataset, method, "ls", seed)
    run = tables.train(options, place.runs_dir, wish.data_dir)
    arrays = datasets.read(DATASETS[dataset], wish.data_dir)
    return run, run.load_split(arrays)


# ---- Table 5 -------------------------------------------------------------------


def _table5(
    wish: tables.Wish,
    dataset: str,
    request: train.Request,
    place: Place,
    pix: PixOptions,
) -> None:
    """Scores of a dataset's seeds that are not there yet, into scores.csv."""
    path = place.out / "scores.csv"
    for seed in range(wish.repeats):
        options = wish.options(dataset, "gamo", "ls", seed)
        key = (dataset, seed, options.iterations * 2, pix.iterations or 0)
        known = pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=_KEY)
        if key in known[_KEY].itertuples(index=False, name=None):
            print(f"{dataset}, seed {seed}: known from {path}")
            continue
        rows = _scores(wish, dataset, seed, request, place, pix)
        means = pd.DataFrame(score.means(rows)).assign(
            **dict(zip(_KEY, key, strict=True)),
            classes=len({row["label"] for row in rows}),
        )
        table = means if known.empty else pd.concat([known, means])
        atomically(path, lambda part, table=table: table.to_csv(part, index=False))


def _scores(
    wish: tables.Wish,
    dataset: str,
    seed: int,
    request: train.Request,
    place: Place,
    pix: PixOptions,
) -> list[dict]:
    """Rows of GAMO2pix, its controls and cDCGAN, class by class."""
    spec = DATASETS[dataset]
    run, split = _run(wish, dataset, "gamo", seed, place)
    rival, same = _run(wish, dataset, "cdcgan", seed, place)
    if not np.array_equal(split.train_index, same.train_index):
        raise UserError(f"{rival.path} and {run.path} have other training images.")
    rows = train.run(run, "all", pix, request, wish.data_dir)
    arrays = datasets.read(spec, wish.data_dir)
    chosen = train.choose(request, spec, arrays, wish.data_dir)
    made = generated.images(rival, split)
    labels = [label for label, _ in minority(run.options.counts)]

    def fakes(label: int, n: int) -> dict[str, Made]:
        return {"cdcgan": made(label, n)}

    return rows + train.score_classes(rival.path, spec, split, labels, fakes, chosen)


def _write_table5(wish: tables.Wish, pix: PixOptions, out: Path, command: str) -> None:
    """table5.md and .csv of what scores.csv has for these settings."""
    path = out / "scores.csv"
    if not path.is_file():
        raise UserError("table5: no dataset of it could be scored.")
    known = pd.read_csv(path)
    mine = [
        wish.options(d, "gamo", "ls", 0).iterations * 2 == u
        for d, u in zip(known["dataset"], known["m_updates"], strict=True)
    ]
    known = known[mine]
    known = known[known["vae_iterations"] == (pix.iterations or 0)]
    known = known[known["seed"] < wish.repeats]
    note = (
        f"`{command}`: per class, as many generated as test images against the class's "
        "training images; mean over the smaller classes, then mean ± deviation over "
        "seeds. The floor puts unseen real images in the place of generated ones. The "
        "paper names no features, layer or number of images: its column cannot be "
        "compared with the others, only the order of the methods."
    )
    blocks: list[pages.Block] = [pages.Heading("Table 5", 1), pages.Text(note)]
    lines = []
    grouped = known.groupby(["dataset", "m_updates", "features"], sort=False)
    for (dataset, updates, features), rows in grouped:
        blocks.append(pages.Heading(f"{dataset}, {updates} updates of M, {features}"))
        table = []
        for source, title in _TITLES.items():
            one = rows[rows["source"] == source]
            if one.empty:
                continue
            told = FID.get(dataset, {}).get(_PAPER.get(source, ""), (math.nan,) * 2)
            line = {"dataset": dataset, "features": features, "source": source}
            line |= {"seeds": one["seed"].nunique(), "m_updates": updates}
            for key in ("frechet", "kid", "diversity", "near_copies"):
                line |= {key: one[key].mean(), f"{key}_sd": one[key].std()}
            lines.append({**line, "paper_fid": told[0], "paper_fid_sd": told[1]})
            keys = ("frechet", "kid", "diversity", "near_copies")
            cells = [_spread(line[k], line[f"{k}_sd"]) for k in keys]
            paper = "" if math.isnan(told[0]) else _spread(*told, digits=2)
            table.append([title, str(line["seeds"]), paper, *cells])
        floor = [rows[k].mean() for k in ("frechet_floor", "kid_floor")]
        table.append(
            ["unseen real images", "", "", *(_spread(x) for x in floor), "", ""]
        )
        head = ["source", "seeds", "paper's FID", "Frechet", "KID", "diversity"]
        blocks.append(pages.Table([*head, "near copies"], table))
    write_text(out / "table5.md", pages.markdown(blocks))
    sheet = pd.DataFrame(lines)
    atomically(out / "table5.csv", lambda part: sheet.to_csv(part, index=False))
    print(f"written: {out / 'table5.md'}, table5.csv")


_PAPER = {score.GAMO: "gamo2pix", "cdcgan": "cdcgan"}


def _spread(mean: float, sd: float = math.nan, digits: int = 3) -> str:
    return f"{mean:.{digits}f}" + ("" if math.isnan(sd) else f"±{sd:.{digits}f}")


# ---- Figures 4 and 5 -----------------------------------------------------------


def _figure4(wish, dataset, request, place, pix) -> None:
    """Generated digits of every smaller class, a method a block of lines."""
    lines = []
    for method, title in FIGURE4.items():
        run, split = _run(wish, dataset, method, 0, place)
        labels = [k for k, _ in minority(run.options.counts)]
        made = generated.images(run, split)
        rows = np.stack([made(k, 3).images for k in labels], axis=1)  # [3, 9, ...]
        lines += [(title if k == 1 else "", row) for k, row in enumerate(rows)]
    what = f"{dataset}: generated images of {_classes(DATASETS[dataset], labels)}"
    _save(place.out / "figure4.png", grids.grid(lines, what))


def _figure5(wish, dataset, request, place, pix) -> None:
    """Each smaller class: five images of cDCGAN, then five of GAMO2pix."""
    run, split = _run(wish, dataset, "gamo", 0, place)
    rival, _ = _run(wish, dataset, "cdcgan", 0, place)
    spec, half = DATASETS[dataset], grids.COLUMNS // 2
    synthesis = Synthesis(run, split, pix.seed)
    train.train_classes(run, spec, list(synthesis.rows), pix, False, synthesis)
    left, right = generated.images(rival, split), generated.images(run, split)
    lines = [
        (
            f"{spec.classes[k]} ({n})",
            np.concatenate([left(k, half).images, right(k, half).images]),
        )
        for k, n in minority(run.options.counts)
    ]
    title = f"{dataset}: {half} of cDCGAN, then {half} of GAMO2pix"
    _save(place.out / f"figure5-{dataset}.png", grids.grid(lines, title))


def _classes(spec: DatasetSpec, labels: list[int]) -> str:
    return ", ".join(spec.classes[k] for k in labels)


def _save(path: Path, picture: np.ndarray) -> None:
    atomically(path, lambda part: plots.save(picture, part))
    print(f"written: {path}")

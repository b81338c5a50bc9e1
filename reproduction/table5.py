"""Table 5 of the paper: the sheet of known scores, and the page that is made of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from gamo2pix import score
from gamo2pix.options import PAPER, RECIPE
from gamo_tf.config.options import usual_gan_turns
from gamo_tf.errors import UserError
from gamo_tf.files import atomically, locked, write_text
from gamo_tf.grids import document
from gamo_tf.stored import reading, regular_size

RIVAL = "cdcgan"  # the method that the paper compares GAMO2pix with
# Turns of its GAN, where benchmarks/gan_length.py measured which do best.
RIVAL_TURNS = {"fashion-mnist": 6000, "cifar10": 6000}
TITLES = {  # by `source` of a score, in the order of the page
    score.GAMO: "GAMO2pix",
    RIVAL: "cDCGAN",
    "dirichlet-sparse": "a few random parents",
    "dirichlet-uniform": "random weights",
}
# The paper's names, where it has figures.
_PUBLISHED_AS = {score.GAMO: "gamo2pix", RIVAL: "cdcgan"}
_SHOWN = ("frechet", "kid", "recall", "copies")
_HEAD = [
    "source",
    "seeds",
    "paper's FID",
    "Frechet",
    "KID",
    "recall",
    "copies",
]

# Dataset -> method -> mean and deviation of the FID, as `published.FID`.
Published = Mapping[str, Mapping[str, tuple[float, float]]]


class Key(NamedTuple):
    """What a line of the sheet is of.

    Attributes:
      dataset: name of the dataset.
      seed: of the runs.
      m_updates: updates of M in a run.
      vae_iterations: minibatches of a VAE; 0: as many as `PixOptions.length` says.
      recipe: of the VAEs.
      gan_turns: of the rival's GAN.
    """

    dataset: str
    seed: int
    m_updates: int
    vae_iterations: int
    recipe: str
    gan_turns: int


class Sheet:
    """The scores that are known, in a file scores.csv: the means over classes.

    Args:
      path: of the file; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.table = self._read()

    def _read(self) -> pd.DataFrame:
        if not self.path.exists():
            return pd.DataFrame(columns=list(Key._fields))
        with reading(self.path):
            regular_size(self.path)
            table = pd.read_csv(self.path)
            if "recipe" not in table:  # a sheet of an older version
                table = table.assign(recipe=PAPER)
            if "gan_turns" not in table and "m_updates" in table:  # likewise
                table = table.assign(gan_turns=table["m_updates"].map(usual_gan_turns))
            if missing := [name for name in Key._fields if name not in table]:
                raise UserError(f"no column {', '.join(missing)}.")
            return table

    def __contains__(self, key: object) -> bool:
        keys = self.table[list(Key._fields)].itertuples(index=False, name=None)
        return key in keys

    def add(self, key: Key, rows: list[dict]) -> None:
        """Add the means of scores and write the file.

        Args:
          key: what they are of.
          rows: of all classes (see `score.score_classes`).
        """
        means = pd.DataFrame(score.means(rows)).assign(
            **key._asdict(), classes=len({row["label"] for row in rows})
        )
        # Another process may have added lines since this one has read the file.
        with locked(self.path.parent):
            known = self._read()
            # An empty table has no types of columns to keep.
            table = means if known.empty else pd.concat([known, means])
            self.table = table.reset_index(drop=True)
            atomically(self.path, lambda part: self.table.to_csv(part, index=False))


def write(
    sheet: Sheet,
    updates: Mapping[str, int],
    vae_iterations: int,
    repeats: int,
    published: Published,
    out: Path,
    command: str,
) -> None:
    """Write table5.md and table5.csv of what the sheet has for some settings.

    Args:
      sheet: the scores.
      updates: by dataset: updates of M in the runs that are shown.
      vae_iterations: minibatches of a VAE; 0: the default.
      repeats: seeds 0 to repeats - 1 are shown.
      published: what the paper reports.
      out: folder of the files.
      command: that the page was made with.

    Raises:
      UserError: there is no sheet: nothing could be scored.
    """
    if not sheet.path.is_file():
        raise UserError("table5: no dataset of it could be scored.")
    # Sheets of earlier versions lack some of the scores.
    known = sheet.table
    known = known.reindex(columns=[*dict.fromkeys([*known, *_SHOWN])])
    asked = [
        updates.get(dataset) == n
        for dataset, n in zip(known["dataset"], known["m_updates"], strict=True)
    ]
    known = known[asked]
    known = known[known["vae_iterations"] == vae_iterations]
    known = known[known["seed"] < repeats]
    # The program's own recipe stands before those of earlier versions.
    known = known.sort_values("recipe", key=lambda name: name != RECIPE, kind="stable")
    note = (
        f"`{command}`: per class, as many generated as test images against the class's "
        "training images; mean over the smaller classes, then mean ± deviation over "
        "seeds. The floor puts unseen real images in the place of generated ones. The "
        "paper names no features, layer or number of images: its column cannot be "
        "compared with the others, only the order of the methods."
    )
    blocks: list[document.Block] = [
        document.Heading("Table 5", 1),
        document.Text(note),
    ]
    lines = []
    keys = ["dataset", "m_updates", "recipe", "gan_turns", "features"]
    grouped = known.groupby(keys, sort=False)
    for (dataset, m_updates, recipe, gan_turns, features), rows in grouped:
        title = (
            f"{dataset}, {m_updates} updates of M, recipe {recipe}, "
            f"{TITLES[RIVAL]} of {gan_turns} turns, {features}"
        )
        blocks.append(document.Heading(title))
        found = _lines(rows, published.get(dataset, {}))
        lines += found
        blocks.append(document.Table(_HEAD, [*map(_cells, found), _floor(rows)]))
    write_text(out / "table5.md", document.markdown(blocks))
    table = pd.DataFrame(lines)
    atomically(out / "table5.csv", lambda part: table.to_csv(part, index=False))
    print(f"written: {out / 'table5.md'}, table5.csv")


def _lines(
    rows: pd.DataFrame, published: Mapping[str, tuple[float, float]]
) -> list[dict]:
    """A line a source: means and deviations over seeds, and the paper's FID.

    `rows` are of one dataset, number of updates and kind of features."""
    lines = []
    for name in TITLES:
        chosen = rows[rows["source"] == name]
        if chosen.empty:
            continue
        first = chosen.iloc[0]
        paper_fid, paper_fid_sd = published.get(
            _PUBLISHED_AS.get(name, ""), (math.nan, math.nan)
        )
        line = {
            "dataset": first["dataset"],
            "features": first["features"],
            "source": name,
            "seeds": chosen["seed"].nunique(),
            "m_updates": first["m_updates"],
            "recipe": first["recipe"],
            "gan_turns": first["gan_turns"],
        }
        for key in _SHOWN:
            line |= {key: chosen[key].mean(), f"{key}_sd": chosen[key].std()}
        lines.append({**line, "paper_fid": paper_fid, "paper_fid_sd": paper_fid_sd})
    return lines


def _cells(line: dict) -> list[str]:
    """A line for people."""
    cells = []
    for key in _SHOWN:
        mean, deviation = line[key], line[f"{key}_sd"]  # no mean: of an older version
        cells.append("" if math.isnan(mean) else document.spread(mean, deviation))
    paper = ""
    if not math.isnan(line["paper_fid"]):
        paper = document.spread(line["paper_fid"], line["paper_fid_sd"], digits=2)
    return [TITLES[line["source"]], str(line["seeds"]), paper, *cells]


def _floor(rows: pd.DataFrame) -> list[str]:
    """What real images score that nothing was trained on."""
    floor = [
        document.spread(rows[key].mean()) for key in ("frechet_floor", "kid_floor")
    ]
    return ["unseen real images", "", "", *floor, "", ""]

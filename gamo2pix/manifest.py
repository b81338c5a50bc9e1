"""manifest.csv of a balanced folder: where each of its training images comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from gamo2pix.generate import Generated
from gamo2pix.real_files import RealSet
from gamo2pix.trust import Trust
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.inference.convex_sampler import LISTED_PARENTS, heaviest
from gamo_tf.runs.run import Run

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # how one begins in a spreadsheet
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class Manifest:
    """The lines of manifest.csv.

    Images of a user's own data have further columns for the files they came from.
    Names are written so that no spreadsheet takes one for a formula (see `cell`).

    Args:
      run: that G is from.
      spec: of the dataset.
      real: the training images.
      seed: of what is generated.
    """

    def __init__(self, run: Run, spec: DatasetSpec, real: RealSet, seed: int) -> None:
        self.run, self.spec, self.real_set, self.seed = run, spec, real, seed

    def header(self) -> list[str]:
        """The names of the columns."""
        source = ["source"] if self.real_set.sources is not None else []
        of_parent = ["", "_row", *(f"_{word}" for word in source), "_weight"]
        parents = [
            f"parent_{k}{word}"
            for k in range(1, LISTED_PARENTS + 1)
            for word in of_parent
        ]
        first = ["file", "label", "name", "synthetic", "row", *source, "seed", "run"]
        return [*first, *Trust._fields, "form", *parents]

    def real(self, label: int) -> Iterator[list]:
        """The line of each real image of a class.

        Args:
          label: of the class.
        """
        name = cell(self.spec.classes[label])
        # A real image has no parents, and needs no trust.
        no_trust = [""] * len(Trust._fields)
        of_parent = 3 if self.real_set.sources is None else 4
        no_parents = [""] * (of_parent * LISTED_PARENTS)
        for row in self.real_set.rows(label):
            line = [self._file(label, row), label, name, 0]
            line += [self.real_set.index[row], *self._source(row)]
            line += ["", cell(self.run.path.name), *no_trust]
            yield [*line, self.real_set.form, *no_parents]

    def generated(
        self,
        label: int,
        numbers: np.ndarray,
        samples: Generated,
        trust: Trust | None,
    ) -> Iterator[list]:
        """The line of each generated image of a class.

        Args:
          label: of the class.
          numbers: of the samples in the generator's stream, [m].
          samples: m of them.
          trust: of them; None: it was not asked for.
        """
        name = self.spec.classes[label]
        rows = self.real_set.rows(label)
        weights = samples.weights
        assert weights is not None  # of a convex G
        top = heaviest(weights, LISTED_PARENTS)
        no_source = [] if self.real_set.sources is None else [""]
        for k, number in enumerate(numbers):
            line = [generated_file(name, number), label, cell(name), 1, "", *no_source]
            line += [self.seed, cell(self.run.path.name)]
            line += [_decimals(values[k]) for values in trust or ()]
            line += [""] * (len(Trust._fields) if trust is None else 0)
            line.append("generated")
            # A sample with fewer parents than columns has a shorter line.
            for j in top[k][weights[k, top[k]] > 0]:
                row = rows[j]
                line += [self._file(label, row), self.real_set.index[row]]
                line += [*self._source(row), f"{weights[k, j]:.6f}"]
            yield line

    def _source(self, row: int) -> list[str]:
        sources = self.real_set.sources
        return [] if sources is None else [cell(sources[row])]

    def _file(self, label: int, row: int) -> str:
        return self.real_set.file(row, self.spec.classes[label])


def generated_file(class_name: str, number: int) -> str:
    """The place of a generated image in a balanced folder.

    Args:
      class_name: of its class.
      number: of the sample in the generator's stream.
    """
    return f"train/{class_name}/gamo-{number:06d}.png"


def _decimals(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4f}"


def cell(text: str) -> str:
    """A text as manifest.csv has it.

    What a spreadsheet would take for a formula gets an apostrophe in front: it begins
    with = + - @ or white space, and is no number.

    Args:
      text: a name of a class, a file or a run.
    """
    # A name of a file that is no text has characters that UTF-8 does not have.
    text = text.encode("utf-8", "backslashreplace").decode()
    return f"'{text}" if text[:1] in _FORMULA and not _NUMBER.fullmatch(text) else text

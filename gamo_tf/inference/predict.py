"""Classes and probabilities of new images or vectors, by the F and M of a run."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from gamo_tf.config.options import spec_of
from gamo_tf.data import feature_table, image_folder, image_rows, table_columns
from gamo_tf.errors import UserError, setting
from gamo_tf.inference.players import load_classifier
from gamo_tf.networks.batched import compiled
from gamo_tf.own_settings import own_settings
from gamo_tf.runs.run import Run
from gamo_tf.training.extraction import batch_size


class Predictions(NamedTuple):
    """The lines of a CSV file of predictions.

    Attributes:
      header: names of the columns: ``file``, ``label``, ``probability`` and, where
        they were asked for, the names of all classes.
      lines: the columns of each row, as text; probabilities have six decimals.
      unreadable: files that could not be read, each with the reason.
      notes: what a person should know of the rows, a line each.
    """

    header: list[str]
    lines: list[list[str]]
    unreadable: dict[str, str]
    notes: list[str]


@own_settings()
def predict_rows(run: Run, files: list[str], all_probabilities: bool) -> Predictions:
    """Predict the class of new images, or of the rows of new tables.

    Images are prepared as `data.image_folder` says, to the size and the colours that
    the run was trained on. Tables need the columns that the run's table had when it
    was begun; further ones are left out.

    Args:
      run: a finished run.
      files: paths of images; of a run on vectors, paths of tables.
      all_probabilities: whether each line has the probability of every class, behind
        that of the most probable one.

    Returns:
      A line for each image, or for each row of a table (named ``FILE:ROW``, with rows
      counted from 0), in the order of `files`; unreadable files have none.

    Raises:
      UserError: where the run has no F or M, or these give no probabilities.
    """
    spec = spec_of(run.options)
    header = ["file", "label", "probability"]
    if all_probabilities:
        header += spec.classes
    if spec.vector:
        names, rows, unreadable, notes = _read_tables(run, files)
    else:
        names, rows, unreadable, notes = _read_images(run, files)
    if not len(rows):
        return Predictions(header, [], unreadable, notes)
    F, M = load_classifier(run)
    # A pretrained F may scale images up: fewer of them fit in memory at a time.
    chunk = batch_size() if run.options.pretrained else None
    probabilities = compiled(M)(compiled(F, chunk=chunk)(rows))
    wrong = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    if len(wrong):
        raise UserError(
            f"{run.path}: the probabilities of {len(wrong)} of {len(rows)} rows are no "
            f"numbers, those of {names[wrong[0]]} first. Train anew with a smaller "
            f"{setting('learning_rate')}, unless the values of these rows are wrong."
        )
    lines = []
    for name, p in zip(names, probabilities, strict=True):
        best = int(p.argmax())
        line = [name, spec.classes[best], f"{p[best]:.6f}"]
        if all_probabilities:
            line += [f"{x:.6f}" for x in p]
        lines.append(line)
    return Predictions(header, lines, unreadable, notes)


def _read_images(
    run: Run, files: list[str]
) -> tuple[list[str], np.ndarray, dict[str, str], list[str]]:
    """Readable files, their images uint8 [n, h, w, c], the unreadable files, and a note
    on files with several pages."""
    size, _, channels = spec_of(run.options).shape
    images = image_folder.read(files, size, channels == 1, run.options.patches)
    keep = [k for k, name in enumerate(files) if name not in images.bad]
    notes = [image_rows.first_pages(images.several)] if images.several else []
    return [files[k] for k in keep], images.pixels[keep], images.bad, notes


def _read_tables(
    run: Run, files: list[str]
) -> tuple[list[str], np.ndarray, dict[str, str], list[str]]:
    """Names of all rows, their vectors float64 [n, d], the unreadable files, and notes
    on values that the training has not seen."""
    options = run.options
    # The names of the columns are the run's own: today's file may be another.
    known = run.identity
    names, unreadable = [], {}
    notes: list[str] = []
    vectors = [np.zeros((0, *options.shape))]
    for file in files:
        try:
            found = feature_table.vectors(
                Path(file), options.label, known, options.shape[0]
            )
        except UserError as err:
            unreadable[file] = str(err)
            continue
        vectors.append(found)
        notes += [f"{file}: {note}" for note in table_columns.new_names(found, known)]
        names += [f"{file}:{k}" for k in range(len(found))]
    return names, np.concatenate(vectors), unreadable, notes

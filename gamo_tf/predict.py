"""Classes and probabilities of new images or vectors, by a finished run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gamo_tf.chunks import compiled
from gamo_tf.datasets import own_features, own_images
from gamo_tf.errors import UserError
from gamo_tf.options import spec_of
from gamo_tf.runs import Run


def rows(
    run: Run, files: list[str], every: bool
) -> tuple[list[str], list[list], dict[str, str]]:
    """Header, a line a row (file, label, probability; `every`: of all classes), and
    what could not be read with the reason.

    Images are prepared as `own_images` says, to the size and colours of the run.
    """
    spec = spec_of(run.options)
    header = ["file", "label", "probability", *(spec.classes if every else ())]
    if spec.vector:
        names, values, bad = _vectors(run, files)
    else:
        height, _, channels = spec.shape
        patches = run.options.patches
        values, bad = own_images.read(files, height, channels == 1, patches)
        keep = [k for k, name in enumerate(files) if name not in bad]
        names, values = [files[k] for k in keep], values[keep]
    if not len(values):
        return header, [], bad
    F, M = compiled(run.load_model("F")), compiled(run.load_model("M"))
    lines = []
    for name, p in zip(names, M(F(values)), strict=True):
        best = int(p.argmax())
        told = [name, spec.classes[best], f"{p[best]:.6f}"]
        lines.append(told + [f"{x:.6f}" for x in p] * every)
    return header, lines, bad


def _vectors(run: Run, files: list[str]) -> tuple[list[str], np.ndarray, dict]:
    """Rows of tables, named FILE:LINE."""
    options = run.options
    wanted = own_features.columns(Path(options.data), options.label)
    names, parts, bad = [], [np.zeros((0, *options.shape), np.float32)], {}
    for file in files:
        try:
            X = own_features.vectors(
                Path(file), options.label, wanted, options.shape[0]
            )
        except UserError as err:
            bad[file] = str(err)
            continue
        parts.append(X)
        names += [f"{file}:{k}" for k in range(len(X))]
    return names, np.concatenate(parts), bad

"""Finished runs as a table with a column for each, and how tables are laid out."""

from __future__ import annotations

from collections.abc import Sequence

from gamo_tf.config.options import MEASURED
from gamo_tf.data.names import canonical
from gamo_tf.errors import UserError
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.runs.run import Run


def table(runs: Sequence[Run]) -> str:
    """Every metric on every set, and the test recall of each class.

    Args:
      runs: one or more finished runs on the same classes.

    Returns:
      A table with a column for each run.

    Raises:
      UserError: a run has not finished, or the classes differ.
    """
    for run in runs:
        if not run.finished:
            raise UserError(f"{run.path}: not finished (no results.json).")
    results = [run.read_results() for run in runs]
    classes = results[0]["classes"]
    # Runs of earlier versions have names in the Unicode form of the disk.
    names = {tuple(map(canonical, found["classes"])) for found in results}
    if len(names) > 1:
        raise UserError("the runs have different classes; compare like with like.")
    lines = [["", *(run.path.name for run in runs)]]
    lines += [
        [key, *(str(found[key]) for found in results)]
        for key in ("iterations", "m_updates")
    ]
    averaged = any("ema" in found for found in results)
    for name in (name for name in MEASURED if any(name in r for r in results)):
        for metric in METRICS:
            label = f"{name} {metric.title}"
            lines.append([label, *(_cell(r, name, metric.name) for r in results)])
            if averaged:
                cells = (_cell(r.get("ema"), name, metric.name) for r in results)
                lines.append([f"{label} (EMA)", *cells])
    for i, label in enumerate(classes):
        recalls = (_number(found["test"]["recall"][i]) for found in results)
        size = results[0]["counts"][i]
        lines.append([f"recall {label} (of {size})", *recalls])
    return columns(lines)


def columns(lines: Sequence[Sequence[str]]) -> str:
    """Lay out cells in columns: the first on the left, the others on the right.

    Args:
      lines: the cells of each line, the same number in all of them.
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if k else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def _cell(results: dict | None, name: str, metric: str) -> str:
    """A metric on a set. Runs of older versions may lack a newer metric or set."""
    return _number((results or {}).get(name, {}).get(metric))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

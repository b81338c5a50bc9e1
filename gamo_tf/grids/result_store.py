"""What finished runs measured, a line each: the memory of the experiments.

Run folders are large and stay on the machine that made them; ``runs.jsonl`` is short
and is committed, so that tables and the report can be made, and added to, anywhere.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import pandas as pd

from gamo_tf.config.methods import METHODS
from gamo_tf.config.options import MEASURED, VALIDATION, Options
from gamo_tf.errors import UserError, first_line
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.files import locked, write_text
from gamo_tf.runs.result_check import sets_of, shares_agree
from gamo_tf.runs.run import Run
from gamo_tf.stored import (
    check_digest,
    read_bytes,
    read_text,
    reading,
    sealed,
    unsealed,
)

# Of the first metric the last evaluations are kept too, not the last one only: they
# show how far M still swings at the end of a training. Versions before this one looked
# at the test set while a run trained, and had no validation set.
_LATE_EVALUATIONS = 10
_LATE_METRIC = METRICS[0].name
_LATE_SETS = (VALIDATION, "test_full")


def compared(options: Options) -> Options:
    """The settings by which results are found and compared.

    Validation rows are looked at and never trained on, and their draw leaves the other
    draws as they are: runs that differ in their number alone are the same training,
    unless validation rows decide when it ends or what is kept of it.

    Args:
      options: of a run.
    """
    if _watched_rows_decide(options):
        return options
    return replace(options, validation_per_class=Options.validation_per_class)


class ResultStore:
    """The results in a file ``runs.jsonl``, by the options of their runs (`compared`).

    All lines are read at once. A file that is not there yet is an empty store.

    Args:
      path: of the file.

    Raises:
      UserError: where a line of the file is not a result.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._results: dict[Options, dict] = {}
        # Those of runs with averages, by the options without: see `get`.
        self._beside_averages: dict[Options, dict] = {}
        self._read()

    def _read(self) -> None:
        self._results.clear()
        self._beside_averages.clear()
        lines = read_text(self.path).splitlines() if self.path.exists() else []
        for number, line in enumerate(lines, 1):
            try:
                result = unsealed(json.loads(line))
                _check_record(result)
                self._take(compared(Options.from_json(result["options"])), result)
            except Exception as err:  # of many kinds, for damaged lines
                raise UserError(
                    f"{self.path}, line {number}: not a record ({first_line(err)})."
                ) from err

    def _take(self, options: Options, result: dict) -> None:
        self._results[options] = result
        averages_decide = METHODS[options.method].ends_on_averages
        if options.ema and not (averages_decide or _watched_rows_decide(options)):
            raw = {name: value for name, value in result.items() if name != "ema"}
            self._beside_averages.setdefault(replace(options, ema=0.0), raw)

    def __iter__(self) -> Iterator[tuple[Options, dict]]:
        """Options (`compared`) and result of each run, in the order of the file."""
        return iter(self._results.items())

    def __len__(self) -> int:
        """The number of results."""
        return len(self._results)

    def get(self, options: Options) -> dict | None:
        """The result of the run of these options, or None.

        Averages are kept beside a training and leave it as it is. So a run without
        averages is known by one with some, unless averages decide what it ends on, as
        in some methods (`Method.ends_on_averages`) and where validation rows choose
        among evaluations, which are of the averages. Averages of a certain decay are
        known by a run with that decay alone.

        Args:
          options: every setting of the run. How many validation rows it has does not
            matter.

        Returns:
          What `record` kept; without ``ema`` where no averages are asked for.
        """
        wanted = compared(options)
        return self._results.get(wanted) or self._beside_averages.get(wanted)

    def add(self, run: Run) -> None:
        """Take in a finished run, and write the file.

        Args:
          run: finished. What `get` finds of its options already is kept, because
            published tables may stand on it, and nothing is added.
        """
        options = compared(run.options)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Another process may have added a line since this one has read the file.
        with locked(self.path.parent):
            self._read()
            if self.get(options) is not None:
                return
            result = record(run)
            known = read_text(self.path) if self.path.exists() else ""
            write_text(self.path, f"{known}{json.dumps(sealed(result))}\n")
            self._take(options, result)


def _watched_rows_decide(options: Options) -> bool:
    """Whether validation rows decide when a training ends, or what is kept of it."""
    return options.best or bool(options.patience)


def _check_record(result: dict) -> None:
    """Raises UserError for a line that is no record of a run."""
    if "date" in result:
        date.fromisoformat(result["date"])
    for kind in (result, *([result["ema"]] if result.get("ema") else [])):
        for name in sets_of(kind):
            if not shares_agree(kind.get(name)):
                raise UserError(f"{name}: metrics and recalls do not agree")


def record(run: Run) -> dict:
    """What is kept of a finished run: a line of ``runs.jsonl``.

    Args:
      run: finished.

    Returns:
      Options, updates, metrics and recalls of all sets that the run has (of the
      weights that training ends on, and of averaged ones under ``ema``), seconds,
      versions and date; and under ``late_acsa`` the last values on the validation set.
    """
    results = run.read_results()
    kept = {
        "options": run.options.to_json(),
        "m_updates": results["m_updates"],
        **{k: results[k] for k in ("f_updates", "f_images") if k in results},
        "seconds": results["seconds"],
        "extra_seconds": results.get("extra_seconds", 0.0),
        "classes": results["classes"],
        **_measured(results),
    }
    if "ema" in results:
        kept["ema"] = _measured(results["ema"])
    with reading(run.metrics):
        content = read_bytes(run.metrics)
        if known := results.get("metrics_digest"):
            check_digest(content, known)
        sheet = pd.read_csv(BytesIO(content))
        columns = [f"{name}_{_LATE_METRIC}" for name in _LATE_SETS]
        for column in [name for name in columns if name in sheet][:1]:
            last = sheet[column].dropna().tail(_LATE_EVALUATIONS).astype(float)
            kept[f"late_{_LATE_METRIC}"] = [round(x, 6) for x in last]
    return {**kept, "versions": results["versions"], "date": results["date"]}


def _measured(results: dict) -> dict:
    """Metrics and recalls of each set, rounded. A metric that is younger than the run
    is left out."""
    return {
        name: {
            **{
                metric.name: round(results[name][metric.name], 6)
                for metric in METRICS
                if metric.name in results[name]
            },
            "recall": [
                None if r is None else round(r, 6) for r in results[name]["recall"]
            ],
        }
        for name in MEASURED
        if name in results
    }


def frame(results: Iterable[tuple[Options, dict]]) -> pd.DataFrame:
    """Results as a table.

    Args:
      results: options (`compared`) and result of each run, as a `ResultStore` has them.

    Returns:
      A line for each run, kind of weights ("" for those that training ends on,
      "EMA") and set, with the run's options (`compared`), a column for each metric
      (NaN where it was not measured yet), the recalls in label order, and the seconds.
    """
    lines = []
    for options, result in results:
        for weights, measured in (("", result), ("EMA", result.get("ema") or {})):
            for name in (name for name in MEASURED if name in measured):
                lines.append(
                    {
                        "options": options,
                        "dataset": options.dataset,
                        "method": options.method,
                        "loss": options.loss,
                        "seed": options.seed,
                        "m_updates": result["m_updates"],
                        "weights": weights,
                        "set": name,
                        **{metric.name: math.nan for metric in METRICS},
                        **measured[name],
                        "seconds": result["seconds"],
                        "extra_seconds": result["extra_seconds"],
                    }
                )
    return pd.DataFrame(lines)


def spreads(runs: pd.DataFrame) -> dict[str, float]:
    """Each metric's mean and standard deviation over runs.

    Args:
      runs: lines of `frame` of one method, kind of weights and set.

    Returns:
      The mean under the metric's name and the deviation (of a sample, NaN for one
      run) under the name with ``_sd``, as `document.metric_cell` takes them.
    """
    return {
        metric.name + end: value
        for metric in METRICS
        for end, value in (
            ("", runs[metric.name].mean()),
            ("_sd", runs[metric.name].std()),
        )
    }

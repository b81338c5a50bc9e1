"""What finished runs found, a line each: the memory of reproduce.py.

Run folders are large and stay on the machine that made them; ``runs.jsonl`` is small
and is committed, so that tables and the report can be made, and added to, anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from gamo_tf.errors import UserError
from gamo_tf.folder import write_text
from gamo_tf.options import Options
from gamo_tf.runs import Run

SETS = {"test": "protocol", "test_full": "full test set", "train": "training set"}
_LATE = 10  # evaluations at the end that are kept: how far M still swings


class Records:
    """The records of ``path``; all of them are read at once.

    Raises UserError where a line is not a record.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: dict[Options, dict] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                self._rows[Options.from_json(row["options"])] = row
            except (ValueError, TypeError, KeyError, UserError) as err:
                raise UserError(
                    f"{path}, line {number}: not a record ({err})."
                ) from err

    def __iter__(self) -> Iterator[tuple[Options, dict]]:
        return iter(self._rows.items())

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, options: Options) -> dict | None:
        """What the run of exactly these options found, if it is known."""
        return self._rows.get(options)

    def add(self, run: Run) -> None:
        """Of a finished run; a line that was there already is kept."""
        if run.options not in self._rows:
            self._rows[run.options] = record(run)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lines = (json.dumps(row) for row in self._rows.values())
            write_text(self.path, "\n".join(lines) + "\n")


def record(run: Run) -> dict:
    """Options, metrics of all sets (raw, and `ema`), time, versions and date."""
    results = run.read_results()
    kept = {
        "options": run.options.to_json(),
        "m_updates": results["m_updates"],
        "seconds": results["seconds"],
        "extra_seconds": results.get("extra_seconds", 0.0),
        "classes": results["classes"],
        **_metrics(results),
    }
    if "ema" in results:
        kept["ema"] = _metrics(results["ema"])
    late = pd.read_csv(run.metrics)["test_full_acsa"].tail(_LATE)
    kept["late_acsa"] = [round(x, 6) for x in late]
    return {**kept, "versions": results["versions"], "date": results["date"]}


def _metrics(source: dict) -> dict:
    return {
        name: {
            "acsa": round(source[name]["acsa"], 6),
            "gm": round(source[name]["gm"], 6),
            "recall": [
                None if r is None else round(r, 6) for r in source[name]["recall"]
            ],
        }
        for name in SETS
    }


def frame(records: Records) -> pd.DataFrame:
    """A line for each run, kind of weights ("" for raw, "EMA") and set."""
    lines = []
    for options, row in records:
        for weights, source in (("", row), ("EMA", row.get("ema"))):
            for name in SETS if source else ():
                lines.append(
                    {
                        "options": options,
                        "dataset": options.dataset,
                        "method": options.method,
                        "loss": options.loss,
                        "seed": options.seed,
                        "m_updates": row["m_updates"],
                        "weights": weights,
                        "set": name,
                        **source[name],
                        "seconds": row["seconds"],
                        "extra_seconds": row["extra_seconds"],
                    }
                )
    return pd.DataFrame(lines)

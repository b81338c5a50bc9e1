"""One training of a comparison: a method on a split, and what is kept of it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gamo_tf.cli.run_settings import read_settings
from gamo_tf.cli.trial import peak_memory
from gamo_tf.comparison.peer_fit import fit
from gamo_tf.comparison.peers import PEERS, row_of
from gamo_tf.config.options import VALIDATION, spec_of
from gamo_tf.data import load
from gamo_tf.data.splits import split_of
from gamo_tf.errors import UserError
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.import_tensorflow import import_tensorflow
from gamo_tf.stored import read_object, reading, write_json

TEST = "test_full"  # of the sets of a run


@dataclass(frozen=True)
class Job:
    """A method on the split of a seed.

    Attributes:
      method: a row of `METHODS` or of `PEERS`.
      seed: of the split and of the training.
      folder: of its own, below that of the comparison.
    """

    method: str
    seed: int
    folder: Path

    @property
    def file(self) -> Path:
        """What is kept of it."""
        return self.folder / "record.json"

    def read(self) -> dict | None:
        """What is kept; None where it has not been done yet.

        Raises:
          UserError: the file is damaged, or is of another method or seed.
        """
        if not self.file.exists():
            return None
        found = read_object(self.file, always_sealed=True)
        with reading(self.file):
            if (found["method"], found["seed"]) != (self.method, self.seed):
                raise UserError("is of another method or seed.")
        return found


def train(flags: Mapping, job: Job, data_dir: Path) -> None:
    """Train, or go on with a training that was stopped, and keep what came of it.

    Meanwhile the output of the process goes to the job's ``log.txt``.

    Args:
      flags: of the data and of the training, by the names of `cli.flags`.
      job: the method and the split.
      data_dir: of the datasets' published files.

    Raises:
      UserError: what `train.run` cannot do.
    """
    with _output_to(job.folder / "log.txt"):
        memory = PeakMemory()
        if job.method in PEERS:
            results = _fit_peer(flags, job, data_dir)
        else:
            results = _trained({**flags, "method": row_of(job.method)}, job, data_dir)
    write_json(job.file, _record(results, job, memory.mebibytes()))


@contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """Within it, what the process prints, TensorFlow's C++ too, goes to a file."""
    streams = (sys.stdout, sys.stderr)
    kept = [os.dup(stream.fileno()) for stream in streams]
    try:
        with path.open("a") as log:
            for stream in streams:
                stream.flush()
                os.dup2(log.fileno(), stream.fileno())
        yield
    finally:
        for stream, descriptor in zip(streams, kept, strict=True):
            stream.flush()
            os.dup2(descriptor, stream.fileno())
            os.close(descriptor)


class PeakMemory:
    """The most memory of this process since the object was made.

    Linux can forget an earlier peak; elsewhere it is the most since the process began.
    """

    def __init__(self) -> None:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")

    def mebibytes(self) -> float:
        """The peak in MiB."""
        status = Path("/proc/self/status")
        if status.exists():
            found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
            if found:
                return int(found[1]) / 2**10
        return peak_memory()


def _trained(flags: Mapping, job: Job, data_dir: Path) -> dict:
    """The results of the run: a new one, or one that was stopped."""
    import_tensorflow()
    from gamo_tf import train
    from gamo_tf.runs.run import Run

    runs_dir = job.folder / "runs"
    begun = [Run(path.parent) for path in sorted(runs_dir.glob("*/options.json"))]
    going = [run for run in begun if run.has_rows]
    if going and going[-1].finished:
        run = going[-1]
    elif going:
        run = train.resume(going[-1].path, data_dir)
    else:
        options, user_data = read_settings({**flags, "seed": job.seed})
        run = train.run(options, data_dir, runs_dir, user_data)
    return run.read_results()


def _fit_peer(flags: Mapping, job: Job, data_dir: Path) -> dict:
    """The results of a peer on the same split."""
    options, user_data = read_settings({**flags, "seed": job.seed})
    spec = spec_of(options)
    arrays = user_data.arrays if user_data else load.read(spec, data_dir)
    split = split_of(options, arrays)
    if not spec.vector:
        import_tensorflow()
        from gamo_tf.training.feature_stage import FeatureStage

        split = FeatureStage(options).behind(split)
    return fit(job.method, options, split)


def _record(results: Mapping, job: Job, mebibytes: float) -> dict:
    """What is kept of a finished run: of averaged weights where it has them."""
    measured = results.get("ema") or results
    return {
        "method": job.method,
        "seed": job.seed,
        "classes": results["classes"],
        "counts": results["counts"],
        "averaged": "ema" in results,
        **{
            name: {
                **{metric.name: measured[name][metric.name] for metric in METRICS},
                "recall": measured[name]["recall"],
                "rows": [sum(row) for row in measured[name]["confusion"]],
            }
            for name in (VALIDATION, TEST)
            if name in measured
        },
        "seconds": results["seconds"],
        "mebibytes": round(mebibytes),
        "versions": results["versions"],
        "date": results["date"],
    }

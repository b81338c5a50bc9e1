"""The runs that an experiment needs: found under a directory, gone on with, or begun.

Each training has a process of its own. TensorFlow keeps a process's GPU memory and its
random state, and a run must be the same whether others came before it or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.options import Options
from gamo_tf.data import load
from gamo_tf.errors import UserError, setting
from gamo_tf.grids.processes import in_own_process
from gamo_tf.grids.result_store import ResultStore
from gamo_tf.import_tensorflow import import_tensorflow
from gamo_tf.runs.run import Run
from reproduction.tables import TableRequest


def find(runs_dir: Path, options: Options) -> Run | None:
    """Look for a run of exactly these options.

    Args:
      runs_dir: directory of runs; it need not be there.
      options: every setting of the run.

    Returns:
      The run, finished or not, or None.
    """
    tail = f"{options.dataset}-{options.method}-{options.loss}"
    for path in sorted(runs_dir.glob(f"[!.]*-{tail}/options.json")):
        run = Run(path.parent)
        try:
            if run.options == options:
                return run
        except UserError as err:  # a damaged run must not be in the way of another
            print(f"left out: {err.message}", flush=True)
    return None


def train(options: Options, runs_dir: Path, data_dir: Path) -> Run:
    """The finished run of these options: found, gone on with, or begun.

    Args:
      options: every setting of the run.
      runs_dir: directory of runs.
      data_dir: of the datasets' published files.

    Raises:
      UserError: what the training could not do, or that its process died.
      KeyboardInterrupt: for Ctrl-C; the run is saved and the same call goes on.
    """
    found = find(runs_dir, options)
    if found and found.finished:
        return found
    unfinished = found.path if found else None
    in_own_process(_train_here, (options, unfinished, runs_dir, data_dir))
    run = find(runs_dir, options)
    if run is None or not run.finished:
        raise UserError(f"{runs_dir}: the training ended without a finished run.")
    return run


def _train_here(
    options: Options, unfinished: Path | None, runs_dir: Path, data_dir: Path
) -> None:
    """Begin or go on with a run, and print what came of it."""
    import_tensorflow()
    from gamo_tf import train
    from gamo_tf.evaluation import results

    if unfinished:
        run = train.resume(unfinished, data_dir)
    else:
        spec, drawn = DATASETS[options.dataset], None
        if spec.draws_classes:
            drawn = load.draw_classes(spec, data_dir, options.seed)
        run = train.run(options, data_dir, runs_dir, drawn)
    print(results.report(run), flush=True)


@dataclass(frozen=True)
class Wishes:
    """What is asked of a table whose runs have options of their own.

    Attributes:
      methods: only these; empty: all that it has.
      datasets: only these; empty: all that it has.
      updates: of F, or of M where F has nothing to learn; None: its own number.
      known: whether nothing is to be trained.
      runs_dir: directory of runs.
      data_dir: of the datasets' published files.
      command: that the page names as the one that made it.
      out: directory of the page.
    """

    methods: Sequence[str]
    datasets: Sequence[str]
    updates: int | None
    known: bool
    runs_dir: Path
    data_dir: Path
    command: str
    out: Path


def train_missing(wanted: Iterable[Options], wishes: Wishes, store: ResultStore) -> int:
    """Make the runs that the store has no result of, unless only what is known counts.

    Args:
      wanted: options of the runs.
      wishes: where they go.
      store: gets the results as the runs finish.

    Returns:
      How many failed; each says why.
    """
    failed = 0
    for options in () if wishes.known else wanted:
        try:
            if not store.get(options):
                store.add(train(options, wishes.runs_dir, wishes.data_dir))
        except UserError as err:
            failed += 1
            print(f"{options.method}, {options.dataset}: {err}", flush=True)
    return failed


def run_missing(
    request: TableRequest,
    runs_dir: Path,
    store: ResultStore,
    train: Callable[[Options, Path, Path], Run] = train,
) -> dict[tuple[str, str], str]:
    """Make every run of a table that the store has no result of.

    A failure is printed once and does not keep the other rows from being run.

    Args:
      request: the table.
      runs_dir: directory of runs.
      store: gets the results as the runs finish.
      train: makes a run of options, `runs_dir` and the data's directory.

    Returns:
      What failed and why, by dataset and method; the method is "" where all of the
      dataset failed.
    """
    failed: dict[tuple[str, str], str] = {}

    def fail(dataset: str, method: str, err: UserError) -> None:
        message = str(err).removeprefix(f"{dataset}: ")
        print(f"{dataset}{method and ', ' + method}: {message}", flush=True)
        failed[dataset, method] = str(err)

    known, wanted = 0, list(request.runs())
    for dataset in dict.fromkeys(row.dataset for row in request.rows()):
        try:
            request.check(dataset)
        except UserError as err:
            fail(dataset, "", err)
    for dataset, method, loss, seed in wanted:
        if {(dataset, ""), (dataset, method)} & set(failed):
            continue
        try:
            options = request.options(dataset, method, loss, seed)
            if store.get(options):
                known += 1
            else:
                store.add(train(options, runs_dir, request.data_dir))
        except UserError as err:
            fail(dataset, method, err)
    if known:
        print(
            f"{known} of {len(wanted)} runs are known from {store.path}; to repeat "
            f"them, give another {setting('out')}"
        )
    return failed

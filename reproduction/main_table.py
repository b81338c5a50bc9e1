"""The main table: equally tuned methods at equal images through F's gradient.

A method is in it once `tuning` has found its setting; a method that was tuned less than
another is not compared with it. All have augmentation and averaged weights, and are
measured by the averages on the full test set, once, after the last iteration.

Beside it stand the same methods in the same wall time, and on other class sizes, which
nothing was tuned on; and what options that save time or memory do to two of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count, product

import pandas as pd

from gamo_tf.config.class_counts import ClassCounts
from gamo_tf.config.dataset_specs import DATASETS
from gamo_tf.config.methods import METHODS, RECOMMENDED
from gamo_tf.config.options import CHOICES
from gamo_tf.data.splits import profile_counts
from gamo_tf.errors import UserError, setting
from gamo_tf.evaluation.metrics import METRICS
from gamo_tf.files import atomically, write_text
from gamo_tf.grids import document
from gamo_tf.grids.paired_tests import LEVEL, against
from gamo_tf.grids.result_store import ResultStore, spreads
from reproduction import tuning
from reproduction.contest import MEANS, SEEDS, UPDATES, Rivals, collect
from reproduction.runner import Wishes, train_missing

OURS = RECOMMENDED
# Class sizes beside the paper's: how they fall, and the largest over the smallest.
PROFILES = (("exponential", 10), ("exponential", 200), ("step", 100))
# Whose shortcuts are measured, where F has something to learn.
_SHORTENED = ("gamo", "gamo-balanced", OURS)
_LEARNING = ("fashion-mnist", "cifar10")
_WHOLE = "as usual"  # all points, float32
# Wall times that differ by no more than this share are the same. The shortest of a
# method's five runs differed by a sixth from that of nine.
_ALIKE = 0.25


def _rivals(
    store: ResultStore, trials: ResultStore, repeats: int, wishes: Wishes
) -> Rivals:
    """Raises UserError for a method that is not tuned yet."""
    scores = tuning.collect(trials)
    kept = tuning.best(scores) if len(scores) else {}
    settings = {method: tuning.GRIDS[method][number] for method, number in kept.items()}
    if odd := set(wishes.methods) - set(settings):
        raise UserError(
            f"{setting('methods')} {', '.join(sorted(odd))}: not tuned yet; run tune "
            "first."
        )
    methods = wishes.methods or list(settings)
    return Rivals(store, settings, methods, repeats, wishes)


def equal_images(
    store: ResultStore, trials: ResultStore, repeats: int, wishes: Wishes
) -> int:
    """The main table: as many images through F's gradient for every method.

    Args:
      store: gets the results.
      trials: of `tuning`.
      repeats: the most seeds of a dataset, from 0 on.
      wishes: methods that are tuned, datasets of `SEEDS`, and the rest.

    Returns:
      How many runs failed; each says why.

    Raises:
      UserError: a method is not tuned yet, or no run is known.
    """
    rivals = _rivals(store, trials, repeats, wishes)
    found, failed = rivals.results(
        rivals.contest(dataset, dataset) for dataset in rivals.datasets
    )
    updates = {name: wishes.updates or UPDATES[name] for name in rivals.datasets}
    told = ", ".join(f"{n} on {name}" for name, n in updates.items())
    note = f"updates of F (where it has nothing to learn, of M): {told}"
    _write("main", "Main table", note, found, rivals)
    return failed


def equal_time(
    store: ResultStore, trials: ResultStore, repeats: int, wishes: Wishes
) -> int:
    """The same methods for as many seconds as `OURS` takes in the main table.

    How long a method takes is the shortest of its runs in the main table, since other
    work of the machine only adds to it; a method that is `_ALIKE` keeps these runs. The
    others get more updates, or fewer, to the hundred.

    Args, returns and errors: as `equal_images` has them.
    """
    rivals = _rivals(store, trials, repeats, wishes)
    contests = []
    for dataset in rivals.datasets:
        same = rivals.contest(dataset, dataset)
        found = collect(store, rivals.wanted([same]))
        if found.empty or OURS not in set(found["method"]):
            raise UserError(
                f"{store.path}: the main table has no {OURS} on {dataset} yet; run "
                "main first."
            )
        seconds = found.groupby("method")["seconds"].min()
        updates = {
            method: _in_time(same.updates[method], seconds[OURS] / seconds[method])
            for method in rivals.methods
            if method in seconds
        }
        contests.append(rivals.contest(dataset, dataset, updates))
    found, failed = rivals.results(contests)
    note = (
        f"as many updates of F as take the wall time that {OURS} has in the main "
        "table, by the shortest run of each method; the same, where that differs by "
        f"less than {_ALIKE:.0%}"
    )
    _write("main-time", "The same wall time", note, found, rivals)
    return failed


def _in_time(updates: int, ratio: float) -> int:
    """Updates that take `ratio` times as long."""
    if abs(ratio - 1) <= _ALIKE:
        return updates
    return max(100, round(updates * ratio / 100) * 100)


def other_sizes(
    store: ResultStore, trials: ResultStore, repeats: int, wishes: Wishes
) -> int:
    """The main table on the class sizes of `PROFILES`, with nothing tuned anew.

    Args, returns and errors: as `equal_images` has them.
    """
    rivals = _rivals(store, trials, repeats, wishes)
    contests = []
    for dataset in rivals.datasets:
        sizes = DATASETS[dataset].counts
        for profile, ratio in PROFILES:
            counts = profile_counts(max(sizes), len(sizes), ratio, profile)
            title = f"{dataset}, {profile}, ratio {ratio}"
            contests.append(rivals.contest(title, dataset, counts=counts))
    found, failed = rivals.results(contests)
    note = "updates of F and settings as in the main table, other class sizes"
    _write("main-profiles", "Other class sizes", note, found, rivals)
    return failed


def shortcuts(
    store: ResultStore, trials: ResultStore, repeats: int, wishes: Wishes
) -> int:
    """What ``--support`` and ``--precision`` do to methods of the main table.

    Args, returns and errors: as `equal_images` has them.
    """
    rivals = _rivals(store, trials, repeats, wishes)
    methods = wishes.methods or [name for name in _SHORTENED if name in rivals.methods]
    wanted = {}
    for dataset in wishes.datasets or _LEARNING:
        updates = wishes.updates or UPDATES[dataset]
        seeds = range(min(repeats, SEEDS[dataset]))
        for seed, method in product(seeds, methods):
            for name, short in _short(dataset, method).items():
                wanted[f"{method} on {dataset}", seed, name] = tuning.equal_options(
                    *(method, {**rivals.settings[method], **short}, dataset),
                    *(seed, updates),
                )
    failed = train_missing(wanted.values(), wishes, store)
    note = (
        "updates of F as in the main table; shares are those of all points of the "
        "smaller classes, of which each has at most K in a pass"
    )
    found = collect(store, wanted)
    _write("main-shortcuts", "Shortcuts", note, found, rivals, _WHOLE)
    return failed


def _short(dataset: str, method: str) -> dict[str, dict]:
    """Settings by what the table calls them; those that a method has."""
    found: dict[str, dict] = {_WHOLE: {}}
    if METHODS[method].supported:
        sizes = ClassCounts(DATASETS[dataset].counts).minority_sizes
        for share in (0.5, 0.25):
            k = _points(sizes, share)
            found[f"{share:.0%} of the points (K = {k})"] = {"support": k}
    for policy in CHOICES["precision"][1:]:
        found[policy] = {"precision": policy}
    return found


def _points(sizes: Sequence[int], share: float) -> int:
    """The smallest K with which classes of these sizes have that share of all their
    points."""
    wanted = share * sum(sizes)
    return next(k for k in count(1) if sum(min(n, k) for n in sizes) >= wanted)


def _write(
    name: str,
    title: str,
    note: str,
    found: pd.DataFrame,
    rivals: Rivals,
    ours: str = OURS,
) -> None:
    """Write a page and its figures."""
    if found.empty:
        raise UserError(f"{rivals.store.path}: no run of this table is known.")
    page = [
        document.Heading(title, 1),
        document.Text(_note(rivals.wishes.command, note)),
        *blocks(found, rivals.settings, ours),
    ]
    paths = [rivals.wishes.out / f"{name}.{end}" for end in ("md", "csv")]
    write_text(paths[0], document.markdown(page))
    atomically(paths[1], lambda part: found.to_csv(part, index=False))
    for path in paths:
        print(f"written: {path}")


def blocks(
    found: pd.DataFrame, settings: Mapping[str, Mapping], ours: str = OURS
) -> list[document.Block]:
    """A table for each dataset, the highest mean of both metrics first.

    Args:
      found: of `collect`.
      settings: the tuned ones of each method.
      ours: what each line is compared with.
    """
    page: list[document.Block] = []
    names = [metric.name for metric in METRICS]
    head = ["method", "setting", "seeds", document.METRIC_TITLES]
    for metric in METRICS:
        head += [f"{ours} less it, {metric.title}", "corrected p", f"{ours} is"]
    head += ["F updates", "M updates", "images through F", "seconds"]
    for dataset, mine in found.groupby("dataset", sort=False):
        by_method = mine.groupby("method")
        apart, lines = against(ours, by_method), []
        means = by_method[names].mean().mean(axis=1)
        for method in means.sort_values(ascending=False).index:
            rows = by_method.get_group(method)
            cells = [
                method,
                tuning.in_words(settings.get(method, {})),
                str(len(rows)),
                document.metric_cell(spreads(rows)),
            ]
            for name in names:
                pair = apart.get(method, {}).get(name)
                cells += pair.cells if pair else ["", "", ""]
            cells += [f"{int(rows[name].median()):,}" for name in MEANS]
            lines.append([*cells, f"{rows['seconds'].mean():.0f}"])
        page += [document.Heading(str(dataset)), document.Table(head, lines)]
    return page


def _note(command: str, means: str) -> str:
    return (
        f"`{command}`: every method with the setting that `reproduce.py tune` kept, "
        f"augmentation and averaged weights, {means}; measured by the averages on the "
        f"full test set. Differences are paired over seeds, with {LEVEL:.0%} "
        "intervals; p values are those of the paired t test after Holm's correction "
        "over all comparisons of a table, and the words follow from them alone."
    )

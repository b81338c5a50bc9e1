"""What can be reproduced: a row for each table and figure, and how its maker starts."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reproduction.published import FID, TABLES, PublishedTable

if TYPE_CHECKING:  # else imported when they are used: the help answers at once
    from gamo_tf.grids.result_store import ResultStore
    from reproduction.runner import Wishes
    from reproduction.tables import TableRequest

_RUNS = Path("runs/reproduce")
_SETS = ("mnist", "fashion-mnist", "cifar10")  # that methods are compared on


@dataclass(frozen=True)
class Order:
    """Everything that was asked for.

    Attributes:
      name: of the experiment, a key of `EXPERIMENTS`.
      flags: of the command line.
      command: the command line, which pages name as the one that made them.
      data_dir: of the datasets' published files.
      published: what the paper reports in the table of that name, or None.
      quick_updates: of M in a run of ``--quick``.
    """

    name: str
    flags: argparse.Namespace
    command: str
    data_dir: Path
    published: PublishedTable | None
    quick_updates: int

    @property
    def runs_dir(self) -> Path:
        """Where the runs of tables and figures are, and are made."""
        return self.flags.runs_dir or _RUNS

    def request(self) -> TableRequest:
        """The runs that are asked for."""
        from reproduction.tables import TableRequest

        flags = self.flags
        return TableRequest(
            table=self.name,
            data_dir=self.data_dir,
            repeats=1 if flags.quick else flags.repeats,
            updates=self.quick_updates if flags.quick else flags.updates,
            ema=flags.ema,
            datasets=tuple(flags.datasets or ()),
            methods=tuple(flags.methods or ()),
            losses=tuple(flags.losses or ()),
            published=self.published,
        )

    def wishes(self) -> Wishes:
        """What was asked of a table whose runs have options of their own."""
        from reproduction.runner import Wishes

        flags = self.flags
        return Wishes(
            methods=flags.methods or (),
            datasets=flags.datasets or (),
            updates=flags.updates,
            known=flags.known,
            runs_dir=self.runs_dir,
            data_dir=self.data_dir,
            command=self.command,
            out=flags.out,
        )

    def store(self, name: str = "runs.jsonl") -> ResultStore:
        """The results that are known already.

        Args:
          name: of their file.
        """
        from gamo_tf.grids.result_store import ResultStore

        return ResultStore(self.flags.out / name)


@dataclass(frozen=True)
class Experiment:
    """A row of `EXPERIMENTS`.

    Attributes:
      maker: the function that makes it, as ``module:function``. It is text, so that
        its module is imported when it is asked for: the help answers at once, and
        this package does not depend on ``gamo2pix``, which makes images.
      start: hands what was asked for to the maker; returns how many things failed.
      title: for the help; "": the name says it.
      datasets: that it has; (): those of its published table.
      tensorflow: whether the maker's module imports TensorFlow.
      keeps: whether it keeps its results, so that ``--known`` can make it of them.
    """

    maker: str
    start: Callable[[Callable, Order], int]
    title: str = ""
    datasets: tuple[str, ...] = ()
    tensorflow: bool = False
    keeps: bool = False


def _table(write: Callable, order: Order) -> int:
    """A table of metrics: the runs that are missing, then the table."""
    from reproduction import runner

    request, store = order.request(), order.store()
    failed = {}
    if not order.flags.known:
        failed = runner.run_missing(request, order.runs_dir, store)
    for path in write(request, store, order.command, order.flags.out):
        print(f"written: {path}")
    return len(failed)


def _images(make: Callable, order: Order) -> int:
    """A table or a figure of generated images."""
    flags = order.flags
    return make(
        order.request(),
        fid_features=flags.fid_features,
        inception_weights=flags.inception_weights,
        runs_dir=order.runs_dir,
        out=flags.out,
        quick=flags.quick,
        command=order.command,
    )


def _toys(write: Callable, order: Order) -> int:
    return write(order.name, order.flags.out, order.flags.quick)


def _theorem(write: Callable, order: Order) -> int:
    return write(order.flags.out)


def _tuning(make: Callable, order: Order) -> int:
    """The trials that are missing, then their table."""
    return make(order.store("tuning.jsonl"), order.wishes())


def _main_table(make: Callable, order: Order) -> int:
    """The runs of tuned methods that are missing, then a table of them."""
    stores = order.store("main.jsonl"), order.store("tuning.jsonl")
    return make(*stores, order.flags.repeats, order.wishes())


def _report(write: Callable, order: Order) -> int:
    folders = [order.flags.runs_dir] if order.flags.runs_dir else [_RUNS.parent, _RUNS]
    return write(order.store(), folders, order.flags.out, order.command)


def _main_row(
    function: str, title: str, module: str = "main_table", datasets: tuple = _SETS
) -> Experiment:
    maker = f"reproduction.{module}:{function}"
    return Experiment(maker, _main_table, title, datasets, keeps=True)


def _image_row(title: str, datasets: Iterable[str]) -> Experiment:
    maker = "reproduction.image_experiments:make"
    return Experiment(maker, _images, title, tuple(datasets), tensorflow=True)


def _toy_row(title: str) -> Experiment:
    maker = "reproduction.toy_figures:write"
    return Experiment(maker, _toys, title, tensorflow=True)


EXPERIMENTS = {
    **{
        name: Experiment("reproduction.tables:write", _table, keeps=True)
        for name in sorted(TABLES)
    },
    "table5": _image_row("", FID),
    "figure1": _toy_row("a 2-D toy: plain, conditional GAN, G against M, GAMO"),
    "figure2": _toy_row("the generated density moves to the border, in one dimension"),
    "figure4": _image_row("generated digits by method", ["mnist"]),
    "figure5": _image_row("GAMO2pix beside cDCGAN", FID),
    "theorem1": Experiment(
        "reproduction.theorem1:write",
        _theorem,
        "J at the optimal M beside the Jensen-Shannon divergences",
    ),
    "tune": Experiment(
        "reproduction.tuning_page:make",
        _tuning,
        "equal trials for every method, on validation rows",
        ("digits", *_SETS),
        keeps=True,
    ),
    "finals": _main_row(
        "make",
        "which method is recommended, on validation rows",
        "finals",
        ("mnist", "cifar10"),
    ),
    "main": _main_row(
        "equal_images", "equally tuned methods at equal images through F's gradient"
    ),
    "main-time": _main_row("equal_time", "the same methods in the same wall time"),
    "main-profiles": _main_row("other_sizes", "the same on other class sizes"),
    "main-shortcuts": _main_row("shortcuts", "what --support and --precision cost"),
    "report": Experiment("reproduction.report:write", _report),
}

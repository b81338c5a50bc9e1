"""Tables: which runs they need, and what is written of the results."""

import shlex
from pathlib import Path

import pandas as pd
import pytest

from gamo_tf.config.options import Options, resolve
from gamo_tf.errors import UserError
from reproduction import reproduce, tables
from reproduction.published import Reported
from reproduction.tables import Row, TableRequest

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"


def test_methods_with_one_loss_are_asked_for_once():
    request = TableRequest(
        "table1", Path(), 2, 100, methods=("cn", "focal"), datasets=("mnist",)
    )
    assert list(request.runs()) == [
        ("mnist", method, loss, seed)
        for seed in (0, 1)
        for method, loss in (("cn", "ce"), ("focal", "ce"), ("cn", "ls"))
    ]
    only = TableRequest("table1", Path(), 1, methods=("focal",), losses=("ls",))
    assert only.rows() == [
        Row("mnist", "ls", "focal", "ce"),
        Row("fashion-mnist", "ls", "focal", "ce"),
    ]


def test_every_method_has_the_same_updates_of_m():
    request = TableRequest("table1", Path(), 1, 100, ema=0.9)
    plain = request.options("mnist", "cn", "ls", 3)
    game = request.options("mnist", "gamo", "ls", 3)
    assert (plain.iterations, game.iterations) == (100, 50)
    assert (plain.evaluate_every, game.checkpoint_every) == (20, 10)
    assert plain.seed == 3 and plain.ema == 0.9
    default = TableRequest("table1", Path(), 1).options("mnist", "gamo", "ls", 0)
    assert default == resolve({"dataset": "mnist"})


def test_a_table_that_is_not_published_has_no_rows():
    request = TableRequest("table5", Path(), 1)
    assert not request.rows() and not list(request.runs())
    assert request.options("cifar10", "cdcgan", "ls", 0).method == "cdcgan"


@pytest.fixture
def scenes(tmp_path) -> Path:
    """Names of images in fifty categories whose sizes have the paper's ratio."""
    sizes = {"/a/largest": 199 + 20, "/b/smallest": 14 + 20}
    sizes |= {f"/c/place{k}": 40 for k in range(48)}
    root = tmp_path / "sun397"
    for name, n in sizes.items():
        folder = root.joinpath("SUN397", *name.split("/"))
        folder.mkdir(parents=True)
        for k in range(n):
            (folder / f"{k}.jpg").touch()
    (root / "ClassName.txt").write_text("\n".join(sizes) + "\n")
    return tmp_path


def test_classes_that_follow_from_the_seed_are_drawn_without_opening_an_image(scenes):
    request = TableRequest("table4", scenes, 2, updates=8)
    request.check("sun397")
    options = request.options("sun397", "gamo", "ls", 1)
    assert options.dataset == "sun397" and options.data
    assert len(options.classes) == 50 and options.seed == 1
    assert (max(options.counts), min(options.counts)) == (199, 14)
    assert options.iterations == 4 and options.batch_size == 128


def test_missing_files_are_named(tmp_path):
    request = TableRequest("table4", tmp_path, 1)
    with pytest.raises(UserError, match=r"ClassName\.txt"):
        request.check("sun397")
    with pytest.raises(UserError):
        request.options("sun397", "gamo", "ls", 0)


def runs(request: TableRequest) -> list[Options]:
    return [request.options(*run) for run in request.runs()]


def test_means_and_deviations_stand_beside_the_papers(toy_table, store_of, tmp_path):
    table = {
        **toy_table,
        ("digits", "ls", "train"): {"gamo": Reported(0.5, 0.02, 0.4, 0.02)},
    }
    request = TableRequest("table2", tmp_path, 2, 40, 0.9, published=table)
    cn, gamo, *_, last = runs(request)
    store = store_of({cn: (0.2, 0.4), gamo: (0.6, None), last: (0.8, None)})
    found = tables.collect(request, store)
    assert len(found) == 3 * 3  # cn, cn with averaged weights, gamo; three sets
    line = found[(found["method"] == "gamo") & (found["set"] == "test_full")].iloc[0]
    assert line["seeds"] == 2 and line["acsa"] == pytest.approx(0.7)
    assert line["gm_sd"] == pytest.approx(0.1 * 2**0.5)
    assert line["m_updates"] == 40 and pd.isna(line["paper_gm"])

    paths = tables.write(request, store, "the command", tmp_path)
    assert [path.name for path in paths] == ["table2.md", "table2.csv"]
    shown = paths[0].read_text()
    assert "`the command`: ACSA / GM, mean" in shown
    assert "## digits, LS, 40 updates of M" in shown
    head = "method | seeds | paper, protocol | protocol | full test set | "
    assert head + "paper, training set | training set | seconds" in shown
    mean = "0.700±0.141 / 0.700±0.141"
    assert (
        f"| gamo | 2 | 0.34±0.01 / 0.33±0.01 | {mean} | {mean} | "
        f"0.50±0.02 / 0.40±0.02 | {mean} | 12 |"
    ) in shown
    value = "0.400 / 0.400"
    assert f"| cn (EMA) | 1 |  | {value} | {value} |  | {value} |  |" in shown
    sheet = pd.read_csv(paths[1], keep_default_na=False)
    assert len(sheet) == 9 and set(sheet["weights"]) == {"", "EMA"}


def test_a_table_without_a_run_is_an_error(toy_table, store_of, tmp_path):
    request = TableRequest("table2", tmp_path, 1, 40, published=toy_table)
    for store in (store_of({}), store_of({resolve({"dataset": "mnist"}): (0.5, None)})):
        with pytest.raises(UserError, match="table2: no run of it could be finished"):
            tables.write(request, store, "", tmp_path)


@pytest.mark.parametrize("name", ["table1", "table2"])
def test_the_committed_tables_are_those_of_the_committed_results(name, tmp_path):
    committed = (RESULTS / f"{name}.md").read_text()
    words = shlex.split(committed.split("`")[1])
    assert words[:3] == ["python", "reproduce.py", name]
    (tmp_path / "runs.jsonl").write_text((RESULTS / "runs.jsonl").read_text())
    place = f" --out {tmp_path}"
    arguments = [*words[2:], *shlex.split(place)]
    if "--known" not in arguments:
        arguments.append("--known")
    assert reproduce.main(arguments) == 0
    written = (tmp_path / f"{name}.md").read_text()
    assert written.replace(place, "") == committed
    sheets = [pd.read_csv(path / f"{name}.csv") for path in (tmp_path, RESULTS)]
    pd.testing.assert_frame_equal(*sheets)

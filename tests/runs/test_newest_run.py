"""Newest means the newest run that fits, and a run has a path, a name and a number."""

import pandas as pd
import pytest

from gamo_tf.config.options import resolve
from gamo_tf.errors import UserError
from gamo_tf.runs import newest, run_list
from gamo_tf.runs.run import Run


@pytest.fixture
def begin(tmp_path, perfect_results, monkeypatch):
    """``begin(kind, method, columns)``: a finished run of images or of a table."""

    def make(kind: str, method: str = "gamo", columns: tuple = ("a", "b")) -> Run:
        own = {"shape": (2,), "label": "y"} if kind == "table" else {"shape": (8, 8, 3)}
        classes = ("u", "v") if kind == "table" else ("cat", "lynx")
        options = resolve(
            {
                "dataset": kind,
                "data": str(tmp_path / kind),
                "method": method,
                "classes": classes,
                "counts": (20, 9),
                "test_split": 0.3,
                **own,
            }
        )
        run = Run.create(tmp_path / "runs", options)
        run.write_results(perfect_results(options))
        identities[run.path] = {"columns": list(columns)} if kind == "table" else {}
        return run

    identities: dict = {}
    identity = property(lambda run: identities[run.path])
    monkeypatch.setattr(Run, "identity", identity)
    return make


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "new.csv"
    pd.DataFrame({"a": [1.0], "b": [2.0], "y": ["u"]}).to_csv(path, index=False)
    return str(path)


def test_files_find_the_newest_run_of_their_kind(begin, tmp_path, table):
    photos, rows = begin("photos"), begin("table")
    begin("table", columns=("a", "c"))
    runs = tmp_path / "runs"
    assert newest.for_files(runs, ["x.jpg", "y.PNG", table]) == photos
    assert newest.for_files(runs, [table, "gone.csv"]) == rows
    latest = begin("photos")
    assert newest.for_files(runs, ["no suffix"]) == latest == newest.for_files(runs, [])


def test_where_none_fits_the_closest_is_named(begin, tmp_path, table):
    runs = tmp_path / "runs"
    rows = begin("table", columns=("a", "c"))
    with pytest.raises(UserError) as caught:
        newest.for_files(runs, ["x.jpg"])
    assert f"{rows.path}, was trained on a table. Name another" in str(caught.value)
    photos = begin("photos")
    with pytest.raises(UserError, match=r"was trained on columns that .* lacks: c\."):
        newest.for_files(runs, [table])
    begin("photos", "cn")
    for wanted in ("lynx", "1", "all", "dog"):
        assert newest.with_generator(runs, wanted) == photos
    (photos.path / "results.json").unlink()
    with pytest.raises(UserError, match=r"no convex generator \(method cn\)\. Name"):
        newest.with_generator(runs, "lynx")


def test_two_runs_of_the_same_classes_are_compared(begin, tmp_path):
    first, _, last = begin("photos"), begin("table"), begin("photos")
    assert newest.newest_alike(tmp_path / "runs") == [first, last]
    only = begin("table", columns=())
    assert newest.newest_alike(tmp_path / "runs")[-1] == only


def test_a_run_has_a_path_a_name_and_a_number(begin, tmp_path, monkeypatch):
    runs, run = tmp_path / "runs", begin("photos")
    monkeypatch.chdir(tmp_path)
    for name in (str(run.path), f"runs/{run.path.name}", run.path.name, "0", "00000"):
        assert run_list.named(name, runs).resolve() == run.path
    (tmp_path / "0").mkdir()  # no run: the number counts
    (tmp_path / run.path.name).mkdir()
    assert run_list.named("0", runs) == run.path
    assert run_list.named(run.path.name, runs) == run.path
    for name in ("1", "", "00000-photos-gamo", "x" * 300):
        with pytest.raises(UserError, match="there is no such run"):
            run_list.named(name, runs)
    (runs / "00000-photos-cn-ls").mkdir()
    with pytest.raises(UserError, match="is the number of several runs"):
        run_list.named("0", runs)


def test_a_run_at_work_is_not_gone_on_with(begin, tmp_path, capsys):
    older, busy = begin("photos"), begin("photos")
    for run in (older, busy):
        (run.path / "results.json").unlink()
        (run.path / "split.npz").touch()
    with busy.lock():
        assert run_list.newest_unfinished(tmp_path / "runs") == older
    assert "another process is at work" in capsys.readouterr().err
    assert run_list.newest_unfinished(tmp_path / "runs") == busy
